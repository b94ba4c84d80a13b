/** Where in a chain's sequence of events something happened again and again. */

/** Ascending. The first and the newest are kept; at the limit some between them are not. */
export type Places = readonly number[];

/** None. Shared: nearly everything happens once. */
export const NEVER: Places = [];

/** Two branches that replace each other as often as this are no chain to go on with. */
const MAX_PLACES = 32;

/** The places with more of them; those that give way go in pairs, a coming with its going. */
export const longer = (places: Places, ...more: readonly number[]): Places => {
  const all = [...places, ...more];
  while (all.length > MAX_PLACES) all.splice(1, 2);
  return all;
};

/** Some places may not be known any more. */
export const isCut = ({ length }: Places): boolean => length >= MAX_PLACES - 1;
