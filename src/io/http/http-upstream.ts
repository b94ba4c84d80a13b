/**
 * Sends JSON-RPC calls to one provider over HTTP: undici's `dispatch`, one small handler object
 * per call, no promise and no stream on the way.
 *
 * Deadlines are the caller's: undici's own timers are off. Bodies are asked for uncompressed, since
 * ids are spliced in bytes; a provider that compresses anyway is decoded here.
 *
 * Sockets are shared by everybody who calls, so each call calls back in its own caller's scope.
 */
import type { Transform } from "node:stream";
import type { Dispatcher } from "undici";
import type { Secret } from "../../lib/secret.ts";
import { CallbackScope } from "../callback-scope.ts";
import { decoderOf } from "./content-coding.ts";
import { countPassed } from "../vm-tuning.ts";
import { type PooledCall, type PooledSocket, SocketPool } from "./socket-pool.ts";
import { errors } from "./undici-parts.ts";

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

/** A provider's HTTP endpoint. */
export class HttpUpstream {
  readonly transport = "http";
  readonly #pool: SocketPool;
  #isClosed = false;

  constructor(options: HttpUpstreamOptions) {
    const url = new URL(options.url.reveal());
    const { onConnect } = options;
    const scope = new CallbackScope();
    this.#pool = new SocketPool({
      origin: url.origin,
      path: url.pathname + url.search,
      headers: [
        "content-type",
        "application/json",
        "accept-encoding",
        "identity",
        ...credentials(url),
        ...Object.entries(options.headers ?? {}).flatMap(([name, value]) => [name, value.reveal()]),
      ],
      connections: options.connections ?? 64,
      connectTimeoutMs: options.connectTimeoutMs ?? 5000,
      onConnect: () => {
        if (onConnect !== undefined) scope.run(onConnect);
      },
    });
  }

  /** Sends `body`, in which the id stands already, with header lines of its own if it has any. */
  send(body: Buffer, _id: number, handler: Handler, headers?: readonly string[]): HttpCall {
    const call = new HttpCall(this.#pool, body, handler, headers);
    if (this.#isClosed) call.onResponseError(undefined, new errors.ClientClosedError());
    else this.#pool.dispatch(call);
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
class HttpCall implements PooledCall, Head {
  status = 0;
  sizeBytes = -1;
  retryAfter: string | undefined = undefined;
  readonly body: Buffer;
  readonly headers: readonly string[] | undefined;
  socket: PooledSocket | undefined = undefined;
  readonly #pool: SocketPool;
  readonly #handler: Handler;
  readonly #scope = new CallbackScope();
  /** There once the call is being written. */
  #controller: Dispatcher.DispatchController | undefined;
  #decoder: Transform | undefined;
  #isOver = false;

  constructor(
    pool: SocketPool,
    body: Buffer,
    handler: Handler,
    headers: readonly string[] | undefined,
  ) {
    this.#pool = pool;
    this.body = body;
    this.headers = headers;
    this.#handler = handler;
  }

  get isOver(): boolean {
    return this.#isOver;
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
    // Given up while it waited for a connection.
    if (this.#isOver) controller.abort(new Error("call was given up"));
    else this.#controller = controller;
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
    const { socket } = this;
    if (socket !== undefined) {
      this.socket = undefined;
      socket.answered++;
      this.#pool.release(socket, true);
    }
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
    const reusedSocket = this.#leave(error);
    if (this.#isOver) return;
    this.#isOver = true;
    this.#decoder?.destroy();
    const failure: Failure = {
      kind: this.status > 0 ? "truncated" : failureKind(error),
      reusedSocket: this.status === 0 && reusedSocket,
      detail: error.code === undefined ? error.message : `${error.code}: ${error.message}`,
    };
    this.#scope.run(() => this.#handler.onFailure(failure));
  }

  /** Gives the socket back after an error; whether the call was written to one that had been used before. */
  #leave(error: Error & { code?: string }): boolean {
    const { socket } = this;
    if (socket === undefined) return false;
    this.socket = undefined;
    const wasWritten = this.#controller !== undefined;
    if (!wasWritten && !socket.isConnected && NO_CONNECTION.has(failureKind(error))) {
      this.#pool.refused(error);
    }
    this.#pool.release(socket, !wasWritten && socket.isConnected);
    return wasWritten && socket.answered > 0;
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

/** Failures that say that no connection is to be had. */
const NO_CONNECTION: ReadonlySet<FailureKind> = new Set(["refused", "dns", "tls"]);

function failureKind(error: Error & { code?: string }): FailureKind {
  const code = error.code ?? "";
  const known = KINDS[code];
  if (known !== undefined) return known;
  // An answer that is no HTTP is as useless as a cut one.
  if (code.startsWith("HPE_") || code === "UND_ERR_HEADERS_OVERFLOW") return "truncated";
  return /CERT|TLS|SSL|VERIFY/.test(code) ? "tls" : "other";
}
