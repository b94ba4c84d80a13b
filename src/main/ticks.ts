/**
 * Turns the gateway's clock: every 5 ms while something is under way, four times a second while nothing
 * is. Two hundred wake-ups a second for nothing were a quarter of what an idle gateway costs.
 */
import { TICK_MS } from "../rpc/proxy/attempt/stall-rule.ts";

/** What has a clock to be turned. */
export interface Ticking {
  tick(): void;
  /** Nothing is under way. */
  readonly isResting: boolean;
  /** `wake` is called when something is under way again. */
  onWake(wake: () => void): void;
}

/** Time between two ticks of one that rests. */
const REST_MS = 250;
/** Ticks without anything under way before it rests: calls that follow one another wake nobody. */
const IDLE_TICKS = 4;

/** Calls something again and again; answers how to end that. */
type Every = (ms: number, run: () => void) => () => void;

const hostEvery: Every = (ms, run) => {
  const timer = setInterval(run, ms);
  return () => clearInterval(timer);
};

/** Starts the ticks; answers how to end them. */
export function startTicks(gateway: Ticking, every: Every = hostEvery): () => void {
  let idle = 0;
  let endQuick: (() => void) | undefined;
  const wake = (): void => {
    endQuick ??= every(TICK_MS, tick);
  };
  const rest = (): void => {
    endQuick?.();
    endQuick = undefined;
  };
  const tick = (): void => {
    gateway.tick();
    idle = gateway.isResting ? idle + 1 : 0;
    if (idle === 0) wake();
    else if (idle >= IDLE_TICKS) rest();
  };
  gateway.onWake(wake);
  const endSlow = every(REST_MS, tick);
  return () => {
    gateway.onWake(() => undefined);
    rest();
    endSlow();
  };
}
