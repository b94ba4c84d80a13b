/**
 * What races and calls have shown: answers who leads, cleans up hourly, and tells of full tables. The
 * books themselves are rows of the chains' records, written where races and calls end: nothing is lost
 * in a mailbox, and a restart loses nothing. Permanent; outside the chain trees.
 */
import { defineActor, keyFor, reply, type Ctx } from "../../src/otp/index.ts";
import type { EvidenceBook, LeaderboardEntry } from "../../src/rpc/evidence/evidence-book.ts";
import type { ChainName } from "../../src/rpc/ids.ts";

/** How the store finds the evidence of a chain. */
export interface BenchmarkStoreArgs {
  readonly books: () => ReadonlyMap<ChainName, EvidenceBook>;
}

interface State extends BenchmarkStoreArgs {
  readonly cleanups: number;
}

const cleanupMs = 3_600_000;
/** How often full tables are reported, ms. */
const overflowMs = 10_000;

/** The benchmark store. */
export const benchmarkStore = defineActor({
  name: "rpc/benchmark-store",
  init: (args: BenchmarkStoreArgs, ctx): State => {
    ctx.every(cleanupMs, "cleanup");
    ctx.every(overflowMs, "overflow");
    return { ...args, cleanups: 0 };
  },
  calls: {
    leaderboard: (state, chain: ChainName, ctx) => {
      const entries: readonly LeaderboardEntry[] =
        state.books().get(chain)?.leaderboard(ctx.now()) ?? [];
      return reply(state, entries);
    },
  },
  on: (state, info, ctx) => {
    if (info.type !== "timer") return state;
    if (info.key === "overflow") return tellOverflow(state, ctx);
    for (const book of state.books().values()) book.prune(ctx.now());
    return { ...state, cleanups: state.cleanups + 1 };
  },
  formatState: ({ cleanups, books }) => ({ cleanups, chains: books().size }),
});

const tellOverflow = (state: State, ctx: Ctx): State => {
  for (const [chain, book] of state.books()) {
    const { raceRows, callRows } = book.takeOverflow();
    const drop = { races: raceRows, calls: callRows };
    for (const [kind, count] of Object.entries(drop)) {
      if (count > 0) ctx.emit("aggregation.rows_dropped", { chain, kind, count });
    }
  }
  return state;
};

/** Finds the benchmark store. */
export const benchmarkStoreKey = keyFor(benchmarkStore);
