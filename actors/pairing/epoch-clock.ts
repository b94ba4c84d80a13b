/**
 * Makes the lists of consumers: every epoch, when a policy changes, and when too many of a list have
 * left their market. Lists lie in a table that outlives it, so what it published stays valid while it
 * is away. To draw from a large market takes long: it works for some milliseconds, then the loop is
 * others' for a turn. What changes meanwhile decides whether a list that was drawn still counts.
 *
 * Permanent. A restart loses nothing: policies belong to the host, lists to the table.
 */
import {
  defineActor,
  keyFor,
  later,
  reasonText,
  reply,
  type Ctx,
  type From,
} from "../../src/otp/index.ts";
import type { MarketBook } from "../../src/pairing/market-book.ts";
import { type Epoch, epochAt, type EpochRule } from "../../src/pairing/lists/epoch.ts";
import type { PairingList } from "../../src/pairing/lists/list.ts";
import type { ConsumerWish, PolicyBook } from "../../src/pairing/lists/policy-book.ts";
import {
  type ListSettings,
  renew,
  type Renewed,
  type Renewing,
} from "../../src/pairing/lists/renewal.ts";
import {
  type ListShelf,
  listsTable,
  withList,
  withoutChain,
} from "../../src/pairing/lists/shelf.ts";
import { type RenewedList, Sweep } from "../../src/pairing/lists/sweep.ts";
import type { Refusal, Reply as Answer } from "../../src/pairing/protocol.ts";

/** A policy that was kept. */
export interface KeptWish {
  readonly consumer: string;
  readonly market: string;
  readonly wish: ConsumerWish;
}

/** What the clock is started with. */
export interface EpochClockArgs {
  readonly book: MarketBook;
  readonly policies: PolicyBook;
  readonly rule: EpochRule;
  readonly settings: ListSettings;
  /** Each chain with its market. */
  readonly chains: readonly ChainMarket[];
  /** Newest block of the chain whose blocks count. */
  readonly head: () => number | undefined;
  /** Reads the policies that were kept; nothing is kept without it. */
  readonly read?: (() => Promise<readonly KeptWish[]>) | undefined;
  /** Lets others have a turn of the loop. */
  readonly yieldTurn: () => Promise<void>;
  /** Hears of every policy that is set, or withdrawn (undefined). */
  readonly onPolicy?:
    | ((consumer: string, market: string, wish: ConsumerWish | undefined) => void)
    | undefined;
}

/** A chain with its market. */
interface ChainMarket {
  readonly chain: string;
  readonly market: string;
}

/** One list that is being looked at. */
interface Job {
  readonly consumer: string;
  readonly place: ChainMarket;
  readonly wish: ConsumerWish;
  readonly list: PairingList | undefined;
  readonly steps: Renewing;
  /** Who has set the policy and waits for its lists; nobody does in a sweep. */
  readonly setter: Setter | undefined;
}

interface Setter {
  readonly from: From<Answer<readonly PairingList[]>>;
  readonly lists: PairingList[];
  /** Lists that are still to be looked at. */
  left: number;
}

interface State extends EpochClockArgs {
  epoch: Epoch | undefined;
  sweep: Sweep<Job> | undefined;
  /** What somebody waits for; it goes before the rest of a sweep. */
  readonly asked: Job[];
  /** What is being drawn. */
  current: Job | undefined;
  /** The loop is others'. */
  isResting: boolean;
  /** Versions of the markets when the last sweep began. */
  seen: string;
  /** Lists that could not be made: their turn comes again. */
  isBehind: boolean;
  /** Events of single lists that may still be told before the next tick. */
  mayTell: number;
}

/** How often epoch and markets are looked at, ms; an epoch by time begins on time. */
const TICK_MS = 1_000;
/** The same until everybody has lists: markets are being read back meanwhile. */
const FIRST_TICK_MS = 250;
/** What it works at a stretch, ms, and one more draw: as long as a ranking of a whole market takes. */
const TURN_MS = 2;
/** Lists that callers may wait for. */
const MOST_ASKED = 1_000;
/** Events of single lists within a tick; a market that empties would tell of thousands. */
const MOST_TOLD = 20;
const RETRY_MS = 1_000;
const READ_TIMEOUT_MS = 60_000;

