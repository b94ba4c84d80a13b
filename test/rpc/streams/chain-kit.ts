/** A chain's event path on a virtual node, with sockets that the test plays. */
import { Buffer } from "node:buffer";
import { tableKeeper, tableKeeperKey } from "../../../actors/ops/table-keeper.ts";
import { headTracker, headTrackerKey } from "../../../actors/rpc/head-tracker.ts";
import { messageAggregator, messageAggregatorKey } from "../../../actors/rpc/message-aggregator.ts";
import {
  subscriptionHub,
  subscriptionHubKey,
  subscriptionTable,
} from "../../../actors/rpc/subscription-hub.ts";
import { wsConnection, wsConnectionKey } from "../../../actors/rpc/ws-connection.ts";
import type { Socket, SocketClosure, SocketHandlers } from "../../../src/rpc/connection/socket.ts";
import { child, createVirtualNode, supervisor } from "../../../src/otp/index.ts";
import { createChainState, type ChainState } from "../../../src/rpc/chain-state.ts";
import type { AttemptOutcome } from "../../../src/rpc/chain-view.ts";
import type { ClientSink, SubscriptionKind } from "../../../src/rpc/proxy/ports.ts";
import { statsTable } from "../../../src/rpc/stream-stats.ts";
import { mustLoad } from "../../config/support.ts";
import { bloomOf } from "./follower-kit.ts";

const hash = (name: string): string =>
  `0x${Buffer.from(name).toString("hex").padEnd(64, "0").slice(0, 64)}`;

const EMITTER = `0x${"a".repeat(40)}`;
/** That of all logs, so they explain the bloom. */
const TOPIC = hash("topic");
const BLOOM = bloomOf(EMITTER, TOPIC);
/** That of a block without logs. */
export const NO_LOGS = bloomOf();

/** A header as a node sends it. */
export const header = (name: string, number: number, parent: string, logsBloom = BLOOM) => ({
  number: `0x${number.toString(16)}`,
  hash: hash(name),
  parentHash: hash(parent),
  logsBloom,
  timestamp: "0x1",
});

/** A log as a node sends it. */
export const log = (block: string, number: number, index: number) => ({
  address: EMITTER,
  topics: [TOPIC],
  data: "0x",
  blockNumber: `0x${number.toString(16)}`,
  blockHash: hash(block),
  transactionHash: hash(`tx-${block}-${index}`),
  logIndex: `0x${index.toString(16)}`,
  removed: false,
});

/** The provider's end of a connection. */
export class FakeSocket implements Socket {
  readonly handlers: SocketHandlers;
  readonly sent: { id: number; method: string; params: unknown[] }[] = [];
  /** Upstream subscription ids by stream; empty after an unsubscribe. */
  readonly subscriptions = new Map<string, string>();
  isOpen = true;
  pings = 0;
  bytesRead = 0;
  /** Our side reads nothing. */
  isResting = false;
  chainId = "0x1";
  isMute = false;
  /** Methods that are not answered. */
  readonly unanswered = new Set<string>();
  /** Kinds of subscription, and methods, that are refused. */
  readonly refused = new Set<string>();
  /** How our side has closed it. */
  closedBy: string | undefined;
  private made = 0;
  private readonly now: () => number;

  constructor(handlers: SocketHandlers, now: () => number) {
    this.handlers = handlers;
    this.now = now;
  }

  send(message: string | Buffer): void {
    const call = JSON.parse(message.toString()) as {
      id: number;
      method: string;
      params: unknown[];
    };
    this.sent.push(call);
    const { id, method, params } = call;
    if (this.isMute || this.unanswered.has(method)) return;
    if (this.refused.has(method) || this.refused.has(String(params?.[0]))) {
      this.say({ jsonrpc: "2.0", id, error: { code: -32601, message: "not served" } });
      return;
    }
    const reply = (result: unknown) => this.say({ jsonrpc: "2.0", id, result });
    if (method === "eth_chainId") reply(this.chainId);
    if (method === "eth_blockNumber") reply("0x0");
    if (method === "eth_unsubscribe") {
      for (const [kind, held] of this.subscriptions) {
        if (held === params[0]) this.subscriptions.delete(kind);
      }
      reply(true);
    }
    if (method === "eth_subscribe") {
      const held = `0xup${++this.made}`;
      this.subscriptions.set(String(params[0]), held);
      reply(held);
    }
  }

