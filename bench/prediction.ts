/**
 * How many failures of providers are foreseen, how early, and at the price of how many false alarms?
 * Many seeds of each kind of life, failing and harmless, played against the rule of production; the
 * same courses are judged by no prediction at all and by a plain threshold on the failures now.
 * Counts and probabilities only: the machine's speed does not matter.
 */
import type { EndpointRow } from "../src/rpc/chain-view.ts";
import { EvidenceBook } from "../src/rpc/evidence/evidence-book.ts";
import { ForecastBook } from "../src/rpc/prediction/forecast-book.ts";
import { failures } from "./support/prediction/failures.ts";
import { fit } from "./support/prediction/fit.ts";
import { harmless } from "./support/prediction/harmless.ts";
import { judge, together, WAYS, type Verdict, type Way } from "./support/prediction/judge.ts";
import { play, prediction } from "./support/prediction/play.ts";
import { quantile, report } from "./support/report.ts";

/** Seeds of each kind; the curves were fitted on others. */
const SEEDS = Number(process.env["PREDICTION_SEEDS"] ?? 40);
const FIRST_SEED = 1_000;
const bench = "prediction";

// `PREDICTION_FIT=25` fits the curves anew, on the first so many seeds.
const fitSeeds = Number(process.env["PREDICTION_FIT"] ?? 0);
if (fitSeeds > 0) {
  const seeds = Array.from({ length: fitSeeds }, (_, at) => at + 1);
  console.error(fit([...failures, ...harmless], seeds));
}

const verdicts = new Map<string, Map<Way, Verdict[]>>();
for (const scenario of [...failures, ...harmless]) {
  const ofKind = new Map<Way, Verdict[]>(Object.values(WAYS).map((way) => [way, []]));
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const { course, seconds } = play(scenario, seed);
    for (const [way, list] of ofKind) list.push(judge(course, seconds, way));
  }
  verdicts.set(scenario.name, ofKind);
}

const of = (names: readonly string[], way: Way): Verdict =>
  together(names.flatMap((name) => verdicts.get(name)?.get(way) ?? []));
const recall = ({ foreseen, failures: all }: Verdict): number => foreseen / Math.max(1, all);
const perHour = ({ falseAlarms, innocentSec }: Verdict): number =>
  falseAlarms / (Math.max(1, innocentSec) / 3_600);
/** Mean distance between what was said and how often it came true. */
const gap = ({ tenths, scored }: Verdict): number =>
  tenths.reduce((sum, { said, seen }) => sum + Math.abs(said - seen), 0) / Math.max(1, scored);
const brier = ({ squares, scored }: Verdict): number => squares / Math.max(1, scored);

for (const { name, isForeseeable } of failures) {
  const found = of([name], WAYS.rule);
  report({
    bench,
    case: `${name}: foreseen${isForeseeable ? "" : " (nobody could)"}`,
    value: recall(found),
    baseline: recall(of([name], WAYS.plain)),
    unit: "of 1",
  });
  if (found.leadsSec.length > 0) {
    report({ bench, case: `${name}: lead`, value: quantile(found.leadsSec, 0.5), unit: "s" });
  }
}
for (const { name } of harmless) {
  const value = perHour(of([name], WAYS.rule));
  const baseline = perHour(of([name], WAYS.plain));
  report({ bench, case: `${name}: false alarms`, value, baseline, unit: "a provider-hour" });
}

const foreseeable = failures.flatMap(({ name, isForeseeable }) => (isForeseeable ? [name] : []));
const all = [...failures, ...harmless].map(({ name }) => name);
const ours = of(foreseeable, WAYS.rule);
const plain = of(foreseeable, WAYS.plain);
const alarms = perHour(of(all, WAYS.rule));
const score = brier(of(all, WAYS.rule));
const plainScore = brier(of(all, WAYS.plain));
const noScore = brier(of(all, WAYS.none));
report({
  bench,
  case: "foreseeable failures foreseen",
  value: recall(ours),
  baseline: recall(plain),
  unit: "of 1",
  bar: ">= 0.8",
  ok: recall(ours) >= 0.8,
});
report({
  bench,
  case: "lead, median",
  value: quantile(ours.leadsSec, 0.5),
  baseline: quantile(plain.leadsSec, 0.5),
  unit: "s",
  bar: ">= 15 s",
  ok: quantile(ours.leadsSec, 0.5) >= 15,
});
report({
  bench,
  case: "false alarms",
  value: alarms,
  baseline: perHour(of(all, WAYS.plain)),
  unit: "a provider-hour",
  bar: "<= 0.5",
  ok: alarms <= 0.5,
});
report({ bench, case: "Brier score, no prediction", value: noScore, unit: "0 is best" });
report({
  bench,
  case: "Brier score",
  value: score,
  baseline: plainScore,
  ratio: score / plainScore,
  unit: "0 is best",
  bar: "<= 0.6 x of either baseline",
  ok: score <= 0.6 * Math.min(plainScore, noScore),
});
const distance = gap(of(all, WAYS.rule));
report({
  bench,
  case: "distance of what is said from what comes true",
  value: distance,
  baseline: gap(of(all, WAYS.plain)),
  unit: "of 1",
  bar: "<= 0.05",
  ok: distance <= 0.05,
});
report({ bench, case: "one look at ten providers after 2,000 calls", value: lookUs(), unit: "us" });

/** What the pool pays once a second, off the request path. */
function lookUs(): number {
  const looks = 300;
  const providers = Array.from({ length: 10 }, (_, n) => ({ id: `p${n}` }));
  const evidence = new EvidenceBook({ chain: "bench" });
  const forecasts = new ForecastBook();
  const row = { suspect: false } as EndpointRow;
  const endpoints = providers.map(({ id: provider }) => ({ provider, lag: 0 }));
  const source = {
    config: { prediction, selection: { maxLagBlocks: 3 }, providers },
    evidence,
    snapshot: { blockTimeMs: 12_000, endpoints },
    rows: () => ({ ws: row }),
    upstream: () => row,
  };
  const tookUs: number[] = [];
  for (let look = 1; look <= looks; look++) {
    const nowMs = look * 1_000;
    for (let call = 0; call < 2_000; call++) {
      evidence.recordCall(`p${call % 10}`, "http", "eth_call", "ok", 20 + (call % 50), nowMs);
    }
    const fromMs = performance.now();
    forecasts.look(source, nowMs);
    tookUs.push((performance.now() - fromMs) * 1_000);
  }
  return quantile(tookUs, 0.5);
}
