/** Weighted choice: every survivor draws, the k largest keys win. */
import type { Binding } from "../binding.ts";
import { drawOf, keyOf, type Seed, seedHalves } from "./rendezvous.ts";
import type { TopK } from "./top-k.ts";
import { eachSurvivor } from "./scan.ts";

/** More than roundings of a score, a logarithm and a quotient can add. */
const ROUNDED = 1 + 1e-9;

/** Pushes all survivors of some weight by their keys. */
export function draw(binding: Binding, seed: Seed, top: TopK): void {
  const { high, low } = binding.index.names;
  const { stakes } = binding.index;
  const halves = seedHalves(seed);
  const isByStake = binding.plan.demand.weightBy === "stake";
  eachSurvivor(binding, (row) => {
    const own = drawOf(high[row] as number, low[row] as number, halves);
    // -ln u is more than 1 - u, so most rows lose without a logarithm, most without their score.
    const most = isByStake ? (stakes.high[row] as number) : 1;
    if (most * ROUNDED < top.floor * (1 - own)) return;
    const weight = weightOf(binding, row);
    if (weight > 0) top.push(row, keyOf(weight, own));
  });
}

/** What a row is drawn by. */
export const weightOf = (binding: Binding, row: number): number =>
  binding.plan.demand.weightBy === "stake"
    ? (binding.index.stakes.high[row] as number)
    : binding.shown(binding.sumOf(row));
