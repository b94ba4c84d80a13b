/** docs/metrics.md from the metrics table. */
import {
  MAX_LINES,
  MAX_LINES_PER_FAMILY,
  METRICS,
  METRIC_LABELS,
  maxSeriesOf,
} from "../../src/ops/metrics/table.ts";
import { markdownTable } from "../markdown.ts";

/** Where the page is kept. */
export const path = "docs/metrics.md";

/** The page. */
export function render(): string {
  const metrics = METRICS.map((def) => [
    `\`${def.name}\``,
    def.type,
    def.labels.map((label) => `\`${label}\``).join(", ") || "–",
    String(maxSeriesOf(def)),
    def.help + (def.buckets === undefined ? "" : ` Buckets: ${def.buckets.join(", ")}.`),
  ]);
  const labels = Object.entries(METRIC_LABELS).map(([name, { values, meaning }]) => [
    `\`${name}\``,
    values === undefined ? "open" : values.map((value) => `\`${value}\``).join(", "),
    meaning,
  ]);
  return `# Metrics

Generated from \`src/ops/metrics/table.ts\` by \`node scripts/docs.ts\`; do not edit.

\`GET /metrics\` serves them in the Prometheus text format. A page is at most one second old and
shared by all scrapers. Every family has a cap of series: label sets beyond it count under \`_OTHER\`,
and \`paceline_metrics_series_dropped_total\` says for which family. No family may exceed
${MAX_LINES_PER_FAMILY} sample lines, the page ${MAX_LINES}. A family without a sample is left out. Series of chains and
providers that were removed from the configuration disappear.

${markdownTable(["metric", "type", "labels", "max series", "meaning"], metrics)}

## Labels

${markdownTable(["label", "values", "meaning"], labels)}
`;
}
