/**
 * Makes the lists of consumers: every epoch, when a policy changes, and when too many of a list have
 * left their market. Lists lie in a table that outlives it, so what it published stays valid while it
 * is away. It looks at all consumers a slice a turn.
 *
 * Permanent. A restart loses nothing: policies belong to the host, lists to the table.
 */
import { defineActor, keyFor, reasonText, reply, type Ctx } from "../../src/otp/index.ts";
import type { MarketBook } from "../../src/pairing/market-book.ts";
import { type Epoch, epochAt, type EpochRule } from "../../src/pairing/lists/epoch.ts";
import type { PairingList } from "../../src/pairing/lists/list.ts";
import type { ConsumerWish, PolicyBook } from "../../src/pairing/lists/policy-book.ts";
import { type ListSettings, renew, type Renewed } from "../../src/pairing/lists/renewal.ts";
import {
  type ListShelf,
  listsTable,
  withList,
  withoutChain,
} from "../../src/pairing/lists/shelf.ts";
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
  readonly chains: readonly { readonly chain: string; readonly market: string }[];
  /** Newest block of the chain whose blocks count. */
  readonly head: () => number | undefined;
  /** Reads the policies that were kept; nothing is kept without it. */
  readonly read?: (() => Promise<readonly KeptWish[]>) | undefined;
  /** Hears of every policy that is set, or withdrawn (undefined). */
  readonly onPolicy?:
    | ((consumer: string, market: string, wish: ConsumerWish | undefined) => void)
    | undefined;
}

/** What a sweep has done so far. */
interface Sweep {
  readonly consumers: Iterator<string>;
  made: number;
  changed: number;
  empty: number;
  /** Lists whose market was away. */
  late: number;
}

interface State extends EpochClockArgs {
  epoch: Epoch | undefined;
  sweep: Sweep | undefined;
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
/** What one turn of a sweep may take, ms. */
const TURN_MS = 2;
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
    const none = { epoch: undefined, sweep: undefined, seen: "", isBehind: true };
    return { ...args, ...none, mayTell: MOST_TOLD };
  },
  calls: {
    /** Sets what a consumer wants of these markets, and makes its lists. */
    setPolicy: (state, { consumer, markets, wish }: PolicyChange, ctx) =>
      reply(state, setPolicy(state, consumer, markets, wish, ctx)),
    /** Forgets it, and takes the lists away; answers how many markets it held for. */
    removePolicy: (state, { consumer, markets }: Omit<PolicyChange, "wish">, ctx) =>
      reply(state, removePolicy(state, consumer, markets, ctx)),
  },
  on: (state, info, ctx) => {
    if (info.type === "info") sweepOn(state, ctx);
    else if (info.type === "timer" && info.key === "tick") tick(state, ctx);
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
  formatState: ({ epoch, policies, sweep, isBehind }) => ({
    epoch: epoch?.number,
    consumers: policies.size,
    isSweeping: sweep !== undefined,
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
  const wasSweeping = state.sweep !== undefined;
  state.seen = seen;
  state.isBehind = false;
  const consumers = [...state.policies.consumers()].values();
  state.sweep = { consumers, made: 0, changed: 0, empty: 0, late: 0 };
  if (wasSweeping) return;
  ctx.self.send("sweep");
};

/** Looks at consumers until the turn's time is over. */
const sweepOn = (state: State, ctx: Ctx): void => {
  const { sweep } = state;
  if (sweep === undefined) return;
  const untilMs = ctx.now() + TURN_MS;
  for (;;) {
    const next = sweep.consumers.next();
    if (next.done === true) break;
    for (const place of state.chains) renewOne(state, next.value, place, ctx);
    if (ctx.now() < untilMs) continue;
    ctx.self.send("sweep");
    return;
  }
  state.sweep = undefined;
  if (sweep.late > 0) state.isBehind = true;
  else state.policies.isServed = true;
  if (sweep.made === 0) return;
  const { made: count, changed, empty } = sweep;
  ctx.emit("pairing.list.made", { epoch: state.epoch?.number ?? 0, count, changed, empty });
};

/** Looks at one list; undefined when there is nothing to look at. */
const renewOne = (
  state: State,
  consumer: string,
  { chain, market }: State["chains"][number],
  ctx: Ctx,
  isNewWish = false,
): Renewed | undefined => {
  const { book, settings, policies, epoch, sweep } = state;
  const wish = policies.wishesOf(consumer).get(market);
  const table = shelves(ctx);
  if (wish === undefined || epoch === undefined || table === undefined) return undefined;
  const shelf = table.get(consumer);
  const list = shelf?.current.get(chain);
  const place = { consumer, chain, market };
  const nowMs = ctx.wallNow();
  const renewed = renew({ book, settings, ...place, wish, epoch, nowMs, list, isNewWish });
  if (renewed.kind === "kept") return renewed;
  if (renewed.kind === "refused") {
    refused(state, { consumer, chain }, renewed.refusal, ctx);
    return renewed;
  }
  table.put(consumer, withList(shelf, renewed.list));
  if (sweep !== undefined) tally(sweep, renewed, list);
  tell(state, renewed, list, ctx);
  return renewed;
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

const tally = (sweep: Sweep, { kind, list }: Made, before: PairingList | undefined): void => {
  if (kind !== "thinned") sweep.made++;
  if (before?.key !== list.key) sweep.changed++;
  if (list.ids.length === 0) sweep.empty++;
};

type Made = Extract<Renewed, { readonly list: PairingList }>;

const tell = (
  state: State,
  { kind, list }: Made,
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

const setPolicy = (
  state: State,
  consumer: string,
  markets: readonly string[],
  wish: ConsumerWish,
  ctx: Ctx,
): Answer<readonly PairingList[]> => {
  const { policies, chains, book, onPolicy } = state;
  if (!policies.isRead) return UNREAD;
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
  const lists = chains.flatMap((place) => {
    if (!markets.includes(place.market)) return [];
    const renewed = renewOne(state, consumer, place, ctx, true);
    if (renewed === undefined) state.isBehind = true;
    return renewed?.kind === "made" ? [renewed.list] : [];
  });
  return { ok: true, value: lists };
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

const UNREAD: Answer<never> = {
  ok: false,
  refusal: { code: "PAIRING_UNAVAILABLE", message: "the policies are still being read" },
};
