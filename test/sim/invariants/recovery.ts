/** What was killed is back soon. */
import type { Invariant } from "./invariant.ts";

/** C59: a crashed process runs again within this time, p99. */
export const RECOVERY_MS = 500;
const QUANTILE = 0.99;

/** Virtual time between a kill and the next incarnation, unless something explains a longer one. */
export const recovery: Invariant = {
  name: "recovery",
  claim: `p99 of the time from a kill to the next incarnation is at most ${RECOVERY_MS} ms, unless backoff, a fallen supervisor or a reload explains more`,
  judge: ({ recoveries, last }) => {
    const counted = recoveries
      .filter(({ excuse }) => excuse === undefined)
      .map((one) => ({ ...one, tookMs: (one.backAtMs ?? last.atMs) - one.diedAtMs }))
      .sort((a, b) => a.tookMs - b.tookMs);
    const p99 = counted[Math.ceil(counted.length * QUANTILE) - 1];
    if (p99 === undefined || p99.tookMs <= RECOVERY_MS) return [];
    const { process, cause, diedAtMs, tookMs, backAtMs } = p99;
    const end = backAtMs === undefined ? "is not back" : `was back after ${tookMs} ms`;
    return [`${process} died at ${diedAtMs} (${cause}) and ${end}`];
  },
};
