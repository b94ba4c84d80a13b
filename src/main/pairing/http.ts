/** The pairing interface on the host's port: who may ask, and how answers leave. */
import {
  type ApiReply,
  isPairingPath,
  type PairingApi,
  refusal,
  replyText,
  type Routed,
  routeOf,
} from "../../pairing/rest/api.ts";
import type { PairingCall } from "../../ops/pairing/port.ts";
import type { ClientGate } from "../../rpc/clients/client-gate.ts";
import type { Caller } from "../../rpc/clients/caller.ts";
import { headerOf, originOf, readVisit } from "../../rpc/clients/visit.ts";
import type { HttpReply, InboundRequest } from "../../rpc/proxy/ports.ts";

/** What the interface needs of the host. */
export interface PairingHttpOptions {
  readonly api: PairingApi;
  readonly gate: ClientGate;
  readonly now: () => number;
  readonly onFault: (error: unknown, url: string) => void;
}

/** Answers requests of the pairing interface. */
export class PairingHttp {
  readonly #options: PairingHttpOptions;

  constructor(options: PairingHttpOptions) {
    this.#options = options;
  }

  /** Whether a URL is one of the interface's. */
  serves(url: string): boolean {
    return isPairingPath(url);
  }

  /** Answers, now or later. */
  handle(request: InboundRequest, reply: HttpReply): void {
    const { api, onFault } = this.#options;
    const { method, url, rawHeaders } = request;
    const mark = url.indexOf("?");
    const path = mark < 0 ? url : url.slice(0, mark);
    const query = mark < 0 ? "" : url.slice(mark + 1);
    const origin = this.#addCors(rawHeaders, reply);
    if (method === "OPTIONS" && origin !== undefined) {
      const asked = headerOf(rawHeaders, "access-control-request-headers");
      reply.extraHeaders = undefined;
      return reply.send(204, this.#options.gate.cors.preflight(origin, asked), "");
    }
    const routed = routeOf(method, path);
    if (!routed.ok) return this.#send(reply, method, routed);
    const refused = this.#judge(request, routed);
    if (refused !== undefined) return this.#send(reply, method, refused.answer, refused.headers);
    const signal = routed.route === "enqueue" ? goneSignal(reply) : undefined;
    const answer = api.answer(routed, { query, body: request.body, signal });
    if (!(answer instanceof Promise)) return this.#send(reply, method, answer);
    answer.then(
      (late) => this.#send(reply, method, late),
      (error: unknown) => {
        onFault(error, url);
        this.#send(reply, method, refusal("PAIRING_INTERNAL", "the request met a bug of ours"));
      },
    );
  }

  /** Why this caller is not served. */
  #judge(request: InboundRequest, { access, params }: Routed): Refused | undefined {
    const { api, gate, now } = this.#options;
    const { bodyFault, rawHeaders, url, remoteAddress = "" } = request;
    if (bodyFault !== undefined) return { answer: BODY_FAULTS[bodyFault] };
    const visit = readVisit(rawHeaders, url);
    const entered = gate.enter(visit, remoteAddress);
    if (!entered.ok) return { answer: refusal("PAIRING_UNAUTHORISED", entered.message) };
    const { market } = params;
    const written = access === "read" ? [] : access === "write" ? [market] : api.listMarkets;
    if (!written.every((name) => this.#mayWrite(request, visit.origin, entered.caller, name))) {
      return { answer: written.includes(undefined) ? FORBIDDEN_TO_MOST : FORBIDDEN };
    }
    if (entered.caller === undefined && entered.peer === undefined) return undefined;
    const charge = gate.charge(entered, undefined, `pairing:${market ?? "*"}`, METHOD, now());
    if (charge === undefined) return undefined;
    const { reason, message, retryAfterMs } = charge;
    if (reason === "unauthorised") return { answer: refusal("PAIRING_UNAUTHORISED", message) };
    if (retryAfterMs === undefined) return { answer: refusal("PAIRING_FORBIDDEN", message) };
    const seconds = String(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
    return {
      answer: refusal("PAIRING_RATE_LIMITED", message),
      headers: ["Retry-After", seconds],
    };
  }

  /**
   * As long as there are no keys everybody who reaches the port may write, but for web pages: a browser
   * sends what any page asks it to.
   */
  #mayWrite(
    { host }: InboundRequest,
    origin: string | undefined,
    caller: Caller | undefined,
    market: string | undefined,
  ): boolean {
    const { gate } = this.#options;
    const isOwn = origin === undefined || origin.replace(/^https?:\/\//, "") === host;
    if (!isOwn && !gate.cors.allows(origin)) return false;
    return !gate.callers.hasKeys || caller?.mayChangeMarket(market) === true;
  }

  #addCors(rawHeaders: readonly string[], reply: HttpReply): string | undefined {
    const { cors } = this.#options.gate;
    const origin = cors.isOn ? originOf(rawHeaders) : undefined;
    if (origin !== undefined) reply.extraHeaders = cors.headers(origin);
    return origin;
  }

  #send(reply: HttpReply, method: string, answer: ApiReply, more: readonly string[] = []): void {
    if (!reply.isOpen) return;
    const { status, allow } = answer;
    const text = `${replyText(answer)}\n`;
    const size = Buffer.byteLength(text);
    const headers = [...HEADERS, "content-length", String(size), ...more];
    if (allow !== undefined) headers.push("allow", allow);
    // Nearly always nothing but ASCII, which leaves with its head as one piece.
    const body = size === text.length ? text : Buffer.from(text);
    reply.send(status, headers, method === "HEAD" ? "" : body);
  }
}

/** Aborted when the client leaves before it has its answer. */
const goneSignal = (reply: HttpReply): AbortSignal => {
  const controller = new AbortController();
  reply.onGone = () => controller.abort();
  return controller.signal;
};

/** An answer that refuses, with headers of its own. */
interface Refused {
  readonly answer: ApiReply;
  readonly headers?: readonly string[];
}

/** What a key is charged for, and may be allowed or denied. */
const METHOD = "pairing";

const HEADERS = [
  "content-type",
  "application/json; charset=utf-8",
  "cache-control",
  "no-store",
  "x-content-type-options",
  "nosniff",
];

const BODY_FAULTS = {
  too_large: refusal(
    "PAIRING_BODY_TOO_LARGE",
    "the body is larger than limits.max_body; send long lists in parts",
  ),
  bad_encoding: refusal("PAIRING_BAD_INPUT", "the body cannot be decoded"),
} as const;

const FORBIDDEN = refusal(
  "PAIRING_FORBIDDEN",
  "writing needs a key whose markets include this one, and no page of another origin may",
);

const FORBIDDEN_TO_MOST = refusal(
  "PAIRING_FORBIDDEN",
  'this counts for all markets: it needs a key with markets ["*"], and no page of another origin may',
);

/** The interface for those whose rights are known already, such as the admin socket. */
export const pairingCall =
  (api: PairingApi): PairingCall =>
  async ({ method, path, query = "", body }) => {
    const bytes = Buffer.from(body === undefined ? "" : JSON.stringify(body));
    const { status, body: answer } = await api.handle({ method, path, query, body: bytes });
    return { status, body: answer };
  };
