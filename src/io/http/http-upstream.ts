/**
 * Sends JSON-RPC calls to one provider over HTTP: an undici Pool driven by `dispatch`, one small
 * handler object per call, no promise and no stream on the way.
 *
 * Deadlines are the caller's: undici's own timers are off. Bodies are asked for uncompressed, since
 * ids are spliced in bytes; a provider that compresses anyway is decoded here.
 *
 * Sockets are shared by everybody who calls, so each call calls back in its own caller's scope.
 */
import type { Transform } from "node:stream";
import type { Dispatcher } from "undici";
import { Pool } from "undici";
import type { Secret } from "../../lib/secret.ts";
import { CallbackScope } from "../callback-scope.ts";
import { decoderOf } from "./content-coding.ts";
import { countPassed } from "../vm-tuning.ts";

/** Where and how to reach a provider. */
export interface HttpUpstreamOptions {
  readonly url: Secret;
  /** Header values may be keys. */
  readonly headers?: Readonly<Record<string, Secret>>;
  /** Sockets at most; default 64. */
  readonly connections?: number;
  /** Time to connect, ms; default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Called for every new connection: it may lead to another node than the last one. */
  readonly onConnect?: () => void;
}

type FailureKind = "refused" | "reset" | "dns" | "tls" | "closed" | "truncated" | "other";

interface Failure {
  readonly kind: FailureKind;
  readonly reusedSocket: boolean;
  readonly detail: string;
}

interface Head {
  readonly status: number;
  readonly sizeBytes: number;
  readonly retryAfter: string | undefined;
}

/** Receives one answer; see `UpstreamHandler` of the request path. */
interface Handler {
  onHead(head: Head): void;
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  onFailure(failure: Failure): void;
}

/** How long an idle connection is kept; below the providers' and load balancers' own limits. */
const KEEP_ALIVE_MS = 60_000;

/** A provider's HTTP endpoint. */
export class HttpUpstream {
  readonly transport = "http";
  readonly #pool: Pool;
  readonly #path: string;
  readonly #headers: string[];
  #connects = 0;
  #isClosed = false;

  constructor(options: HttpUpstreamOptions) {
    const url = new URL(options.url.reveal());
    this.#path = url.pathname + url.search;
    this.#headers = [
      "content-type",
      "application/json",
      "accept-encoding",
      "identity",
      ...credentials(url),
      ...Object.entries(options.headers ?? {}).flatMap(([name, value]) => [name, value.reveal()]),
    ];
    this.#pool = new Pool(url.origin, {
      connections: options.connections ?? 64,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
      connectTimeout: options.connectTimeoutMs ?? 5000,
    });
    const { onConnect } = options;
    const scope = new CallbackScope();
    this.#pool.on("connect", () => {
      this.#connects++;
      if (onConnect !== undefined) scope.run(onConnect);
    });
  }

  /** Sockets opened since the start; tells a fresh connection from a reused one. */
  get connects(): number {
    return this.#connects;
  }

  /** Sends `body`; the id stands in it already. */
  send(body: Buffer, _id: number, handler: Handler): HttpCall {
    const call = new HttpCall(this, handler);
    if (this.#isClosed) {
      call.onResponseError(
        undefined,
        Object.assign(new Error("closed"), { code: "UND_ERR_CLOSED" }),
      );
      return call;
    }
    this.#pool.dispatch({ path: this.#path, method: "POST", headers: this.#headers, body }, call);
    return call;
  }

  /** Lets calls in flight finish, then closes the sockets. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool.close();
  }

  /** Closes the sockets now; calls in flight fail. */
  async destroy(): Promise<void> {
    this.#isClosed = true;
    await this.#pool.destroy();
  }
}

/** Makes the driver of one provider's HTTP endpoint. */
export function createHttpUpstream(options: HttpUpstreamOptions): HttpUpstream {
  return new HttpUpstream(options);
}

/** `user:password@` of a URL as a header; undici drops it. */
function credentials(url: URL): string[] {
  if (url.username === "" && url.password === "") return [];
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return ["authorization", `Basic ${Buffer.from(pair).toString("base64")}`];
}

/** One call: undici's handler, the caller's handle and the response head in one object. */
class HttpCall implements Dispatcher.DispatchHandler, Head {
  status = 0;
  sizeBytes = -1;
  retryAfter: string | undefined = undefined;
  readonly #upstream: HttpUpstream;
  readonly #handler: Handler;
  readonly #scope = new CallbackScope();
  readonly #connectsBefore: number;
  #controller: Dispatcher.DispatchController | undefined;
  #decoder: Transform | undefined;
  #isOver = false;

