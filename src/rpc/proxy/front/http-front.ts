/**
 * The HTTP face of the gateway: from a request to one call or a batch, and back to a response with
 * the status that the situation asks for.
 */
import type { OwnReason } from "../../errors/codes.ts";
import { OWN_ERRORS } from "../../errors/codes.ts";
import { errorText } from "../../json-rpc/error-text.ts";
import { methodInfo } from "../../json-rpc/methods.ts";
import type { Entered } from "../../clients/client-gate.ts";
import { headerOf, originOf } from "../../clients/visit.ts";
import { idToken } from "../../json-rpc/request-bytes.ts";
import type { Envelope } from "../../json-rpc/scan.ts";
import { isNotification, scanBody } from "../../json-rpc/scan.ts";
import type { BatchDone, Submit } from "./batch.ts";
import { Batch } from "./batch.ts";
import { batchFault } from "./batch-fault.ts";
import { NobodySink } from "./nobody-sink.ts";
import { BatchTally } from "./batch-tally.ts";
import type { Call, CallOptions } from "../call.ts";
import type { Engine } from "../engine.ts";
import { readHeaders } from "./headers.ts";
import { chainFault, enter, optionsFault, optionsOf } from "./entrance.ts";
import { hintPage } from "./hint-page.ts";
import { HttpCall } from "./http-call.ts";
import type { ChainView, HttpReply, InboundRequest } from "../ports.ts";
import { HELP_HEADER, type HelpDoor } from "../../help/ports.ts";
import { serveGuest } from "./guest-call.ts";
import type { Route, RouteFault, RouteResult } from "./route.ts";
import { readRoute } from "./route.ts";

/** URLs whose reading is remembered, and the longest of them. */
const MAX_ROUTES = 1024;
const MAX_ROUTE_CHARS = 512;

