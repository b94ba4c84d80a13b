/** One line of a benchmark's result. */
export interface Row {
  readonly bench: string;
  readonly case: string;
  readonly value: number;
  /** Best and worst round, where `value` is their median. */
  readonly best?: number;
  readonly worst?: number;
  readonly unit: string;
  /** The same figure of the lane it is compared with, from the same rounds. */
  readonly baseline?: number;
  /** value / baseline. */
  readonly ratio?: number;
  /** The bar in words, when there is one. */
  readonly bar?: string;
  readonly ok?: boolean;
}

/** Three significant digits, or all digits of large whole numbers. */
export function rounded(value: number): number {
  if (!Number.isFinite(value)) return 0;
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

/** Prints a row; a failed bar makes the exit code 1. */
export function report(row: Row): void {
  console.log(
    JSON.stringify({
      ...row,
      value: rounded(row.value),
      ...(row.baseline === undefined ? {} : { baseline: rounded(row.baseline) }),
      ...(row.ratio === undefined ? {} : { ratio: Number(row.ratio.toFixed(3)) }),
    }),
  );
  if (row.ok === false) process.exitCode = 1;
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/** The value below which the share `q` of all lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}
