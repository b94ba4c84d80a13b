/**
 * Writes the evidence of every chain to disk each hour and at shutdown, and reads it back when a
 * chain starts, so that a restart of the host does not forget. Permanent; a restart loses nothing.
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
}

/** What the process needs from the host program. */
export interface BenchmarkSnapshotArgs {
  readonly books: () => ReadonlyMap<ChainName, EvidenceBook>;
  readonly store: Snapshots;
  readonly intervalMs: number;
}

interface State extends BenchmarkSnapshotArgs {
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
    return { ...args, written: 0, failed: 0, lastError: undefined };
  },
  calls: {
    /** Fills the book of a chain that starts from its newest snapshot. */
    restore: async (state, chain: ChainName, ctx) => {
      const book = state.books().get(chain);
      if (book === undefined) return reply(state, "unknown_chain");
      const { snapshot, damaged } = await ctx.guard(state.store.latest(seriesOf(chain)));
      if (damaged > 0) ctx.log.warn({ chain, damaged }, "damaged snapshots were skipped");
      if (snapshot === undefined) return reply(state, "none");
      const result = book.restore(snapshot.document, ctx.now(), ctx.wallNow());
      if (!result.ok) ctx.log.warn({ chain, code: result.code }, "a snapshot could not be read");
      return reply(state, result.ok ? "restored" : result.code);
    },
    /** Writes all chains now. */
    flush: async (state, _arg: undefined, ctx) => {
      const next = await written(state, ctx);
      return reply(next, next.written - state.written);
    },
  },
  on: (state, info, ctx) => {
    // It traps exits to write once more, not to survive them.
    if (info.type === "exit") return stop(state, info.reason);
    return info.type === "timer" ? written(state, ctx) : state;
  },
  terminate: (state, _reason, ctx) => written(state, ctx),
  formatState: ({ written, failed, lastError }) => ({ written, failed, lastError }),
});

/** Finds the snapshot writer. */
export const benchmarkSnapshotKey = keyFor(benchmarkSnapshot);

const seriesOf = (chain: ChainName): string => `evidence-${chain}`;

/** A full disk must not stop the gateway: the failure is kept, logged and tried again next time. */
const written = async (state: State, ctx: Ctx): Promise<State> => {
  let { written, failed, lastError } = state;
  for (const [chain, book] of state.books()) {
    try {
      const document = book.toSnapshot(ctx.now(), ctx.wallNow());
      await ctx.guard(state.store.write(seriesOf(chain), ctx.wallNow(), document));
      written += 1;
    } catch (error) {
      failed += 1;
      lastError = error instanceof Error ? error.message : String(error);
      ctx.log.error({ chain, error: lastError }, "a snapshot could not be written");
    }
  }
  return { ...state, written, failed, lastError };
};