/** The clock. */
export const epochClock = defineActor({
  name: "pairing/epoch-clock",
  init: (args: EpochClockArgs, ctx): State => {
    const { policies, read } = args;
    if (read === undefined) policies.isRead = true;
    else if (!policies.isRead) ctx.after(0, "read");
    ctx.after(0, "tick");
    const none = { epoch: undefined, sweep: undefined, current: undefined, seen: "" };
    return { ...args, ...none, asked: [], isResting: false, isBehind: true, mayTell: MOST_TOLD };
  },
  calls: {
    /** Sets what a consumer wants of these markets, and makes its lists. */
    setPolicy: (state, change: PolicyChange, ctx, from: From<Answer<readonly PairingList[]>>) => {
      const answer = setPolicy(state, change, from, ctx);
      return answer === undefined ? later(state) : reply(state, answer);
    },
    /** Forgets it, and takes the lists away; answers how many markets it held for. */
    removePolicy: (state, { consumer, markets }: Omit<PolicyChange, "wish">, ctx) =>
      reply(state, removePolicy(state, consumer, markets, ctx)),
  },
  on: (state, info, ctx) => {
    if (info.type === "timer" && info.key === "tick") tick(state, ctx);
    else if (info.type === "task" && info.key === "work") work(state, ctx);
    else if (info.type === "timer") readPolicies(state, ctx);
    else if (info.type === "task" && info.result.ok) {
      takeUp(state, info.result.value as readonly KeptWish[]);
      tick(state, ctx);
    } else if (info.type === "task" && !info.result.ok) {
      const reason = reasonText(info.result.reason);
      ctx.emit("pairing.policies.failed", { reason, delayMs: RETRY_MS });
      ctx.after(RETRY_MS, "read");
    }
    return state;
  },
  formatState: ({ epoch, policies, sweep, asked, isBehind }) => ({
    epoch: epoch?.number,
    consumers: policies.size,
    isSweeping: sweep !== undefined,
    asked: asked.length,
    isBehind,
  }),
});

/** Finds the clock. */
export const epochClockKey = keyFor(epochClock);

/** A policy and where it holds. */
export interface PolicyChange {
  readonly consumer: string;
  readonly markets: readonly string[];
  readonly wish: ConsumerWish;
}

const shelves = (ctx: Ctx) => ctx.table<ListShelf>(listsTable);

const readPolicies = ({ read }: State, ctx: Ctx): void => {
  if (read !== undefined) ctx.task("read", read, { timeoutMs: READ_TIMEOUT_MS });
};

const takeUp = (state: State, kept: readonly KeptWish[]): void => {
  const { policies } = state;
  for (const { consumer, market, wish } of kept) policies.set(consumer, market, wish);
  policies.isRead = true;
  state.isBehind = true;
};

const tick = (state: State, ctx: Ctx): void => {
  const wallMs = ctx.wallNow();
  state.mayTell = MOST_TOLD;
  const next = epochAt(state.rule, { wallMs, head: state.head() });
  // A chain that is turned back, or a clock, does not bring an old epoch back.
  const isNew = next !== undefined && next.number > (state.epoch?.number ?? -1);
  if (isNew) state.epoch = next;
  const seen = state.chains.map(({ market }) => versionOf(state, market)).join();
  const isDue = isNew || state.isBehind || seen !== state.seen;
  if (isDue && state.policies.isRead && state.epoch !== undefined && shelves(ctx) !== undefined) {
    if (state.sweep === undefined || isNew) begin(state, seen, ctx);
  }
  const leftMs = (state.epoch?.endsAtMs ?? Number.POSITIVE_INFINITY) - wallMs;
  const usualMs = state.policies.isServed ? TICK_MS : FIRST_TICK_MS;
  ctx.after(Math.max(1, Math.min(usualMs, leftMs)), "tick");
};

