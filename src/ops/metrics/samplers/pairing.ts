/** Markets and the pairing service. */
import { DurationCells } from "../../../lib/duration-cells.ts";
import type { MarketCounts, PairingView } from "../../../pairing/protocol.ts";
import type { Put } from "../registry.ts";
import type { Sample, Samplers } from "./sampler.ts";

const perMarket =
  (put: (market: MarketCounts, put: Put) => void): Sample =>
  ({ pairing }, add) => {
    for (const market of pairing()?.markets ?? []) put(market, add);
  };

const perScorer = (
  read: (tally: { picks: number; points: number; failures: number }) => number,
): Sample =>
  perMarket(({ name, scoredBy }, put) => {
    for (const [scorer, tally] of scoredBy) put([name, scorer], read(tally));
  });

const ofPairing =
  (value: (view: PairingView) => number): Sample =>
  ({ pairing }, put) => {
    const view = pairing();
    if (view !== undefined) put([], value(view));
  };

/** By name without `paceline_`. */
export const pairingSamplers: Samplers = {
  market_rows: perMarket(({ name, rows }, put) => put([name], rows)),
  market_version: perMarket(({ name, version }, put) => put([name], version)),
  match_refused_total: perMarket(({ name, refusedBy }, put) => {
    for (const [filter, count] of refusedBy) put([name, filter], count);
  }),
  match_picks_total: perScorer(({ picks }) => picks),
  match_points_total: perScorer(({ points }) => points),
  match_scorer_failures_total: perScorer(({ failures }) => failures),
  pairings_total: perMarket(({ name, durations }, put) => {
    put(
      [name],
      durations.values().reduce((sum, { count }) => sum + count, 0),
    );
  }),
  match_seconds: ({ pairing }, put) => {
    const byPath = new Map<string, DurationCells>();
    for (const { durations } of pairing()?.markets ?? []) {
      for (const [path, cells] of durations) {
        const sum = byPath.get(path) ?? new DurationCells();
        sum.add(cells);
        byPath.set(path, sum);
      }
    }
    for (const [path, cells] of byPath) put([path], cells);
  },
  match_empty_total: perMarket(({ name, emptyBy }, put) => {
    for (const [filter, count] of emptyBy) put([name, filter], count);
  }),
  ranking_cache_entries: ofPairing(({ cache }) => cache.size),
  ranking_cache_hits_total: ofPairing(({ cache }) => cache.hits),
  ranking_cache_misses_total: ofPairing(({ cache }) => cache.misses),
  ranking_cache_evictions_total: ofPairing(({ cache }) => cache.evictions),
  ranking_cache_shared_total: ({ pairing }, put) => {
    for (const [result, count] of Object.entries(pairing()?.shared ?? {})) put([result], count);
  },
  policy_queue_depth: ofPairing(({ counts }) => counts.depth),
  pairing_worker_processed_total: ofPairing(({ counts }) => counts.processed),
  pairing_worker_errors_total: ofPairing(({ counts }) => counts.errors),
};
