/** Time for queues without a process. */
import type { After } from "../../src/pairing/origin/policy-queue.ts";

/** A clock for waits that a test turns. */
export function handClock(): {
  readonly after: After;
  readonly advance: (ms: number) => void;
  left: () => number;
} {
  const due = new Map<number, { readonly atMs: number; readonly run: () => void }>();
  let [nowMs, id] = [0, 0];
  return {
    after: (delayMs, run) => {
      const own = ++id;
      due.set(own, { atMs: nowMs + delayMs, run });
      return () => void due.delete(own);
    },
    advance: (ms) => {
      nowMs += ms;
      for (const [own, { atMs, run }] of due) if (atMs <= nowMs && due.delete(own)) run();
    },
    left: () => due.size,
  };
}
