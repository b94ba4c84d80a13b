/**
 * One chain's client subscriptions: follows the chain and sends each client what it asked for.
 *
 * The subscriptions and the chain's recent history are rows of the chain's subscription table, which
 * outlives this process: a restart loses no client, no id and no block, because what was on its way
 * at the crash is fetched again. Should the table be lost as well, the clients that nobody here
 * knows any more are closed with a reason. Permanent.
 */
import { defineActor, keyFor, later, reply, Table, type Ctx } from "../../src/otp/index.ts";
import type { Canon } from "../../src/rpc/cache/canon.ts";
import type { ChainState } from "../../src/rpc/chain-state.ts";
import type { ChainName, ProviderId } from "../../src/rpc/ids.ts";
import type { Dispute } from "../../src/rpc/race/block-sums.ts";
import type { RaceEvent } from "../../src/rpc/race/settled-race.ts";
import { statsTable, streamsRow, type StreamStats } from "../../src/rpc/stream-stats.ts";
import type { SubscriptionFrame } from "../../src/rpc/subscription-frame.ts";
import type { Block } from "../../src/rpc/subscription/chain/block.ts";
import { ChainFollower } from "../../src/rpc/subscription/chain/follower.ts";
import type { Demand } from "../../src/rpc/subscription/demand.ts";
import { Hub } from "../../src/rpc/subscription/hub.ts";
import type {
  ResumeRequest,
  SubscribeRequest,
  SubscriptionId,
} from "../../src/rpc/subscription/hub-port.ts";
import type { Subscription } from "../../src/rpc/subscription/delivery/streams.ts";
import { SILENT } from "../../src/rpc/subscription/chain/silent.ts";
import { NEWEST, questionOf, quorumOf } from "../../src/rpc/subscription/question.ts";
import { followerLimits } from "../../src/rpc/subscription/follower-limits.ts";
import type { Quorum } from "../../src/rpc/proxy/call.ts";
import type { SubscribeReply } from "../../src/rpc/proxy/ports.ts";
import { Ended } from "../../src/rpc/subscription/resume/ended.ts";
import { newBlocksTopic } from "../../src/rpc/topics.ts";
import { messageAggregatorKey } from "./message-aggregator.ts";
import { probeKey } from "./probe.ts";

/** Asks any healthy provider of the chain; resolves with the parsed result, rejects on an error. */
type ChainFetch = (
  method: string,
  params: readonly unknown[],
  signal: AbortSignal,
  /** So many of that many providers have to answer alike; one is enough when absent. */
  quorum?: Quorum,
) => Promise<unknown>;

/** What the hub needs beside the chain's record. */
export interface SubscriptionHubArgs {
  readonly state: ChainState;
  readonly fetch: ChainFetch;
  /** Closes whoever is subscribed to a chain, be it known here or not; answers how many they were. */
  readonly closeSubscribers: (chain: ChainName, reason: string) => number;
  /** Unsent bytes beyond which a client is closed (`limits.ws_max_buffered_bytes`). */
  readonly maxBufferedBytes: number;
  /** How long an event may wait for a client (`limits.ws_max_behind`). */
  readonly maxBehindMs: number;
  /** Subscriptions of one connection (`limits.ws_max_subscriptions`). */
  readonly maxSubscriptions: number;
}

/** An event that came first, or a head whoever brought it. */
export interface HubEvent {
  readonly provider: ProviderId;
  readonly frame: SubscriptionFrame;
}

/** Logs that one provider brought first. */
export interface LogsEvent {
  readonly provider: ProviderId;
  readonly logs: readonly FreshLog[];
}

/** A log that came first. */
export interface FreshLog {
  readonly frame: SubscriptionFrame;
  /** What the frame says of it, to be kept. */
  readonly result: Buffer;
}

/** A provider's stream came up or went away. */
export interface SourceChange {
  readonly provider: ProviderId;
  readonly event: RaceEvent;
  readonly isLive: boolean;
}

/** A provider that was asked where its head is. */
interface PolledChain {
  readonly provider: ProviderId;
  readonly number: number;
  /** Its newest block, where that was asked for. */
  readonly block?: unknown;
}

