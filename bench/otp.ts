/**
 * Is the runtime ahead of the BEAM on one scheduler? Each row runs here and, where Erlang is
 * installed, on the BEAM in turn, five rounds each after a warm-up; the medians are compared.
 *
 * `node bench/otp.ts [ROW ...]` runs some rows only. Exits 1 below a gate.
 */
import { startBeam } from "./lanes/beam.ts";
import { openRows, watchLag } from "./lanes/runtime-rows.ts";
import { median, report } from "./support/report.ts";

interface Spec {
  readonly row: string;
  readonly unit: string;
  /** Bound on the median. */
  readonly gate?: number;
  readonly isLowerBetter?: boolean;
  readonly rounds?: number;
}

const ROUNDS = 5;
const MAX_LAG_MS = 10;

const specs: readonly Spec[] = [
  { row: "burst", unit: "msg/s", gate: 12e6 },
  { row: "ping-pong", unit: "msg/s", gate: 6e6 },
  { row: "call", unit: "/s", gate: 1.1e6 },
  { row: "spawn-exit-down", unit: "/s", gate: 1e6 },
  { row: "restart", unit: "/s", gate: 150e3 },
  { row: "look-up", unit: "/s", gate: 20e6 },
  { row: "start-child", unit: "/s" },
  { row: "spawn", unit: "/s" },
  { row: "start-timer", unit: "/s" },
  { row: "stop-100k", unit: "ms", gate: 700, isLowerBetter: true },
  { row: "idle-process", unit: "bytes", gate: 512, isLowerBetter: true, rounds: 2 },
];
/** Rows during which a timer must not wait for the run queue. */
const timed = new Set(["burst", "ping-pong"]);

const chosen = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const { rows, close } = await openRows();
const beam = await startBeam();
if (beam === undefined) console.error("otp: erl is not installed; no figures of the BEAM");
const lags: number[] = [];

for (const spec of specs) {
  if (chosen.length === 0 || chosen.includes(spec.row)) await measure(spec);
}
if (lags.length > 0) reportLag();
beam?.close();
await close();

async function measure(spec: Spec): Promise<void> {
  const { row, unit, gate, isLowerBetter = false, rounds = ROUNDS } = spec;
  const run = rows[row];
  if (run === undefined) throw new Error(`no row ${row}`);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = -1; round < rounds; round += 1) {
    const lag = timed.has(row) ? watchLag() : undefined;
    const value = await run();
    if (lag !== undefined) lags.push(lag());
    const other = await beam?.ask(row);
    if (round < 0) continue;
    ours.push(value);
    if (other !== undefined) theirs.push(other);
  }
  const value = median(ours);
  const best = isLowerBetter ? Math.min(...ours) : Math.max(...ours);
  const worst = isLowerBetter ? Math.max(...ours) : Math.min(...ours);
  const baseline = theirs.length === 0 ? undefined : median(theirs);
  report({
    bench: "otp",
    case: row,
    value,
    best: whole(best),
    worst: whole(worst),
    unit,
    ...(baseline === undefined ? {} : { baseline, ratio: value / baseline }),
    ...(gate === undefined
      ? {}
      : {
          bar: `${isLowerBetter ? "<=" : ">="} ${gate.toLocaleString("en")} ${unit}`,
          ok: isLowerBetter ? value <= gate : value >= gate,
        }),
  });
}

function reportLag(): void {
  const worst = Math.max(...lags);
  report({
    bench: "otp",
    case: "timer lateness during burst and ping-pong, worst",
    value: worst,
    unit: "ms",
    bar: `<= ${MAX_LAG_MS} ms`,
    ok: worst <= MAX_LAG_MS,
  });
}

function whole(value: number): number {
  return Number(value.toPrecision(4));
}
