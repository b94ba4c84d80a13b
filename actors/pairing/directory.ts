/**
 * Owns the markets: who is in them, and how they score. It alone writes; everybody reads the book at
 * once. Long work, loads and the making of the orders that markets are ranked by, goes on for some
 * milliseconds, then the loop is others' for a turn, so that single changes and requests go on between.
 *
 * Permanent. A restart loses loads under way; the markets are the book's, which outlives it. Markets
 * that are new get back what was kept of them before anybody is served.
 */
import {
  defineActor,
  isCleanReason,
  keyFor,
  later,
  reasonText,
  reply,
  stop,
  type Ctx,
  type From,
  type TaskResult,
} from "../../src/otp/index.ts";
import { badInput, refusalText } from "../../src/pairing/fault.ts";
import { LoadJob } from "../../src/pairing/load-job.ts";
import { LongWork } from "../../src/pairing/long-work.ts";
import { tellNews } from "../../src/pairing/market-news.ts";
import { MarketWatch } from "../../src/pairing/market-watch.ts";
import type { MarketBook } from "../../src/pairing/market-book.ts";
import type { PairingMarket } from "../../src/pairing/market.ts";
import { generatedAddress, parseProvider } from "../../src/pairing/provider.ts";
import {
  type LoadReport,
  type MarketChange,
  MOST_TOLD,
  type ProviderRecord,
  type Reply as Answer,
  type ScoringView,
} from "../../src/pairing/protocol.ts";
import type { ProviderStore } from "../../src/pairing/provider-store.ts";
import type { KeptMarket } from "../../src/pairing/store/pairing-store.ts";

/** What a directory is started with. */
export interface DirectoryArgs {
  readonly book: MarketBook;
  /** Brings back what was kept of a market, providers as many at a time as it likes. */
  readonly restore?:
    | ((
        market: string,
        put: (providers: readonly ProviderRecord[]) => void,
        signal: AbortSignal,
      ) => Promise<KeptMarket>)
    | undefined;
  /** Names of the markets that were kept, configured or not. */
  readonly kept?: (() => Promise<readonly string[]>) | undefined;
  /** Lets others have a turn of the loop. */
  readonly yieldTurn: () => Promise<void>;
  /** Hears of every change of a market, in order. */
  readonly onChange?: ((change: MarketChange) => void) | undefined;
}

/** A load as it is asked for. */
export interface LoadRequest {
  readonly market: string;
  readonly providers: readonly unknown[];
  readonly mode: "replace" | "add";
}

interface Loading {
  readonly job: LoadJob;
  readonly from: From<Answer<LoadReport>>;
  /** What a `replace` will have brought; undefined once that is too much to be told. */
  brought: ProviderRecord[] | undefined;
  /** All providers have been looked at. */
  isTaken: boolean;
}

interface State extends DirectoryArgs {
  readonly loads: Map<string, Loading>;
  readonly restoring: Map<string, ProviderStore>;
  /** Markets in which something is being made. */
  readonly making: Set<string>;
  readonly works: LongWork<Work>;
  readonly watch: MarketWatch;
  /** Who waits for a market that is being restored. */
  readonly waiting: Map<string, From<Answer<"there">>[]>;
  named: number;
}

/** Wait before a failed restore is tried again, ms. */
const RETRY_MS = 1_000;
/** A restore may take as long as it must. */
const RESTORE_TIMEOUT_MS = Number.POSITIVE_INFINITY;

/** What long work does at a stretch. */
const STRETCH = { mostMs: 5, mostSlices: 100 };
/** Steps of a slice towards an order. */
const MAKE_STEPS = 500;
/** How often the markets are looked at, for what is new and what requests have asked to be made, ms. */
const LOOK_MS = 1_000;

/** Long work. */
type Work =
  | { readonly load: string }
  | { readonly restored: string; readonly version: number | undefined }
  | { readonly make: string };

