/** Reads how long a provider asks us to stay away. */

/** Longest wait that a provider may impose. */
const MAX_RETRY_AFTER_MS = 10 * 60_000;

/** Milliseconds of a Retry-After header in seconds; dates are not read, since wall clocks differ. */
export function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined || !/^\s*\d+(\.\d+)?\s*$/.test(header)) return undefined;
  return Math.min(Number(header) * 1000, MAX_RETRY_AFTER_MS);
}
