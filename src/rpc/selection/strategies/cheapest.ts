/** Lowest cost of the method first, public before paid; equal costs take turns. */
import { byPriority, type Entry } from "../entry.ts";
import { rotateEquals } from "../rotation.ts";
import type { Strategy } from "./strategy.ts";

/** The `cheapest` strategy. */
export const cheapest: Strategy = {
  name: "cheapest",
  usesEvidence: false,
  isSticky: false,
  order: (entries) => {
    const sorted = [...entries].sort(
      (a, b) => a.cost - b.cost || publicFirst(a) - publicFirst(b) || byPriority(a, b),
    );
    return { scored: sorted.map((entry) => ({ entry, score: scoreOf(entry) })) };
  },
  parts: (entries) =>
    entries.map((entry) => [
      { name: "cost", raw: entry.cost, value: 1 / (1 + entry.cost), weight: 1 },
      { name: "type", raw: entry.view.type, value: publicFirst(entry), weight: -paidSetback },
    ]),
  vary: (leading, _demand, memory) => rotateEquals(leading, memory, "cheapest"),
};

const publicFirst = ({ view }: Entry): number => (view.type === "public" ? 0 : 1);

/** Equal only for those that take turns. */
const scoreOf = (entry: Entry): number => 1 / (1 + entry.cost) - publicFirst(entry) * paidSetback;
/** Tells equal costs of a public and a paid provider apart, and nothing else. */
const paidSetback = 1e-9;
