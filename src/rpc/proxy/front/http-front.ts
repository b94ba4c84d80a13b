/**
 * The HTTP face of the gateway: from a request to one call or a batch, and back to a response with
 * the status that the situation asks for.
 */
import type { OwnReason } from "../../errors/codes.ts";
import { OWN_ERRORS } from "../../errors/codes.ts";
import { errorText } from "../../json-rpc/error-text.ts";
import { methodInfo } from "../../json-rpc/methods.ts";
import { isAsked } from "../../selection/asked.ts";
import { idToken } from "../../json-rpc/request-bytes.ts";
import type { Envelope } from "../../json-rpc/scan.ts";
import { scanBody } from "../../json-rpc/scan.ts";
import type { Submit } from "./batch.ts";
import { Batch } from "./batch.ts";
import { batchFault } from "./batch-fault.ts";
import { NobodySink } from "./nobody-sink.ts";
import type { Call, CallOptions } from "../call.ts";
import { applyDirective, DIRECTIVE_PREFIX, directiveReason } from "./directives.ts";
import type { Engine } from "../engine.ts";
import { hintPage } from "./hint-page.ts";
import { HttpCall } from "./http-call.ts";
import type { ChainView, HttpReply, InboundRequest } from "../ports.ts";
import type { Route, RouteFault, RouteResult } from "./route.ts";
import { readRoute } from "./route.ts";

/** URLs whose reading is remembered, and the longest of them. */
const MAX_ROUTES = 1024;
const MAX_ROUTE_CHARS = 512;

const JSON_HEADERS = ["Content-Type", "application/json"];
const REQUEST_ID = "X-Paceline-Request-Id";
const ENCODINGS = "the body cannot be decoded; send it plain, or as gzip, deflate, br or zstd";