/** A subscribe that waits until it is known where the chain stands. */
interface Waiting {
  readonly request: SubscribeRequest;
  readonly sinceMs: number;
  readonly answer: (reply: SubscribeReply) => void;
}

interface State {
  readonly args: SubscriptionHubArgs;
  readonly hub: Hub;
  readonly demand: Demand;
  /** The newest block is being fetched; one question at a time is enough. */
  readonly isLooking: boolean;
  readonly waiting: readonly Waiting[];
}

/** A row of the subscription table: the chain's history, or one client subscription. */
type Row = ChainFollower | Ended | Subscription;

const TICK_MS = 250;
/** Clients who have much unread are looked at so often while logs are to be asked for. */
const PACE_MS = 10;
const PACE = "pace";
const FETCH_TIMEOUT_MS = 10_000;
const HISTORY = "history";
const ENDED = "ended";
/** Questions for clients who come back, beside those of the follower. */
const RECALL = "recall/";
const LOOK = "look";
/** Subscribes that wait; more are answered as they come. */
const MAX_WAITING = 10_000;

/** The name of the table that keeps a chain's subscriptions across restarts of its hub. */
export const subscriptionTable = (chain: ChainName): string => `rpc/chain/${chain}/subscriptions`;

/** The subscription hub of one chain. */
export const subscriptionHub = defineActor({
  name: "rpc/subscription-hub",
  mailbox: { max: 50_000, overflow: "reject" },
  init: (args: SubscriptionHubArgs, ctx): State => {
    const hub = open(args, ctx);
    ctx.every(TICK_MS, "tick");
    const state = { args, hub, demand: hub.rewant(ctx.now()), isLooking: false, waiting: [] };
    const aggregator = ctx.via(messageAggregatorKey(args.state.name));
    aggregator.cast.hubStarted();
    aggregator.cast.demand(state.demand);
    return stepped(state, ctx);
  },
  calls: {
    subscribe: (state, request: SubscribeRequest, ctx, from) => {
      const { hub, waiting } = state;
      if (request.resume !== undefined) return comingBack(state, request, ctx, from);
      if (hub.lookout.isOriented(ctx.now()) || waiting.length >= MAX_WAITING) {
        const answer = hub.subscribe(request, ctx.now());
        return reply(stepped(state, ctx), answer);
      }
      // What comes after the reply must be seen; so it has to be known what was there before.
      hub.lookout.lookAround();
      const one = {
        request,
        sinceMs: ctx.now(),
        answer: (value: SubscribeReply) => from.reply(value),
      };
      return later(stepped({ ...state, waiting: [...waiting, one] }, ctx));
    },
    resume: (state, request: ResumeRequest, ctx, from) => comingBack(state, request, ctx, from),
    unsubscribe: (state, { sinkId, id }: SubscriptionId, ctx) => {
      const isGone = state.hub.unsubscribe(sinkId, id, ctx.now());
      return reply(stepped(state, ctx), isGone);
    },
    stats: (state, _arg: undefined) => reply(state, state.hub.stats()),
    /** Closes every client with 1013 and the reason; for a chain that is removed. */
    retire: (state, reason: string, ctx) => {
      state.hub.retire(reason);
      // A chain of the same name that starts later has a history of its own.
      const rows = ctx.table(subscriptionTable(state.args.state.name));
      rows?.delete(HISTORY);
      rows?.delete(ENDED);
      return reply(stepped(state, ctx), "ok" as const);
    },
  },
  casts: {
    drop: (state, sinkId: number, ctx) => {
      state.hub.drop(sinkId, "client gone", ctx.now());
      return stepped(state, ctx);
    },
    head: (state, { provider, frame }: HubEvent, ctx) => {
      state.hub.announced(provider, frame, ctx.now());
      return stepped(state, ctx);
    },
    logs: (state, { provider, logs }: LogsEvent, ctx) => {
      const nowMs = ctx.now();
      for (const { frame, result } of logs) state.hub.logged(provider, frame, result, nowMs);
      state.hub.turnEnded();
      return state;
    },
    pending: (state, { frame }: HubEvent, ctx) => {
      state.hub.pending(frame, ctx.now());
      return state;
    },
    source: (state, { provider, event, isLive }: SourceChange, ctx) => {
      state.hub.source(provider, event, isLive, ctx.now());
      return stepped(state, ctx);
    },
    /** Events may have been lost between the sockets and here. */
    broke: (state, _arg: undefined, ctx) => {
      state.hub.follower.sourcesBroke(ctx.now());
      return stepped(state, ctx);
    },
    /** The providers disagree about the logs of a block. */
    dispute: (state, told: Dispute, ctx) => {
      state.hub.follower.disputed(told, ctx.now());
      return stepped(state, ctx);
    },
    /** A provider was asked where its head is; matters where no stream tells of blocks. */
    polled: (state, { provider, number, block }: PolledChain, ctx) => {
      if (block === undefined) state.hub.heightSeen(number, ctx.now());
      else state.hub.polled(provider, block, ctx.now());
      return stepped(state, ctx);
    },
    /** An aggregator has started: it has to learn what is wanted, and tells its sources again. */
    aggregatorStarted: (state, _arg: undefined, ctx) => {
      state.hub.forgetSources(ctx.now());
      ctx.via(messageAggregatorKey(state.args.state.name)).cast.demand(state.demand);
      return stepped(state, ctx);
    },
  },
  on: (state, info, ctx) => {
    const { hub } = state;
    if (info.type === "task") {
      const value = info.result.ok ? info.result.value : undefined;
      if (info.key === LOOK) {
        hub.polled(undefined, value, ctx.now());
        return stepped({ ...state, isLooking: false }, ctx);
      } else if (info.key.startsWith(RECALL)) {
        const { returning } = hub.resumption;
        const need = returning.needs.get(info.key.slice(RECALL.length));
        if (need !== undefined) returning.answered(need, value, ctx.now());
      } else {
        const need = hub.follower.needs.get(info.key);
        if (need !== undefined) hub.answered(need, value, ctx.now());
      }
    } else if (info.type === "timer" && info.key !== PACE) {
      hub.follower.setLimits(followerLimits(state.args.state, ctx.now()));
      hub.tick(ctx.now());
      report(state, ctx);
    }
    return stepped(state, ctx);
  },
  formatState: ({ hub, demand }) => ({ ...hub.stats(), demand }),
});

