/** Numbers by row. They grow in place, so that whoever holds a column never holds an old one. */
import { copied } from "./copied.ts";
import type { Memory } from "./memory.ts";

/** One number of each row; NaN where it is unknown. */
export class Column {
  readonly name: string;
  /** Facts make a new version of the market when they change, signals do not. */
  readonly isFact: boolean;
  values: Float64Array;
  readonly #memory: Memory;

  constructor(name: string, isFact: boolean, memory: Memory, rows: number) {
    this.name = name;
    this.isFact = isFact;
    this.#memory = memory;
    this.values = memory.float64(rows).fill(Number.NaN);
  }

  /** Makes room for as many rows. */
  grow(rows: number): void {
    this.values = copied(this.values, this.#memory.float64(rows).fill(Number.NaN));
  }
}

/**
 * Exact stakes: the nearest double, and what it is off by, which is a double too below 2^106. The
 * second array is there only once a stake beyond 2^53 has come.
 */
export class StakeColumn {
  high: Float64Array;
  readonly #memory: Memory;
  #low: Float64Array | undefined;

  constructor(memory: Memory, rows: number) {
    this.#memory = memory;
    this.high = memory.float64(rows);
  }

  /** Stakes that are there already. */
  static over(memory: Memory, high: Float64Array, low: Float64Array | undefined): StakeColumn {
    const column = new StakeColumn(memory, 0);
    column.high = high;
    column.#low = low;
    return column;
  }

  /** What the nearest doubles are off by; absent while none is. */
  get low(): Float64Array | undefined {
    return this.#low;
  }

  /** Makes room for as many rows. */
  grow(rows: number): void {
    this.high = copied(this.high, this.#memory.float64(rows));
    if (this.#low !== undefined) this.#low = copied(this.#low, this.#memory.float64(rows));
  }

  /** Keeps a stake; false when it is as before. */
  put(row: number, stake: bigint): boolean {
    const { high, low } = split(stake);
    const oldLow = this.#low?.[row] ?? 0;
    if (this.high[row] === high && oldLow === low) return false;
    this.high[row] = high;
    if (low !== 0) this.#low ??= this.#memory.float64(this.high.length);
    if (this.#low !== undefined) this.#low[row] = low;
    return true;
  }

  /** The exact stake. */
  at(row: number): bigint {
    return BigInt(this.high[row] as number) + BigInt(this.#low?.[row] ?? 0);
  }

  /** A test whether a row has at least `least`, exactly. */
  atLeast(least: bigint): (row: number) => boolean {
    const { high, low } = split(least);
    return (row) => {
      const have = this.high[row] as number;
      return have === high ? (this.#low?.[row] ?? 0) >= low : have > high;
    };
  }
}

/** Rounding keeps order, so pairs compare as the numbers do: by the first, then by the second. */
const split = (stake: bigint): { high: number; low: number } => {
  const high = Number(stake);
  return { high, low: Number(stake - BigInt(high)) };
};
