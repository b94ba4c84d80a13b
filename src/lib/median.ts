/** The middle of some numbers (mean of the two middle ones), `undefined` without any. */
export const median = (values: readonly number[]): number | undefined => {
  const sorted = new Float64Array(values).sort();
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2;
};
