/**
 * WebSocket clients on the HTTP port: takes or refuses handshakes, bounds messages, notices dead
 * peers, and sends prebuilt frames that many clients share. No compression: it costs five times the
 * CPU and 240 KB a client.
 */
import type { IncomingMessage } from "node:http";
import { STATUS_CODES } from "./http/node-http.ts";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import { CallbackScope } from "./callback-scope.ts";
import { Heartbeats } from "./ws-heartbeat.ts";
import { TurnFrames, Turns } from "./turn-frames.ts";

/** What a client's connection tells its session. */
export interface WsSessionHandler {
  onMessage(bytes: Buffer): void;
  onClose(): void;
  /** Calls that wait for an answer; a draining server lets them finish. */
  readonly inFlight: number;
}

/** What becomes of a handshake. */
export type WsDecision =
  | { readonly ok: true; readonly open: (connection: WsConnection) => WsSessionHandler }
  | { readonly ok: false; readonly status: number; readonly body: string };

/** Limits of the server. */
export interface WsServerOptions {
  /** Whose code the sessions are; default: of whoever makes the server. */
  readonly scope?: CallbackScope;
  /** Decides on a handshake by its request. */
  readonly decide: (request: IncomingMessage) => WsDecision;
  /** Header lines of every handshake that is granted: name, value, name, value. */
  readonly headers?: readonly string[] | undefined;
  /** Largest message, bytes; default 32 MiB. */
  readonly maxMessageBytes?: number;
  /** Connections at most; beyond, handshakes get 503. Default 10,000. */
  readonly maxConnections?: number;
  /** Time between pings, ms; default 30,000. */
  readonly pingIntervalMs?: number;
  /** Time for a pong, ms; two misses cut the connection. Default 5,000. */
  readonly pongTimeoutMs?: number;
  /** How long frames are written in one go before other sockets have their turn, ms; default 5. */
  readonly sliceMs?: number;
}

/** Close code: the server restarts, come back. */
const CLOSE_RESTART = 1012;

/** Longest close reason that fits a control frame. */
const MAX_REASON_BYTES = 123;

/** Never given twice in this program: a hub knows clients by it, whichever listener took them. */
let nextId = 1;

/** All WebSocket clients of one listener. */
export class WsServer {
  readonly #options: WsServerOptions;
  readonly #server: WebSocketServer;
  readonly #connections = new Set<WsConnection>();
  readonly #heartbeats: Heartbeats;
  readonly #timer: NodeJS.Timeout;
  readonly #turns: Turns;
  readonly #scope: CallbackScope;

