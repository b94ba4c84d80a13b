/**
 * Shares what this region's races and calls have shown, and takes in what the others' have.
 *
 * The rows of the others stand beside the region's own and never enter its ranking. They lie in the
 * host's `Cluster`; a restart loses nothing. Permanent.
 */
import { type Figures, type RowPlace, rowKey } from "../../src/cluster/boards.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { Message } from "../../src/cluster/protocol.ts";
import { refusalsTold, tellMalformed } from "../../src/cluster/refusals.ts";
import type { Seldom } from "../../src/lib/seldom.ts";
import { defineActor, keyFor } from "../../src/otp/index.ts";

/** Rows of one chain now. */
export type Rows = readonly (readonly [RowPlace, Figures])[];

/** Where this region's leaderboards are read. */
export interface BoardsPort {
  readonly chains: () => readonly string[];
  readonly races: (chain: string, nowMs: number) => Rows;
  /** Dearer than races: quantiles are read. */
  readonly calls: (chain: string, nowMs: number) => Rows;
}

/** What the process joins. */
export interface LeaderboardSyncArgs {
  readonly cluster: Cluster;
  readonly boards: BoardsPort;
  readonly channel: { readonly isUp: boolean; publish(bytes: Buffer): void };
}

interface State extends LeaderboardSyncArgs {
  readonly told: Seldom;
  turn: number;
}

/** How often changed rows go out, ms; another region sees them within a second. */
const FLUSH_MS = 500;

/** The sharing of leaderboards. */
export const leaderboardSync = defineActor({
  name: "cluster/leaderboard-sync",
  mailbox: { max: 2_000, overflow: "drop-oldest" },
  init: (args: LeaderboardSyncArgs, ctx): State => {
    ctx.every(FLUSH_MS, "flush");
    return { ...args, turn: 0, told: refusalsTold() };
  },
  casts: {
    take: (state, message: Message, ctx) => {
      if (!state.cluster.takeNews("boards", message)) {
        tellMalformed(state.told, message, ctx);
      }
      return state;
    },
  },
  on: (state, info, ctx) => {
    const { cluster, channel } = state;
    // What nobody is there to hear is not read either: the books are large.
    if (info.type !== "timer" || !channel.isUp || !cluster.membership.hasCompany) return state;
    gather(state, ctx.now());
    for (const bytes of cluster.news("boards", ctx.now())) channel.publish(bytes);
    return state;
  },
  formatState: ({ cluster: { boards } }) => ({
    rows: boards.own.size,
    dropped: boards.own.dropped,
    regions: boards.regions().map((region) => ({ region, rows: boards.sizeOf(region) })),
  }),
});

/** Finds the sharing of leaderboards. */
export const leaderboardSyncKey = keyFor(leaderboardSync);

/** Races of all chains, calls of one chain at a time. */
const gather = (state: State, nowMs: number): void => {
  const { boards, cluster } = state;
  const chains = boards.chains();
  const calledChain = chains[state.turn++ % Math.max(1, chains.length)];
  for (const chain of chains) {
    const races = boards.races(chain, nowMs);
    note(cluster, races);
    if (chain !== calledChain) continue;
    const calls = boards.calls(chain, nowMs);
    note(cluster, calls);
    forgetGone(cluster, chains, chain, [...races, ...calls]);
  }
};

const note = ({ boards: { own } }: Cluster, rows: Rows): void => {
  for (const [place, figures] of rows) {
    const key = rowKey(place);
    const known = own.get(key);
    if (known?.every((figure, at) => figure === figures[at]) !== true) own.set(key, figures);
  }
};

/** Rows of chains and providers that are no longer there. */
const forgetGone = (
  { boards: { own } }: Cluster,
  chains: readonly string[],
  chain: string,
  rows: Rows,
): void => {
  const present = new Set(rows.map(([place]) => rowKey(place)));
  for (const key of own.keys()) {
    const owner = key.slice(0, key.indexOf("\t"));
    const isGone = owner === chain ? !present.has(key) : !chains.includes(owner);
    if (isGone) own.delete(key);
  }
};
