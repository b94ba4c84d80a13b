/**
 * Seeds beyond those of the swarm that once failed, by what they showed. The rule behind each has a
 * test of its own; a case that no longer shows it (the table of faults has grown) may be dropped.
 */
import { describe, expect, it } from "vitest";
import { report, runSeed } from "./run.ts";

const CASES: readonly (readonly [seed: number, claim: string, sign: string])[] = [
  [2_023, "a provider that is removed while quarantined comes back usable", "provider.quarantined"],
  [
    6_340,
    "a provider removed while its pool crashed is asked again who it is when it is back",
    "provider.quarantined",
  ],
  [
    6_183,
    "subscribers are told when their table and the memory of their hub are lost at once",
    "records.lost",
  ],
  [
    20_328,
    "a chain whose start is told twice is served from the record its processes run on",
    "config.reload.stop",
  ],
  [30_409, "a full mailbox still takes the timers of its process", "otp.mailbox.high"],
  [3_293, "subscribers hear of new blocks soon after an outage of all providers", "subs.degraded"],
];

describe("seeds that once failed", () => {
  it.each(CASES)(
    "seed %i: %s",
    async (seed, _claim, sign) => {
      const outcome = await runSeed(seed);
      if (outcome.violation !== undefined) expect.fail(report(outcome));
      expect(outcome.tally[sign]).toBeGreaterThan(0);
    },
    60_000,
  );
});
