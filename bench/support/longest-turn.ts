/** How long the loop is held at most while something goes on. */
import { monitorEventLoopDelay } from "node:perf_hooks";

/** The longest turn. */
export interface LongestTurn {
  /** As others have to wait for it, ms. */
  readonly wallMs: number;
  /** What this thread computed in it, ms: on a busy machine a core is taken amid a turn. */
  readonly cpuMs: number;
  /** Time that the whole took, s. */
  readonly seconds: number;
}

const RESOLUTION_MS = 1;

/** Runs something and watches the loop: by a timer, and turn by turn by the time of this thread. */
export async function longestTurn(run: () => unknown): Promise<LongestTurn> {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const watch = { isOn: true, lastUs: threadUs(), longestUs: 0 };
  const look = (): void => {
    const nowUs = threadUs();
    watch.longestUs = Math.max(watch.longestUs, nowUs - watch.lastUs);
    watch.lastUs = nowUs;
    if (watch.isOn) setImmediate(look);
  };
  setImmediate(look);
  delays.enable();
  await nextTurns();
  delays.reset();
  watch.longestUs = 0;
  const startMs = performance.now();
  await run();
  const seconds = (performance.now() - startMs) / 1_000;
  await nextTurns();
  delays.disable();
  watch.isOn = false;
  return { wallMs: delays.max / 1e6, cpuMs: watch.longestUs / 1_000, seconds };
}

/** A few turns, and time for the timer to notice. */
const nextTurns = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 5 * RESOLUTION_MS);
  });

const threadUs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return user + system;
};
