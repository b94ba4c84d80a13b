/** A figure as an answer shows it, or null where there is none. */
export const rounded = (value: number | undefined, digits: number): number | null =>
  value === undefined || !Number.isFinite(value) ? null : Number(value.toFixed(digits));
