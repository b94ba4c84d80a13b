/**
 * `npm run bench -- NAME... [--json] [--write] [--only=TEXT]` runs bench/NAME.ts, each in its own
 * process; `--write` keeps the figures in docs/benchmarks.md. `--only`, where a bench knows it, measures
 * the cases with TEXT in their names, in a fraction of the time; it does not go with `--write`.
 *
 * A bench prints one JSON object a line on stdout: {bench, case, value, unit, baseline?, ratio?,
 * bar?, ok?}. Here they become a table, or pass through with `--json`. The exit code is the worst of
 * all: 1 for a failed bar, 2 for cells that could not be measured fairly.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { record } from "./support/record.ts";
import type { Row } from "./support/report.ts";

const names = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const isJson = process.argv.includes("--json");
const isWritten = process.argv.includes("--write");
const only = process.argv.filter((word) => word.startsWith("--only="));
const known = readdirSync(new URL(".", import.meta.url))
  .filter((name) => name.endsWith(".ts") && name !== "run.ts")
  .map((name) => name.slice(0, -3));

/** Benches that answer one question together. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  gateway: [
    "proxy",
    "proxy-large",
    "cache",
    "failover",
    "faulty",
    "logs",
    "classify",
    "explain",
    "fuzz-loop",
  ],
  regions: ["regions", "regions-live"],
  streams: [
    "fanout",
    "filters",
    "aggregator",
    "event-cost",
    "ingest",
    "race",
    "dedup",
    "memory",
    "prediction",
    "streams-backfill",
  ],
};

if (
  (only.length > 0 && isWritten) ||
  names.length === 0 ||
  names.some((name) => !known.includes(name) && !(name in GROUPS))
) {
  console.error(
    `usage: npm run bench -- NAME... [--json] [--write | --only=TEXT]; NAME is one of ${[...known, ...Object.keys(GROUPS)].join(", ")}`,
  );
  process.exit(64);
}

let worst = 0;
for (const name of names.flatMap((one) => GROUPS[one] ?? [one]))
  worst = Math.max(worst, await runOne(name));
process.exitCode = worst;

async function runOne(name: string): Promise<number> {
  const file = new URL(`${name}.ts`, import.meta.url).pathname;
  if (!existsSync(file)) return 64;
  const child = spawn(process.execPath, ["--expose-gc", file, "--json", ...only], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const rows: Row[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (isJson) console.log(line);
    if (line.startsWith("{")) rows.push(JSON.parse(line) as Row);
  });
  const code = await new Promise<number>((resolve) => {
    child.on("close", (status) => resolve(status ?? 1));
  });
  if (isWritten) record(name, rows);
  if (!isJson) printTable(name, rows);
  return code;
}

function printTable(name: string, rows: readonly Row[]): void {
  const cells = rows.map((row) => [
    row.case,
    `${row.value} ${row.unit}`,
    row.baseline === undefined ? "" : `${row.baseline} ${row.unit}`,
    row.ratio === undefined ? "" : `${row.ratio} x`,
    row.bar ?? "",
    row.ok === undefined ? "" : row.ok ? "ok" : "FAILED",
  ]);
  const head = ["case", "value", "baseline", "ratio", "bar", ""];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => (row[column] as string).length)),
  );
  console.log(`\n${name}`);
  for (const row of [head, ...cells]) {
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join("  ")
        .trimEnd(),
    );
  }
}
