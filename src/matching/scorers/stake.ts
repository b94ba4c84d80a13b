/** Scores by stake. Below the required minimum, and below 1, it is 0. */
import type { Scorer } from "./scorer.ts";

const LOG_CAP = 10_000_000;
const LOG_OF_CAP = Math.log10(LOG_CAP);
const LINEAR_CAP = 1_000_000;

/** `stake`: by its logarithm, so that the largest do not win everything; 1 from ten million on. */
export const stakeScorer: Scorer = stakeBy(
  "Logarithm of the stake, 1 from ten million on",
  // Where stakes are in the smallest unit all are above the cap, and a logarithm is most of a score's cost.
  (stake) => (stake >= LOG_CAP ? 1 : Math.min(1, Math.log10(stake) / LOG_OF_CAP)),
);

/** `stake`, linear: 1 from a million on. */
export const linearStakeScorer: Scorer = stakeBy(
  "The stake in millions, 1 from a million on",
  (stake) => Math.min(1, stake / LINEAR_CAP),
);

function stakeBy(description: string, curve: (stake: number) => number): Scorer {
  const ofStake = (stake: number): number => (stake < 1 ? 0 : curve(stake));
  return {
    name: "stake",
    description,
    bind: ({ stakes }, { minStake }) => {
      const isEnough = minStake > 0n ? stakes.atLeast(minStake) : undefined;
      return {
        kind: "static",
        ofStake,
        score: (row) => (isEnough?.(row) === false ? 0 : ofStake(stakes.high[row] as number)),
      };
    },
  };
}
