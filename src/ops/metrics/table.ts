/**
 * Every metric of the product in one table, its rows by domain in `families/`; docs/metrics.md is
 * generated from it.
 *
 * Names are `paceline_<domain>_<thing>_<unit>[_total]` in base units. Labels are bounded twice: a
 * closed label has a list of values, and every family has a cap of series. What is beyond goes to
 * `_OTHER` and is counted, so that no client and no provider can grow the page.
 */
import type { MetricDef } from "./families/family.ts";
import { clusterFamilies } from "./families/cluster.ts";
import { configFamilies, hostFamilies, watcherFamilies } from "./families/host.ts";
import { endpointFamilies, chainFamilies, quotaFamilies } from "./families/providers.ts";
import { pairingFamilies } from "./families/pairing.ts";
import { requestFamilies, answerFamilies, keyFamilies } from "./families/requests.ts";
import { runtimeFamilies } from "./families/runtime.ts";
import { raceFamilies, streamFamilies } from "./families/streams.ts";
import { METRIC_LABELS } from "./labels.ts";

export type { MetricDef } from "./families/family.ts";
export { METRIC_LABELS } from "./labels.ts";

/** Value of a label that did not fit. */
export const OTHER = "_OTHER";

/** Sample lines allowed in one family and in all of them together. */
export const MAX_LINES_PER_FAMILY = 2_000;
export const MAX_LINES = 22_000;

/** The table. */
export const METRICS: readonly MetricDef[] = [
  ...requestFamilies,
  ...endpointFamilies,
  ...chainFamilies,
  ...raceFamilies,
  ...answerFamilies,
  ...streamFamilies,
  ...configFamilies,
  ...runtimeFamilies,
  ...hostFamilies,
  ...keyFamilies,
  ...quotaFamilies,
  ...pairingFamilies,
  ...clusterFamilies,
  ...watcherFamilies,
];

/** Most series of a family: its own cap, or room for 400 endpoints, 150 providers, 64 of others. */
export const maxSeriesOf = (def: MetricDef): number => {
  if (def.maxSeries !== undefined) return def.maxSeries;
  if (def.labels.length === 0) return 1;
  if (def.labels.includes("transport") && def.labels.includes("provider")) return 400;
  if (def.labels.includes("provider")) return 150;
  return 64;
};

/** Sample lines of one series: a histogram has its buckets, +Inf, sum and count. */
export const linesPerSeries = (def: MetricDef): number =>
  def.type === "histogram" ? (def.buckets?.length ?? 0) + 3 : 1;

/** Series kept free for `_OTHER`: one for each combination of the closed labels. */
export const reservedSeriesOf = (def: MetricDef): number =>
  def.labels.every((label) => METRIC_LABELS[label]?.values !== undefined)
    ? 0
    : def.labels.reduce(
        (product, label) => product * ((METRIC_LABELS[label]?.values?.length ?? 0) + 1),
        1,
      );
