/** The orderly end of the host: out of rotation, nothing new, finish what runs, stop the tree. */
import type { DrainConfig } from "../../config/schema.ts";

/** What draining needs of the host. */
export interface Drainable {
  readonly config: () => DrainConfig;
  /** From now on `/readyz` says 503. */
  readonly leaveRotation: () => void;
  /** Takes no new connection or request, closes WebSockets spread over `spreadMs`, waits for the rest. */
  readonly finish: (timeoutMs: number, spreadMs: number) => Promise<void>;
  /** Requests that are still under way. */
  readonly inFlight: () => number;
  /** Stops the tree in reverse order. */
  readonly stopTree: (timeoutMs: number) => Promise<void>;
  readonly progress: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Exit code when everything was finished in time. */
export const exitDone = 0;
/** Exit code when the deadline passed with work left. */
export const exitDeadline = 3;

/** Least time for stopping the tree, even when the requests have used up the rest, ms. */
const leastStopMs = 2_000;

/** Drains and stops; resolves with the exit code. */
export const drain = async (host: Drainable): Promise<number> => {
  const { preDelayMs, closeSpreadMs, timeoutMs } = host.config();
  host.leaveRotation();
  host.progress("draining", { in_flight: host.inFlight(), pre_delay_ms: preDelayMs });
  if (preDelayMs > 0) await host.sleep(preDelayMs);
  const deadlineMs = host.now() + timeoutMs;
  await host.finish(timeoutMs, Math.min(closeSpreadMs, timeoutMs / 2));
  const left = host.inFlight();
  await host.stopTree(Math.max(leastStopMs, deadlineMs - host.now()));
  host.progress("stopped", { requests_left: left });
  return left === 0 ? exitDone : exitDeadline;
};
