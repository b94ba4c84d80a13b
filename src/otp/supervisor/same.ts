/**
 * Whether two start arguments are the same: what decides that a child is not restarted.
 *
 * Plain data is compared through and through. Functions are compared by identity, and so are class
 * instances, whose private fields nobody can see, unless they have an `equals` of their own. In
 * doubt the answer is no: a needless restart is better than a process that runs with old arguments.
 */

/** Deeper data is called different. */
const MAX_DEPTH = 64;

/** True when `a` and `b` hold the same data. */
export function sameData(a: unknown, b: unknown, depth = 0): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (depth > MAX_DEPTH) return false;
  const prototype: unknown = Object.getPrototypeOf(a);
  if (prototype !== Object.getPrototypeOf(b)) return false;
  if (Array.isArray(a)) return sameList(a, b as readonly unknown[], depth);
  if (prototype === Object.prototype || prototype === null) return sameRecord(a, b, depth);
  if (prototype === Map.prototype) {
    return sameMap(a as Map<unknown, unknown>, b as Map<unknown, unknown>, depth);
  }
  if (prototype === Set.prototype) return sameSet(a as Set<unknown>, b as Set<unknown>);
  if (prototype === Date.prototype) return (a as Date).getTime() === (b as Date).getTime();
  return areEqual(a, b);
}

function areEqual(a: object, b: object): boolean {
  try {
    const { equals } = a as { readonly equals?: unknown };
    return typeof equals === "function" && equals.call(a, b) === true;
  } catch {
    return false;
  }
}

function sameList(a: readonly unknown[], b: readonly unknown[], depth: number): boolean {
  return a.length === b.length && a.every((item, index) => sameData(item, b[index], depth + 1));
}

function sameRecord(a: object, b: object, depth: number): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return keys.every((key) => Object.hasOwn(b, key) && sameData(left[key], right[key], depth + 1));
}

function sameMap(a: Map<unknown, unknown>, b: Map<unknown, unknown>, depth: number): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    if (!b.has(key) || !sameData(value, b.get(key), depth + 1)) return false;
  }
  return true;
}

function sameSet(a: Set<unknown>, b: Set<unknown>): boolean {
  if (a.size !== b.size) return false;
  for (const item of a) if (!b.has(item)) return false;
  return true;
}
