/**
 * One child as its supervisor keeps it between starts.
 */
import type { Process } from "../process/process.ts";
import type { Reason } from "../reason.ts";
import type { TimerEntry } from "../time/wheel.ts";
import type { ChildSpec } from "./spec.ts";

/** Backoff of one child. */
interface Delay {
  /** Consecutive quick deaths. */
  attempt: number;
  startedAtMs: number;
  timer: TimerEntry | undefined;
}

/** Record of one child. */
export class Child {
  spec: ChildSpec;
  process: Process | undefined = undefined;
  /** Its restart failed or waits for a delay; `lastPid` names the dead process. */
  isRestarting = false;
  /** Id of its last process, 0 when there was none. */
  lastId = 0;
  lastExit: Reason | undefined = undefined;
  /** Times it was started again after a death. */
  restarts = 0;
  /** Only for children with backoff, and while a delay of theirs runs. */
  delay: Delay | undefined = undefined;

  constructor(spec: ChildSpec) {
    this.spec = spec;
  }

  get timer(): TimerEntry | undefined {
    return this.delay?.timer;
  }

  set timer(timer: TimerEntry | undefined) {
    this.backoff.timer = timer;
  }

  get backoff(): Delay {
    this.delay ??= { attempt: 0, startedAtMs: 0, timer: undefined };
    return this.delay;
  }

  get lastPid(): string | undefined {
    return this.lastId === 0 ? undefined : `#${this.lastId}`;
  }

  /** How reports name it while its restart is retried. */
  get restartingPid(): string | undefined {
    return this.lastId === 0 ? undefined : `restarting:#${this.lastId}`;
  }
}

/** A child that its template may be asked about again: temporary ones never start again. */
export class TemplateChild extends Child {
  readonly args: unknown;

  constructor(spec: ChildSpec, args: unknown) {
    super(spec);
    this.args = args;
  }
}
