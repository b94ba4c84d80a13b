/**
 * One chain's events from all providers: recognises equal ones, races them, forwards the first.
 *
 * Owns the seen keys and the open races; what they say becomes evidence. Permanent; a restart forgets
 * seen keys (clients are protected by the hub, which knows what it has sent), ends open races with what
 * has come, and every source is told to the hub anew, so that nothing lost meanwhile goes unnoticed.
 */
import { createHash } from "node:crypto";
import { defineActor, keyFor, reply, type Ctx } from "../../src/otp/index.ts";
import type { ChainState } from "../../src/rpc/chain-state.ts";
import type { LogRun } from "../../src/rpc/connection/log-run.ts";
import { extentOf } from "../../src/rpc/connection/socket.ts";
import type { ProviderId } from "../../src/rpc/ids.ts";
import { headFields, messageKey } from "../../src/rpc/message-key.ts";
import { BlockSums, type Dispute } from "../../src/rpc/race/block-sums.ts";
import { EventRacer } from "../../src/rpc/race/event-racer.ts";
import type { RaceEvent, SettledRace } from "../../src/rpc/race/settled-race.ts";
import { aggregationRow, statsTable, type AggregationStats } from "../../src/rpc/stream-stats.ts";
import {
  readSubscriptionFrame,
  resultBytes,
  type SubscriptionFrame,
} from "../../src/rpc/subscription-frame.ts";
import type { Demand } from "../../src/rpc/subscription/demand.ts";
import { aggregatedTopic, racesTopic, rawTopic } from "../../src/rpc/topics.ts";
import { chooseLogSources } from "../../src/rpc/subscription/logs/choose-log-sources.ts";
import { headTrackerKey, type PushedHead } from "./head-tracker.ts";
import {
  subscriptionHubKey,
  type FreshLog,
  type HubEvent,
  type LogsEvent,
  type SourceChange,
} from "./subscription-hub.ts";
import { wsConnectionKey } from "./ws-connection.ts";

/** Which chain is aggregated. */
export interface MessageAggregatorArgs {
  readonly state: ChainState;
}

/** One event as a connection hands it over. */
export interface RawEvent {
  readonly provider: ProviderId;
  readonly event: RaceEvent;
  readonly frame: SubscriptionFrame;
  /** Read from the socket at, monotonic ns. */
  readonly atNs: number;
  /** Counts the events of this connection from 1: a hole means that some were dropped. */
  readonly seq: number;
}

type UncountedEvent = Omit<RawEvent, "seq">;

/** Logs that a connection read at once. */
export interface RawLogs {
  readonly provider: ProviderId;
  readonly run: LogRun;
  /** Number of the first. */
  readonly seq: number;
}

/** An upstream subscription went live or ended. */
export interface StreamChange {
  readonly provider: ProviderId;
  readonly event: RaceEvent;
  readonly isLive: boolean;
  /** Events of the connection so far. */
  readonly seq: number;
}

interface Source {
  readonly lane: number;
  seq: number;
  logsSinceNs: number;
}

interface Counts {
  messages: number;
  duplicates: number;
}

/** Where events go; refs that resolve at each send. */
interface Ports {
  readonly hub: {
    readonly cast: {
      head(event: HubEvent): void;
      logs(event: LogsEvent): void;
      pending(event: HubEvent): void;
      source(change: SourceChange): void;
      broke(): void;
      dispute(dispute: Dispute): void;
    };
  };
  readonly tracker: { readonly cast: { head(head: PushedHead): void } };
}

/** Everything one incarnation holds; mutable, seen by this process alone. */
interface State extends Ports {
  readonly args: MessageAggregatorArgs;
  readonly racer: EventRacer;
  readonly blocks: BlockSums;
  readonly sources: Map<ProviderId, Source>;
  readonly counts: Readonly<Record<RaceEvent, Counts>>;
  readonly topics: Readonly<Record<"raw" | "aggregated" | "races", string>>;
  demand: Demand;
  /** Who streams logs, should they be wanted. */
  logSources: ReadonlySet<ProviderId>;
  racesSettled: number;
  missed: number;
  evictions: number;
  processingMs: number;
  ticks: number;
}

const EVENTS = ["newHeads", "logs", "newPendingTransactions"] as const;
const NS_PER_MS = 1e6;
const TICK_MS = 100;
const TICKS_PER_SWEEP = 10;
/** The time of every 64th event is measured, so that measuring costs nothing. */
const SAMPLE_EVERY = 64;