/** Finds the hub of a chain. */
export const subscriptionHubKey = keyFor(subscriptionHub, "chain");

const open = (args: SubscriptionHubArgs, ctx: Ctx): Hub => {
  const { state } = args;
  const chain = state.name;
  const name = subscriptionTable(chain);
  const table = ctx.table<Row>(name) ?? Table.open<Row>(ctx, name, { access: "public" });
  const known = table.get(HISTORY);
  const follower =
    known instanceof ChainFollower
      ? known
      : new ChainFollower(followerLimits(state, ctx.now()), SILENT);
  if (known === undefined) {
    table.put(HISTORY, follower);
    // Whoever was subscribed before belongs to a history that is gone: there is no going on from it.
    const clients = args.closeSubscribers(chain, `the subscriptions of chain ${chain} were lost`);
    if (clients > 0) ctx.log.warn({ chain, clients }, "subscriptions lost, their clients closed");
  }
  const kept = table.get(ENDED);
  const ended = kept instanceof Ended ? kept : new Ended();
  if (kept === undefined) table.put(ENDED, ended);
  const topic = newBlocksTopic(chain);
  // Looked up at each use: a table that was lost with its keeper must not end who serves clients.
  const rows = () => ctx.table<Row>(name);
  const hub = new Hub(
    follower,
    {
      chain,
      emit: (event, fields) => ctx.emit(event, fields),
      keep: (one) => rows()?.put(`${one.sink.id}:${one.id}`, one),
      forget: (one) => void rows()?.delete(`${one.sink.id}:${one.id}`),
      onBlock: (block) => {
        args.state.announced = block.number;
        raise(state.canon, block);
        ctx.broadcast(topic, summaryOf(block));
      },
      accuse: (provider, method, reason) => {
        const kind = method === "newHeads" ? "head" : "log";
        args.state.evidence.recordMisbehaviour(provider, ctx.now());
        ctx.emit("provider.misbehaviour", { chain, provider, method, kind, reason });
      },
      askHeads: (providers) => {
        for (const provider of providers) ctx.via(probeKey(chain, provider)).cast.look();
      },
      servedHead: () => args.state.head,
      ended,
      newId: () => newId(ctx),
    },
    args,
  );
  const subscriptions: Subscription[] = [];
  for (const [, row] of table.entries()) {
    if (!(row instanceof ChainFollower || row instanceof Ended)) subscriptions.push(row);
  }
  hub.restore(subscriptions, ctx.now());
  return hub;
};