const versionOf = ({ book }: State, market: string): number => {
  const found = book.find(market);
  return found.ok ? found.value.store.index.version : -1;
};

const begin = (state: State, seen: string, ctx: Ctx): void => {
  state.seen = seen;
  state.isBehind = false;
  // What a sweep of another epoch was at is of no use.
  if (state.current?.setter === undefined) state.current = undefined;
  const jobs = jobsOf(state, [...state.policies.consumers()], ctx);
  state.sweep = new Sweep(jobs);
  rest(state, ctx);
};

function* jobsOf(state: State, consumers: readonly string[], ctx: Ctx): Generator<Job, undefined> {
  for (const consumer of consumers) {
    for (const place of state.chains) {
      const job = jobOf(state, consumer, place, ctx);
      if (job !== undefined) yield job;
    }
  }
  return undefined;
}

/** The loop is others' for a turn. */
const rest = (state: State, ctx: Ctx): void => {
  if (state.isResting) return;
  state.isResting = true;
  // A message to itself would come in the same turn of the loop.
  ctx.task("work", state.yieldTurn);
};

/** Looks at lists until its time is over. */
const work = (state: State, ctx: Ctx): void => {
  state.isResting = false;
  const untilMs = ctx.now() + TURN_MS;
  do {
    state.current ??= state.asked.shift() ?? nextOfSweep(state, ctx);
    const { current } = state;
    if (current === undefined) return;
    const step = current.steps.next();
    if (step.done !== true) continue;
    state.current = undefined;
    finish(state, current, step.value, ctx);
  } while (ctx.now() < untilMs);
  rest(state, ctx);
};

const nextOfSweep = (state: State, ctx: Ctx): Job | undefined => {
  const { sweep } = state;
  const next = sweep?.jobs.next();
  if (sweep === undefined || next?.done === false) return next?.value;
  state.sweep = undefined;
  if (sweep.late > 0) state.isBehind = true;
  else state.policies.isServed = true;
  if (sweep.made === 0) return undefined;
  const { made: count, changed, empty } = sweep;
  ctx.emit("pairing.list.made", { epoch: state.epoch?.number ?? 0, count, changed, empty });
  return undefined;
};

/** What is to be done about one list; undefined when there is nothing to look at. */
const jobOf = (
  state: State,
  consumer: string,
  place: ChainMarket,
  ctx: Ctx,
  setter?: Setter,
): Job | undefined => {
  const { book, settings, policies, epoch } = state;
  const wish = policies.wishesOf(consumer).get(place.market);
  const table = shelves(ctx);
  if (wish === undefined || epoch === undefined || table === undefined) return undefined;
  const list = table.get(consumer)?.current.get(place.chain);
  const nowMs = ctx.wallNow();
  const isNewWish = setter !== undefined;
  const renewal = { book, settings, consumer, ...place, wish, epoch, nowMs, list, isNewWish };
  return { consumer, place, wish, list, steps: renew(renewal), setter };
};

/** A list was looked at: what came of it counts, unless it is of a policy or an epoch that is over. */
const finish = (state: State, job: Job, renewed: Renewed, ctx: Ctx): void => {
  const { consumer, place, wish, setter } = job;
  const { policies, sweep } = state;
  const table = shelves(ctx);
  const shelf = table?.get(consumer);
  const isWished = policies.wishesOf(consumer).get(place.market) === wish;
  if (renewed.kind === "refused") {
    refused(state, { consumer, chain: place.chain }, renewed.refusal, ctx);
  } else if (renewed.kind !== "kept" && isWished) {
    const { list } = renewed;
    const isOver = (shelf?.current.get(place.chain)?.epoch ?? list.epoch) > list.epoch;
    if (!isOver) {
      table?.put(consumer, withList(shelf, list));
      sweep?.count(renewed, job.list);
      tell(state, renewed, job.list, ctx);
      if (renewed.kind === "made") setter?.lists.push(list);
    }
  }
  if (setter !== undefined && --setter.left === 0) {
    setter.from.reply({ ok: true, value: setter.lists });
  }
};

