/**
 * A programmable HTTP and WebSocket reverse proxy in front of one node, for tests and drills. It
 * fails on demand and otherwise passes bytes unchanged; per connection the order is kept, because a
 * reordering proxy would test the network, not the gateway.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "./http/node-http.ts";
import type { AddressInfo, Socket } from "node:net";
import { Pool } from "undici";
import { type WebSocket, WebSocketServer } from "ws";
import { FaultChannel } from "./fault-channel.ts";
import { type FaultSettings, FaultState } from "./fault-settings.ts";

/** Where a fault proxy stands and what its chance is seeded with. */
export interface FaultProxyOptions {
  /** HTTP URL of the node; its WebSocket is expected on the same port. */
  readonly upstreamUrl: string;
  readonly seed?: number;
  /** Port to listen on; 0 (the default) picks a free one. */
  readonly port?: number;
}

/** What a fault proxy has seen since its start. */
export interface FaultCounters {
  readonly connections: number;
  readonly httpRequests: number;
  readonly wsCalls: number;
  readonly wsOpen: number;
  /** Upstream subscriptions open at this moment. */
  readonly subscriptionsOpen: number;
  /** Calls per method over both transports. */
  readonly calls: Readonly<Record<string, number>>;
}

/** A running fault proxy. */
export interface FaultProxy {
  readonly url: string;
  readonly wsUrl: string;
  readonly port: number;
  /** Changes some settings and leaves the others. */
  set(change: Partial<FaultSettings>): void;
  /** Cuts every connection and refuses new ones until `heal`. */
  cut(): void;
  /** Cuts the open WebSocket connections once; new ones are served. */
  dropWs(): void;
  /** Back to perfect. */
  heal(): void;
  counters(): FaultCounters;
  stop(): Promise<void>;
}

/** Starts a fault proxy on a loopback port. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const state = new FaultState(options.seed ?? 1);
  const sockets = new Set<Socket>();
  const channels = new Set<FaultChannel>();
  const pool = new Pool(new URL(options.upstreamUrl).origin, { connections: 256 });
  const tally = { connections: 0, httpRequests: 0 };
  const server = createServer((request, response) => {
    tally.httpRequests++;
    serveHttp({ state, pool, request, response });
  });
  server.on("connection", (socket) => {
    tally.connections++;
    if (state.settings.down) {
      socket.resetAndDestroy();
      return;
    }
    socket.setNoDelay(true);
    sockets.add(socket);
    // A test that kills its client must not bring the proxy down.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  });
  const webSockets = new WebSocketServer({
    server,
    autoPong: false,
    maxPayload: BODY_LIMIT_BYTES,
    perMessageDeflate: false,
  });
  webSockets.on("connection", (client: WebSocket) => {
    const channel = new FaultChannel(client, options.upstreamUrl.replace(/^http/u, "ws"), state);
    channels.add(channel);
    client.once("close", () => channels.delete(channel));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const cutAll = (): void => {
    for (const channel of channels) channel.cut();
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}`,
    port,
    set: (change) => {
      state.set(change);
      if (change.down === true) cutAll();
    },
    cut: () => {
      state.set({ down: true });
      cutAll();
    },
    dropWs: () => {
      for (const channel of channels) channel.cut();
    },
    heal: () => state.heal(),
    counters: () => {
      let subscriptionsOpen = 0;
      for (const channel of channels) subscriptionsOpen += channel.subscriptionCount;
      return {
        ...tally,
        wsCalls: state.wsCalls,
        wsOpen: channels.size,
        subscriptionsOpen,
        calls: Object.fromEntries(state.calls),
      };
    },
    stop: async () => {
      cutAll();
      webSockets.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      await pool.destroy();
    },
  };
}

interface Exchange {
  readonly state: FaultState;
  readonly pool: Pool;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

function serveHttp(exchange: Exchange): void {
  const chunks: Buffer[] = [];
  exchange.request.on("data", (chunk: Buffer) => chunks.push(chunk));
  exchange.request.on("end", () => {
    const { state, request, response } = exchange;
    const { body, fault } = state.receive(Buffer.concat(chunks));
    const delayMs = state.delayMs();
    if (fault === "hang") return;
    if (fault === "reset") {
      later(delayMs, () => request.socket.resetAndDestroy());
    } else if (fault === "status") {
      later(delayMs, () => writeStatus(response, state.settings));
    } else if (fault === "garbage" || fault === "rpcError") {
      const text = fault === "garbage" ? GARBAGE : state.refusal(body);
      later(delayMs, () => response.setHeader("content-type", "application/json").end(text));
    } else {
      forward(exchange, body, delayMs, fault === "truncate").catch(() => response.destroy());
    }
  });
}

async function forward(
  { state, pool, request, response }: Exchange,
  body: Buffer,
  delayMs: number,
  isTruncated: boolean,
): Promise<void> {
  const startedMs = performance.now();
  const answer = await pool.request({
    method: request.method ?? "POST",
    // A vendor's key lives in the path; the node behind knows none.
    path: "/",
    headers: { "content-type": "application/json" },
    body: body.length === 0 ? null : body,
  });
  const raw = Buffer.from(await answer.body.arrayBuffer());
  const bytes = state.rewriteAnswer(body, raw);
  later(delayMs - (performance.now() - startedMs), () => {
    if (response.destroyed) return;
    response.statusCode = answer.statusCode;
    response.setHeader("content-type", "application/json");
    response.setHeader("content-length", bytes.length);
    if (!isTruncated) response.end(bytes);
    else response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
  });
}

function writeStatus(response: ServerResponse, settings: FaultSettings): void {
  response.statusCode = settings.status ?? 500;
  if (settings.retryAfterSec !== undefined) {
    response.setHeader("retry-after", settings.retryAfterSec);
  }
  response.setHeader("content-type", "text/plain").end(`status ${response.statusCode} on demand`);
}

function later(delayMs: number, run: () => void): void {
  if (delayMs < 0.5) run();
  else setTimeout(run, delayMs);
}

const BODY_LIMIT_BYTES = 64 * 1024 * 1024;
const GARBAGE = '<html>not json at all {"jsonrpc":';
