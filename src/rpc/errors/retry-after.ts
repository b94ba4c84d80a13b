/** Reads how long a provider asks us to stay away. */

/** Longest wait that a provider may impose. */
const MAX_RETRY_AFTER_MS = 10 * 60_000;

/** Ankr: `retry in 10s`, `retry in 10m0s`. */
const RETRY_IN = /retry in (?:(\d{1,4})m)?(\d{1,6})s/;
/** Infura, in the data: `"rate":{"backoff_seconds":30}`. */
const BACKOFF = /"backoff_seconds"\s*:\s*(\d{1,6}(?:\.\d{1,6})?)/;

/** The wait that the words of a rate limit ask for, where there is no header; ms. */
export function retryHintMs(message: string, data: string): number | undefined {
  const words = RETRY_IN.exec(message);
  const seconds =
    words === null
      ? Number(BACKOFF.exec(data)?.[1] ?? 0)
      : Number(words[1] ?? 0) * 60 + Number(words[2]);
  return seconds > 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : undefined;
}

/** Milliseconds of a Retry-After header in seconds; dates are not read, since wall clocks differ. */
export function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined || !/^\s*\d+(\.\d+)?\s*$/.test(header)) return undefined;
  return Math.min(Number(header) * 1000, MAX_RETRY_AFTER_MS);
}
