/**
 * A bounded table of raw rows in typed columns: the last day of one kind of record.
 *
 * 17 bytes a row; it grows by doubling up to its limit and then drops the oldest row for each new
 * one, so writers are never stopped, not even by the hourly prune.
 */

/** One row as columns hold it; codes are dictionary positions of the table's owner. */
export interface RowCodes {
  /** Its number: rows are counted from 1, and one that left takes its number along. */
  readonly seq: number;
  readonly atMs: number;
  readonly provider: number;
  readonly kind: number;
  readonly result: number;
  readonly value: number;
}

interface Columns {
  readonly atMs: Float64Array;
  readonly provider: Uint16Array;
  readonly kind: Uint16Array;
  readonly result: Uint8Array;
  readonly value: Float32Array;
}

const firstCapacity = 1_024;

const columns = (capacity: number): Columns => ({
  atMs: new Float64Array(capacity),
  provider: new Uint16Array(capacity),
  kind: new Uint16Array(capacity),
  result: new Uint8Array(capacity),
  value: new Float32Array(capacity),
});

/** Rows in order of insertion, oldest first, at most `maxRows`. */
export class RowTable {
  readonly maxRows: number;
  #columns: Columns;
  #capacity: number;
  #oldest = 0;
  #size = 0;
  #overflowed = 0;
  #lastSeq = 0;

  constructor(maxRows: number) {
    this.maxRows = Math.max(1, maxRows);
    this.#capacity = Math.min(firstCapacity, this.maxRows);
    this.#columns = columns(this.#capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** Number of the newest row; 0 before the first one. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Number of the oldest row that is kept; one past the newest when there is none. */
  get firstSeq(): number {
    return this.#lastSeq - this.#size + 1;
  }

  /** Bytes of the columns now. */
  get sizeBytes(): number {
    return this.#capacity * 17;
  }

  /** Rows dropped for want of room since the last call. */
  takeOverflow(): number {
    const count = this.#overflowed;
    this.#overflowed = 0;
    return count;
  }

  append(atMs: number, provider: number, kind: number, result: number, value: number): void {
    if (this.#size === this.#capacity) {
      if (this.#capacity < this.maxRows) this.#grow();
      else {
        this.#oldest = this.#oldest + 1 === this.#capacity ? 0 : this.#oldest + 1;
        this.#size--;
        this.#overflowed++;
      }
    }
    let at = this.#oldest + this.#size;
    if (at >= this.#capacity) at -= this.#capacity;
    const {
      atMs: times,
      provider: providers,
      kind: kinds,
      result: results,
      value: values,
    } = this.#columns;
    times[at] = atMs;
    providers[at] = provider;
    kinds[at] = kind;
    results[at] = result;
    values[at] = value;
    this.#size++;
    this.#lastSeq++;
  }

  /** The row at `index`, 0 being the oldest. */
  at(index: number): RowCodes {
    const at = (this.#oldest + index) % this.#capacity;
    return {
      seq: this.firstSeq + index,
      atMs: this.#columns.atMs[at] as number,
      provider: this.#columns.provider[at] as number,
      kind: this.#columns.kind[at] as number,
      result: this.#columns.result[at] as number,
      value: this.#columns.value[at] as number,
    };
  }

  /** The oldest `limit` rows that `isWanted` among those after number `seq`, oldest first. */
  after(seq: number, limit: number, isWanted: (row: RowCodes) => boolean): RowCodes[] {
    const rows: RowCodes[] = [];
    const from = Math.max(0, seq + 1 - this.firstSeq);
    for (let i = from; i < this.#size && rows.length < limit; i++) {
      const row = this.at(i);
      if (isWanted(row)) rows.push(row);
    }
    return rows;
  }

  /** The newest `limit` rows that `isWanted`, oldest first. */
  newest(limit: number, isWanted: (row: RowCodes) => boolean): RowCodes[] {
    const rows: RowCodes[] = [];
    for (let i = this.#size - 1; i >= 0 && rows.length < limit; i--) {
      const row = this.at(i);
      if (isWanted(row)) rows.push(row);
    }
    return rows.reverse();
  }

  /** Drops the rows before `beforeMs`; returns how many. */
  prune(beforeMs: number): number {
    let dropped = 0;
    while (this.#size > 0 && (this.#columns.atMs[this.#oldest] as number) < beforeMs) {
      this.#oldest = this.#oldest + 1 === this.#capacity ? 0 : this.#oldest + 1;
      this.#size--;
      dropped++;
    }
    return dropped;
  }

  /** One value of each row after number `seq`, oldest first, read without making rows. */
  columns<T>(seq: number, pick: (row: Readonly<Columns>, at: number) => T): T[] {
    const picked: T[] = [];
    this.visit(seq, (columns, at) => void picked.push(pick(columns, at)));
    return picked;
  }

  /** Visits each row after number `seq`, oldest first, without making rows. */
  visit(seq: number, visit: (row: Readonly<Columns>, at: number) => void): void {
    for (let i = Math.max(0, seq + 1 - this.firstSeq); i < this.#size; i++) {
      visit(this.#columns, (this.#oldest + i) % this.#capacity);
    }
  }

  /** Puts other rows in the place of all, the first of them with number `firstSeq`. */
  replace(rows: Iterable<Omit<RowCodes, "seq">>, firstSeq: number): void {
    this.#oldest = 0;
    this.#size = 0;
    this.#lastSeq = firstSeq - 1;
    for (const row of rows) {
      this.append(row.atMs, row.provider, row.kind, row.result, row.value);
    }
  }

  #grow(): void {
    const rows = Array.from({ length: this.#size }, (_, i) => this.at(i));
    this.#capacity = Math.min(this.#capacity * 2, this.maxRows);
    this.#columns = columns(this.#capacity);
    this.replace(rows, this.firstSeq);
  }
}
