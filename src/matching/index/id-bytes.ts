/**
 * Ids where other threads can read them, since texts cannot be shared: one byte a character where that
 * is enough, else two. What is gone leaves a hole for its row's next id; with more holes than ids they
 * are laid out anew.
 */
import type { Memory } from "./memory.ts";

const FIRST_BYTES = 1_024;

/** The arrays, as another thread gets them. */
export interface IdImage {
  readonly bytes: Uint8Array;
  /** Where each row's id begins. */
  readonly offsets: Uint32Array;
  /** Characters of each row's id; below 0 for those of two bytes. */
  readonly lengths: Int32Array;
}

/** Ids by row. */
export class IdBytes implements IdImage {
  bytes: Uint8Array;
  offsets: Uint32Array;
  lengths: Int32Array;
  readonly #memory: Memory;
  /** Bytes that a row's last id has left. */
  readonly #gone = new Map<number, number>();
  #end = 0;
  #held = 0;

  constructor(memory: Memory, rows: number) {
    this.#memory = memory;
    this.bytes = memory.uint8(FIRST_BYTES);
    this.offsets = memory.uint32(rows);
    this.lengths = memory.int32(rows);
  }

  /** Keeps the id of a row that has none: where the row's last one was, if there is room. */
  put(row: number, id: string): void {
    const size = sizeOf(id);
    const isRoomy = size <= (this.#gone.get(row) ?? 0);
    this.#gone.delete(row);
    if (!isRoomy && this.#end + size > this.bytes.length) this.#makeRoom(size);
    let at = isRoomy ? (this.offsets[row] as number) : this.#end;
    const isWide = size > id.length;
    this.offsets[row] = at;
    this.lengths[row] = isWide ? -id.length : id.length;
    for (let i = 0; i < id.length; i++) {
      const unit = id.charCodeAt(i);
      if (isWide) {
        this.bytes[at++] = unit & 0xff;
        this.bytes[at++] = unit >>> 8;
      } else this.bytes[at++] = unit;
    }
    this.#end = Math.max(this.#end, at);
    this.#held += size;
  }

  /** Forgets the id of a row. */
  remove(row: number): void {
    const span = spanOf(this.lengths[row] as number);
    this.#gone.set(row, span);
    this.#held -= span;
    this.lengths[row] = 0;
  }

  /** Makes room for as many rows. */
  grow(rows: number): void {
    const [offsets, lengths] = [this.#memory.uint32(rows), this.#memory.int32(rows)];
    offsets.set(this.offsets);
    lengths.set(this.lengths);
    [this.offsets, this.lengths] = [offsets, lengths];
  }

  /** Into a new array, those who read the old one still can: at once, unless most of it is holes. */
  #makeRoom(size: number): void {
    if (this.#held * 2 < this.#end) return this.#layOut(size);
    const bytes = this.#memory.uint8(lengthFor(this.#end + size));
    bytes.set(this.bytes);
    this.bytes = bytes;
  }

  #layOut(size: number): void {
    this.#gone.clear();
    const length = lengthFor((this.#held + size) * 1.5);
    const bytes = this.#memory.uint8(length);
    const offsets = this.#memory.uint32(this.offsets.length);
    let end = 0;
    for (let row = 0; row < this.lengths.length; row++) {
      const span = spanOf(this.lengths[row] as number);
      if (span === 0) continue;
      const from = this.offsets[row] as number;
      bytes.set(this.bytes.subarray(from, from + span), end);
      offsets[row] = end;
      end += span;
    }
    [this.bytes, this.offsets, this.#end] = [bytes, offsets, end];
  }
}

/** The id of a row. */
export function idAt({ bytes, offsets, lengths }: IdImage, row: number): string {
  const length = lengths[row] as number;
  const from = offsets[row] as number;
  let id = "";
  for (let i = 0; i < Math.abs(length); i++) {
    const at = length < 0 ? from + 2 * i : from + i;
    const high = length < 0 ? (bytes[at + 1] as number) : 0;
    id += String.fromCharCode((bytes[at] as number) | (high << 8));
  }
  return id;
}

const lengthFor = (least: number): number => {
  let length = FIRST_BYTES;
  while (length < least) length *= 2;
  return length;
};

const spanOf = (length: number): number => (length < 0 ? -2 * length : length);

const sizeOf = (id: string): number => {
  for (let i = 0; i < id.length; i++) if (id.charCodeAt(i) > 0xff) return id.length * 2;
  return id.length;
};