const JSON_HEADERS = ["Content-Type", "application/json"];
const REQUEST_ID = "X-Paceline-Request-Id";
const ENCODINGS = "the body cannot be decoded; send it plain, or as gzip, deflate, br or zstd";
const CLIENT_REQUEST_ID = "X-Paceline-Client-Request-Id";
const STRATEGY = "X-Paceline-Strategy";

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
    if (this.#engine.gate.cors.isOn) this.#letBrowserRead(request, reply);
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
    const { helpDoor } = this.#engine.deps;
    if (helpDoor !== undefined && this.#serveGuest(helpDoor, request, reply, read.route)) return;
    const entrance = enter(this.#engine, request);
    if (!entrance.ok) {
      this.#refuse(reply, entrance.reason, entrance.message, requestId(request.body));
      return;
    }
    const { caller } = entrance;
    const engine = this.#engine;
    const chain = engine.deps.chains.find(read.route.chainKey);
    const routed = optionsOf(engine, read.route, caller);
    const options =
      engine.paired === undefined || chain === undefined || "reason" in routed
        ? routed
        : engine.paired.optionsOf(
            routed,
            engine.paired.consumerOf(caller, request.rawHeaders),
            chain.name,
          );
    const headers =
      "reason" in options
        ? options
        : readHeaders(request.rawHeaders, request.url, options, true, caller?.mayDirect);
    if ("reason" in headers) {
      this.#refuse(reply, headers.reason, headers.message, requestId(request.body));
      return;
    }
    const missing =
      chain === undefined ? chainFault(read.route) : optionsFault(chain, read.route, headers);
    if (chain === undefined || missing !== undefined) {
      const { reason, message } = missing as RouteFault;
      this.#refuse(reply, reason, message, requestId(request.body));
      return;
    }
    this.#serve(request, reply, chain, headers, entrance);
  }

  /** Another region has passed this on, or so it says; false for everybody else. */
  #serveGuest(door: HelpDoor, request: InboundRequest, reply: HttpReply, route: Route): boolean {
    const ticket = headerOf(request.rawHeaders, HELP_HEADER);
    if (ticket === undefined) return false;
    const { body } = request;
    const chain = this.#engine.deps.chains.find(route.chainKey);
    const fault =
      chain === undefined
        ? chainFault(route)
        : serveGuest(this.#engine, door, ticket, chain, body, reply);
    if (fault !== undefined) this.#refuse(reply, fault.reason, fault.message, requestId(body));
    return true;
  }

  /** Adds what a browser wants to see on every answer, if the page may see it. */
  #letBrowserRead(request: InboundRequest, reply: HttpReply): void {
    const origin = originOf(request.rawHeaders);
    if (origin !== undefined) reply.extraHeaders = this.#engine.gate.cors.headers(origin);
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

  #serve(
    request: InboundRequest,
    reply: HttpReply,
    chain: ChainView,
    options: CallOptions,
    { caller, peer }: Entered,
  ): void {
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
      caller,
      peer,
    });
    if (scanned.kind === "single") this.#serveOne(callOf(scanned.envelope), reply);
    else this.#serveBatch(scanned.envelopes, callOf, body, reply);
  }

  #serveOne(call: Call, reply: HttpReply): void {
    const { envelope } = call;
    if (isNotification(envelope)) {
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
    const id = this.#engine.nextRequestId();
    const fault = batchFault(this.#engine, envelopes, body, id);
    if (fault !== undefined) {
      const headers = [...JSON_HEADERS, REQUEST_ID, id];
      reply.send(200, [...headers, "Content-Length", `${fault.length}`], fault);
      return;
    }
    const calls = this.#engine.pinning.ofBatch(envelopes.map(callOf));
    const { options, chain } = calls[0] as Call;
    const engine = this.#engine;
    const startMs = engine.now();
    const tally = new BatchTally(id, options.meta === "headers");
    const done: BatchDone = (pieces, sizeBytes) => {
      if (!reply.isOpen) return;
      const headers = [REQUEST_ID, id, STRATEGY, options.strategy ?? chain.strategy];
      headers.push(...tally.headers(engine.now() - startMs));
      if (options.clientRequestId !== undefined) {
        headers.push(CLIENT_REQUEST_ID, options.clientRequestId);
      }
      if (sizeBytes === 0) reply.send(204, headers, "");
      else {
        headers.push(...JSON_HEADERS, "Content-Length", String(sizeBytes));
        reply.sendPieces(200, headers, sizeBytes, pieces);
      }
    };
    const batch = new Batch(engine.limits, this.#submit, calls, done, (facts) => tally.add(facts));
    reply.onGone = () => batch.cancel();
    batch.start();
  }

  #handleOther(request: InboundRequest, reply: HttpReply): void {
    const { method, url } = request;
    if (method === "OPTIONS" && this.#answerPreflight(request, reply)) return;
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

  /** A browser asks before it sends a call; true when this was such a question. */
  #answerPreflight(request: InboundRequest, reply: HttpReply): boolean {
    const { cors } = this.#engine.gate;
    const origin = originOf(request.rawHeaders);
    if (!cors.isOn || origin === undefined) return false;
    reply.extraHeaders = undefined;
    const asked = headerOf(request.rawHeaders, "access-control-request-headers");
    reply.send(204, cors.preflight(origin, asked), "");
    return true;
  }

  #refuse(reply: HttpReply, reason: OwnReason, message: string, token = "null"): void {
    const { code, status } = OWN_ERRORS[reason];
    const id = this.#engine.nextRequestId();
    const text = errorText(token, code, message, { reason, request_id: id });
    const headers = [...JSON_HEADERS, REQUEST_ID, id, "Content-Length", `${text.length}`];
    if (status === 401) headers.push("WWW-Authenticate", "Bearer");
    reply.send(status, headers, text);
  }
}

/** The id of a single readable call, for errors that come before the call is looked at. */
function requestId(body: Buffer): string {
  const scanned = scanBody(body);
  return scanned.kind === "single" ? idToken(body, scanned.envelope) : "null";
}

/** The same path with the WebSocket scheme. */
function websocketUrl(request: InboundRequest): string {
  const path = request.url.split("?", 1)[0] ?? "";
  return `${request.isSecure ? "wss" : "ws"}://${request.host}${path}`;
}
