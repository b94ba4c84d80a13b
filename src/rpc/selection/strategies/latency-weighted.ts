/**
 * A weighted random order: faster providers come first more often, w = (best mean / mean)^3. It is the
 * kernel's weighted choice: whose `w / -ln u` is larger comes first, `u` being drawn from the seed and
 * the provider's id.
 */
import { fnv64, type Halves } from "../../../lib/fnv64.ts";
import { drawOf, keyOf } from "../../../matching/paths/rendezvous.ts";
import { columnScorer } from "../../../matching/scorers/signals.ts";
import type { Candidate } from "../snapshot.ts";
import type { Strategy } from "./strategy.ts";

/** An unmeasured endpoint weighs nothing: it is shuffled behind the measured ones. */
const unmeasured = 0;

const speedScorer = columnScorer(
  "latency",
  "The best mean to the own, cubed",
  "speed",
  { shape: "asIs" },
  unmeasured,
);

/** The `latency-weighted` strategy. */
export const latencyWeighted: Strategy = {
  name: "latency-weighted",
  description: "A weighted random order, by the cube of the mean latencies",
  usesEvidence: true,
  isSticky: false,
  profile: [
    { name: "latency", scorer: speedScorer, weight: () => 1, raw: ({ call }) => call?.meanMs },
  ],
  orderBy: ["score", "priority"],
  vary: (leading, { seed = 0 }, { market }) => {
    if (leading.length < 2) return leading;
    const halves = halvesOf(seed);
    const drawn: Candidate[] = [];
    const keys: number[] = [];
    for (const candidate of leading) {
      const { view, score } = candidate;
      const { high, low } = market?.hashOf(view.provider) ?? fnv64(view.provider);
      const draw = drawOf(high, low, halves);
      const key = score > 0 ? keyOf(score, draw) : -draw;
      // The heavier come first and mostly stay so: few have to make room.
      let at = drawn.length;
      for (; at > 0 && (keys[at - 1] as number) < key; at--) {
        drawn[at] = drawn[at - 1] as Candidate;
        keys[at] = keys[at - 1] as number;
      }
      drawn[at] = candidate;
      keys[at] = key;
    }
    return drawn;
  },
};

/** Seeds may be fractions of one or whole numbers; the halves differ, as those of a text's hash would. */
const halvesOf = (seed: number): Halves => {
  const low = seed > 0 && seed < 1 ? (seed * 2 ** 32) | 0 : seed | 0;
  return { high: Math.imul(low, SPREAD), low };
};

const SPREAD = 0x9e3779b1;
