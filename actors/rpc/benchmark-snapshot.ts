/**
 * Writes the evidence of every chain to disk each hour and at shutdown, and reads the last day back
 * when a chain starts, so that a restart of the host does not forget. What was used of quotas is written
 * each minute in which it changed: a host that crashes must not give a month's quota out anew.
 * Permanent; a restart loses nothing.
 */
import { defineActor, keyFor, reply, stop, type Ctx } from "../../src/otp/index.ts";
import type { EvidenceBook } from "../../src/rpc/evidence/evidence-book.ts";
import type { ChainName } from "../../src/rpc/ids.ts";

/** Where documents are kept; `src/io/snapshot-store.ts` satisfies it. */
export interface Snapshots {
  write(series: string, atMs: number, document: unknown): Promise<string>;
  latest(series: string): Promise<{
    readonly snapshot: { readonly atMs: number; readonly document: unknown } | undefined;
    readonly damaged: number;
  }>;
  range(
    series: string,
    fromMs: number,
    toMs: number,
  ): Promise<{
    readonly snapshots: readonly { readonly document: unknown }[];
    readonly damaged: number;
  }>;
}

/** What was used of quotas; written more often than evidence. */
export interface Ledger {
  toSnapshot(): unknown;
  restore(document: unknown): void;
}

/** What the process needs from the host program. */
export interface BenchmarkSnapshotArgs {
  readonly books: () => ReadonlyMap<ChainName, EvidenceBook>;
  /** Quotas of the providers, by chain. */
  readonly budgets: () => ReadonlyMap<ChainName, Ledger>;
  /** Quotas of the clients. */
  readonly clients?: Ledger | undefined;
  readonly store: Snapshots;
  readonly intervalMs: number;
}

/** How far back rows and places are read when a chain starts, ms: what memory holds of them. */
const RECALL_MS = 86_400_000;
/** How often quotas are written when they have changed, ms. */
const ledgersMs = 60_000;

interface State extends BenchmarkSnapshotArgs {
  /** What was written of each ledger last. */
  readonly ledgers: Map<string, string>;
  readonly written: number;
  readonly failed: number;
  readonly lastError: string | undefined;
}

/** The snapshot writer. */
export const benchmarkSnapshot = defineActor({
  name: "rpc/benchmark-snapshot",
  trapExit: true,
  init: (args: BenchmarkSnapshotArgs, ctx): State => {
    ctx.every(args.intervalMs, "write");
    ctx.every(ledgersMs, "ledgers");
    ctx.after(0, "recall");
    return { ...args, ledgers: new Map(), written: 0, failed: 0, lastError: undefined };
  },
  calls: {
    /** Fills the book of a chain that starts with the snapshots of the last day. */
    restore: async (state, chain: ChainName, ctx) => {
      const budgets = state.budgets().get(chain);
      if (budgets !== undefined) await recall(state, budgetSeries(chain), budgets, ctx);
      const book = state.books().get(chain);
      if (book === undefined) return reply(state, "unknown_chain");
      const { documents, damaged } = await recent(state, chain, ctx);
      if (damaged > 0) ctx.log.warn({ chain, damaged }, "damaged snapshots were skipped");
      if (documents.length === 0) return reply(state, "none");
      const result = book.restore(documents, ctx.now(), ctx.wallNow());
      for (const { code, message } of result.ok ? result.refused : [result]) {
        ctx.log.warn({ chain, code, message }, "a snapshot could not be read");
      }
      return reply(state, result.ok ? "restored" : result.code);
    },
    /** Writes all chains now. */
    flush: async (state, _arg: undefined, ctx) => {
      const next = await written(state, ctx);
      return reply(next, next.written - state.written);
    },
  },
  on: async (state, info, ctx) => {
    // It traps exits to write once more, not to survive them.
    if (info.type === "exit") return stop(state, info.reason);
    if (info.type !== "timer") return state;
    if (info.key === "ledgers") return noted(state, ctx);
    if (info.key !== "recall") return written(state, ctx);
    if (state.clients !== undefined) await recall(state, CLIENTS_SERIES, state.clients, ctx);
    return state;
  },
  terminate: (state, _reason, ctx) => written(state, ctx),
  formatState: ({ written, failed, lastError }) => ({ written, failed, lastError }),
});

/** Finds the snapshot writer. */
export const benchmarkSnapshotKey = keyFor(benchmarkSnapshot);

const budgetSeries = (chain: ChainName): string => `budgets-${chain}`;
const CLIENTS_SERIES = "clients";

/** Reads a ledger's newest document; without one it counts from nothing. */
const recall = async (state: State, series: string, ledger: Ledger, ctx: Ctx): Promise<void> => {
  const { snapshot, damaged } = await ctx.guard(state.store.latest(series));
  if (damaged > 0) ctx.log.warn({ series, damaged }, "damaged snapshots were skipped");
  if (snapshot !== undefined) ledger.restore(snapshot.document);
};

/** Writes the ledgers that have changed. */
const noted = async (state: State, ctx: Ctx): Promise<State> => {
  const all = [...state.budgets()].map(([chain, ledger]): readonly [string, Ledger] => [
    budgetSeries(chain),
    ledger,
  ]);
  if (state.clients !== undefined) all.push([CLIENTS_SERIES, state.clients]);
  let next = state;
  for (const [series, ledger] of all) {
    const document = ledger.toSnapshot();
    const text = JSON.stringify(document);
    if (text === "{}" || text === state.ledgers.get(series)) continue;
    next = await kept(next, series, document, ctx);
    state.ledgers.set(series, text);
  }
  return next;
};

/** The last day's documents, oldest first; of a host that was away for longer the newest. */
const recent = async (
  state: State,
  chain: ChainName,
  ctx: Ctx,
): Promise<{ readonly documents: readonly unknown[]; readonly damaged: number }> => {
  const series = seriesOf(chain);
  const fromMs = ctx.wallNow() - RECALL_MS;
  const day = await ctx.guard(state.store.range(series, fromMs, Number.MAX_SAFE_INTEGER));
  if (day.snapshots.length > 0) {
    return { documents: day.snapshots.map(({ document }) => document), damaged: day.damaged };
  }
  const { snapshot, damaged } = await ctx.guard(state.store.latest(series));
  return { documents: snapshot === undefined ? [] : [snapshot.document], damaged };
};

const seriesOf = (chain: ChainName): string => `evidence-${chain}`;

/** Everything, whether it has changed or not. */
const written = async (state: State, ctx: Ctx): Promise<State> => {
  let next = await noted(state, ctx);
  for (const [chain, book] of state.books()) {
    const snapshot = book.toSnapshot(ctx.now(), ctx.wallNow(), "unsaved");
    book.history.add(snapshot);
    const before = next.written;
    next = await kept(next, seriesOf(chain), snapshot, ctx);
    // Rows that did not get to the disk are in the next one.
    if (next.written > before) book.saved(snapshot);
  }
  return next;
};

/** A full disk must not stop the gateway: the failure is kept, logged and tried again next time. */
const kept = async (state: State, series: string, document: unknown, ctx: Ctx): Promise<State> => {
  try {
    await ctx.guard(state.store.write(series, ctx.wallNow(), document));
    return { ...state, written: state.written + 1 };
  } catch (error) {
    const lastError = error instanceof Error ? error.message : String(error);
    ctx.log.error({ series, error: lastError }, "a snapshot could not be written");
    return { ...state, failed: state.failed + 1, lastError };
  }
};