/** The message aggregator of one chain. */
export const messageAggregator = defineActor({
  name: "rpc/message-aggregator",
  // Beyond it events are dropped and counted, and the hole in their numbers is noticed below.
  mailbox: { max: 100_000, overflow: "reject" },
  init: (args: MessageAggregatorArgs, ctx): State => {
    const { name, config, evidence } = args.state;
    const former = args.state.racer?.interrupt(ctx.now() * NS_PER_MS) ?? [];
    evidence.recordRaces(former, ctx.now());
    const racer = new EventRacer(config.aggregation);
    args.state.racer = racer;
    ctx.every(TICK_MS, "tick");
    ctx.via(subscriptionHubKey(name)).cast.aggregatorStarted();
    for (const { id, wsUrl } of config.providers) {
      if (wsUrl !== undefined) ctx.via(wsConnectionKey(name, id)).cast.announce();
    }
    return {
      args,
      racer,
      blocks: new BlockSums(
        config.aggregation.deduplicationWindowMs * NS_PER_MS,
        ctx.random() * 2 ** 32,
      ),
      sources: new Map(),
      hub: ctx.via(subscriptionHubKey(name)),
      tracker: ctx.via(headTrackerKey(name)),
      counts: {
        newHeads: { messages: 0, duplicates: 0 },
        logs: { messages: 0, duplicates: 0 },
        newPendingTransactions: { messages: 0, duplicates: 0 },
      },
      topics: {
        raw: rawTopic(name),
        aggregated: aggregatedTopic(name),
        races: racesTopic(name),
      },
      demand: { logs: false, pending: false },
      logSources: new Set(),
      racesSettled: 0,
      missed: 0,
      evictions: 0,
      processingMs: 0,
      ticks: 0,
    };
  },
  calls: {
    stats: (state, _arg: undefined) => reply(state, statsOf(state)),
  },
  casts: {
    event: (state, raw: RawEvent, ctx) => {
      const counts = state.counts[raw.event];
      if (++counts.messages % SAMPLE_EVERY !== 0) return arrived(state, raw, ctx);
      const startMs = ctx.now();
      arrived(state, raw, ctx);
      state.processingMs += (ctx.now() - startMs) * SAMPLE_EVERY;
      return state;
    },
    /** Logs of one provider that came together. */
    logs: (state, raw: RawLogs, ctx) => {
      const startMs = ctx.now();
      logsArrived(state, raw, ctx);
      state.processingMs += ctx.now() - startMs;
      return state;
    },
    stream: (state, change: StreamChange, ctx) => {
      const { provider, event, isLive, seq } = change;
      const nowNs = ctx.now() * NS_PER_MS;
      const source = sourceOf(state, provider);
      source.seq = seq;
      if (isLive) state.racer.live(provider, event, nowNs);
      else state.racer.gone(provider, event);
      if (event === "logs") source.logsSinceNs = isLive ? nowNs : Number.POSITIVE_INFINITY;
      state.hub.cast.source({ provider, event, isLive });
      if (!isLive && state.logSources.has(provider)) rechoose(state, ctx);
      return state;
    },
    /** A connection has come up and asks what is wanted. */
    connected: (state, provider: ProviderId, ctx) => {
      rechoose(state, ctx);
      tellWanted(state, provider, ctx);
      return state;
    },
    /** What the hub's clients need. */
    demand: (state, demand: Demand, ctx) => {
      state.demand = demand;
      for (const { id, wsUrl } of state.args.state.config.providers) {
        if (wsUrl !== undefined) tellWanted(state, id, ctx);
      }
      return state;
    },
    /** A hub has started: logs that were on their way to another one, which died, are lost. */
    hubStarted: (state, _arg: undefined, ctx) => {
      const cut = state.racer.forgetLogs(ctx.now() * NS_PER_MS);
      state.args.state.evidence.recordRaces(cut, ctx.now());
      return state;
    },
    /** Forgets keys, races and counters. */
    reset: (state, _arg: undefined) => {
      state.racer.reset();
      for (const counts of Object.values(state.counts)) {
        counts.messages = 0;
        counts.duplicates = 0;
      }
      state.racesSettled = 0;
      state.missed = 0;
      state.evictions = 0;
      state.processingMs = 0;
      return state;
    },
  },
  on: (state, info, ctx) => (info.type === "timer" ? tick(state, ctx) : state),
  formatState: (state) => ({ ...statsOf(state), demand: state.demand }),
});