  constructor(options: WsServerOptions) {
    this.#options = options;
    this.#turns = new Turns(options.sliceMs);
    this.#scope = options.scope ?? new CallbackScope();
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes ?? 32 * 1024 * 1024,
      // The scanner refuses invalid UTF-8 with a JSON-RPC error, which says more than a close code.
      skipUTF8Validation: true,
    });
    const { headers = [] } = options;
    this.#server.on("headers", (lines) => {
      for (let at = 0; at < headers.length; at += 2)
        lines.push(`${headers[at]}: ${headers[at + 1]}`);
    });
    this.#heartbeats = new Heartbeats({
      intervalMs: options.pingIntervalMs ?? 30_000,
      timeoutMs: options.pongTimeoutMs ?? 5000,
    });
    const beat = (): void => this.#heartbeats.tick(performance.now());
    this.#timer = setInterval(beat, this.#heartbeats.tickMs);
    this.#timer.unref();
  }

  /** Clients that are connected. */
  get size(): number {
    return this.#connections.size;
  }

  /** Takes an upgrade of the HTTP server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A socket that breaks during the handshake must not end the program.
    socket.on("error", () => socket.destroy());
    if (this.#connections.size >= (this.#options.maxConnections ?? 10_000)) {
      refuse(socket, 503, '{"error":"too many connections"}');
      return;
    }
    const decision = this.#options.decide(request);
    if (!decision.ok) {
      refuse(socket, decision.status, decision.body);
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (client) => {
      const connection = new WsConnection(nextId++, client, socket as Socket, this.#turns);
      this.#connections.add(connection);
      this.#heartbeats.add(connection, performance.now());
      const session = decision.open(connection);
      connection.session = session;
      client.on("message", (data: Buffer) => {
        this.#scope.run(() => session.onMessage(data));
      });
      client.on("pong", () => this.#heartbeats.pong(connection));
      // The close event follows every error and is what the session hears.
      client.on("error", () => undefined);
      client.on("close", () => {
        this.#connections.delete(connection);
        this.#heartbeats.delete(connection);
        this.#scope.run(() => session.onClose());
      });
    });
  }

  /**
   * Closes every client with 1012, spread over `spreadMs`, each once its calls are answered or have
   * had 5 s; resolves when all are gone.
   */
  async drain(spreadMs: number, random: () => number): Promise<void> {
    const all = [...this.#connections];
    await Promise.all(
      all.map(
        (connection) =>
          new Promise<void>((resolve) => {
            // A client that leaves by itself is waited for no longer.
            connection.whenClosed(resolve);
            const start = (): void => connection.finish(performance.now() + FINISH_MS);
            setTimeout(start, random() * spreadMs).unref();
          }),
      ),
    );
  }

  /** Cuts every connection. */
  close(): void {
    clearInterval(this.#timer);
    for (const connection of this.#connections) connection.terminate();
    this.#server.close();
  }
}

function refuse(socket: Duplex, status: number, body: string): void {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Connection: close",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 503 ? ["Retry-After: 1"] : []),
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
  socket.once("finish", () => socket.destroy());
}

/** One client. */
export class WsConnection extends TurnFrames {
  readonly id: number;
  session: WsSessionHandler | undefined = undefined;
  readonly #client: WebSocket;
  readonly #socket: Socket;

  constructor(id: number, client: WebSocket, socket: Socket, turns: Turns) {
    super(turns);
    this.id = id;
    this.#client = client;
    this.#socket = socket;
  }

  get isOpen(): boolean {
    return this.#client.readyState === WebSocket.OPEN;
  }

  /** Bytes that the kernel has not taken yet. */
  get bufferedBytes(): number {
    return this.#socket.writableLength + this.heldBytes;
  }

  /** Bytes that the kernel has taken. */
  get sentBytes(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  /** Sends one text message; bytes are UTF-8. */
  send(text: string | Buffer): void {
    if (!this.isOpen) return;
    this.flush();
    if (typeof text === "string") this.#client.send(text);
    else if (text.length < SMALL_BYTES) this.#socket.write(textFrame(text));
    else {
      this.#socket.cork();
      this.#socket.write(frameHead(text.length));
      this.#socket.write(text);
      this.#socket.uncork();
    }
  }

  /**
   * Frames are dropped if the connection is closed by the time their turn has come. Without compression
   * the library writes every frame of its own at once, so frames cannot interleave.
   */
  protected override write(frames: Buffer): void {
    if (this.isOpen) this.#socket.write(frames);
  }

  close(code: number, reason: string): void {
    this.flush();
    // oxlint-disable-next-line no-control-regex
    const ascii = reason.replaceAll(/[^\u0020-\u007e]/g, "?").slice(0, MAX_REASON_BYTES);
    this.#client.close(code, ascii);
  }

  /** Calls `done` once the connection is gone. */
  whenClosed(done: () => void): void {
    if (this.#client.readyState === WebSocket.CLOSED) done();
    else this.#client.once("close", done);
  }

  /** Waits for the client's calls until `untilMs`, then asks it to come back. */
  finish(untilMs: number): void {
    const isIdle = this.session === undefined || this.session.inFlight === 0;
    if (!isIdle && performance.now() < untilMs) {
      setTimeout(() => this.finish(untilMs), FINISH_POLL_MS);
      return;
    }
    if (this.#client.readyState === WebSocket.CLOSED) return;
    const timer = setTimeout(() => this.#client.terminate(), DRAIN_CLOSE_MS);
    this.whenClosed(() => clearTimeout(timer));
    this.close(CLOSE_RESTART, "restarting, please reconnect");
  }

  terminate(): void {
    this.#client.terminate();
  }

  get isPaused(): boolean {
    return this.#client.isPaused;
  }

  /** Reads no further messages; the peer feels it once its own buffers are full. */
  pause(): void {
    this.#client.pause();
  }

  resume(): void {
    this.#client.resume();
  }

  ping(): void {
    this.#client.ping();
  }
}

/** Time that calls in flight get when the server drains. */
const FINISH_MS = 5000;
const FINISH_POLL_MS = 10;
/** Time a draining client gets for its side of the close handshake. */
const DRAIN_CLOSE_MS = 2000;
/** Messages below this are copied behind their head and leave in one write. */
const SMALL_BYTES = 4096;

/** Head of an unmasked text frame (RFC 6455 section 5.2). */
function frameHead(sizeBytes: number): Buffer {
  if (sizeBytes < 126) return Buffer.from([0x81, sizeBytes]);
  if (sizeBytes < 65_536) return Buffer.from([0x81, 126, sizeBytes >> 8, sizeBytes & 0xff]);
  const head = Buffer.alloc(10);
  head[0] = 0x81;
  head[1] = 127;
  head.writeUInt32BE(sizeBytes, 6);
  return head;
}

/** A small message as one frame. */
function textFrame(payload: Buffer): Buffer {
  const sizeBytes = payload.length;
  const headBytes = sizeBytes < 126 ? 2 : 4;
  const frame = Buffer.allocUnsafe(headBytes + sizeBytes);
  frame[0] = 0x81;
  if (sizeBytes < 126) frame[1] = sizeBytes;
  else {
    frame[1] = 126;
    frame[2] = sizeBytes >> 8;
    frame[3] = sizeBytes & 0xff;
  }
  payload.copy(frame, headBytes);
  return frame;
}