/** The directory. */
export const directory = defineActor({
  name: "pairing/directory",
  trapExit: true,
  init: (args: DirectoryArgs, ctx): State => {
    const maps = { loads: new Map(), restoring: new Map(), waiting: new Map() };
    const state: State = {
      ...args,
      ...maps,
      making: new Set(),
      works: new LongWork(STRETCH, () => ctx.task(WORK, args.yieldTurn)),
      watch: new MarketWatch(),
      named: 0,
    };
    for (const market of args.book.open()) begun(state, market, ctx);
    lookForKept(state, ctx);
    ctx.every(LOOK_MS, LOOK);
    return state;
  },
  calls: {
    /** Makes a market that is not there; answers when it can be written. */
    open: (state, market: string, ctx, from: From<Answer<"there">>) => {
      const made = state.book.ensure(market);
      if (!made.ok) return reply(state, made);
      if (made.value === "made") begun(state, market, ctx);
      if (!state.restoring.has(market)) return reply(state, { ok: true, value: "there" } as const);
      state.waiting.set(market, [...(state.waiting.get(market) ?? []), from]);
      return later(state);
    },
    load: (state, request: LoadRequest, ctx, from: From<Answer<LoadReport>>) => {
      const refusal = beginLoad(state, request, ctx, from);
      return refusal === undefined ? later(state) : reply(state, refusal);
    },
    add: (state, { market, provider }: { market: string; provider: unknown }, ctx) =>
      reply(state, add(state, market, provider, ctx)),
    remove: (state, { market, address }: { market: string; address: string }) =>
      reply(state, remove(state, market, address)),
    setWeights: (state, { market, profile, weights }: WeightChange) => {
      const found = writable(state, market);
      const answer: Answer<ScoringView> = found.ok
        ? state.book.write(() => found.value.setWeights(profile, weights))
        : found;
      if (answer.ok) {
        state.onChange?.({ type: "weights", market, profile, weights: answer.value.scorers });
      }
      return reply(state, answer);
    },
    resetStats: (state, _arg: undefined) => {
      for (const market of state.book.all()) market.tally.reset();
      state.book.cache.resetStats();
      state.book.cache.clear();
      return reply(state, "reset" as const);
    },
  },
  on: (state, info, ctx) => {
    if (info.type === "exit" && !isCleanReason(info.reason)) return stop(state, info.reason);
    else if (info.type === "task" && info.key === WORK) goOn(state, ctx);
    else if (info.type === "task" && info.key === KEPT) foundKept(state, info.result, ctx);
    else if (info.type === "task") restored(state, info.key, info.result, ctx);
    else if (info.type === "timer" && info.key === LOOK) look(state, ctx);
    else if (info.type === "timer" && info.key === KEPT) lookForKept(state, ctx);
    else if (info.type === "timer") restore(state, info.payload as string, ctx);
    return state;
  },
  terminate: ({ book }, reason) => {
    if (isCleanReason(reason)) book.close();
  },
  formatState: ({ book, loads, restoring, making }) => ({
    markets: Object.fromEntries([...book.all()].map(({ name, store }) => [name, store.size])),
    loading: [...loads.keys()],
    restoring: [...restoring.keys()],
    making: [...making],
  }),
});

/** Finds the directory. */
export const directoryKey = keyFor(directory);

/** Weights of a profile that are to change. */
export interface WeightChange {
  readonly market: string;
  readonly profile: string;
  readonly weights: Readonly<Record<string, number>>;
}

const UNREAD = {
  code: "PAIRING_UNAVAILABLE",
  message: "what was kept of the market cannot be read now",
} as const;

const busy = (market: string): Answer<never> => ({
  ok: false,
  refusal: { code: "PAIRING_BUSY", message: `market ${market} is being loaded` },
});

/** A market that may be changed now. */
const writable = (state: State, market: string): Answer<PairingMarket> =>
  state.loads.get(market)?.job.mode === "replace" ? busy(market) : state.book.find(market);

function beginLoad(
  state: State,
  { market, providers, mode }: LoadRequest,
  ctx: Ctx,
  from: From<Answer<LoadReport>>,
): Answer<LoadReport> | undefined {
  const found = state.book.find(market);
  if (!found.ok) return found;
  if (state.loads.has(market)) return busy(market);
  const store = mode === "replace" ? found.value.emptyStore() : found.value.store;
  const job = new LoadJob(market, mode, store, providers, () => newAddress(state, store, ctx));
  state.loads.set(market, { job, from, brought: [], isTaken: false });
  state.works.begin({ load: market });
  return undefined;
}

