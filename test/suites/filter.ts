/** What every filter must do; one suite over all of them, and for whoever writes one. */
import { expect, it } from "vitest";
import { compile } from "../../src/matching/compile.ts";
import { survivorsOf } from "../../src/matching/explain/survivors.ts";
import { whyNot } from "../../src/matching/explain/why-not.ts";
import type { Demand } from "../../src/matching/demand.ts";
import { bindingOf } from "../../src/matching/binding.ts";
import { passes } from "../../src/matching/filters/filter.ts";
import type { ProviderIndex } from "../../src/matching/index/provider-index.ts";
import { match } from "../../src/matching/match.ts";
import { eachSurvivor } from "../../src/matching/paths/scan.ts";
import { defaultProfiles, type Profiles } from "../../src/matching/scorers/profiles.ts";

/** A filter as a demand asks for it alone, and whom it lets pass. */
export interface FilterCase {
  readonly name: string;
  readonly isTransient: boolean;
  readonly require?: Demand["require"];
  readonly exclude?: Demand["exclude"];
  /** Where the filter is one from outside. */
  readonly profiles?: Profiles;
  readonly lets: (row: number) => boolean;
}

/** Declares the tests over a market of which the filter refuses some, but not all. */
export function filterSuite(one: FilterCase, index: ProviderIndex): void {
  const { name, isTransient, require = {}, exclude = [], lets } = one;
  const profiles = one.profiles ?? defaultProfiles();
  const compiled = compile({ profile: "pairing", require, exclude, pick: { k: 64 } }, profiles);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  const { plan } = compiled;
  const rows = [...index.rows()];
  const wanted = rows.filter(lets);

  it("is one filter of its name, and says whether its refusal may end by itself", () => {
    const { filters } = bindingOf(plan, index);
    expect(filters.map((filter) => [filter.name, filter.isTransient])).toEqual([
      [name, isTransient],
    ]);
    expect(wanted.length).toBeGreaterThan(0);
    expect(wanted.length).toBeLessThan(rows.length);
  });

  it("lets the same rows pass by bits, by test and one by one", () => {
    const binding = bindingOf(plan, index);
    const [filter] = binding.filters;
    expect(rows.filter((row) => filter !== undefined && passes(filter, row, index))).toEqual(
      wanted,
    );
    const seen: number[] = [];
    eachSurvivor(binding, (row) => seen.push(row));
    expect(seen.sort((a, b) => a - b)).toEqual(wanted);
  });

  it("lets nobody else be picked, by index or by scan", () => {
    const ids = new Set(wanted.map((row) => index.ids[row]));
    for (const scanUpTo of [0, 1_000_000]) {
      const { picks } = match(plan, index, { scanUpTo });
      expect(picks).toHaveLength(Math.min(64, wanted.length));
      expect(picks.every(({ id }) => ids.has(id))).toBe(true);
    }
  });

  it("is counted, and tells whom it refuses what is needed and what there is", () => {
    const refused = rows.length - wanted.length;
    expect(survivorsOf(bindingOf(plan, index))).toEqual([
      { filter: name, left: wanted.length, alone: refused, sole: refused, transient: isTransient },
    ]);
    for (const row of rows) {
      const { refusals } = whyNot(plan, index, index.ids[row] as string);
      if (lets(row)) expect(refusals).toEqual([]);
      else {
        expect(refusals).toMatchObject([{ filter: name, transient: isTransient }]);
        expect(refusals[0]?.need).not.toBe("");
        expect(typeof refusals[0]?.have).toBe("string");
      }
    }
  });

  it("asks nothing when the demand does not", () => {
    const open = compile({ profile: "pairing" }, profiles);
    expect(open.ok && bindingOf(open.plan, index).filters).toEqual([]);
  });
}
