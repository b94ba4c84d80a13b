/**
 * The one timeout of the host that drives the timers of a node on real time.
 */
import { clearTimeout as clearHostTimeout, setTimeout as hostTimeout } from "node:timers";
import type { Kernel } from "../process/kernel.ts";
import { runOutside } from "../process/scope.ts";
import type { Clock } from "./clock.ts";

/** Beyond it setTimeout fires at once. */
const MAX_TIMEOUT_MS = 2_147_483_647;

/** One real timeout, armed for the wheel's next tick. */
export class HostTimer {
  kernel: Kernel | undefined = undefined;
  private readonly clock: Clock;
  private handle: ReturnType<typeof hostTimeout> | undefined = undefined;
  private anchor: ReturnType<typeof setInterval> | undefined = undefined;
  private isHeld = false;
  private armedForMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** While a tree runs the host stays up; afterwards leftover deadlines must not hold it. */
  hold(isHeld: boolean): void {
    this.isHeld = isHeld;
    if (this.anchor !== undefined) clearInterval(this.anchor);
    this.anchor = isHeld ? setInterval(() => {}, MAX_TIMEOUT_MS) : undefined;
    if (!isHeld) this.handle?.unref();
  }

  timerStarted(deadlineMs: number): void {
    if (deadlineMs < this.armedForMs) this.arm();
  }

  private arm(): void {
    const wheel = this.kernel?.wheel;
    const nextMs = wheel?.nextTickMs();
    if (nextMs === undefined || nextMs >= this.armedForMs) return;
    if (this.handle !== undefined) clearHostTimeout(this.handle);
    this.armedForMs = nextMs;
    // Further away than a timeout can be: wake earlier and look again.
    const delayMs = Math.min(Math.max(0, nextMs - this.clock.monotonicMs()), MAX_TIMEOUT_MS);
    this.handle = runOutside(() => hostTimeout(this.fire, Math.ceil(delayMs)));
    if (!this.isHeld) this.handle.unref();
  }

  private readonly fire = (): void => {
    this.handle = undefined;
    this.armedForMs = Number.POSITIVE_INFINITY;
    this.kernel?.wheel.advance(this.clock.monotonicMs());
    this.arm();
  };
}
