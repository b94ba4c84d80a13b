/**
 * Ids where other threads can read them, since texts cannot be shared: one byte a character where that
 * is enough, else two. What is gone leaves a hole for its row's next id. With more holes than ids they
 * are laid out anew, some rows with every id that comes: half a million at once take some 50 ms.
 */
import { copied } from "./copied.ts";
import type { Memory } from "./memory.ts";

const FIRST_BYTES = 1_024;
/** How full the bytes are when they begin to be laid out anew: what is left must do until that is done. */
const MOST_FULL = 0.75;
/** Rows moved with each new id: some ten times what is needed to be done in time. */
const MOVED_AT_ONCE = 64;

/** The arrays, as another thread gets them. */
export interface IdImage {
  readonly bytes: Uint8Array;
  /** Where each row's id begins. */
  readonly offsets: Uint32Array;
  /** Characters of each row's id; below 0 for those of two bytes. */
  readonly lengths: Int32Array;
}

/** Where ids lie, and where the next one goes. */
interface Layout {
  bytes: Uint8Array;
  offsets: Uint32Array;
  end: number;
}

/** Ids by row. */
export class IdBytes implements IdImage {
  lengths: Int32Array;
  readonly #memory: Memory;
  #now: Layout;
  /** What follows it, in which rows before the cursor are already; others have their ids in both. */
  #next: Layout | undefined;
  #cursor = 0;
  /** Bytes that a row's last id has left, alike in both. */
  #gone: Uint32Array;
  #held = 0;

  constructor(memory: Memory, rows: number) {
    this.#memory = memory;
    this.#now = layoutOf(memory, FIRST_BYTES, rows);
    this.lengths = memory.int32(rows);
    this.#gone = new Uint32Array(rows);
  }

  get bytes(): Uint8Array {
    return this.#now.bytes;
  }

  get offsets(): Uint32Array {
    return this.#now.offsets;
  }

  /** Rows that are still to be moved. */
  get unmoved(): number {
    return this.#next === undefined ? 0 : this.lengths.length - this.#cursor;
  }

  /** Keeps the id of a row that has none: where the row's last one was, if there is room. */
  put(row: number, id: string): void {
    const size = sizeOf(id);
    const isRoomy = size <= (this.#gone[row] as number);
    this.#gone[row] = 0;
    if (!isRoomy) this.#makeRoom(size);
    place(this.#now, row, id, size, isRoomy);
    const next = this.#next;
    if (next !== undefined && row < this.#cursor) {
      if (!isRoomy) this.#fit(next, size);
      place(next, row, id, size, isRoomy);
    }
    this.lengths[row] = size > id.length ? -id.length : id.length;
    this.#held += size;
    this.#move(MOVED_AT_ONCE);
  }

  /** Forgets the id of a row. */
  remove(row: number): void {
    const span = spanOf(this.lengths[row] as number);
    this.#gone[row] = span;
    this.#held -= span;
    this.lengths[row] = 0;
  }

  /** Makes room for as many rows. */
  grow(rows: number): void {
    for (const layout of [this.#now, this.#next]) {
      if (layout !== undefined) layout.offsets = copied(layout.offsets, this.#memory.uint32(rows));
    }
    this.lengths = copied(this.lengths, this.#memory.int32(rows));
    this.#gone = copied(this.#gone, new Uint32Array(rows));
  }

  /** Begins to lay out anew what is mostly holes; a new array otherwise. Those who read the old one can. */
  #makeRoom(size: number): void {
    const { end, bytes } = this.#now;
    const need = end + size;
    if (this.#next === undefined && this.#held * 2 < end && need > bytes.length * MOST_FULL) {
      const room = Math.max((this.#held + size) * 1.5, this.#held + size + bytes.length - end);
      this.#next = layoutOf(this.#memory, room, this.lengths.length);
      this.#cursor = 0;
    }
    if (need <= bytes.length) return;
    this.#move(this.unmoved);
    this.#fit(this.#now, size);
  }

  /** A longer array, unless so many more bytes fit: ids put into holes meanwhile were not reckoned with. */
  #fit(layout: Layout, size: number): void {
    const need = layout.end + size;
    if (need <= layout.bytes.length) return;
    layout.bytes = copied(layout.bytes, this.#memory.uint8(lengthFor(need)));
  }

  #move(count: number): void {
    const next = this.#next;
    if (next === undefined) return;
    const { bytes, offsets } = this.#now;
    const until = Math.min(this.#cursor + count, this.lengths.length);
    for (; this.#cursor < until; this.#cursor++) {
      const row = this.#cursor;
      const span = spanOf(this.lengths[row] as number);
      const from = offsets[row] as number;
      this.#fit(next, span);
      next.offsets[row] = next.end;
      next.bytes.set(bytes.subarray(from, from + span), next.end);
      next.end += span;
      // Its hole stays behind.
      if (span === 0) this.#gone[row] = 0;
    }
    if (until < this.lengths.length) return;
    this.#now = next;
    this.#next = undefined;
  }
}

const layoutOf = (memory: Memory, bytes: number, rows: number): Layout => ({
  bytes: memory.uint8(lengthFor(bytes)),
  offsets: memory.uint32(rows),
  end: 0,
});

/** Writes an id where its row's last one was, or at the end. */
function place(layout: Layout, row: number, id: string, size: number, isRoomy: boolean): void {
  const { bytes, offsets } = layout;
  if (!isRoomy) {
    offsets[row] = layout.end;
    layout.end += size;
  }
  let at = offsets[row] as number;
  const isWide = size > id.length;
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i);
    if (isWide) {
      bytes[at++] = unit & 0xff;
      bytes[at++] = unit >>> 8;
    } else bytes[at++] = unit;
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
