/** How long a lane was kept from running: what a busy machine adds to any latency. */
import { readFileSync } from "node:fs";

/** Time that the main thread of a process was runnable but had no core, ns. */
export function waitedNs(pid: number): number {
  const [, waited] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ");
  return Number(waited);
}

/** Above this share of the time a latency says more about the machine than about the lane. */
export const MAX_WAITED_SHARE = 0.03;
