/** JSON of the cluster: regions, what was refused, other regions' leaderboards. */
import type { ClusterView, SharedBoard } from "../../cluster/protocol.ts";
import { rounded } from "../rounded.ts";

/** Body of `GET /api/v1/regions`. */
export const regionsReport = (view: ClusterView) => ({
  state: view.state,
  reason: view.reason ?? null,
  regions: view.regions.map(({ region, isSelf, state, incarnation, ageMs, card, names, rows }) => ({
    region,
    self: isSelf,
    state,
    incarnation,
    age_ms: Math.round(ageMs),
    version: card?.version ?? null,
    url: card?.url ?? null,
    chains: card?.chains ?? [],
    in_flight: card?.inFlight ?? null,
    usable_providers: card?.usableProviders ?? null,
    providers: card?.providers ?? null,
    helps: card?.helps ?? [],
    distance_ms: rounded(view.help?.distancesMs[region], 1),
    names,
    rows,
  })),
  refused: view.refused,
  sent: view.sent,
  received: view.received,
  help:
    view.help === undefined
      ? null
      : {
          asked: view.help.asked,
          given: view.help.given,
          refused: view.help.refused,
          in_flight: view.help.inFlight,
        },
});

/** Reply of the command `regions`. */
export type RegionsReport = ReturnType<typeof regionsReport>;

/** What other regions say of a chain, beside its own leaderboard. */
export const sharedBoards = (
  boards: readonly SharedBoard[],
  { region, limit }: { readonly region: string; readonly limit: number },
) =>
  boards
    .filter((board) => region === "all" || board.region === region)
    .map((board) => ({
      region: board.region,
      state: board.state,
      age_ms: Math.round(board.ageMs),
      leaderboard: board.rows.slice(0, limit),
    }));
