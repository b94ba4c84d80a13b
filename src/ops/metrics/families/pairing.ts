/** Metrics of pairing: markets, rankings that are kept, queue, workers. */
import { row, type MetricDef } from "./family.ts";

const MARKET = ["market"];
/** As many markets as can be configured and made, and `_OTHER`. */
const MARKETS = { maxSeries: 33 };

/** Bounds of matches, s. */
const MATCH_SECONDS = [0.00001, 0.00002, 0.00005, 0.0001, 0.001, 0.01, 0.1];

/** Pairing. */
export const pairingFamilies: readonly MetricDef[] = [
  row("sample", "gauge", "market_rows", MARKET, "Providers in the market.", MARKETS),
  row(
    "sample",
    "gauge",
    "market_version",
    MARKET,
    "Version of the market; each change makes one.",
    MARKETS,
  ),
  row("sample", "counter", "pairings_total", MARKET, "Policies that were paired.", MARKETS),
  row(
    "sample",
    "histogram",
    "match_seconds",
    ["path"],
    "Time of a policy, by how its ranking was found; one step is 10 us.",
    { maxSeries: 10, buckets: MATCH_SECONDS },
  ),
  row(
    "sample",
    "counter",
    "match_empty_total",
    ["market", "filter"],
    "Policies that nobody satisfies, by the filter that keeps most away.",
  ),
  row(
    "sample",
    "counter",
    "match_refused_total",
    ["market", "filter"],
    "Providers that a filter refused, whatever the others did; of pairings that were explained or empty.",
  ),
  row(
    "sample",
    "counter",
    "match_picks_total",
    ["market", "scorer"],
    "Picks that a scorer was asked about.",
  ),
  row(
    "sample",
    "counter",
    "match_points_total",
    ["market", "scorer"],
    "Sum of what it gave them, each 0..1; over picks it is its mean score.",
  ),
  row(
    "sample",
    "counter",
    "match_scorer_failures_total",
    ["market", "scorer"],
    "Picks that it failed on.",
  ),
  row("sample", "gauge", "ranking_cache_entries", [], "Rankings that are kept."),
  row("sample", "counter", "ranking_cache_hits_total", [], "Rankings that had been kept."),
  row("sample", "counter", "ranking_cache_misses_total", [], "Rankings that had to be made."),
  row("sample", "counter", "ranking_cache_evictions_total", [], "Rankings that made room."),
  row(
    "sample",
    "counter",
    "ranking_cache_shared_total",
    ["result"],
    "Rankings that other hosts were asked for and told: hit, miss (absent or late), refused (forged or foreign), changed (the market, meanwhile), written.",
  ),
  row("sample", "gauge", "policy_queue_depth", [], "Policies that wait for a worker."),
  row("sample", "counter", "pairing_worker_processed_total", [], "Policies the workers did."),
  row("sample", "counter", "pairing_worker_errors_total", [], "Of those, with an error."),
  row(
    "event",
    "counter",
    "policy_queue_refused_total",
    [],
    "Policies refused because the queue was full.",
  ),
  row(
    "event",
    "counter",
    "pairing_results_dropped_total",
    [],
    "Results that went because nobody took them.",
  ),
  row("event", "counter", "pairing_worker_crashes_total", [], "Workers that died."),
  row(
    "event",
    "counter",
    "pairing_worker_alerts_total",
    [],
    "Times a worker had more errors in its window than allowed.",
  ),
  row("event", "counter", "pairing_lists_made_total", [], "Lists of consumers that were drawn."),
  row(
    "event",
    "counter",
    "pairing_lists_repaired_total",
    [],
    "Of those, before their time: too few were left; at most 20 a second are counted.",
  ),
  row(
    "event",
    "counter",
    "pairing_lists_empty_total",
    [],
    "Times a list had nobody at last; at most 20 a second are counted.",
  ),
];
