/** What a ranking will cost, before it is made: to ask another host takes longer than most of them. */
import type { Binding } from "../../matching/binding.ts";

/** A row that has to be looked at, µs: measured, without what survivors cost besides. */
const ROW_US = 0.005;

/** The most that a ranking of so many providers will take, µs. */
export const mostUs = (providers: number): number => providers * ROW_US;

/** About how long a ranking will take, µs; 0 where an order or a list leads to it. */
export function expectedUs(binding: Binding): number {
  const { index, plan, isImpossible, listed } = binding;
  if (isImpossible || listed !== undefined) return 0;
  const { mode } = plan.demand;
  const isLed =
    mode === "top"
      ? binding.order() !== undefined || binding.board() !== undefined
      : mode === "roundRobin" && binding.turns() !== undefined;
  return isLed ? 0 : mostUs(index.size);
}
