/** What the table says of one family of metrics. */

/** One row of the table. */
export interface MetricDef {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
  /** Most series of the family; further label sets go to `_OTHER`. Default: see `maxSeriesOf`. */
  readonly maxSeries?: number;
  /** Upper bounds of a histogram, in the unit of the name. */
  readonly buckets?: readonly number[];
  /** `event`: counted as telemetry arrives; `sample`: copied from live cells at scrape time. */
  readonly from: "event" | "sample";
}

/** Buckets of durations, s. */
export const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Makes a row; the name is without `paceline_`. */
export const row = (
  from: MetricDef["from"],
  type: MetricDef["type"],
  name: string,
  labels: readonly string[],
  help: string,
  more: Pick<MetricDef, "maxSeries" | "buckets"> = {},
): MetricDef => ({ name: `paceline_${name}`, type, help, labels, from, ...more });

/** Labels of an endpoint. */
export const ENDPOINT = ["chain", "provider", "transport"];
/** Labels of a provider. */
export const PROVIDER = ["chain", "provider"];
