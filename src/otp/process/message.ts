/**
 * What lies in a mailbox. One envelope shape for everything keeps the run loop monomorphic.
 */
import type { Reason } from "../reason.ts";
import type { PendingCall } from "./calls.ts";
import type { Process } from "./process.ts";

/** Kinds of envelopes; user kinds (subject to the mailbox bound) come first. */
export const Kind = {
  cast: 0,
  call: 1,
  info: 2,
  exit: 3,
  down: 4,
  timer: 5,
  task: 6,
  continue: 7,
  idle: 8,
  internal: 9,
  admin: 10,
  sys: 11,
} as const;

/** Numeric kind of an envelope. */
export type KindOf = (typeof Kind)[keyof typeof Kind];

/** One message: `type` and `arg` are what the sender wrote, `origin` is who waits or who died. */
export class Envelope {
  readonly kind: KindOf;
  readonly type: string;
  readonly arg: unknown;
  readonly origin: PendingCall | Process | undefined;

  constructor(kind: KindOf, type: string, arg: unknown, origin: PendingCall | Process | undefined) {
    this.kind = kind;
    this.type = type;
    this.arg = arg;
    this.origin = origin;
  }
}

/** Handle of one monitor; the same object comes back in the `down` message. */
export interface Monitor {
  readonly id: number;
  readonly target: string;
}

/** Outcome of a task. */
export type TaskResult<V = unknown> =
  | { readonly ok: true; readonly value: V }
  | { readonly ok: false; readonly reason: Reason };

/** Messages that are neither calls nor casts. */
export type Info =
  | { readonly type: "exit"; readonly from: string; readonly reason: Reason }
  | { readonly type: "down"; readonly monitor: Monitor; readonly reason: Reason }
  | { readonly type: "timer"; readonly key: string; readonly payload: unknown }
  | { readonly type: "task"; readonly key: string; readonly result: TaskResult }
  | { readonly type: "continue"; readonly payload: unknown }
  | { readonly type: "idle" }
  | { readonly type: "info"; readonly payload: unknown };