/** A market that is away comes back; a wish that cannot be followed is told of, epoch by epoch. */
const refused = (
  state: State,
  place: { readonly consumer: string; readonly chain: string },
  { code, message }: Refusal,
  ctx: Ctx,
): void => {
  const { sweep, epoch } = state;
  if (code === "PAIRING_UNAVAILABLE") {
    state.isBehind = true;
    if (sweep !== undefined) sweep.late++;
  } else if (state.mayTell-- > 0) {
    const number = epoch?.number ?? 0;
    ctx.emit("pairing.list.refused", { ...place, epoch: number, reason: message });
  }
};

const tell = (
  state: State,
  { kind, list }: RenewedList,
  before: PairingList | undefined,
  ctx: Ctx,
): void => {
  const { consumer, chain, epoch } = list;
  const isNowEmpty = list.ids.length === 0 && (before === undefined || before.ids.length > 0);
  const isRepair = kind === "repaired" && before?.key !== list.key;
  if ((!isNowEmpty && !isRepair) || state.mayTell <= 0) return;
  state.mayTell--;
  if (isRepair) {
    const count = list.ids.length;
    ctx.emit("pairing.list.repair", { consumer, chain, epoch, count });
  }
  if (isNowEmpty) {
    const filter = list.blockedBy ?? "market";
    ctx.emit("pairing.list.empty", { consumer, chain, epoch, filter });
  }
};

/** Notes a policy; undefined when its lists are being made. */
const setPolicy = (
  state: State,
  { consumer, markets, wish }: PolicyChange,
  from: Setter["from"],
  ctx: Ctx,
): Answer<readonly PairingList[]> | undefined => {
  const { policies, chains, book, asked, onPolicy } = state;
  if (!policies.isRead) return UNREAD;
  if (asked.length >= MOST_ASKED) return BUSY;
  for (const market of markets) {
    const found = book.find(market);
    const tried = found.ok ? found.value.check(wish) : undefined;
    if (tried?.ok === false) return tried;
  }
  for (const market of markets) {
    const set = policies.set(consumer, market, wish);
    if (!set.ok) return set;
    onPolicy?.(consumer, market, wish);
  }
  const setter: Setter = { from, lists: [], left: 0 };
  for (const place of chains) {
    if (!markets.includes(place.market)) continue;
    const job = jobOf(state, consumer, place, ctx, setter);
    if (job === undefined) {
      state.isBehind = true;
      continue;
    }
    asked.push(job);
    setter.left++;
  }
  if (setter.left === 0) return { ok: true, value: [] };
  rest(state, ctx);
  return undefined;
};

const removePolicy = (
  { policies, chains, onPolicy }: State,
  consumer: string,
  markets: readonly string[],
  ctx: Ctx,
): Answer<number> => {
  if (!policies.isRead) return UNREAD;
  const gone = markets.filter((market) => policies.delete(consumer, market));
  for (const market of gone) onPolicy?.(consumer, market, undefined);
  const table = shelves(ctx);
  for (const { chain, market } of chains) {
    const shelf = table?.get(consumer);
    if (shelf === undefined || !gone.includes(market)) continue;
    const left = withoutChain(shelf, chain);
    if (left === undefined) table?.delete(consumer);
    else table?.put(consumer, left);
  }
  return { ok: true, value: gone.length };
};

const BUSY: Answer<never> = {
  ok: false,
  refusal: {
    code: "PAIRING_TIMEOUT",
    message: `${MOST_ASKED} lists are waited for, as many as may be`,
  },
};

const UNREAD: Answer<never> = {
  ok: false,
  refusal: { code: "PAIRING_UNAVAILABLE", message: "the policies are still being read" },
};