/** Serves `/rpc/...` and `/ws/...` over HTTP. */
export class HttpFront {
  readonly #engine: Engine;
  readonly #submit: Submit;
  readonly #routes = new Map<string, RouteResult>();

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#submit = (call, sink) => engine.submit(call, sink);
  }

  /** Whether a path is ours to answer. */
  serves(url: string): boolean {
    return url.startsWith("/rpc") || url.startsWith("/ws");
  }

  /** Answers one request. */
  handle(request: InboundRequest, reply: HttpReply): void {
    const { method } = request;
    if (method !== "POST") {
      this.#handleOther(request, reply);
      return;
    }
    if (request.bodyFault !== undefined) {
      const isLarge = request.bodyFault === "too_large";
      const limit = this.#engine.limits.maxBodyBytes;
      if (isLarge) this.#refuse(reply, "body_too_large", `the body is over ${limit} bytes`);
      else this.#refuse(reply, "bad_encoding", ENCODINGS);
      return;
    }
    const read = this.#route(request.url);
    if (!read.ok) {
      this.#refuse(reply, read.fault.reason, read.fault.message, requestId(request.body));
      return;
    }
    const headers = this.#readHeaders(request, read.route.options);
    if ("reason" in headers) {
      this.#refuse(reply, headers.reason, headers.message, requestId(request.body));
      return;
    }
    const chain = this.#engine.deps.chains.find(read.route.chainKey);
    const missing =
      chain === undefined ? chainFault(read.route) : providerFault(chain, read.route, headers);
    if (chain === undefined || missing !== undefined) {
      const { reason, message } = missing as RouteFault;
      this.#refuse(reply, reason, message, requestId(request.body));
      return;
    }
    this.#serve(request, reply, chain, headers);
  }

  /** The remembered reading of a URL. */
  #route(url: string): RouteResult {
    const known = this.#routes.get(url);
    if (known !== undefined) return known;
    const read = readRoute(url);
    if (url.length > MAX_ROUTE_CHARS) return read;
    // Clients use few URLs; a flood of others starts the memory anew instead of growing it.
    if (this.#routes.size >= MAX_ROUTES) this.#routes.clear();
    this.#routes.set(url, read);
    return read;
  }

  #readHeaders(request: InboundRequest, options: CallOptions): CallOptions | RouteFault {
    const { rawHeaders, url } = request;
    let directed = options;
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const name = rawHeaders[index] as string;
      const { length } = name;
      if (length === 12) {
        if (name.toLowerCase() === "content-type" && !isJson(rawHeaders[index + 1] as string)) {
          return { reason: "not_json", message: "the content type must be application/json" };
        }
      } else if (
        length > DIRECTIVE_PREFIX.length &&
        (name.charCodeAt(0) | 0x20) === 0x78 &&
        name.toLowerCase().startsWith(DIRECTIVE_PREFIX)
      ) {
        const directive = name.slice(DIRECTIVE_PREFIX.length).toLowerCase().replaceAll("_", "-");
        if (hasQuery(url, directive)) continue;
        const applied = applyDirective(directed, directive, rawHeaders[index + 1] as string);
        if (typeof applied === "string") {
          return { reason: directiveReason(directive), message: applied };
        }
        directed = applied;
      }
    }
    return directed;
  }

  #serve(request: InboundRequest, reply: HttpReply, chain: ChainView, options: CallOptions): void {
    const { body } = request;
    const scanned = scanBody(body);
    if (scanned.kind === "unreadable") {
      this.#refuse(reply, "parse_error", scanned.message);
      return;
    }
    const { pinning, now } = this.#engine;
    const pins =
      options.session === undefined ? undefined : pinning.ofClient(chain, options, now());
    const callOf = (envelope: Envelope): Call => ({
      chain,
      options,
      protocol: "http",
      body,
      envelope,
      websocketUrl: () => websocketUrl(request),
      pins,
      pin: undefined,
      isPart: false,
    });
    if (scanned.kind === "single") this.#serveOne(callOf(scanned.envelope), reply);
    else this.#serveBatch(scanned.envelopes, callOf, body, reply);
  }

  #serveOne(call: Call, reply: HttpReply): void {
    const { envelope } = call;
    if (!envelope.hasId && envelope.fault?.code !== -32600) {
      this.#notify(call);
      reply.send(204, [REQUEST_ID, this.#engine.nextRequestId()], "");
      return;
    }
    const sink = new HttpCall(reply, call.options.meta);
    const running = this.#engine.submit(call, sink);
    if (running === undefined) return;
    sink.running = running;
    reply.onGone = () => running.cancel();
  }

  /** A notification is processed, but nobody waits for it. */
  #notify(call: Call): void {
    if (call.envelope.fault !== undefined) return;
    if (methodInfo(call.envelope.method).route !== "forward") return;
    this.#engine.submit(call, new NobodySink());
  }

  #serveBatch(
    envelopes: readonly Envelope[],
    callOf: (envelope: Envelope) => Call,
    body: Buffer,
    reply: HttpReply,
  ): void {
    const limit = this.#engine.limits.maxBatchItems;
    const id = this.#engine.nextRequestId();
    const fault = batchFault(envelopes, limit, body, id);
    if (fault !== undefined) {
      const headers = [...JSON_HEADERS, REQUEST_ID, id];
      reply.send(200, [...headers, "Content-Length", `${fault.length}`], fault);
      return;
    }
    const calls = this.#engine.pinning.ofBatch(envelopes.map(callOf));
    const { options, chain } = calls[0] as Call;
    const headers = [
      ...JSON_HEADERS,
      REQUEST_ID,
      id,
      "X-Paceline-Strategy",
      options.strategy ?? chain.strategy,
    ];
    const batch = new Batch(this.#engine.limits, this.#submit, calls, (pieces, sizeBytes) => {
      if (!reply.isOpen) return;
      if (sizeBytes === 0) reply.send(204, headers.slice(JSON_HEADERS.length), "");
      else {
        headers.push("Content-Length", String(sizeBytes));
        reply.sendPieces(200, headers, sizeBytes, pieces);
      }
    });
    reply.onGone = () => batch.cancel();
    batch.start();
  }

  #handleOther(request: InboundRequest, reply: HttpReply): void {
    const { method, url } = request;
    const read = this.#route(url);
    if (method === "GET" || method === "HEAD") {
      if (!read.ok) {
        this.#refuse(reply, read.fault.reason, read.fault.message);
        return;
      }
      const chain = this.#engine.deps.chains.find(read.route.chainKey);
      if (chain === undefined) {
        const { reason, message } = chainFault(read.route);
        this.#refuse(reply, reason, message);
        return;
      }
      const page = hintPage(request, chain);
      const size = `${Buffer.byteLength(page)}`;
      const headers = ["Content-Type", "text/plain; charset=utf-8", "Content-Length", size];
      reply.send(200, headers, method === "HEAD" ? "" : Buffer.from(page));
      return;
    }
    const { code, status } = OWN_ERRORS.method_not_post;
    const text = errorText("null", code, `${method} is not served here; send a POST`, {
      reason: "method_not_post",
    });
    reply.send(
      status,
      [...JSON_HEADERS, "Allow", "POST, GET", "Content-Length", `${text.length}`],
      text,
    );
  }

  #refuse(reply: HttpReply, reason: OwnReason, message: string, token = "null"): void {
    const { code, status } = OWN_ERRORS[reason];
    const id = this.#engine.nextRequestId();
    const text = errorText(token, code, message, { reason, request_id: id });
    const headers = [...JSON_HEADERS, REQUEST_ID, id, "Content-Length", `${text.length}`];
    reply.send(status, headers, text);
  }
}

