/** What a provider's link does to the world; the process that runs it says how. */
import type { RaceEvent } from "../race/settled-race.ts";
import type { LogRun } from "./log-run.ts";
import type { Notice } from "./upstream-talk.ts";
import type { Socket } from "./socket.ts";

/** The outside of a link. */
export interface LinkPorts {
  /** Monotonic, ms. */
  readonly now: () => number;
  /** Wall clock, ms. */
  readonly wallNow: () => number;
  /** Opens a socket; what it says comes back as `FromSocket` with this number. */
  readonly open: (socket: number) => Socket;
  /** Starts or restarts the timer of this key. */
  readonly startTimer: (key: string, delayMs: number) => void;
  readonly cancelTimer: (key: string) => void;
  readonly emit: (event: string, fields: Readonly<Record<string, unknown>>) => void;
  /** To the race; `seq` counts the events of this link from 1: a hole means that some were dropped. */
  readonly handOn: (event: RaceEvent, notice: Notice, seq: number) => void;
  /** The same for logs that came together; `seq` is the number of the first. */
  readonly handOnLogs: (run: LogRun, seq: number) => void;
  /** An upstream subscription went live or ended; `seq` counts the events so far. */
  readonly streamChanged: (event: RaceEvent, isLive: boolean, seq: number) => void;
  /** Up and verified. */
  readonly cameUp: () => void;
  /** Whoever knows what the chain's clients need is to say so. */
  readonly askDemand: () => void;
  readonly wentDown: (reason: string) => void;
  readonly wrongChain: (seen: number) => void;
  /** No heads are pushed any more. */
  readonly headsStopped: () => void;
  /** The figures of `stats` have changed. */
  readonly publish: () => void;
}
