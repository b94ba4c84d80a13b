/** Which stakes are too small for a score, by a scorer that never gives a larger stake less. */

/** Close enough: what is found need not be exact, only never too large. */
const HALVINGS = 32;

/** A stake below which nobody has the score; `enough` has it, and below `from` nobody does. */
export function leastStake(
  ofStake: (stake: number) => number,
  need: number,
  from: number,
  enough: number,
): number {
  if (!(ofStake(from) < need)) return from === 0 ? Number.NEGATIVE_INFINITY : from;
  let [short, high] = [from, enough];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (short + high) / 2;
    if (ofStake(middle) < need) short = middle;
    else high = middle;
  }
  return short;
}
