/** How long a process was kept from running: what a busy machine adds to any latency. */
import { readdirSync, readFileSync } from "node:fs";

/** Time that the threads of a process were runnable but had no core, ns. */
export function waitedNs(pid: number): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[1]);
    } catch {
      // a thread that ended meanwhile
    }
  }
  return sum;
}

/** Above this share of the time a latency says more about the machine than about the lane. */
export const MAX_WAITED_SHARE = 0.03;