/** Finds the aggregator of a chain. */
export const messageAggregatorKey = keyFor(messageAggregator, "chain");

/** A provider that streams logs is gone or was caught lying, or one has come: others take over or are spared. */
const rechoose = (state: State, ctx: Ctx): void => {
  const chain = state.args.state;
  const candidates = chain.config.providers.flatMap(({ id, wsUrl, shadow, role, priority }) => {
    if (wsUrl === undefined || shadow !== undefined) return [];
    const isUp = chain.upstream(chain.rows(id).ws) !== undefined;
    const misbehaviour = chain.evidence.misbehaviourOf(id, ctx.now()).recent;
    return [{ id, isUp, role, priority, misbehaviour }];
  });
  const before = state.logSources;
  state.logSources = chooseLogSources(before, candidates);
  if (!state.demand.logs) return;
  for (const { id } of candidates) {
    if (before.has(id) !== state.logSources.has(id)) tellWanted(state, id, ctx);
  }
};

const tellWanted = ({ args, demand, logSources }: State, provider: ProviderId, ctx: Ctx): void => {
  const logs = demand.logs && logSources.has(provider);
  ctx.via(wsConnectionKey(args.state.name, provider)).cast.want({ ...demand, logs });
};

const sourceOf = (state: State, provider: ProviderId): Source => {
  const known = state.sources.get(provider);
  if (known !== undefined) return known;
  const lane = state.racer.lane(provider);
  const source = { lane, seq: 0, logsSinceNs: Number.POSITIVE_INFINITY };
  state.sources.set(provider, source);
  return source;
};

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const arrived = (state: State, raw: RawEvent, ctx: Ctx): State => {
  const { provider, event, frame } = raw;
  const isFirst = judged(state, raw, counted(state, raw, 1), ctx);
  if (event === "newHeads") headArrived(state, raw);
  else if (!isFirst) return state;
  else if (event === "logs") state.hub.cast.logs({ provider, logs: [fresh(state, frame)] });
  else state.hub.cast.pending({ provider, frame });
  return state;
};

/** Whose events came, so many from this number on; a hole is told. */
const counted = (
  state: State,
  { provider, seq }: Pick<RawEvent, "provider" | "seq">,
  events: number,
): Source => {
  const source = sourceOf(state, provider);
  if (seq !== source.seq + 1) state.hub.cast.broke();
  source.seq = seq + events - 1;
  return source;
};

/** The race judges an event; true when it is news. */
const judged = (state: State, raw: UncountedEvent, { lane }: Source, ctx: Ctx): boolean => {
  const { provider, event, frame, atNs } = raw;
  const key = messageKey(event, frame, digest);
  const arrival = state.racer.arrive(event, key, lane, atNs, frame);
  const isFirst = arrival === "first";
  if (!isFirst) state.counts[event].duplicates++;
  if (event === "logs") state.blocks.add(provider, key, frame, atNs, isFirst);
  const { topics } = state;
  ctx.broadcast(topics.raw, { provider, event, key, atNs, arrival });
  if (isFirst) ctx.broadcast(topics.aggregated, { provider, event, key, atNs });
  return isFirst;
};

/** A log that is news; whoever copies it is told by its bytes. */
const fresh = (state: State, frame: SubscriptionFrame): FreshLog => {
  const result = resultBytes(frame);
  state.racer.keep(result);
  return { frame, result };
};

/** Copies of what another provider brought first are told by their bytes; only the rest is read. */
const logsArrived = (state: State, raw: RawLogs, ctx: Ctx): void => {
  const { provider, run } = raw;
  const { bytes, bounds, resultAt, atNs } = run;
  const event = "logs";
  const counts = state.counts[event];
  const source = counted(state, raw, bounds.length / 2);
  const news: FreshLog[] = [];
  let unreadable = 0;
  for (let at = 0; at < bounds.length; at += 2) {
    const start = bounds[at] as number;
    const end = bounds[at + 1] as number;
    counts.messages++;
    const key = state.racer.copied(source.lane, bytes, start + resultAt, end, atNs);
    const isKnown = key !== undefined && state.blocks.addCopy(provider, key, atNs);
    const frame = isKnown ? undefined : readSubscriptionFrame(bytes.subarray(start, end));
    if (key !== undefined) {
      counts.duplicates++;
      if (frame !== undefined) state.blocks.add(provider, key, frame, atNs);
      ctx.broadcast(state.topics.raw, { provider, event, key, atNs, arrival: "duplicate" });
    } else if (frame === undefined) unreadable++;
    else if (judged(state, { provider, event, frame, atNs }, source, ctx)) {
      news.push(fresh(state, frame));
    }
  }
  if (news.length > 0) state.hub.cast.logs({ provider, logs: news });
  const connection = ctx.via(wsConnectionKey(state.args.state.name, provider));
  connection.cast.judged({ sizeBytes: extentOf(run), unreadable });
};

