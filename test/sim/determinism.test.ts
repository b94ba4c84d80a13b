/** One seed is one run, whoever plays it. */
import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { FAULTS } from "./faults/table.ts";
import { INVARIANTS } from "./invariants/all.ts";
import { runSeed, type Outcome } from "./run.ts";
import { drawPlan } from "./swarm.ts";

const SEEDS = [11, 12, 13];

/** The hashes of some seeds, played by a process of their own. */
const hashesElsewhere = (seeds: readonly number[]): Promise<readonly string[]> =>
  new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("worker.ts", import.meta.url)), { execArgv: [] });
    const hashes: string[] = [];
    child.on("message", ({ hash }: Outcome) => {
      hashes.push(hash);
      const next = seeds[hashes.length];
      if (next !== undefined) child.send(next);
      else child.disconnect();
    });
    child.on("exit", (code) => {
      if (code === 0) resolve(hashes);
      else reject(new Error(`the worker ended with code ${code}`));
    });
    child.send(seeds[0] as number);
  });

describe("the simulation", () => {
  it("plays a seed alike: twice in one process, and in another one", async () => {
    const hashes: string[] = [];
    for (const seed of SEEDS) hashes.push((await runSeed(seed)).hash);
    expect(new Set(hashes).size).toBe(SEEDS.length);
    const again: string[] = [];
    // In another order, so that nothing of one run can leak into the next.
    for (const seed of SEEDS.toReversed()) again.unshift((await runSeed(seed)).hash);
    expect(again).toEqual(hashes);
    expect(await hashesElsewhere(SEEDS)).toEqual(hashes);
  }, 120_000);

  it("draws plans that differ in chains, providers, faults and load", () => {
    const plans = Array.from({ length: 100 }, (_, seed) => drawPlan(seed));
    expect(plans.map((plan) => drawPlan(plan.seed))).toEqual(plans);
    const distinct = (of: (plan: (typeof plans)[number]) => unknown): number =>
      new Set(plans.map((plan) => JSON.stringify(of(plan)))).size;
    expect(distinct(({ chains }) => chains.length)).toBe(3);
    expect(distinct(({ chains }) => chains[0]?.providers.length)).toBe(5);
    expect(distinct(({ load }) => load.everyMs)).toBeGreaterThan(50);
    expect(distinct(({ strokes }) => [...new Set(strokes.map(({ kind }) => kind))])).toBe(100);
  });

  it("knows at least 14 kinds of faults, each with a description and a sign", () => {
    expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
    expect(FAULTS.length).toBeGreaterThanOrEqual(14);
    expect(FAULTS.filter(({ what, signs }) => what === "" || signs.length === 0)).toEqual([]);
  });

  it("is documented as it is: every kind of fault and every invariant", () => {
    const doc = readFileSync(new URL("../../docs/testing.md", import.meta.url), "utf8");
    const rows = [
      ...FAULTS.map(({ name, where, what }) => `| \`${name}\` | ${where} | ${what} |`),
      ...INVARIANTS.map(({ claim }) => `| ${claim} |`),
    ];
    expect(rows.filter((row) => !doc.includes(row))).toEqual([]);
  });
});
