/** What every scorer must do; one suite over all of them, and for whoever writes one. */
import { expect, it } from "vitest";
import { type CanonicalDemand, canonical } from "../../src/matching/canonical.ts";
import type { Requirements } from "../../src/matching/demand.ts";
import { filtersOf } from "../../src/matching/filters/chain.ts";
import { passes } from "../../src/matching/filters/filter.ts";
import type { ProviderIndex } from "../../src/matching/index/provider-index.ts";
import { readingOf } from "../../src/matching/index/term.ts";
import { safeScore, type Scorer } from "../../src/matching/scorers/scorer.ts";

/** Demands that a scorer is bound to, besides the one of nothing. */
const requirements: readonly Requirements[] = [
  {},
  { location: "US-East-1" },
  { features: ["HTTP", "gRPC"] },
  { minStake: 5_000n, location: [{ region: "EU" }, "US-East-1"] },
];

/** Declares the tests over a market that holds what is odd. */
export function scorerSuite(scorer: Scorer, index: ProviderIndex): void {
  const anybody = canonical({ profile: "" });
  const demands: readonly CanonicalDemand[] = [
    ...requirements.map((require) => canonical({ profile: "", require })),
    canonical({ profile: "", prefer: { location: "EU-West-1", features: ["ssl"] } }),
  ];
  const rows = [...index.rows()];
  const survivorsOf = (demand: CanonicalDemand) =>
    rows.filter((row) => filtersOf(demand, index, []).every((one) => passes(one, row, index)));

  it("has a name and says what it does", () => {
    expect(scorer.name).not.toBe("");
    expect(scorer.description).not.toBe("");
  });

  it("gives every row a share, and the same one each time", () => {
    for (const demand of demands) {
      const bound = scorer.bind(index, demand);
      const shares = rows.map((row) => safeScore(bound, row));
      for (const share of shares) expect(share >= 0 && share <= 1).toBe(true);
      const again = scorer.bind(index, demand);
      expect(rows.map((row) => safeScore(again, row))).toEqual(shares);
    }
  });

  it("keeps what it claims of all survivors: a constant, the most, how a column is read", () => {
    for (const demand of demands) {
      const bound = scorer.bind(index, demand);
      for (const row of survivorsOf(demand)) {
        const share = safeScore(bound, row);
        expect(share).toBeLessThanOrEqual(bound.most ?? 1);
        if (bound.constant !== undefined) expect(share).toBe(bound.constant);
        const { reading } = bound;
        if (reading === undefined) continue;
        expect(bound.column).toBe(reading.column.name);
        const raw = readingOf(reading, reading.column.values[row] as number);
        expect(share).toBe(Math.max(0, Math.min(1, raw)));
      }
    }
  });

  it("reads the demand only if it says so", () => {
    const shared = scorer.bind(index, anybody);
    for (const demand of demands) {
      const bound = scorer.bind(index, demand);
      if (bound.kind === "demand" || bound.constant !== undefined) continue;
      expect(bound.kind).toBe(shared.kind);
      for (const row of survivorsOf(demand)) {
        expect(safeScore(bound, row)).toBe(safeScore(shared, row));
      }
    }
  });

  it("never gives a larger stake less, if it scores stakes", () => {
    const { ofStake, score } = scorer.bind(index, anybody);
    if (ofStake === undefined) return;
    const byStake = rows.toSorted((a, b) => (index.stakes.at(a) < index.stakes.at(b) ? -1 : 1));
    let before = 0;
    for (const row of byStake) {
      const share = ofStake(index.stakes.high[row] as number);
      expect(share).toBe(score(row));
      expect(share).toBeGreaterThanOrEqual(before);
      before = share;
    }
  });
}
