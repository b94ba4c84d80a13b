/** Which items stand at some places of an order, without putting all of them in order. */

/** How two items compare, as for a sort. */
type Compare = (a: number, b: number) => number;

/**
 * Moves items so that the places from `from` up to `end` hold what a sort would put there: Hoare's
 * "Find" (CACM 4, 1961) for both ends, and a sort of what is between. Linear on the average.
 */
export function orderPlaces(items: Uint32Array, from: number, end: number, compare: Compare): void {
  if (from >= end) return;
  find(items, 0, items.length - 1, from, compare);
  find(items, from, items.length - 1, end - 1, compare);
  items.subarray(from, end).sort(compare);
}

/** Moves items of a stretch so that nothing after `place` comes before it, and nothing before after. */
function find(items: Uint32Array, first: number, last: number, place: number, compare: Compare) {
  let [low, high] = [first, last];
  while (low < high) {
    const pivot = medianOfThree(items, low, high, compare);
    let [left, right] = [low, high];
    while (left <= right) {
      while (compare(items[left] as number, pivot) < 0) left++;
      while (compare(items[right] as number, pivot) > 0) right--;
      if (left > right) break;
      const item = items[left] as number;
      items[left++] = items[right] as number;
      items[right--] = item;
    }
    if (place <= right) high = right;
    else if (place >= left) low = left;
    else return;
  }
}

function medianOfThree(items: Uint32Array, low: number, high: number, compare: Compare): number {
  const [a, b, c] = [low, (low + high) >>> 1, high].map((at) => items[at] as number) as [
    number,
    number,
    number,
  ];
  if (compare(a, b) < 0) return compare(b, c) < 0 ? b : compare(a, c) < 0 ? c : a;
  return compare(a, c) < 0 ? a : compare(b, c) < 0 ? c : b;
}