function isJson(contentType: string): boolean {
  return (
    contentType === "application/json" ||
    (/^application\/(json|json-rpc|jsonrequest)\s*(;|$)/i.test(contentType) &&
      // RFC 8259 section 8.1: JSON that is exchanged is UTF-8, whatever a charset says.
      /^"?(utf-?8|us-ascii)"?\s*(;|$)/i.test(charsetOf(contentType)))
  );
}

function charsetOf(contentType: string): string {
  return /;\s*charset\s*=\s*(\S*)/i.exec(contentType)?.[1] ?? "utf-8";
}

function hasQuery(url: string, directive: string): boolean {
  const mark = url.indexOf("?");
  if (mark < 0) return false;
  const names = [...new URLSearchParams(url.slice(mark + 1)).keys()];
  return names.some((name) => name.toLowerCase().replaceAll("_", "-") === directive);
}

/** The id of a single readable call, for errors that come before the call is looked at. */
function requestId(body: Buffer): string {
  const scanned = scanBody(body);
  return scanned.kind === "single" ? idToken(body, scanned.envelope) : "null";
}

/** The error for a chain that does not run. */
export function chainFault(route: Route): RouteFault {
  return { reason: "unknown_chain", message: `unknown chain ${route.chainKey.slice(0, 100)}` };
}

/** The error for a provider that the chain does not have; a directive may name tags, or a glob. */
export function providerFault(
  chain: ChainView,
  { isProviderForced }: Route,
  { provider }: CallOptions,
): RouteFault | undefined {
  if (provider === undefined) return undefined;
  const isKnown = chain.snapshot?.endpoints.some(
    (endpoint) =>
      endpoint.provider === provider || (!isProviderForced && isAsked(provider, endpoint)),
  );
  if (isKnown !== false) return undefined;
  const message = `chain ${chain.name} has no provider ${provider.slice(0, 100)}`;
  return { reason: "unknown_provider", message };
}

/** The same path with the WebSocket scheme. */
function websocketUrl(request: InboundRequest): string {
  const path = request.url.split("?", 1)[0] ?? "";
  return `${request.isSecure ? "wss" : "ws"}://${request.host}${path}`;
}