/** Tells the request path which block stands at this height now. */
const raise = (canon: Canon, { number, hash, head }: Block): void => {
  if (head === undefined) canon.clear();
  else canon.raise(number, hash, head.parentHash);
};

/** Somebody wants to go on where it was: it is answered when everything is known. */
const comingBack = (
  state: State,
  request: SubscribeRequest | ResumeRequest,
  ctx: Ctx,
  from: { reply(value: SubscribeReply): void },
) => {
  state.hub.comeBack(request, ctx.now(), (value) => from.reply(value));
  return later(stepped(state, ctx));
};

/** Subscribes whoever has waited, once it is known where the chain stands or that it cannot be known. */
const admitted = (state: State, ctx: Ctx): State => {
  const [first] = state.waiting;
  const nowMs = ctx.now();
  if (first === undefined || !state.hub.lookout.isOriented(nowMs, nowMs - first.sinceMs)) {
    return state;
  }
  for (const { request, answer } of state.waiting) answer(state.hub.subscribe(request, nowMs));
  return { ...state, waiting: [] };
};

/** After every message: admits who has waited, asks what is due, tells the aggregator of a new demand. */
const stepped = (given: State, ctx: Ctx): State => {
  const state = admitted(given, ctx);
  const { hub, args } = state;
  hub.turnEnded();
  const nowMs = ctx.now();
  const isAhead = hub.isAhead(nowMs);
  if (isAhead) ctx.after(PACE_MS, PACE);
  for (const need of hub.follower.needs.due(nowMs, isAhead ? "logs" : undefined)) {
    ctx.task(need.key, (signal) => args.fetch(...questionOf(need), signal, quorumOf(need)), {
      timeoutMs: FETCH_TIMEOUT_MS,
    });
  }
  for (const need of hub.resumption.returning.needs.due(nowMs)) {
    ctx.task(`${RECALL}${need.key}`, (signal) => args.fetch(...questionOf(need), signal), {
      timeoutMs: FETCH_TIMEOUT_MS,
    });
  }
  const demand = hub.rewant(nowMs);
  args.state.isWatched = hub.follower.isWatched;
  const next = looking(state, ctx);
  if (demand.logs === state.demand.logs && demand.pending === state.demand.pending) return next;
  ctx.via(messageAggregatorKey(args.state.name)).cast.demand(demand);
  return { ...next, demand };
};

/** Asks for the newest block when it is wanted; what comes up meanwhile is asked after the answer. */
const looking = (state: State, ctx: Ctx): State => {
  const look = state.isLooking ? undefined : state.hub.lookout.take(ctx.now());
  if (look === undefined) return state;
  const { fetch, state: chain } = state.args;
  if (look === "everybody") {
    for (const { id } of chain.config.providers) ctx.via(probeKey(chain.name, id)).cast.look();
  }
  ctx.task(LOOK, (signal) => fetch(...NEWEST, signal), {
    timeoutMs: FETCH_TIMEOUT_MS,
  });
  return { ...state, isLooking: true };
};

const report = ({ hub, args }: State, ctx: Ctx): void => {
  const kinds = ["newHeads", "logs", "newPendingTransactions"] as const;
  const { streams } = hub;
  const rows = kinds.map((kind) => ({
    kind,
    active: streams.count(kind),
    delivered: streams.delivered[kind],
    dropped: kind === "newPendingTransactions" ? streams.dropped : 0,
  }));
  ctx.table<readonly StreamStats[]>(statsTable)?.put(streamsRow(args.state.name), rows);
};

/** 32 hex digits from the injected source: unique per connection is all that is needed. */
const newId = (ctx: Ctx): string => {
  let id = "0x";
  for (let i = 0; i < 4; i++) {
    id += Math.floor(ctx.random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  }
  return id;
};

const summaryOf = ({ number, hash, head }: Block) => ({
  number,
  hash,
  parentHash: head?.parentHash,
});
