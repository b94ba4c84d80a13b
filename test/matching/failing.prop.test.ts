/** Whatever scorers and filters from outside do, a match answers, and says which of them failed. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../../src/matching/compile.ts";
import { whyNot } from "../../src/matching/explain/why-not.ts";
import type { CustomFilter } from "../../src/matching/filters/filter.ts";
import { match } from "../../src/matching/match.ts";
import { Composite } from "../../src/matching/scorers/composite.ts";
import { defaultProfiles } from "../../src/matching/scorers/profiles.ts";
import type { Scorer } from "../../src/matching/scorers/scorer.ts";
import { stakeScorer } from "../../src/matching/scorers/stake.ts";
import { indexOf } from "./worlds.ts";

const fail = (what: unknown): never => {
  throw what;
};

/** What code from outside may give back or do, and what counts of it; `undefined` for nothing. */
const outcomes = [
  ["a share", () => 0.5, 0.5],
  ["NaN", () => Number.NaN, undefined],
  ["nothing", () => undefined, undefined],
  ["null", () => null, undefined],
  ["a text", () => "7", undefined],
  ["too much", () => Number.POSITIVE_INFINITY, 1],
  ["too little", () => Number.NEGATIVE_INFINITY, 0],
  ["an error", () => fail(new Error("broken")), undefined],
  ["a throw of nothing", () => fail(undefined), undefined],
  ["a throw without a text", () => fail(Object.create(null)), undefined],
] as const;

const outcome = fc.constantFrom(...outcomes);
const kind = fc.constantFrom("static", "signal", "demand", "else");
const claim = fc.constantFrom(undefined, 1, Number.NaN, Infinity, -3, "much", null);

/** A scorer that fails somewhere, with what it gives each row by its place in the list. */
const scorers = fc
  .record({
    where: fc.constantFrom("bind", "bound", "claims", "score", "others"),
    kind,
    most: claim,
    each: fc.array(outcome, { minLength: 1, maxLength: 4 }),
  })
  .map(({ where, kind: kindOf, most, each }) => {
    const at = (row: number) => each[row % each.length] ?? outcomes[0];
    let isFirst = true;
    const bind = (): unknown => {
      if (where === "bind") return fail(new Error("cannot be bound"));
      if (where === "bound") return { kind: kindOf };
      // One that can be bound for a demand, but not for all of them.
      if (where === "others" && !isFirst) return fail(new Error("bound once"));
      isFirst = false;
      const score = (row: number) => at(row)[1]();
      if (where !== "claims") return { kind: kindOf, score };
      return {
        kind: kindOf,
        score,
        get most() {
          return most === null ? fail(new Error("no bound")) : most;
        },
      };
    };
    const isLost = where === "bind" || where === "bound" || (where === "claims" && most === null);
    const scorer = { name: "odd", description: "Odd", bind } as unknown as Scorer;
    return { scorer, want: (row: number) => (isLost ? undefined : at(row)[2]), where, most };
  });

const filters = fc
  .array(fc.constantFrom(true, false, undefined, null, Number.NaN, 1, "x", "throws"), {
    minLength: 1,
    maxLength: 4,
  })
  .map((answers) => {
    const at = (row: number) => answers[row % answers.length];
    const test = (row: number) => (at(row) === "throws" ? fail(new Error("filter")) : at(row));
    const filter = { name: "odd", isTransient: false, test } as unknown as CustomFilter;
    return { filter, passes: (row: number) => at(row) === true };
  });

