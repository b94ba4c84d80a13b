/**
 * Ids by row and rows by id. The ids' hashes are kept for weighted choice, so they find rows as well:
 * linear probing over row numbers takes 8 bytes a provider, where a Map takes 30 and more.
 *
 * To lay out half a million rows anew takes some 30 ms, so a table that grows keeps the old slots and
 * moves a few of them with every id that comes.
 */
import { fnv64 } from "../../lib/fnv64.ts";
import { copied } from "./copied.ts";
import { IdBytes } from "./id-bytes.ts";
import type { Memory } from "./memory.ts";

const EMPTY = 0;
/** Where a row was; a search goes on behind it. */
const GONE = -1;
/** Slots a row, at least; full slots of all before they are laid out anew. */
const SLOTS_A_ROW = 2;
const MOST_FULL = 0.75;
/** Old slots moved with each new id: far more than are needed to be done before the next time. */
const MOVED_AT_ONCE = 32;

/** The ids of a market. */
export class IdTable {
  /** By row; empty where there is none. */
  readonly ids: string[] = [];
  /** Both halves of each id's hash, by row. */
  high: Int32Array;
  low: Int32Array;
  /** Row + 1 by hash. */
  #slots: Int32Array;
  #full = 0;
  /** Slots from before, in which ids beyond those moved are found. */
  #old: Int32Array | undefined;
  #moved = 0;
  /** Only where other threads must read them. */
  readonly shared: IdBytes | undefined;
  readonly #memory: Memory;

  /** `rows` is a power of two. */
  constructor(memory: Memory, rows: number) {
    this.#memory = memory;
    this.high = memory.int32(rows);
    this.low = memory.int32(rows);
    this.shared = memory.isShared ? new IdBytes(memory, rows) : undefined;
    this.#slots = new Int32Array(rows * SLOTS_A_ROW);
  }

  /** The row of an id. */
  rowOf(id: string): number | undefined {
    const { low } = fnv64(id);
    const at = this.#find(this.#slots, id, low);
    if (at >= 0) return (this.#slots[at] as number) - 1;
    if (this.#old === undefined) return undefined;
    const before = this.#find(this.#old, id, low);
    return before < 0 ? undefined : (this.#old[before] as number) - 1;
  }

  /** Old slots that are still to be moved. */
  get unmoved(): number {
    return this.#old === undefined ? 0 : this.#old.length - this.#moved;
  }

  /** Gives a row to an id that has none. */
  put(id: string, row: number): void {
    const { high, low } = fnv64(id);
    this.ids[row] = id;
    this.high[row] = high;
    this.low[row] = low;
    this.shared?.put(row, id);
    if (this.#full >= this.#slots.length * MOST_FULL) this.#layOut(this.#slots.length);
    this.#place(row);
    this.#move(MOVED_AT_ONCE);
  }

  /** Takes the row from its id. */
  remove(row: number): void {
    const [id, low] = [this.ids[row] as string, this.low[row] as number];
    for (const slots of this.#old === undefined ? [this.#slots] : [this.#slots, this.#old]) {
      const at = this.#find(slots, id, low);
      if (at >= 0) slots[at] = GONE;
    }
    this.ids[row] = "";
    this.shared?.remove(row);
  }

  /** Makes room for as many rows, a power of two. */
  grow(rows: number): void {
    this.high = copied(this.high, this.#memory.int32(rows));
    this.low = copied(this.low, this.#memory.int32(rows));
    this.shared?.grow(rows);
    this.#layOut(rows * SLOTS_A_ROW);
  }

  #find(slots: Int32Array, id: string, low: number): number {
    const mask = slots.length - 1;
    for (let at = low & mask; ; at = (at + 1) & mask) {
      const slot = slots[at] as number;
      if (slot === EMPTY) return -1;
      if (slot !== GONE && this.low[slot - 1] === low && this.ids[slot - 1] === id) return at;
    }
  }

  #place(row: number): void {
    const mask = this.#slots.length - 1;
    let at = (this.low[row] as number) & mask;
    while (this.#slots[at] !== EMPTY) at = (at + 1) & mask;
    this.#slots[at] = row + 1;
    this.#full++;
  }

  #layOut(slots: number): void {
    this.#move(this.unmoved);
    this.#old = this.#slots;
    this.#moved = 0;
    this.#slots = new Int32Array(slots);
    this.#full = 0;
  }

  #move(count: number): void {
    const old = this.#old;
    if (old === undefined) return;
    const end = Math.min(this.#moved + count, old.length);
    for (let at = this.#moved; at < end; at++) {
      const slot = old[at] as number;
      if (slot !== EMPTY && slot !== GONE) this.#place(slot - 1);
    }
    this.#moved = end;
    if (end === old.length) this.#old = undefined;
  }
}

/** The order of equals: by id, ascending. */
export const byId = (ids: readonly string[], a: number, b: number): number =>
  (ids[a] as string) < (ids[b] as string) ? -1 : 1;
