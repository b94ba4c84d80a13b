/**
 * `npm run test:otp -- --scenarios N --seed S`: fresh random scenarios on real Erlang and on this
 * runtime. Exit code 1 when one differs: it is shrunk, kept under scenarios/found and printed with
 * what replays it (`--path I`). `--keep` replaces the random scenarios that are stored.
 */
import { parseArgs } from "node:util";
import { firstDifference } from "./compare.ts";
import { type Comparison, compareAll, scenariosOf, shrink } from "./differential.ts";
import { Erlang, hasErlang } from "./erlang/oracle.ts";
import { storeFound, storeRandom } from "./store.ts";

const MAX_SHRUNK = 3;
const UNAVAILABLE = 69;

const { values } = parseArgs({
  options: {
    scenarios: { type: "string", default: "2000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    path: { type: "string" },
    keep: { type: "boolean", default: false },
  },
});

if (!hasErlang) {
  process.stderr.write("test:otp needs erl and erlc: apt-get install erlang-base\n");
  process.exit(UNAVAILABLE);
}

const seed = Number(values.seed);
const erlang = new Erlang();
const startedMs = performance.now();
const picked = values.path === undefined ? undefined : Number.parseInt(values.path, 10);
const all = scenariosOf(seed, picked === undefined ? Number(values.scenarios) : picked + 1);
const done: Comparison[] = [];
const summary = await compareAll(erlang, picked === undefined ? all : all.slice(picked), (one) => {
  if (values.keep) done.push(one);
});
const seconds = (performance.now() - startedMs) / 1000;

for (const found of summary.different.slice(0, MAX_SHRUNK)) {
  const original = picked === undefined ? found : { ...found, index: picked };
  const { comparison, path } = await shrink(erlang, seed, original);
  const file = storeFound(comparison.scenario, comparison.expected);
  process.stdout.write(
    `DIFFERENT at ${firstDifference(comparison.expected, comparison.actual)}\n` +
      `  scenario: ${JSON.stringify(comparison.scenario)}\n` +
      `  kept as ${file}\n` +
      `  replay: npm run test:otp -- --seed ${seed} --path ${original.index} (shrunk: ${path})\n`,
  );
}
if (values.keep) {
  storeRandom(done.sort((a, b) => a.index - b.index));
}
erlang.close();
const figures = {
  seed,
  scenarios: summary.scenarios,
  events: summary.events,
  strictEqual: summary.strictEqual,
  perProcessEqual: summary.perProcessEqual,
  different: summary.different.length,
  perSecond: Math.round(summary.scenarios / seconds),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.exitCode = summary.different.length > 0 ? 1 : 0;
