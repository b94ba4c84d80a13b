/**
 * Joins two answers over the same blocks, each for one half of a list of addresses or topics, in
 * the order one answer would have had: by block, then by index. Objects are moved, never parsed.
 */
import { skipSpace } from "../json-rpc/json-bytes.ts";
import { HASH_DIGITS, lastPlace, readLog } from "./read-log.ts";
import type { BlockMark, LogsBody } from "./log-reader.ts";

/** Both answers as one; `undefined` when they come from two branches of the chain. */
export function interleave(one: LogsBody, other: LogsBody): LogsBody | undefined {
  const marks = joinMarks(one.marks, other.marks);
  if (marks === undefined) return undefined;
  if (one.count === 0) return { ...other, marks };
  if (other.count === 0) return { ...one, marks };
  const left = new Cursor(one);
  const right = new Cursor(other);
  const out = Buffer.allocUnsafe(one.sizeBytes + other.sizeBytes + 1);
  let at = 0;
  let count = 0;
  while (left.isOpen || right.isOpen) {
    const order = left.compare(right);
    if (left.isOpen && right.isOpen && left.block === right.block && !left.sharesHash(right)) {
      return undefined;
    }
    const next = order <= 0 ? left : right;
    // The halves ask for different things; a log that both bring is one log all the same.
    if (order === 0) right.next();
    if (count > 0) out[at++] = 0x2c;
    at += next.copy(out, at);
    count++;
    next.next();
  }
  return { pieces: [out.subarray(0, at)], sizeBytes: at, count, marks };
}

/** Walks the logs of one answer. */
class Cursor {
  readonly #bytes: Buffer;
  #start = 0;
  #end = 0;
  #hashAt = -1;
  block = -1;
  index = -1;
  isOpen = true;

  constructor(body: LogsBody) {
    const { pieces } = body;
    this.#bytes = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    this.next();
  }

  /** Moves on to the next log. */
  next(): void {
    const bytes = this.#bytes;
    const end = bytes.length;
    let at = skipSpace(bytes, this.#end, end);
    if (bytes[at] === 0x2c) at = skipSpace(bytes, at + 1, end);
    if (at >= end) {
      this.isOpen = false;
      return;
    }
    this.#start = at;
    this.#end = readLog(bytes, at, end);
    this.block = lastPlace.block;
    this.index = lastPlace.index;
    this.#hashAt = lastPlace.hashAt;
  }

  /** Negative when this one comes first; a walk that is over comes last. */
  compare(other: Cursor): number {
    if (!this.isOpen) return 1;
    if (!other.isOpen) return -1;
    return this.block - other.block || this.index - other.index;
  }

  /** Whether both logs say the same of their block. */
  sharesHash(other: Cursor): boolean {
    const from = this.#hashAt;
    return (
      this.#bytes.compare(
        other.#bytes,
        other.#hashAt,
        other.#hashAt + HASH_DIGITS,
        from,
        from + HASH_DIGITS,
      ) === 0
    );
  }

  copy(out: Buffer, at: number): number {
    return this.#bytes.copy(out, at, this.#start, this.#end);
  }
}

/** The marks of both, ascending; `undefined` when a block has two hashes. */
function joinMarks(
  one: readonly BlockMark[],
  other: readonly BlockMark[],
): readonly BlockMark[] | undefined {
  const hashes = new Map<number, string>();
  for (const { block, hash } of [...one, ...other]) {
    const known = hashes.get(block);
    if (known !== undefined && known !== hash) return undefined;
    hashes.set(block, hash);
  }
  return [...hashes]
    .map(([block, hash]) => ({ block, hash }))
    .toSorted((a, b) => a.block - b.block);
}
