/** A provider of one WebSocket port that keeps books: who is connected, what is subscribed, how it ended. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { eventually } from "./eventually.ts";

/** One connection to a stub, and everything that was asked on it. */
export class StubConnection {
  readonly socket: WebSocket;
  /** Open subscriptions: id to kind. */
  readonly open = new Map<string, string>();
  readonly calls: string[] = [];
  subscribed = 0;
  unsubscribed = 0;
  /** Unsubscribes of what was not open. */
  unknown = 0;
  closed: { readonly code: number; readonly reason: string } | undefined;
  /** Answers that are held back. */
  readonly held: string[] = [];

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.open.clear();
    });
    socket.on("error", () => undefined);
  }

  /** Kinds of the open subscriptions, sorted. */
  get kinds(): readonly string[] {
    return [...this.open.values()].toSorted();
  }

  /** Sends an event to the subscriptions of a kind. */
  event(kind: string, result: unknown, isBinary = false): void {
    for (const [subscription, held] of this.open) {
      if (held !== kind) continue;
      const params = { subscription, result };
      const text = JSON.stringify({ jsonrpc: "2.0", method: "eth_subscription", params });
      this.socket.send(text, { binary: isBinary });
    }
  }

  /** Sends the answers that were held back. */
  release(): void {
    for (const text of this.held.splice(0)) this.socket.send(text);
  }
}

/** A counting provider; set its fields to make it misbehave. */
export class StubUpstream {
  readonly wsUrl: string;
  readonly port: number;
  /** All that ever came up, the newest last. */
  readonly connections: StubConnection[] = [];
  /** When upgrades were asked for, on the clock of `performance.now()`. */
  readonly upgradesAtMs: number[] = [];
  chainId = "0x1";
  /** Kinds of subscription that are refused. */
  readonly refused = new Set<string>();
  /** Methods whose answers are held back. */
  readonly heldMethods = new Set<string>();
  /** The whole HTTP answer that refuses an upgrade. */
  refusal: string | undefined;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  #made = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.wsUrl = `ws://127.0.0.1:${this.port}`;
    server.on("upgrade", (request, socket, head) => {
      this.upgradesAtMs.push(performance.now());
      if (this.refusal !== undefined) socket.end(this.refusal);
      else this.#sockets.handleUpgrade(request, socket, head, (client) => this.#accept(client));
    });
  }

  static async start(): Promise<StubUpstream> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new StubUpstream(server);
  }

  /** Connections that are open. */
  get live(): readonly StubConnection[] {
    return this.connections.filter(({ socket }) => socket.readyState === WebSocket.OPEN);
  }

  /** The only open connection; fails when there is none or more than one. */
  get only(): StubConnection {
    const [one, ...others] = this.live;
    if (one === undefined || others.length > 0) throw new Error(`${this.live.length} connections`);
    return one;
  }

  /** Waits for the one open connection to hold a subscription of this kind. */
  async subscribed(kind: string): Promise<StubConnection> {
    return eventually(`a subscription to ${kind}`, () => {
      const found = this.live.find(({ kinds }) => kinds.includes(kind));
      return found !== undefined && this.live.length === 1 ? found : undefined;
    });
  }

  async stop(): Promise<void> {
    for (const { socket } of this.connections) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #accept(socket: WebSocket): void {
    const connection = new StubConnection(socket);
    this.connections.push(connection);
    socket.on("message", (data: Buffer) => {
      const { id, method, params } = JSON.parse(data.toString());
      connection.calls.push(method);
      const text = JSON.stringify({
        jsonrpc: "2.0",
        id,
        ...this.#answer(connection, method, params),
      });
      if (this.heldMethods.has(method)) connection.held.push(text);
      else socket.send(text);
    });
  }

  #answer(connection: StubConnection, method: string, params: readonly unknown[]): object {
    if (method === "eth_chainId") return { result: this.chainId };
    if (method === "eth_unsubscribe") {
      const wasOpen = connection.open.delete(String(params[0]));
      if (wasOpen) connection.unsubscribed++;
      else connection.unknown++;
      return { result: wasOpen };
    }
    if (method !== "eth_subscribe") return { result: "0x1" };
    const kind = String(params[0]);
    if (this.refused.has(kind)) {
      return { error: { code: -32601, message: `no "${kind}" subscription in eth namespace` } };
    }
    const id = `0x${(++this.#made).toString(16)}`;
    connection.open.set(id, kind);
    connection.subscribed++;
    return { result: id };
  }
}