/** The key of the timer that looks at the markets. */
const LOOK = "look";

/** The task that lets others have the loop before long work goes on. */
const WORK = "work";

const goOn = (state: State, ctx: Ctx): void =>
  state.works.goOn(
    (work) => slice(state, work, ctx),
    () => ctx.now(),
  );

/** True when that was the last of it. */
function slice(state: State, work: Work, ctx: Ctx): boolean {
  if ("load" in work) return step(state, work.load, ctx);
  if ("restored" in work) return finishRestore(state, work.restored, work.version, ctx);
  return make(state, work.make);
}

/** What is new is told, and what requests asked for is made here, where nobody waits for it. */
function look(state: State, ctx: Ctx): void {
  const { cache } = state.book;
  tellNews(state.watch.look(state.book), cache.capacity, (event, fields) => {
    ctx.emit(event, fields);
  });
  for (const { name, store } of state.book.all()) {
    if (!store.index.derived.isMaking || state.making.has(name)) continue;
    state.making.add(name);
    state.works.begin({ make: name });
  }
}

function make(state: State, name: string): boolean {
  const found = state.book.find(name);
  const isMaking = found.ok && found.value.store.index.derived.advance(MAKE_STEPS);
  if (!isMaking) state.making.delete(name);
  return !isMaking;
}

/** One slice of a load. */
function step(state: State, load: string, ctx: Ctx): boolean {
  const loading = state.loads.get(load);
  const found = state.book.find(load);
  if (loading === undefined || !found.ok) return true;
  const market = found.value;
  const { job, from } = loading;
  const isAside = job.mode === "replace";
  if (!loading.isTaken) {
    loading.isTaken = take(state, loading);
    if (loading.isTaken && isAside) market.prepare(job.store);
  }
  if (!loading.isTaken) return false;
  if (isAside && job.store.index.derived.advance(MAKE_STEPS)) return false;
  state.loads.delete(load);
  if (isAside) {
    state.book.write(() => market.swap(job.store));
    state.onChange?.({ type: "replaced", market: load, providers: loading.brought });
  }
  const report = job.report(market.store.size, market.store.index.version);
  ctx.emit("pairing.market.loaded", {
    market: load,
    count: report.accepted,
    refused: report.rejectedCount,
    entries: report.size,
  });
  from.reply({ ok: true, value: report });
  return true;
}

/** Takes the next slice of a load in; true when that was the last. */
function take(state: State, loading: Loading): boolean {
  const { job } = loading;
  const isDone = state.book.write(() => job.step());
  if (job.mode === "replace") bring(loading);
  else if (job.taken.length > 0) {
    state.onChange?.({ type: "put", market: job.market, providers: job.taken });
  }
  return isDone;
}

/** To hold on to a million records would make every collection of garbage slow. */
function bring(loading: Loading): void {
  const { job, brought } = loading;
  brought?.push(...job.taken);
  if (brought !== undefined && brought.length > MOST_TOLD) loading.brought = undefined;
}

function add(state: State, market: string, provider: unknown, ctx: Ctx): Answer<ProviderRecord> {
  const found = writable(state, market);
  if (!found.ok) return found;
  const { store } = found.value;
  const parsed = parseProvider(provider, () => newAddress(state, store, ctx));
  if (!parsed.ok) return badInput(parsed.faults);
  const message = state.book.write(() => store.put(parsed.value));
  if (message !== undefined)
    return { ok: false, refusal: { code: "PAIRING_MARKET_FULL", message } };
  state.onChange?.({ type: "put", market, providers: [parsed.value] });
  return { ok: true, value: parsed.value };
}

function remove(state: State, market: string, address: string): Answer<ProviderRecord> {
  const found = writable(state, market);
  if (!found.ok) return found;
  const { store } = found.value;
  const removed = state.book.write(() => store.remove(address));
  if (removed === undefined) {
    const message = `market ${market} has no provider ${address}`;
    return { ok: false, refusal: { code: "PAIRING_UNKNOWN_PROVIDER", message } };
  }
  state.onChange?.({ type: "removed", market, address });
  return { ok: true, value: removed };
}

