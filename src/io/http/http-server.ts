/**
 * The HTTP listener: collects request bodies within limits, hands them to one handler, and sends
 * what it answers. It knows no route and no JSON-RPC.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "./node-http.ts";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { CallbackScope } from "../callback-scope.ts";
import { type HttpRequest, NodeRequest, readBody } from "./http-request.ts";
import { HttpResponse, type ResponseWire } from "./http-response.ts";
import { PlainConnections } from "./plain-connections.ts";
import type { RequestHost } from "./plain-connection.ts";

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
  /** Header lines that every answer of this port has besides its own: name, value, name, value. */
  readonly headers?: readonly string[] | undefined;
  /** Whether plain requests are read by our own codec (docs/adr/0014); default true. */
  readonly plain?: boolean;
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
class Shared implements RequestHost {
  readonly maxBodyBytes: number;
  readonly scope: CallbackScope;
  readonly headers: readonly string[] | undefined;
  readonly #onRequest: HttpServerOptions["onRequest"];
  inFlight = 0;
  isDraining = false;
  onIdle: (() => void) | undefined = undefined;

  constructor({ maxBodyBytes, scope, headers, onRequest }: HttpServerOptions) {
    this.headers = headers;
    this.maxBodyBytes = maxBodyBytes ?? 5 * 1024 * 1024;
    this.scope = scope ?? new CallbackScope();
    this.#onRequest = onRequest;
  }

  begin(wire: ResponseWire, acceptEncoding: string | undefined): HttpResponse {
    this.inFlight++;
    return new HttpResponse(wire, this, acceptEncoding);
  }

  hand(request: HttpRequest, reply: HttpResponse): void {
    this.scope.call(this.#onRequest, request, reply);
  }

  finish(reply: HttpResponse): void {
    this.inFlight--;
    reply.closed();
    if (this.inFlight === 0) this.onIdle?.();
  }
}

/** Opens the port. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const shared = new Shared(options);
  const headersTimeoutMs = options.headersTimeoutMs ?? 5000;
  const limits = {
    headersTimeoutMs,
    requestTimeoutMs: Math.max(options.requestTimeoutMs ?? 10_000, headersTimeoutMs),
    keepAliveTimeoutMs: options.keepAliveTimeoutMs ?? 65_000,
  };
  const server = createServer({
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: 1000,
    noDelay: true,
  });
  const plain = options.plain === false ? undefined : new PlainConnections(server, shared, limits);
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
      plain?.closeIdle();
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

function receive(shared: Shared, message: IncomingMessage, response: ServerResponse): void {
  const request = new NodeRequest(message);
  const reply = shared.begin(response, message.headers["accept-encoding"]);
  response.on("close", () => shared.finish(reply));
  readBody(request, message, shared.maxBodyBytes, () => shared.hand(request, reply));
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
