/** Numbers by row. They grow in place, so that whoever holds a column never holds an old one. */
import { copied } from "./copied.ts";

/** One number of each row; NaN where it is unknown. */
export class Column {
  readonly name: string;
  /** Facts make a new version of the market when they change, signals do not. */
  readonly isFact: boolean;
  values: Float64Array;

  constructor(name: string, isFact: boolean, rows: number) {
    this.name = name;
    this.isFact = isFact;
    this.values = new Float64Array(rows).fill(Number.NaN);
  }

  /** Makes room for as many rows. */
  grow(rows: number): void {
    this.values = copied(this.values, new Float64Array(rows).fill(Number.NaN));
  }
}

/**
 * Exact stakes: the nearest double, and what it is off by, which is a double too below 2^106. The
 * second array is there only once a stake beyond 2^53 has come.
 */
export class StakeColumn {
  high: Float64Array;
  #low: Float64Array | undefined;

  constructor(rows: number) {
    this.high = new Float64Array(rows);
  }

  /** Makes room for as many rows. */
  grow(rows: number): void {
    this.high = copied(this.high, new Float64Array(rows));
    if (this.#low !== undefined) this.#low = copied(this.#low, new Float64Array(rows));
  }

  /** Keeps a stake; false when it is as before. */
  put(row: number, stake: bigint): boolean {
    const { high, low } = split(stake);
    const oldLow = this.#low?.[row] ?? 0;
    if (this.high[row] === high && oldLow === low) return false;
    this.high[row] = high;
    if (low !== 0) this.#low ??= new Float64Array(this.high.length);
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
