/** Scores by features, against what is preferred, else against what is required. */
import type { Scorer } from "./scorer.ts";

const NO_PREFERENCE = 0.5;
const BONUS_EACH = 0.05;
const MOST_BONUS = 0.2;

/** `features`: the share of those wanted, and a bonus for each one more than are wanted. */
export const featureScorer: Scorer = {
  name: "features",
  description: "Share of the wanted features, 0.05 more for each further one up to 0.2",
  bind: (index, { allOf, preferFeatures }) => {
    const wanted = preferFeatures ?? allOf;
    if (wanted.length === 0) {
      return { kind: "demand", constant: NO_PREFERENCE, score: () => NO_PREFERENCE };
    }
    const slots = wanted.flatMap((name) => index.features.slotOf(name) ?? []);
    const { bits } = index;
    const score = (row: number): number => {
      let matched = 0;
      for (let i = 0; i < slots.length; i++) if (bits.has(slots[i] as number, row)) matched++;
      const extra = (index.featureCount[row] as number) - wanted.length;
      const bonus = extra > 0 ? Math.min(BONUS_EACH * extra, MOST_BONUS) : 0;
      return Math.min(1, matched / wanted.length + bonus);
    };
    // Who has all of them has 1, with or without a bonus.
    const isRequired = wanted.every((name) => allOf.includes(name));
    return isRequired ? { kind: "demand", constant: 1, score } : { kind: "demand", score };
  },
};