  ping(): void {
    this.pings++;
    if (!this.isMute) this.handlers.onPong();
  }

  close(code: number, reason: string): void {
    this.isOpen = false;
    this.closedBy = `${code} ${reason}`;
  }

  pause(): void {
    this.isResting = true;
  }

  resume(): void {
    this.isResting = false;
  }

  abandon(): void {
    this.isOpen = false;
  }

  say(message: unknown): void {
    this.bytesRead++;
    const bytes = Buffer.from(JSON.stringify(message));
    this.handlers.onMessages({ bytes, bounds: [0, bytes.length] }, this.now() * 1e6);
  }

  event(kind: string, result: unknown): void {
    const subscription = this.subscriptions.get(kind);
    if (subscription === undefined) return;
    this.say({ jsonrpc: "2.0", method: "eth_subscription", params: { subscription, result } });
  }

  /** Events that come with one read. */
  events(...events: readonly (readonly [kind: string, result: unknown])[]): void {
    const bounds: number[] = [];
    let text = "";
    for (const [kind, result] of events) {
      const params = { subscription: this.subscriptions.get(kind), result };
      bounds.push(text.length);
      text += JSON.stringify({ jsonrpc: "2.0", method: "eth_subscription", params });
      bounds.push(text.length);
    }
    this.bytesRead += text.length;
    this.handlers.onMessages({ bytes: Buffer.from(text), bounds }, this.now() * 1e6);
  }

  break(code = 1006, closure: Partial<SocketClosure> = {}): void {
    this.isOpen = false;
    this.handlers.onClose({ code, reason: "", status: undefined, ...closure });
  }
}

/** A client that reads what it is sent. */
export class FakeClient implements ClientSink {
  readonly id: number;
  readonly events: { subscription: string; result: Record<string, unknown> }[] = [];
  bufferedBytes = 0;
  sentBytes = 0;
  isOpen = true;
  closed: string | undefined;

  constructor(id: number) {
    this.id = id;
  }

  send(): void {}

  sendFrame(frame: Buffer): void {
    const text = frame.toString("utf8");
    this.events.push(JSON.parse(text.slice(text.indexOf('{"'))).params);
  }

  close(code: number, reason: string): void {
    this.isOpen = false;
    this.closed = `${code} ${reason}`;
  }

  /** Block names of heads; `+block:index` and `-block:index` of logs. */
  seen(): readonly string[] {
    return this.events.map(({ result }) => {
      const name = (hex: unknown) =>
        Buffer.from(String(hex).slice(2), "hex").toString("utf8").replaceAll("\0", "");
      if (result["logIndex"] === undefined) return name(result["hash"]);
      return `${result["removed"] === true ? "-" : "+"}${name(result["blockHash"])}:${Number(result["logIndex"])}`;
    });
  }
}

