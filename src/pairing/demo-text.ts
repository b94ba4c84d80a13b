/** What the pairing demo prints, in the form of the founding system. */
import type { PairedProvider, PairingResult, PairingStats } from "./protocol.ts";

/** Results that a block shows in full, and providers of each. */
const SHOWN = 3;

/** Intervals of the demo, ms. */
export interface DemoIntervals {
  readonly policiesMs: number;
  readonly providersMs: number;
  readonly statsMs: number;
  readonly resultsMs: number;
}

/** What runs, how to stop it, how often what happens. */
export const bannerText = ({
  policiesMs,
  providersMs,
  statsMs,
  resultsMs,
}: DemoIntervals): string =>
  [
    "=== Paceline provider pairing ===",
    "   Press Ctrl+C to stop gracefully",
    "",
    "System running continuously...",
    `   - Generating policies every ${seconds(policiesMs)}`,
    `   - Adding providers every ${seconds(providersMs)}`,
    `   - Displaying stats every ${seconds(statsMs)}`,
    `   - Displaying results every ${seconds(resultsMs)}`,
    "",
    "",
  ].join("\n");

/** The first of the new results. */
export const resultsText = (results: readonly PairingResult[]): string =>
  [
    `Processing Results (${results.length} new results):`,
    ...results.slice(0, SHOWN).flatMap((result, at) => [`   Result ${at + 1}:`, ...lines(result)]),
    "",
    "",
  ].join("\n");

/** Workers and system. */
export const statsText = (stats: PairingStats, market: string): string => {
  const { worker_stats: workers, total_processed: processed, total_errors: errors } = stats;
  const active = workers.filter(({ running }) => running).length;
  const found = stats.markets[market];
  const hitRate = ((found?.cache_stats.hit_rate ?? 0) * 100).toFixed(1);
  const meanMs = (found?.average_process_time ?? 0) / 1_000;
  return [
    "Worker Statistics:",
    ...workers.map(
      ({ id, processed: done, errors: failed, running }) =>
        `   Worker ${id}: ${count(done)} processed, ${count(failed)} errors, running: ${running}`,
    ),
    `   Total: ${count(processed)} processed, ${count(errors)} errors, ${active}/${workers.length} workers active`,
    "",
    "System Statistics:",
    `   Total Processed: ${count(processed)}`,
    `   Cache Hit Rate: ${hitRate}%`,
    `   Average Process Time: ${millis(meanMs)}`,
    `   Provider Count: ${count(found?.provider_count ?? 0)}`,
    "",
    "",
  ].join("\n");
};

const lines = (result: PairingResult): string[] => {
  const { policy, filteredCount, rankedCount, processingTimeUs, topProviders, error } = result;
  const place = policy?.requiredLocation === "" ? "anywhere" : (policy?.requiredLocation ?? "-");
  const features = policy?.requiredFeatures.join(", ") ?? "";
  return [
    `      Policy: ${place}, Features: [${features}], MinStake: ${policy?.minStake ?? 0}`,
    `      Stats: ${filteredCount} filtered, ${rankedCount} ranked, ${millis(processingTimeUs / 1_000)} processing time`,
    ...(error === null ? [] : [`      Error: ${error}`]),
    `      Top Providers (${topProviders.length} found):`,
    ...topProviders.slice(0, SHOWN).map(providerLine),
  ];
};

const providerLine = ({ address, stake, location }: PairedProvider, at: number): string =>
  `        ${at + 1}. ${address} (Stake: ${stake}, Location: ${location})`;

const seconds = (ms: number): string => {
  const value = ms / 1_000;
  return `${value} ${value === 1 ? "second" : "seconds"}`;
};

const millis = (ms: number): string => `${ms < 0.1 ? ms.toFixed(3) : ms.toFixed(1)}ms`;

const count = (value: number): string => value.toLocaleString("en-US");
