/**
 * The policy queue: bounded, first in, first out, each policy with one worker at a time. Workers pull
 * when they are idle; while one holds a policy the queue watches it, and gives the policy to another
 * should it die, once.
 *
 * Permanent; a restart loses what waits in it.
 */
import {
  defineActor,
  isCleanReason,
  keyFor,
  later,
  reasonText,
  reply,
  type Ctx,
  type From,
  type Monitor,
  type ProcessRef,
  type Reason,
} from "../../src/otp/index.ts";
import type { ServiceCounts } from "../../src/pairing/market-book.ts";
import type { EnqueueReport, PairRequest, RejectedItem } from "../../src/pairing/protocol.ts";
import { failedResult } from "../../src/pairing/result.ts";
import {
  CRASHED_TWICE,
  MOST_CRASHES,
  REJECTED_AT_STOP,
  type WorkItem,
  type WorkMessage,
} from "../../src/pairing/work.ts";
import { type Giver, QUEUE_TEXT, type Taker, WorkQueue } from "../../src/pairing/work-queue.ts";
import { resultBufferKey } from "./result-buffer.ts";

/** What the queue is started with. */
export interface PolicyQueueArgs {
  readonly capacity: number;
  /** Where its length is published. */
  readonly counts: ServiceCounts;
}

/** Policies to take in without waiting. */
export interface EnqueueRequest {
  readonly market: string;
  readonly requests: readonly PairRequest[];
}

/** One policy that may wait for room. */
export interface EnqueueWait {
  readonly market: string;
  readonly request: PairRequest;
  readonly timeoutMs: number;
  /** Names the wait, so that its caller can end it. */
  readonly token: number;
}

/** What was left when the queue stopped. */
export interface DrainReport {
  readonly rejected: number;
}

/** A worker as the queue knows it. */
interface Holder {
  readonly worker: ProcessRef;
  readonly monitor: Monitor;
  readonly taker: Taker<WorkItem>;
  item: WorkItem | undefined;
}

interface State {
  readonly counts: ServiceCounts;
  readonly queue: WorkQueue<WorkItem>;
  readonly holders: Map<string, Holder>;
  readonly byMonitor: Map<Monitor, Holder>;
  readonly waits: Map<number, Giver<WorkItem>>;
  lastId: number;
  drain: From<DrainReport> | undefined;
  /** Refused since it was told last. */
  untold: number;
}

/** How often a full queue is told at most, ms. */
const TELL_MS = 1_000;

/** The queue. */
export const policyQueue = defineActor({
  name: "pairing/policy-queue",
  mailbox: { max: 1_000_000 },
  init: ({ capacity, counts }: PolicyQueueArgs): State => ({
    counts,
    queue: new WorkQueue(capacity),
    holders: new Map(),
    byMonitor: new Map(),
    waits: new Map(),
    lastId: 0,
    drain: undefined,
    untold: 0,
  }),
  calls: {
    /** Takes in what there is room for; never waits. */
    enqueue: (state, { market, requests }: EnqueueRequest, ctx) => {
      const rejected: RejectedItem[] = [];
      for (const [index, request] of requests.entries()) {
        const error = state.queue.offer(itemOf(state, market, request));
        if (error !== undefined) rejected.push({ index, error });
      }
      if (rejected.length > 0 && !state.queue.isClosed) tellFull(state, rejected.length, ctx);
      state.counts.depth = state.queue.size;
      const report: EnqueueReport = { accepted: requests.length - rejected.length, rejected };
      return reply(state, report);
    },
    /** Takes one in, when there is room in time; undefined, or why not. */
    enqueueWait: (state, wait: EnqueueWait, ctx, from: From<string | undefined>) => {
      const { market, request, timeoutMs, token } = wait;
      const giver: Giver<WorkItem> = {
        item: itemOf(state, market, request),
        settle: (error) => {
          if (state.waits.delete(token)) ctx.cancel(`wait:${token}`);
          from.reply(error);
        },
      };
      state.waits.set(token, giver);
      ctx.after(timeoutMs, `wait:${token}`, token);
      state.queue.offerOrWait(giver);
      return later(state);
    },
    stats: (state, _arg: undefined) => reply(state, state.queue.stats()),
    /** Takes in nothing more, and answers when nothing is left, or when the time is over. */
    drain: (state, { timeoutMs }: { timeoutMs: number }, ctx, from: From<DrainReport>) => {
      state.queue.close();
      state.drain = from;
      ctx.after(timeoutMs, "drain");
      settleDrain(state, ctx);
      return later(state);
    },
  },
  casts: {
    /** Takes in again after a drain; workers that were told that it is over pull again. */
    open: (state) => {
      if (!state.queue.isClosed) return state;
      state.queue.open();
      for (const { item, taker } of state.holders.values()) {
        if (item === undefined) state.queue.pull(taker);
      }
      return state;
    },
    /** A worker is idle: it has done with what it had. */
    pull: (state, worker: ProcessRef, ctx) => {
      const holder = state.holders.get(worker.id) ?? known(state, worker, ctx);
      holder.item = undefined;
      state.queue.pull(holder.taker);
      state.counts.depth = state.queue.size;
      if (state.drain !== undefined) settleDrain(state, ctx);
      return state;
    },
    /** A worker has done with what it had, and does not ask for more. */
    done: (state, worker: ProcessRef, ctx) => {
      const holder = state.holders.get(worker.id);
      if (holder !== undefined) holder.item = undefined;
      if (state.drain !== undefined) settleDrain(state, ctx);
      return state;
    },
    /** Whoever waits for room has given up. */
    abandon: (state, token: number) => {
      const giver = state.waits.get(token);
      if (giver !== undefined && state.queue.withdraw(giver)) giver.settle("aborted");
      return state;
    },
  },
  on: (state, info, ctx) => {
    if (info.type === "down") lost(state, info.monitor, info.reason, ctx);
    else if (info.type === "timer") due(state, info.key, info.payload, ctx);
    return state;
  },
  formatState: ({ queue, holders, waits }) => ({
    ...queue.stats(),
    workers: holders.size,
    idle: queue.idle,
    waiting: waits.size,
  }),
});

