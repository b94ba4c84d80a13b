/**
 * Values whose buffers may move instead of being copied, when they cross to another thread.
 *
 * ```ts
 * import { isMainThread } from "node:worker_threads";
 * import {
 *   child,
 *   createNode,
 *   defineActor,
 *   keyFor,
 *   reply,
 *   supervisor,
 *   transfer,
 * } from "paceline/otp";
 *
 * const scanner = defineActor({
 *   name: "demo/scanner",
 *   init: (_args: undefined) => 0,
 *   calls: {
 *     count: (state, bytes: Uint8Array) => reply(state, bytes.filter((byte) => byte === 7).length),
 *   },
 * });
 * const scannerKey = keyFor(scanner);
 *
 * export const subtree = () =>
 *   supervisor("scanners", { children: [child(scanner, undefined, { register: scannerKey() })] });
 *
 * if (isMainThread) {
 *   const node = createNode();
 *   const module = new URL(import.meta.url);
 *   await node.start(
 *     supervisor("top", {
 *       children: [supervisor("box", { isolate: "worker", from: { module } })],
 *     }),
 *   );
 *   const bytes = new Uint8Array(1_000_000).fill(7, 0, 5);
 *   console.log(await node.via(scannerKey()).call.count(transfer(bytes)), bytes.byteLength);
 *   await node.stop();
 * }
 * ```
 *
 * ```text
 * 5 0
 * ```
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