/** Starts the event path of chain `ethereum` with `count` providers, over fake sockets unless `dial` opens others. */
export const startChain = async (
  count: number,
  given = "",
  dial?: (handlers: SocketHandlers) => Socket,
  maxBufferedBytes = 1_000,
) => {
  const ids = Array.from({ length: count }, (_, i) => `p${i + 1}`);
  const config = mustLoad(`
chains:
  ethereum:
    chain_id: 1
    block_time: 1s
${given}
    providers:
${ids.map((id) => `      - { id: ${id}, url: "http://${id}.example", ws_url: "ws://${id}.example/canary" }`).join("\n")}
`).chains[0]!;
  const node = createVirtualNode({ seed: 7 });
  const outcomes: AttemptOutcome[] = [];
  /** Providers whose evidence has suffered. */
  const accused: string[] = [];
  const state: ChainState = createChainState({
    config,
    evidence: {
      recordRaces: () => {},
      recordMisbehaviour: (provider: string) => accused.push(provider),
      misbehaviourOf: (provider: string) => ({
        recent: accused.filter((id) => id === provider).length,
      }),
    } as never,
    memory: undefined as never,
    hub: undefined as never,
    report: (outcome) => outcomes.push(outcome),
    onConnect: () => {},
  });
  const sockets = new Map<string, FakeSocket[]>();
  const asked: string[] = [];
  /** What the front was told to close its clients with. */
  const disowned: string[] = [];
  const answers = new Map<string, unknown>();
  const emitted: { name: string; fields: Readonly<Record<string, unknown>> }[] = [];
  node.telemetry.attach("test", "*", (event) => {
    emitted.push({ name: event.name, fields: event.fields });
  });
  const latest = { onConnect: (_provider: string, _socket: FakeSocket) => {} };
  const keeper = {
    tables: [subscriptionTable("ethereum"), statsTable],
    heir: () => tableKeeperKey(),
  };
  await node.start(
    supervisor("test", {
      strategy: "one_for_one",
      intensity: 50,
      period: 5,
      children: [
        child(tableKeeper, keeper, { register: tableKeeperKey() }),
        child(headTracker, { state }, { register: headTrackerKey("ethereum") }),
        child(messageAggregator, { state }, { register: messageAggregatorKey("ethereum") }),
        child(
          subscriptionHub,
          {
            state,
            fetch: (method, params) => {
              const question = `${method} ${JSON.stringify(params)}`;
              asked.push(question);
              const answer = answers.get(question);
              if (answer === undefined) return Promise.reject(new Error("not known"));
              return Promise.resolve(answer);
            },
            closeSubscribers: (chain, reason) => disowned.push(`${chain}: ${reason}`),
            maxBufferedBytes,
            maxBehindMs: 10_000,
            maxSubscriptions: 4,
          },
          { register: subscriptionHubKey("ethereum") },
        ),
        ...ids.map((provider) =>
          child(
            wsConnection,
            {
              state,
              provider,
              redact: (text) => text.replaceAll("canary", "***"),
              connect: (handlers) => {
                if (dial !== undefined) return dial(handlers);
                const socket = new FakeSocket(handlers, () => node.nowMs());
                sockets.set(provider, [...(sockets.get(provider) ?? []), socket]);
                latest.onConnect(provider, socket);
                handlers.onOpen();
                return socket;
              },
            },
            { register: wsConnectionKey("ethereum", provider) },
          ),
        ),
      ],
    }),
  );
  await node.settle();
  const socketOf = (provider: string): FakeSocket => {
    const found = sockets.get(provider)?.at(-1);
    if (found === undefined) throw new Error(`${provider} never connected`);
    return found;
  };
  const hub = () => {
    const found = node.whereis(subscriptionHubKey("ethereum"));
    if (found === undefined) throw new Error("no hub");
    return found;
  };
  /** Lets time pass until there is an answer. */
  const settled = async <T>(answer: Promise<T>): Promise<T> => {
    const settling = { isDone: false };
    const done = answer.finally(() => (settling.isDone = true));
    await node.settle();
    for (let i = 0; i < 80 && !settling.isDone; i++) await node.advance(250);
    return done;
  };
  const subscribe = async (
    client: FakeClient,
    kind: SubscriptionKind,
    filter?: unknown,
    resume?: unknown,
  ) => {
    const answer = hub().call.subscribe(
      { sink: client, kind, filter, resume },
      { timeoutMs: 15_000 },
    );
    return settled(answer);
  };
  /** Comes back with an id. */
  const resume = async (client: FakeClient, id: string, cursor: unknown) => {
    const answer = hub().call.resume({ sink: client, id, cursor }, { timeoutMs: 15_000 });
    return settled(answer);
  };
  const knows = (...blocks: ReturnType<typeof header>[]) => {
    for (const block of blocks) {
      answers.set(`eth_getBlockByHash ${JSON.stringify([block.hash, false])}`, block);
      answers.set(`eth_getBlockByNumber ${JSON.stringify([block.number, false])}`, block);
    }
  };
  const newest = (block: ReturnType<typeof header>) => {
    knows(block);
    answers.set(`eth_getBlockByNumber ${JSON.stringify(["latest", false])}`, block);
  };
  const knowsLogs = (block: string, logs: readonly unknown[]) =>
    answers.set(`eth_getLogs ${JSON.stringify([{ blockHash: hash(block) }])}`, logs);
  return {
    node,
    state,
    outcomes,
    sockets,
    socketOf,
    hub,
    subscribe,
    resume,
    knows,
    newest,
    accused,
    knowsLogs,
    asked,
    disowned,
    emitted,
    latest,
  };
};
