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
  /** What the thread computed in the turn that computed most, ms. */
  readonly cpuMs: number;
  /** Time that the whole took, s. */
  readonly seconds: number;
}

/** Runs something and watches every turn of the loop. */
export async function longestTurn(run: () => unknown): Promise<LongestTurn> {
  const longest = { heldMs: 0, wallMs: 0, cpuMs: 0 };
  let isOn = true;
  let last = spent();
  const look = (): void => {
    const now = spent();
    const wallMs = now.wallMs - last.wallMs;
    longest.wallMs = Math.max(longest.wallMs, wallMs);
    longest.cpuMs = Math.max(longest.cpuMs, now.cpuMs - last.cpuMs);
    longest.heldMs = Math.max(longest.heldMs, wallMs - (now.waitedMs - last.waitedMs));
    last = now;
    if (isOn) setImmediate(look);
  };
  setImmediate(look);
  await nextTurns();
  Object.assign(longest, { heldMs: 0, wallMs: 0, cpuMs: 0 });
  const startMs = performance.now();
  await run();
  const seconds = (performance.now() - startMs) / 1_000;
  await nextTurns();
  isOn = false;
  return { ...longest, seconds };
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

/** Time so far: as it passes, and what of it the first thread computed, or waited for a core, ms. */
function spent(): { readonly wallMs: number; readonly cpuMs: number; readonly waitedMs: number } {
  const wallMs = performance.now();
  if (schedule === undefined) {
    const { user, system } = process.threadCpuUsage();
    return { wallMs, cpuMs: (user + system) / 1_000, waitedMs: 0 };
  }
  const length = readSync(schedule, text, 0, text.length, 0);
  const [cpuNs, waitedNs] = text.toString("latin1", 0, length).split(" ");
  return { wallMs, cpuMs: Number(cpuNs) / 1e6, waitedMs: Number(waitedNs) / 1e6 };
}
