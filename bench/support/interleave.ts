/**
 * Micro benchmarks whose variants take turns, so that a busy machine slows all of them alike and
 * ratios inside one run can be trusted. Results go to a sink, so that no loop folds away.
 */

/** One way to do the thing that is measured; returns something that depends on all it did. */
export interface Variant {
  readonly name: string;
  /** Does `count` operations, continuing where the last round ended. */
  readonly run: (count: number) => number;
}

/** Cost of a variant in ns per operation. */
export interface Cost {
  readonly name: string;
  readonly minNs: number;
  readonly medianNs: number;
}

let sink = 0;

/** Runs the variants in turn for `rounds` rounds of `count` operations, after a warm-up. */
export const interleave = (variants: readonly Variant[], count: number, rounds = 9): Cost[] => {
  const samples = variants.map((): number[] => []);
  for (let round = -2; round < rounds; round++) {
    for (const [i, { run }] of variants.entries()) {
      const start = process.hrtime.bigint();
      sink += run(count);
      const ns = Number(process.hrtime.bigint() - start) / count;
      if (round >= 0) samples[i]?.push(ns);
    }
  }
  if (Number.isNaN(sink)) console.error("a variant returned NaN");
  return variants.map(({ name }, i) => {
    const sorted = (samples[i] ?? []).toSorted((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
    return { name, minNs: sorted[0] ?? Number.NaN, medianNs: middle };
  });
};

/** The cost of a variant by name. */
export const costOf = (costs: readonly Cost[], name: string): number => {
  const found = costs.find((cost) => cost.name === name);
  if (found === undefined) throw new Error(`no variant ${name}`);
  return found.minNs;
};
