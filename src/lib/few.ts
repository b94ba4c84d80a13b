/**
 * A set that is nearly always empty or of one: the one stands for itself, a real Set comes with the
 * second. Keeps insertion order.
 */

/** None, one, or several. */
export type Few<T extends object> = T | Set<T> | undefined;

/** `few` with `item` in it. */
export function withItem<T extends object>(few: Few<T>, item: T): Few<T> {
  if (few === undefined || few === item) return item;
  if (!(few instanceof Set)) return new Set([few, item]);
  few.add(item);
  return few;
}

/** `few` without `item`; the same value when it was not there. */
export function withoutItem<T extends object>(few: Few<T>, item: T): Few<T> {
  if (few === item) return undefined;
  if (few instanceof Set) {
    few.delete(item);
    if (few.size === 0) return undefined;
  }
  return few;
}

/** Whether `item` is in `few`. */
export function hasItem<T extends object>(few: Few<T>, item: T): boolean {
  return few instanceof Set ? few.has(item) : few === item;
}

/** How many. */
export function countItems(few: Few<object>): number {
  if (few === undefined) return 0;
  return few instanceof Set ? few.size : 1;
}

/** One after the other, in insertion order. */
export function* itemsOf<T extends object>(few: Few<T>): Generator<T, void, undefined> {
  if (few instanceof Set) yield* few;
  else if (few !== undefined) yield few;
}