/** Heads go on whoever brings them: only who knows the chain can tell a stutter from a way back. */
const headArrived = (state: State, { provider, frame }: UncountedEvent): void => {
  const head = headFields(frame);
  if (head === undefined) return;
  state.hub.cast.head({ provider, frame });
  const { number, hash, parentHash } = head;
  const { bloom, receipts } = state.args.state.config.integrity;
  // Who checks logs and receipts needs the headers they belong to.
  const header = bloom || receipts ? headerText(frame) : undefined;
  state.tracker.cast.head({ provider, number, hash, parentHash, header });
};

const headerText = ({ bytes, resultStart, resultEnd }: RawEvent["frame"]): string =>
  bytes.toString("utf8", resultStart, resultEnd);

const tick = (state: State, ctx: Ctx): State => {
  const nowNs = ctx.now() * NS_PER_MS;
  const settled = state.racer.settle(nowNs);
  state.args.state.evidence.recordRaces(settled, ctx.now());
  for (const race of settled) announce(state, race, ctx);
  const { deduplicationWindowMs } = state.args.state.config.aggregation;
  const disputed = state.blocks.disputed(nowNs, (sinceNs) =>
    [...state.sources].flatMap(([provider, { logsSinceNs }]) =>
      logsSinceNs + deduplicationWindowMs * NS_PER_MS <= sinceNs ? [provider] : [],
    ),
  );
  for (const dispute of disputed) state.hub.cast.dispute(dispute);
  if (++state.ticks % TICKS_PER_SWEEP === 0) sweep(state, nowNs, ctx);
  return state;
};

const announce = (state: State, race: SettledRace, ctx: Ctx): void => {
  const { name: chain } = state.args.state;
  const { event: kind, winner, missed, losers } = race;
  state.racesSettled++;
  state.missed += missed.length;
  const marginMs = losers[0]?.marginMs;
  ctx.broadcast(state.topics.races, race);
  ctx.emit("aggregation.race_settled", { chain, kind, winner, missed: missed.length, marginMs });
  if (!race.isSuspicious) return;
  ctx.emit("aggregation.uncorroborated", { chain, provider: winner, kind, hash: race.key });
};

/** Once a second: old keys, providers that are gone or were caught, and the counters for the metrics. */
const sweep = (state: State, nowNs: number, ctx: Ctx): void => {
  const { racer, args } = state;
  const { name: chain, config } = args.state;
  racer.sweep(nowNs);
  rechoose(state, ctx);
  const { evictions, capacity } = racer.stats();
  if (evictions > state.evictions) {
    const count = evictions - state.evictions;
    ctx.emit("aggregation.evicted", { chain, count, limit: capacity });
  }
  state.evictions = evictions;
  for (const provider of state.sources.keys()) {
    if (config.providers.some(({ id }) => id === provider)) continue;
    racer.forget(provider);
    state.sources.delete(provider);
    for (const event of EVENTS) state.hub.cast.source({ provider, event, isLive: false });
  }
  ctx.table<AggregationStats>(statsTable)?.put(aggregationRow(chain), statsOf(state));
};

const statsOf = (state: State): AggregationStats => {
  const { newHeads, logs, newPendingTransactions } = state.counts;
  const { firsts, duplicates, repeats, evictions, size, capacity } = state.racer.stats();
  return {
    byKind: {
      newHeads: { ...newHeads },
      logs: { ...logs },
      newPendingTransactions: { ...newPendingTransactions },
    },
    racesSettled: state.racesSettled,
    missed: state.missed,
    processingMs: state.processingMs,
    cache: {
      hits: duplicates + repeats,
      misses: firsts,
      evictions,
      entries: size,
      limit: capacity,
    },
  };
};
