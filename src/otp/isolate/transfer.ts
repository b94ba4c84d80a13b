/**
 * Values whose buffers may move instead of being copied, when they cross to another thread.
 */

const moving = new WeakMap<object, readonly ArrayBuffer[]>();
let isUsed = false;

/**
 * Marks `value` so that its buffers move when it is sent to another thread: the sender keeps an
 * empty buffer. Between processes of one thread nothing is copied anyway and the mark does nothing.
 *
 * `buffers` defaults to the buffer behind a typed array, or the array buffer itself. The mark is for
 * the next send of exactly this value: the argument of a call or cast, or the value of an answer.
 */
export function transfer<T extends object>(value: T, buffers?: readonly ArrayBuffer[]): T {
  isUsed = true;
  moving.set(value, buffers ?? ownBuffers(value));
  return value;
}

/** Takes the mark off; undefined when there is none. */
export function takeTransfers(value: unknown): readonly ArrayBuffer[] | undefined {
  if (!isUsed || typeof value !== "object" || value === null) return undefined;
  const buffers = moving.get(value);
  if (buffers !== undefined) moving.delete(value);
  return buffers;
}

function ownBuffers(value: object): readonly ArrayBuffer[] {
  if (value instanceof ArrayBuffer) return [value];
  if (ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer) return [value.buffer];
  return [];
}