function newAddress(state: State, store: ProviderStore, ctx: Ctx): string {
  for (;;) {
    const address = generatedAddress(++state.named, ctx.random());
    if (store.index.rowOf(address) === undefined) return address;
  }
}

/** The task that looks for markets that were kept. */
const KEPT = "kept";

/** A new market: it gets back what was kept of it. */
function begun(state: State, market: string, ctx: Ctx): void {
  if (state.restore === undefined) state.book.filled(market);
  else restore(state, market, ctx);
}

function lookForKept({ kept, book }: State, ctx: Ctx): void {
  if (kept === undefined) book.hasLooked = true;
  else ctx.task(KEPT, kept, { timeoutMs: RESTORE_TIMEOUT_MS });
}

/** Markets that were made on demand by an earlier run are there again. */
function foundKept(state: State, result: TaskResult, ctx: Ctx): void {
  if (!result.ok) {
    ctx.after(RETRY_MS, KEPT);
    return;
  }
  for (const market of result.value as readonly string[]) {
    const made = state.book.ensure(market);
    if (!made.ok) {
      ctx.emit("pairing.market.skipped", { market, reason: refusalText(made.refusal) });
    } else if (made.value === "made") begun(state, market, ctx);
  }
  state.book.hasLooked = true;
}

/** Fills a new market aside; it is served when it is whole. */
function restore(state: State, market: string, ctx: Ctx): void {
  const fill = state.restore;
  const known = marketOf(state, market);
  if (fill === undefined || known === undefined) return;
  const store = known.emptyStore();
  state.book.setLoading(market, true);
  state.restoring.set(market, store);
  const put = (providers: readonly ProviderRecord[]): void => {
    for (const provider of providers) store.put(provider);
  };
  ctx.task(`restore:${market}`, (signal) => fill(market, put, signal), {
    timeoutMs: RESTORE_TIMEOUT_MS,
  });
}

function restored(state: State, key: string, result: TaskResult, ctx: Ctx): void {
  const name = key.slice("restore:".length);
  const store = state.restoring.get(name);
  const market = marketOf(state, name);
  if (store === undefined || market === undefined) return;
  if (result.ok) {
    const { version, weights } = result.value as KeptMarket;
    // Before the order is made, which follows from them.
    for (const one of weights) {
      const set = market.setWeights(one.profile, one.weights);
      if (set.ok) continue;
      const reason = refusalText(set.refusal);
      ctx.emit("pairing.weights.skipped", { market: name, name: one.profile, reason });
    }
    market.prepare(store);
    state.works.begin({ restored: name, version });
    return;
  }
  state.restoring.delete(name);
  const reason = reasonText(result.reason);
  ctx.emit("pairing.restore.failed", { market: name, reason, delayMs: RETRY_MS });
  ctx.after(RETRY_MS, key, name);
  answerWaiting(state, name, { ok: false, refusal: UNREAD });
}

/** A market that was read back is served once its order is there. */
function finishRestore(state: State, name: string, version: number | undefined, ctx: Ctx): boolean {
  const store = state.restoring.get(name);
  const market = marketOf(state, name);
  if (store === undefined || market === undefined) return true;
  if (store.index.derived.advance(MAKE_STEPS)) return false;
  state.restoring.delete(name);
  state.book.write(() => market.swap(store, version));
  state.book.filled(name);
  answerWaiting(state, name, { ok: true, value: "there" });
  if (store.size === 0) return true;
  const entries = store.size;
  ctx.emit("pairing.market.loaded", { market: name, count: entries, refused: 0, entries });
  return true;
}

/** A market by its name, served or not. */
const marketOf = ({ book }: State, name: string): PairingMarket | undefined =>
  [...book.all()].find((one) => one.name === name);

function answerWaiting(state: State, name: string, answer: Answer<"there">): void {
  for (const from of state.waiting.get(name) ?? []) from.reply(answer);
  state.waiting.delete(name);
}
