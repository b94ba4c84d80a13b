/**
 * The HTTP listener: collects request bodies within limits, hands them to one handler, and sends
 * what it answers. It knows no route and no JSON-RPC.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { CallbackScope } from "./callback-scope.ts";
import { decodeBody } from "./content-coding.ts";
import { HttpResponse } from "./http-response.ts";

/** Limits of the listener; the defaults are what a public JSON-RPC endpoint needs. */
export interface HttpServerOptions {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** Largest request body before and after decompression, bytes; default 5 MiB. */
  readonly maxBodyBytes?: number;
  /** Time for a request's headers, ms; default 5,000. */
  readonly headersTimeoutMs?: number;
  /** Time for a whole request, ms; default 10,000. */
  readonly requestTimeoutMs?: number;
  /** Idle time of a kept-alive connection, ms; above what load balancers keep; default 65,000. */
  readonly keepAliveTimeoutMs?: number;
  /** Whose code the callbacks are; default: of whoever opens the port. */
  readonly scope?: CallbackScope;
  readonly onRequest: (request: HttpRequest, reply: HttpResponse) => void;
  readonly onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** Why the listener could not start. */
export class ListenError extends Error {
  readonly code: "IO_PORT_IN_USE" | "IO_PORT_DENIED" | "IO_LISTEN_FAILED";

  constructor(code: ListenError["code"], message: string, cause: unknown) {
    super(message, { cause });
    this.name = "ListenError";
    this.code = code;
  }
}

/** A running listener. */
export interface HttpServer {
  readonly host: string;
  readonly port: number;
  /** Requests whose answer has not left completely. */
  readonly inFlight: number;
  /** Open connections, WebSockets included. */
  readonly connections: number;
  /** Takes no new connection; resolves when every request is answered or the time is over. */
  drain(timeoutMs: number): Promise<void>;
  /** Cuts everything. */
  close(): Promise<void>;
}

/** State that all requests of a listener share. */
interface Shared {
  readonly maxBodyBytes: number;
  readonly onRequest: HttpServerOptions["onRequest"];
  readonly scope: CallbackScope;
  inFlight: number;
  isDraining: boolean;
  onIdle: (() => void) | undefined;
}

/** Opens the port. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const shared: Shared = {
    maxBodyBytes: options.maxBodyBytes ?? 5 * 1024 * 1024,
    onRequest: options.onRequest,
    scope: options.scope ?? new CallbackScope(),
    inFlight: 0,
    isDraining: false,
    onIdle: undefined,
  };
  const headersTimeout = options.headersTimeoutMs ?? 5000;
  const server = createServer({
    headersTimeout,
    requestTimeout: Math.max(options.requestTimeoutMs ?? 10_000, headersTimeout),
    keepAliveTimeout: options.keepAliveTimeoutMs ?? 65_000,
    connectionsCheckingInterval: 1000,
    noDelay: true,
  });
  const sockets = new Set<Duplex>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("request", (message, response) => receive(shared, message, response));
  const { onUpgrade } = options;
  if (onUpgrade !== undefined) {
    server.on("upgrade", (...upgrade) => shared.scope.run(() => onUpgrade(...upgrade)));
  }
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(listenError(error, options.host, options.port));
    });
    server.listen({ host: options.host, port: options.port }, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    host: options.host,
    port: address.port,
    get inFlight() {
      return shared.inFlight;
    },
    get connections() {
      return sockets.size;
    },
    async drain(timeoutMs) {
      shared.isDraining = true;
      server.close();
      server.closeIdleConnections();
      if (shared.inFlight === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        shared.onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): ListenError {
  if (error.code === "EADDRINUSE") {
    return new ListenError("IO_PORT_IN_USE", `port ${port} on ${host} is in use`, error);
  }
  if (error.code === "EACCES") {
    return new ListenError("IO_PORT_DENIED", `port ${port} on ${host} needs more rights`, error);
  }
  const message = `cannot listen on ${host}:${port}: ${error.message}`;
  return new ListenError("IO_LISTEN_FAILED", message, error);
}

const NO_BODY: Buffer = Buffer.alloc(0);

/** One request; its body is complete when the handler sees it. */
export class HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly isSecure = false;
  body: Buffer = NO_BODY;
  bodyFault: "too_large" | "bad_encoding" | undefined = undefined;
  readonly #message: IncomingMessage;

  constructor(message: IncomingMessage) {
    this.#message = message;
    this.method = message.method ?? "";
    this.url = message.url ?? "";
    this.rawHeaders = message.rawHeaders;
  }

  get host(): string {
    return this.#message.headers.host ?? "localhost";
  }

  /** A header by its lower-case name. */
  header(name: string): string | undefined {
    const value = this.#message.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  get remoteAddress(): string | undefined {
    return this.#message.socket.remoteAddress;
  }
}

function receive(shared: Shared, message: IncomingMessage, response: ServerResponse): void {
  const request = new HttpRequest(message);
  const reply = new HttpResponse(response, shared);
  shared.inFlight++;
  response.on("close", () => {
    shared.inFlight--;
    shared.scope.run(() => reply.closed());
    if (shared.inFlight === 0) shared.onIdle?.();
  });
  const hand = (): void => {
    shared.scope.run(() => shared.onRequest(request, reply));
  };
  if (message.method === "GET" || message.method === "HEAD") {
    hand();
    return;
  }
  collect(shared, message, (body, fault) => {
    if (fault !== undefined || body.length === 0 || !isEncoded(message)) {
      request.body = body;
      request.bodyFault = fault;
      hand();
      return;
    }
    const encoding = message.headers["content-encoding"];
    decodeBody(encoding, body, shared.maxBodyBytes, (decoded, decodeFault) => {
      request.body = decoded;
      request.bodyFault = decodeFault;
      hand();
    });
  });
}

type BodyDone = (body: Buffer, fault: HttpRequest["bodyFault"]) => void;

/** Bytes beyond the limit that are read and dropped, so that a well-meaning client gets its answer. */
const DISCARD_FACTOR = 8;

function collect(shared: Shared, message: IncomingMessage, done: BodyDone): void {
  let first: Buffer | undefined;
  let rest: Buffer[] | undefined;
  let sizeBytes = 0;
  let isTooLarge = false;
  message.on("data", (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (isTooLarge) {
      if (sizeBytes > shared.maxBodyBytes * DISCARD_FACTOR) message.destroy();
      return;
    }
    if (sizeBytes > shared.maxBodyBytes) {
      isTooLarge = true;
      first = undefined;
      rest = undefined;
      done(NO_BODY, "too_large");
    } else if (first === undefined) first = chunk;
    else if (rest === undefined) rest = [chunk];
    else rest.push(chunk);
  });
  message.on("end", () => {
    if (isTooLarge) return;
    if (first === undefined) done(NO_BODY, undefined);
    else done(rest === undefined ? first : Buffer.concat([first, ...rest]), undefined);
  });
}

function isEncoded(message: IncomingMessage): boolean {
  const { rawHeaders } = message;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length === 16 && name.toLowerCase() === "content-encoding") {
      return rawHeaders[index + 1] !== "identity";
    }
  }
  return false;
}
