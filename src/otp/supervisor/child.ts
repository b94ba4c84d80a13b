/**
 * One child as its supervisor keeps it between starts.
 */
import type { Process } from "../process/process.ts";
import type { Reason } from "../reason.ts";
import type { TimerEntry } from "../time/wheel.ts";
import type { ChildSpec } from "./spec.ts";

/** Record of one child. */
export class Child {
  readonly spec: ChildSpec;
  process: Process | undefined = undefined;
  /** Its restart failed or waits for a delay; `lastPid` names the dead process. */
  isRestarting = false;
  lastPid: string | undefined = undefined;
  lastExit: Reason | undefined = undefined;
  /** Times it was started again after a death. */
  restarts = 0;
  /** Consecutive quick deaths, for backoff. */
  attempt = 0;
  startedAtMs = 0;
  timer: TimerEntry | undefined = undefined;

  constructor(spec: ChildSpec) {
    this.spec = spec;
  }
}
