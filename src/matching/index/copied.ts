/** What grows with a market: arrays by row are made anew, larger, and keep what they hold. */

/** `to` with all of `from` at its beginning. */
export const copied = <T extends { set(from: T): void }>(from: T, to: T): T => {
  to.set(from);
  return to;
};
