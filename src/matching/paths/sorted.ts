/**
 * An order in several steps: columns and the score decide one after the other. Every survivor is looked
 * at and sorted, so it is for markets of tens to thousands of rows.
 */
import type { Binding } from "../binding.ts";
import { BY_SCORE } from "../demand.ts";
import { byId } from "../index/id-table.ts";
import { eachSurvivor } from "./scan.ts";

/** All survivors in the order of the demand. */
export function sortedRows(binding: Binding): number[] {
  const rows: number[] = [];
  eachSurvivor(binding, (row) => rows.push(row));
  const sums = rows.map((row) => binding.sumOf(row));
  return inOrder(binding, rows, sums).map((at) => rows[at] as number);
}

/** The positions in `rows`, whose raw sums are given, in the order of the demand. */
export function inOrder(
  binding: Binding,
  rows: readonly number[],
  sums: readonly number[],
): number[] {
  const { index, plan } = binding;
  const { ids } = index;
  const order = plan.demand.orderBy ?? [BY_SCORE];
  const stride = order.length;
  const keys = keysFor(rows.length * stride);
  let steps = 0;
  for (const key of order) {
    const values = key === BY_SCORE ? undefined : index.columns.get(key)?.values;
    // A column that the market lacks tells nobody apart.
    if (key !== BY_SCORE && values === undefined) continue;
    let isTelling = false;
    for (let at = 0; at < rows.length; at++) {
      // Negated, for larger sums come first.
      const value =
        values === undefined ? -(sums[at] as number) : (values[rows[at] as number] as number);
      keys[at * stride + steps] = value;
      if (!isTelling && !Object.is(value, keys[steps])) isTelling = true;
    }
    // What is the same for all need not be compared again and again.
    if (isTelling) steps++;
  }
  const compare = (a: number, b: number): number => {
    for (let step = 0; step < steps; step++) {
      const one = keys[a * stride + step] as number;
      const other = keys[b * stride + step] as number;
      if (one < other) return -1;
      if (one > other) return 1;
      // NaN is unknown, and behind all that is known.
      if (one !== other && Number.isNaN(one) !== Number.isNaN(other)) {
        return Number.isNaN(one) ? 1 : -1;
      }
    }
    return byId(ids, rows[a] as number, rows[b] as number);
  };
  const places = rows.map((_, at) => at);
  if (places.length > FEW_ROWS) places.sort(compare);
  else insertionSort(places, compare);
  spare.push(keys);
  return places;
}

/** So few are sorted here: the engine's sort calls the comparison from outside, this one has it inlined. */
const FEW_ROWS = 128;

/** Binary insertion; no two items may be equal. */
function insertionSort(items: number[], compare: (a: number, b: number) => number): void {
  for (let i = 1; i < items.length; i++) {
    const item = items[i] as number;
    if (compare(items[i - 1] as number, item) < 0) continue;
    let [low, high] = [0, i - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(items[middle] as number, item) < 0) low = middle + 1;
      else high = middle;
    }
    for (let at = i; at > low; at--) items[at] = items[at - 1] as number;
    items[low] = item;
  }
}

/** Keys that are not in use; a scorer may itself match, so one would not do. */
const spare: Float64Array[] = [];

/** At least so much room; what is in it is of an earlier order. */
const keysFor = (count: number): Float64Array => {
  const known = spare.pop();
  return known !== undefined && known.length >= count ? known : new Float64Array(count * 2);
};
