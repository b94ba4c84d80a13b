/**
 * Deep freezing of messages in dev mode: what BEAM copies is shared here, so whoever changes a
 * message after it was sent must fall over where it happens.
 *
 * Only plain data is frozen: records and arrays, as deep as they go. Class instances, typed arrays
 * and functions stay as they are; they may be handles with a life of their own.
 */

const done = new WeakSet<object>();

/** Freezes plain data in place and returns it; what is frozen already is looked at once. */
export function deepFreeze<T>(value: T): T {
  if (!isPlain(value) || done.has(value)) return value;
  const open: object[] = [value];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    if (done.has(item)) continue;
    done.add(item);
    Object.freeze(item);
    for (const { value: inner } of Object.values(Object.getOwnPropertyDescriptors(item))) {
      if (isPlain(inner)) open.push(inner);
    }
  }
  return value;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || prototype === Array.prototype;
}
