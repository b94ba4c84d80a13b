/** One WebSocket client of a fault proxy and its own connection to the node. */
import { WebSocket } from "ws";
import { DelayLine } from "./delay-line.ts";
import type { FaultState, SeenCall } from "./fault-settings.ts";

/** Carries frames both ways, in order, with the faults that are set at the moment. */
export class FaultChannel {
  readonly #client: WebSocket;
  readonly #node: WebSocket;
  readonly #state: FaultState;
  readonly #line = new DelayLine();
  /** Frames that came before the node's connection was open. */
  readonly #early: Buffer[] = [];
  /** Calls whose answers are looked at: id token -> request bytes. */
  readonly #awaited = new Map<string, { method: string; request: Buffer }>();
  readonly #subscriptions = new Set<string>();

  constructor(client: WebSocket, nodeUrl: string, state: FaultState) {
    this.#client = client;
    this.#state = state;
    this.#node = new WebSocket(nodeUrl, { perMessageDeflate: false });
    client.on("message", (data: Buffer) => this.#onClient(data));
    client.on("ping", (data) => {
      if (!state.settings.hang) client.pong(data);
    });
    client.on("close", () => this.cut());
    client.on("error", () => this.cut());
    this.#node.on("open", () => {
      for (const frame of this.#early.splice(0)) this.#node.send(frame, { binary: false });
    });
    this.#node.on("message", (data: Buffer) => this.#onNode(data));
    this.#node.on("close", () => this.cut());
    this.#node.on("error", () => this.cut());
  }

  /** Subscriptions that are open at the node for this client. */
  get subscriptionCount(): number {
    return this.#subscriptions.size;
  }

  /** Breaks both connections without a closing handshake. */
  cut(): void {
    this.#line.clear();
    this.#subscriptions.clear();
    this.#client.terminate();
    this.#node.terminate();
  }

  #onClient(data: Buffer): void {
    this.#state.wsCalls++;
    const { body, fault } = this.#state.receive(data);
    if (fault === "hang") return;
    if (fault === "reset") {
      this.#line.push(this.#state.delayMs(), () => this.cut());
    } else if (fault === "garbage") {
      this.#toClient("not json at all {");
    } else if (fault === "status" || fault === "rpcError") {
      this.#toClient(this.#state.refusal(data));
    } else {
      this.#watch(body);
      if (this.#node.readyState === WebSocket.OPEN) this.#node.send(body, { binary: false });
      else if (this.#early.length < EARLY_LIMIT) this.#early.push(body);
    }
  }

  #onNode(data: Buffer): void {
    if (this.#state.settings.hang) return;
    if (data.subarray(0, EVENT_HEAD_BYTES).includes(EVENT_MARK)) {
      if (!this.#state.swallows(data)) this.#toClient(data);
      return;
    }
    this.#toClient(this.#awaited.size === 0 ? data : this.#onAnswer(data));
  }

  #onAnswer(data: Buffer): Buffer {
    const { id, result } = JSON.parse(data.toString()) as { id?: unknown; result?: unknown };
    const awaited = this.#awaited.get(JSON.stringify(id));
    if (awaited === undefined) return data;
    this.#awaited.delete(JSON.stringify(id));
    if (awaited.method === "eth_subscribe" && typeof result === "string") {
      this.#subscriptions.add(result);
    }
    return this.#state.rewriteAnswer(awaited.request, data);
  }

  #watch(request: Buffer): void {
    let call: SeenCall | undefined;
    try {
      call = JSON.parse(request.toString()) as SeenCall;
    } catch {
      return;
    }
    const method = String(call?.method);
    if (call === undefined || !LOOKED_AT.has(method) || this.#awaited.size >= AWAITED_LIMIT) return;
    this.#awaited.set(JSON.stringify(call.id), { method, request });
    if (method === "eth_unsubscribe" && Array.isArray(call.params)) {
      this.#subscriptions.delete(String(call.params[0]));
    }
  }

  #toClient(frame: Buffer | string): void {
    this.#line.push(this.#state.delayMs(), () => {
      if (this.#client.readyState === WebSocket.OPEN) this.#client.send(frame, { binary: false });
    });
  }
}

const EVENT_MARK = '"eth_subscription"';
/** An event says so in its first bytes; a block may hold the word anywhere else. */
const EVENT_HEAD_BYTES = 128;
/** Methods whose answers a fault may rewrite or whose success is counted. */
const LOOKED_AT = new Set([
  "eth_subscribe",
  "eth_unsubscribe",
  "eth_chainId",
  "net_version",
  "eth_blockNumber",
  "eth_getBlockByNumber",
  "eth_getBlockByHash",
  "eth_getLogs",
]);
const EARLY_LIMIT = 1_024;
const AWAITED_LIMIT = 10_000;
