/** The middle of some numbers, and numbers in order. */

/** The middle of some numbers (mean of the two middle ones), `undefined` without any. */
export const median = (values: readonly number[]): number | undefined => {
  const sorted = ascending(values);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2;
};

/** The numbers in ascending order, NaN last; good until the next call of this or of `median`. */
export const ascending = (values: readonly number[]): Float64Array => {
  // To allocate a typed array costs as much as to sort a few dozen numbers in it.
  if (room.length < values.length) room = new Float64Array(values.length * 2);
  for (let i = 0; i < values.length; i++) room[i] = values[i] as number;
  return room.subarray(0, values.length).sort();
};

let room = new Float64Array(128);