/** Finds the queue. */
export const policyQueueKey = keyFor(policyQueue);

const itemOf = (state: State, market: string, request: PairRequest): WorkItem => ({
  id: ++state.lastId,
  market,
  request,
  crashes: 0,
});

function known(state: State, worker: ProcessRef, ctx: Ctx): Holder {
  const tell = (message: WorkMessage): void => worker.send(message);
  const holder: Holder = {
    worker,
    monitor: ctx.monitor(worker),
    taker: {
      take: (item) => {
        holder.item = item;
        tell({ type: "work", item });
      },
      refuse: (error) => tell({ type: "closed", error }),
    },
    item: undefined,
  };
  state.holders.set(worker.id, holder);
  state.byMonitor.set(holder.monitor, holder);
  return holder;
}

/** A worker is gone: what it held goes to another, unless it has killed two. */
function lost(state: State, monitor: Monitor, reason: Reason, ctx: Ctx): void {
  const holder = state.byMonitor.get(monitor);
  if (holder === undefined) return;
  state.byMonitor.delete(monitor);
  state.holders.delete(holder.worker.id);
  state.queue.withdraw(holder.taker);
  const isCrash = !isCleanReason(reason);
  if (isCrash) {
    ctx.emit("pairing.worker.down", { name: holder.worker.name, reason: reasonText(reason) });
  }
  const { item } = holder;
  if (item === undefined) return;
  const crashes = item.crashes + (isCrash ? 1 : 0);
  if (crashes < MOST_CRASHES) state.queue.putBack({ ...item, crashes });
  else report(item, CRASHED_TWICE, ctx);
  settleDrain(state, ctx);
}

const report = ({ market, request }: WorkItem, error: string, ctx: Ctx): void =>
  ctx
    .via(resultBufferKey())
    .cast.add({ worker: undefined, result: failedResult(market, request.policy, error) });

function due(state: State, key: string, payload: unknown, ctx: Ctx): void {
  if (key === "full") {
    ctx.emit("pairing.queue.full", { count: state.untold, limit: state.queue.capacity });
    state.untold = 0;
  } else if (key === "drain") {
    const left = state.queue.takeAll();
    for (const item of left) report(item, REJECTED_AT_STOP, ctx);
    state.drain?.reply({ rejected: left.length });
    state.drain = undefined;
  } else {
    const giver = state.waits.get(payload as number);
    if (giver !== undefined && state.queue.withdraw(giver)) giver.settle(QUEUE_TEXT.enqueueTimeout);
  }
}

/** Nothing waits, and nobody works. */
function settleDrain(state: State, ctx: Ctx): void {
  if (state.drain === undefined || state.queue.size > 0) return;
  for (const { item } of state.holders.values()) if (item !== undefined) return;
  ctx.cancel("drain");
  state.drain.reply({ rejected: 0 });
  state.drain = undefined;
}

function tellFull(state: State, count: number, ctx: Ctx): void {
  if (state.untold === 0) ctx.after(TELL_MS, "full");
  state.untold += count;
}
