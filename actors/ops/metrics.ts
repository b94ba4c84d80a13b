/**
 * Counts telemetry for the metrics page and forgets the series of what no longer runs.
 *
 * Owns one telemetry attachment. Permanent; the counters belong to the host program, so a restart
 * loses only the events of the gap.
 */
import { defineActor, keyFor } from "../../src/otp/index.ts";

/** What the process needs from the host program. */
export interface MetricsArgs {
  /** Begins to count; the result ends it. */
  readonly attach: () => () => void;
  readonly prune: () => void;
}

const pruneMs = 60_000;

/** The metrics process. */
export const metrics = defineActor({
  name: "ops/metrics",
  init: (args: MetricsArgs, ctx) => {
    const detach = args.attach();
    ctx.signal.addEventListener("abort", detach, { once: true });
    ctx.every(pruneMs, "prune");
    return args;
  },
  on: (state, info) => {
    if (info.type === "timer") state.prune();
    return state;
  },
  formatState: () => ({ attached: true }),
});

/** Finds the metrics process. */
export const metricsKey = keyFor(metrics);
