/**
 * Loopback server of one fake provider: HTTP and WebSocket on one port. What it says and how it
 * fails is decided by a mind that is passed in; this file only moves bytes and keeps time.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "./http/node-http.ts";
import type { AddressInfo, Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { DelayLine } from "./delay-line.ts";

/** What becomes of one request. */
export type FakeServerReply =
  | { readonly kind: "hang" }
  | { readonly kind: "reset"; readonly delayMs: number }
  | FakeServerBody;

/** An answer, whole or cut short after `cutAtBytes`, at once or dripping over `dripMs`. */
export interface FakeServerBody {
  readonly kind: "body";
  readonly delayMs: number;
  readonly status: number;
  readonly retryAfterSec: number | undefined;
  readonly body: string;
  readonly cutAtBytes: number | undefined;
  readonly dripMs: number;
}

/** One WebSocket connection as the mind sees it. */
export interface FakeServerSession {
  request(text: string, nowMs: number): FakeServerReply;
  collect(nowMs: number): string[];
}

/** The mind of a provider; src/rpc/fake has one. */
export interface FakeServerMind<Session extends FakeServerSession> {
  isRefusing(nowMs: number): boolean;
  isSilent(nowMs: number): boolean;
  answerHttp(text: string, nowMs: number): FakeServerReply;
  openSession(nowMs: number): Session;
  closeSession(session: Session): void;
  isDropDue(session: Session, nowMs: number): boolean;
  nextWakeMs(nowMs: number): number;
}

/** A running fake provider. */
export interface FakeServer {
  readonly url: string;
  readonly wsUrl: string;
  stop(): Promise<void>;
}

/** Starts a fake provider on a free loopback port; `now` is the clock the mind is asked with. */
export async function startFakeServer<Session extends FakeServerSession>(
  mind: FakeServerMind<Session>,
  now: () => number,
): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  const connections = new Map<WebSocket, Connection<Session>>();
  let timer: NodeJS.Timeout | undefined;
  const server = createServer((request, response) => serveHttp(mind, now, request, response));
  server.maxConnections = CONNECTION_LIMIT;
  server.on("connection", (socket) => {
    if (mind.isRefusing(now())) {
      socket.resetAndDestroy();
      return;
    }
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once("close", () => sockets.delete(socket));
  });
  const webSockets = new WebSocketServer({ server, autoPong: false, maxPayload: BODY_LIMIT_BYTES });
  webSockets.on("connection", (socket) => {
    const session = mind.openSession(now());
    connections.set(socket, { session, line: new DelayLine() });
    socket.on("message", (data: Buffer) => {
      onMessage(socket, connections.get(socket), data.toString(), now());
      wake();
    });
    socket.on("ping", (data) => {
      if (!mind.isSilent(now())) socket.pong(data);
    });
    socket.on("error", () => socket.terminate());
    socket.once("close", () => {
      connections.get(socket)?.line.clear();
      connections.delete(socket);
      mind.closeSession(session);
    });
  });

  function wake(): void {
    clearTimeout(timer);
    const nowMs = now();
    if (mind.isRefusing(nowMs)) for (const socket of sockets) socket.destroy();
    for (const [socket, { session, line }] of connections) {
      if (mind.isDropDue(session, nowMs)) socket.terminate();
      for (const frame of session.collect(nowMs)) line.push(0, () => socket.send(frame));
    }
    const waitMs = mind.nextWakeMs(nowMs) - nowMs;
    timer = setTimeout(wake, Math.min(Math.max(waitMs, MIN_WAKE_MS), MAX_WAKE_MS));
  }

  await listen(server);
  wake();
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}`,
    stop: async () => {
      clearTimeout(timer);
      for (const { line } of connections.values()) line.clear();
      webSockets.close();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      clearTimeout(timer);
    },
  };
}

interface Connection<Session> {
  readonly session: Session;
  readonly line: DelayLine;
}

function serveHttp<Session extends FakeServerSession>(
  mind: FakeServerMind<Session>,
  now: () => number,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  request.on("data", (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes > BODY_LIMIT_BYTES) request.destroy();
    else chunks.push(chunk);
  });
  request.on("end", () => {
    const reply = mind.answerHttp(Buffer.concat(chunks).toString(), now());
    if (reply.kind === "hang") return;
    after(reply.delayMs, () => {
      if (reply.kind === "reset") request.socket.resetAndDestroy();
      else writeReply(response, reply);
    });
  });
}

function writeReply(response: ServerResponse, reply: FakeServerBody): void {
  const body = Buffer.from(reply.body);
  response.statusCode = reply.status;
  response.setHeader("content-type", reply.status === 500 ? "text/html" : "application/json");
  response.setHeader("content-length", body.length);
  if (reply.retryAfterSec !== undefined) response.setHeader("retry-after", reply.retryAfterSec);
  if (reply.cutAtBytes !== undefined) {
    response.write(body.subarray(0, reply.cutAtBytes), () => response.destroy());
  } else if (reply.dripMs > 0) {
    drip(response, body, reply.dripMs);
  } else {
    response.end(body);
  }
}

/** Sends a body in `DRIP_STEPS` equal parts. */
function drip(response: ServerResponse, body: Buffer, overMs: number): void {
  const part = Math.ceil(body.length / DRIP_STEPS);
  let sent = 0;
  const step = (): void => {
    if (response.destroyed) return;
    const next = body.subarray(sent, sent + part);
    sent += next.length;
    if (sent >= body.length) {
      response.end(next);
      return;
    }
    response.write(next);
    setTimeout(step, overMs / DRIP_STEPS);
  };
  step();
}

function onMessage<Session extends FakeServerSession>(
  socket: WebSocket,
  connection: Connection<Session> | undefined,
  text: string,
  nowMs: number,
): void {
  if (connection === undefined) return;
  const reply = connection.session.request(text, nowMs);
  if (reply.kind === "hang") return;
  connection.line.push(reply.delayMs, () => {
    if (reply.kind === "reset" || reply.status >= 500) socket.terminate();
    else
      socket.send(
        reply.cutAtBytes === undefined ? reply.body : reply.body.slice(0, reply.cutAtBytes),
      );
  });
}

function after(delayMs: number, run: () => void): void {
  if (delayMs < 1) run();
  else setTimeout(run, delayMs);
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

const BODY_LIMIT_BYTES = 8 * 1024 * 1024;
const CONNECTION_LIMIT = 2_048;
const DRIP_STEPS = 10;
const MIN_WAKE_MS = 1;
const MAX_WAKE_MS = 1_000;