  constructor(upstream: HttpUpstream, handler: Handler) {
    this.#upstream = upstream;
    this.#handler = handler;
    this.#connectsBefore = upstream.connects;
  }

  /** Gives the call up; the handler hears nothing more. */
  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#decoder?.destroy();
    this.#controller?.abort(new Error("call was given up"));
  }

  /** Goes on after `onData` returned false. */
  resume(): void {
    // Not at once: another connection's parser may be at work below, and undici runs one at a time.
    queueMicrotask(() => this.#goOn());
  }

  #goOn(): void {
    if (this.#isOver) return;
    if (this.#decoder === undefined) this.#controller?.resume();
    else this.#decoder.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Given up while it waited for a socket.
    if (this.#isOver) controller.abort(new Error("call was given up"));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#isOver || statusCode < 200) return;
    this.status = statusCode;
    const encoding = headers["content-encoding"];
    if (typeof encoding === "string" && encoding !== "identity") this.#decode(encoding);
    const length = headers["content-length"];
    if (typeof length === "string" && this.#decoder === undefined) this.sizeBytes = Number(length);
    const retryAfter = headers["retry-after"];
    if (typeof retryAfter === "string") this.retryAfter = retryAfter;
    this.#scope.run(() => this.#handler.onHead(this));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return;
    if (this.#decoder !== undefined) {
      if (!this.#decoder.write(chunk)) controller.pause();
      return;
    }
    countPassed(chunk.length);
    if (!this.#tell(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    if (this.#decoder !== undefined) {
      this.#decoder.end();
      return;
    }
    this.#isOver = true;
    this.#scope.run(() => this.#handler.onEnd());
  }

  onResponseError(
    _controller: Dispatcher.DispatchController | undefined,
    error: Error & { code?: string },
  ): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#decoder?.destroy();
    const failure: Failure = {
      kind: this.status > 0 ? "truncated" : failureKind(error),
      // It was written (there is a controller), and to no connection opened meanwhile.
      reusedSocket:
        this.status === 0 &&
        this.#controller !== undefined &&
        this.#upstream.connects === this.#connectsBefore,
      detail: error.code === undefined ? error.message : `${error.code}: ${error.message}`,
    };
    this.#scope.run(() => this.#handler.onFailure(failure));
  }

  /** False asks for a pause; who threw is told nothing more, and holds no socket up. */
  #tell(chunk: Buffer): boolean {
    const goesOn = this.#scope.run(() => this.#handler.onData(chunk));
    if (goesOn === undefined) this.abort();
    return goesOn !== false;
  }

  #decode(encoding: string): void {
    const decoder = decoderOf(encoding.trim().toLowerCase());
    if (decoder === undefined) return;
    this.#decoder = decoder;
    decoder.on("data", (chunk: Buffer) => {
      if (!this.#isOver && !this.#tell(chunk)) decoder.pause();
    });
    decoder.on("drain", () => this.#controller?.resume());
    decoder.on("end", () => {
      if (this.#isOver) return;
      this.#isOver = true;
      this.#scope.run(() => this.#handler.onEnd());
    });
    decoder.on("error", (error) => {
      this.#controller?.abort(error);
      this.onResponseError(undefined, error);
    });
  }
}

const KINDS: Readonly<Record<string, FailureKind>> = {
  ECONNREFUSED: "refused",
  EHOSTUNREACH: "refused",
  ENETUNREACH: "refused",
  ETIMEDOUT: "refused",
  UND_ERR_CONNECT_TIMEOUT: "refused",
  ECONNRESET: "reset",
  EPIPE: "reset",
  UND_ERR_SOCKET: "reset",
  ENOTFOUND: "dns",
  EAI_AGAIN: "dns",
  EAI_FAIL: "dns",
  EPROTO: "tls",
  UND_ERR_CLOSED: "closed",
  UND_ERR_DESTROYED: "closed",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "truncated",
};

function failureKind(error: Error & { code?: string }): FailureKind {
  const code = error.code ?? "";
  const known = KINDS[code];
  if (known !== undefined) return known;
  // An answer that is no HTTP is as useless as a cut one.
  if (code.startsWith("HPE_") || code === "UND_ERR_HEADERS_OVERFLOW") return "truncated";
  return /CERT|TLS|SSL|VERIFY/.test(code) ? "tls" : "other";
}
