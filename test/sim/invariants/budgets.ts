/** No supervisor restarts more than it may, and none gives up before it has to. */
import type { RestartRecord } from "../world/record.ts";
import { wrong, type Invariant } from "./invariant.ts";

/** Every supervisor of the product has this window, in whole seconds as OTP counts them. */
const PERIOD_SEC = 10;

const secondOf = (atMs: number): number => Math.floor(atMs / 1_000);

/** Restarts of one supervisor that lie in the window which ends at a time. */
const inWindow = (restarts: readonly RestartRecord[], atMs: number): number => {
  const now = secondOf(atMs);
  return restarts.filter((one) => {
    const at = secondOf(one.atMs);
    return at <= now && at >= now - PERIOD_SEC;
  }).length;
};

/** The window counted anew from what happened, against what the supervisors counted and did. */
export const budgets: Invariant = {
  name: "budgets",
  claim:
    "no supervisor restarts more than its intensity; one that gives up had used it up and ends",
  judge: ({ restarts, giveUps, exits }) => {
    const before = new Map<string, RestartRecord[]>();
    const counted = wrong(restarts, (restart) => {
      const { pid, supervisor, atMs, intensity } = restart;
      const own = before.get(pid) ?? [];
      own.push(restart);
      before.set(pid, own);
      const count = inWindow(own, atMs);
      if (count !== restart.inWindow) {
        return `${supervisor} counted ${restart.inWindow} restarts at ${atMs}, there were ${count}`;
      }
      return count > intensity ? `${supervisor} restarted ${count} of ${intensity}` : undefined;
    });
    const gaveUp = wrong(giveUps, ({ pid, supervisor, atMs }) => {
      const own = before.get(pid) ?? [];
      const intensity = own.at(-1)?.intensity ?? 0;
      const count = inWindow(own, atMs);
      if (count < intensity) {
        return `${supervisor} gave up at ${atMs} after ${count} restarts of ${intensity}`;
      }
      const reason = exits.get(pid);
      // Somebody may kill it while it stops its children.
      return reason === "shutdown" || reason === "killed"
        ? undefined
        : `${supervisor} gave up at ${atMs} and ended with ${reason ?? "nothing"}`;
    });
    return [...counted, ...gaveUp];
  },
};