describe("a match", () => {
  it("outlives scorers and filters that fail anywhere, and marks what failed", () => {
    fc.assert(
      fc.property(
        scorers,
        fc.option(filters, { nil: undefined }),
        fc.constantFrom("top", "weighted", "roundRobin"),
        fc.constantFrom(0, 1_000),
        fc.integer({ min: 1, max: 70 }),
        ({ scorer, want, where, most }, custom, mode, scanUpTo, size) => {
          // A bound that is too small is a lie that nobody can see.
          fc.pre(where !== "claims" || most !== -3);
          const index = indexOf(
            Array.from({ length: size }, (_, i) => ({ id: `p${i}`, stake: BigInt(i * i) })),
          );
          const profiles = defaultProfiles();
          const composite = new Composite("case", "")
            .add("odd", scorer, 1)
            .add("stake", stakeScorer, 1);
          profiles.composites.set("case", composite);
          if (custom !== undefined) profiles.filters.set("odd", custom.filter);
          const compiled = compile(
            {
              profile: "case",
              ...(custom === undefined ? {} : { require: { custom: ["odd"] } }),
              pick: { k: 5, mode },
            },
            profiles,
          );
          if (!compiled.ok) throw new Error("faults");
          const { plan } = compiled;
          const ranking = match(plan, index, { explain: true, scanUpTo });
          const stakeOf = (row: number) =>
            row === 0 ? 0 : Math.min(1, Math.log10(row * row) / Math.log10(10_000_000));
          const ranked = Array.from({ length: size }, (_, row) => row)
            .filter((row) => custom?.passes(row) ?? true)
            .map((row) => ({ id: `p${row}`, row, sum: (want(row) ?? 0) + stakeOf(row) }))
            .sort((a, b) => b.sum - a.sum || (a.id < b.id ? -1 : 1));
          const isTop = mode === "top";
          if (isTop) {
            expect(ranking.picks.map(({ id }) => id)).toEqual(
              ranked.slice(0, 5).map(({ id }) => id),
            );
          }
          for (const { id, score, components } of ranking.picks) {
            const row = Number(id.slice(1));
            expect(components).toEqual({ odd: want(row) ?? null, stake: stakeOf(row) });
            expect(score).toBeCloseTo(((want(row) ?? 0) + stakeOf(row)) / 2, 12);
          }
          const failed = ranking.picks.filter(({ id }) => want(Number(id.slice(1))) === undefined);
          expect(ranking.scorerErrors?.map(({ provider }) => provider)).toEqual(
            failed.map(({ id }) => id),
          );
          for (const { message } of ranking.scorerErrors ?? []) expect(message).not.toBe("");
          for (let row = 0; row < Math.min(size, 8); row++) {
            const { refusals } = whyNot(plan, index, `p${row}`);
            expect(refusals.length === 0).toBe(custom?.passes(row) ?? true);
          }
        },
      ),
      { seed: 60_221, numRuns: 3_000 },
    );
  });

  it("explains a refusal also where the filter cannot tell its numbers, and marks it", () => {
    const index = indexOf([{ id: "a" }]);
    const profiles = defaultProfiles();
    const hidden = {
      get value(): number {
        return fail(new Error("no value"));
      },
    };
    const tellers: readonly (readonly [name: string, found: () => unknown, told: unknown])[] = [
      ["error", () => fail(new Error("broken")), "failed: broken"],
      ["odd", () => fail(Object.create(null)), "failed: threw what has no text"],
      ["null", () => null, expect.stringContaining("failed: ")],
      ["record", () => ({ value: {}, limit: 1 }), "failed: told what is no number"],
      ["limit", () => ({ value: 1, limit: "2" }), "failed: told what is no number"],
      ["hidden", () => hidden, "failed: no value"],
      ["fine", () => ({ value: 7, limit: 3 }), 7],
    ];
    for (const [name, found] of tellers) {
      const filter = { name, isTransient: false, test: () => false, found };
      profiles.filters.set(name, filter as unknown as CustomFilter);
    }
    const thrower = { name: "thrower", isTransient: false, test: () => fail(new Error("bug")) };
    profiles.filters.set("thrower", thrower);
    const custom = [...profiles.filters.keys()];
    const compiled = compile({ profile: "pairing", require: { custom } }, profiles);
    if (!compiled.ok) throw new Error("faults");
    const { refusals } = whyNot(compiled.plan, index, "a");
    expect(refusals.map(({ filter, have, found }) => [filter, have, found?.value])).toEqual([
      ...tellers.map(([name, , told]) => [name, "refused", told]),
      ["thrower", "failed: bug", undefined],
    ]);
  });
});
