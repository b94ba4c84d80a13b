/** How long the loop is held at most while something goes on. */
import { openSync, readSync } from "node:fs";

/** The longest turn. */
export interface LongestTurn {
  /**
   * How long the loop was held in it, ms: its whole length, collections of garbage and waits for their
   * threads with it, but for the time that other programs kept this thread from a core.
   */
  readonly heldMs: number;
  /** As others have to wait for it on this machine now, ms. */
  readonly wallMs: number;
  /** Time that the whole took, s. */
  readonly seconds: number;
}

/** Runs something and watches every turn of the loop. */
export async function longestTurn(run: () => unknown): Promise<LongestTurn> {
  const watch = { isOn: true, lastMs: 0, lastWaitedMs: 0, wallMs: 0, heldMs: 0 };
  const look = (): void => {
    const nowMs = performance.now();
    const waitedMs = waitedForCoreMs();
    const wallMs = nowMs - watch.lastMs;
    watch.wallMs = Math.max(watch.wallMs, wallMs);
    watch.heldMs = Math.max(watch.heldMs, wallMs - (waitedMs - watch.lastWaitedMs));
    watch.lastMs = nowMs;
    watch.lastWaitedMs = waitedMs;
    if (watch.isOn) setImmediate(look);
  };
  setImmediate(look);
  await nextTurns();
  watch.wallMs = watch.heldMs = 0;
  const startMs = performance.now();
  await run();
  const seconds = (performance.now() - startMs) / 1_000;
  await nextTurns();
  watch.isOn = false;
  return { heldMs: watch.heldMs, wallMs: watch.wallMs, seconds };
}

/** Some turns before and after, so that the first and the last one are seen as well. */
const nextTurns = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 5);
  });

/** Where Linux tells how long a thread computed, and how long it waited for a core, ns. */
const schedule = openedSchedule();
const text = Buffer.alloc(128);

function openedSchedule(): number | undefined {
  try {
    return openSync(`/proc/self/task/${process.pid}/schedstat`, "r");
  } catch {
    return undefined;
  }
}

/** What this program's first thread has waited for a core so far, ms; 0 where nobody tells. */
function waitedForCoreMs(): number {
  if (schedule === undefined) return 0;
  const length = readSync(schedule, text, 0, text.length, 0);
  return Number(text.toString("latin1", 0, length).split(" ")[1]) / 1e6;
}
