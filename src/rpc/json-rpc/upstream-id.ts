/**
 * Our own ids towards providers: integers of fixed width, so that lengths stay the same whoever
 * answers and a stale or foreign echo is visible.
 */

/** Digits of every id of ours. */
export const ID_WIDTH = 9;
const FIRST_ID = 100_000_000;
const LAST_ID = 999_999_999;

/** Hands out ids that are unique among the calls in flight. */
export class IdCounter {
  #next = FIRST_ID;

  next(): number {
    const id = this.#next;
    this.#next = id === LAST_ID ? FIRST_ID : id + 1;
    return id;
  }
}

/** Writes the nine digits of `id` at `at`. */
export function writeId(bytes: Uint8Array, at: number, id: number): void {
  let rest = id;
  for (let index = at + ID_WIDTH - 1; index >= at; index--) {
    const tenth = (rest / 10) | 0;
    bytes[index] = 0x30 + rest - tenth * 10;
    rest = tenth;
  }
}

/** The id in nine digits from `start`, or -1 when the token is not exactly such a number. */
export function readId(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== ID_WIDTH) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
