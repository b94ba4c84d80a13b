/**
 * What lies in a mailbox. One envelope shape for everything keeps the run loop monomorphic.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, type Info, supervisor } from "paceline/otp";
 *
 * const textOf = (info: Info): string => {
 *   switch (info.type) {
 *     case "timer":
 *       return `timer ${info.key}: ${String(info.payload)}`;
 *     case "task":
 *       return `task ${info.key}: ${info.result.ok}`;
 *     case "exit":
 *     case "down":
 *       return `${info.type}: ${String(info.reason)}`;
 *     default:
 *       return info.type;
 *   }
 * };
 * const listener = defineActor({
 *   name: "demo/listener",
 *   init: (_args: undefined, ctx) => {
 *     ctx.after(10, "lunch", "noon");
 *     ctx.task("fail", () => Promise.reject(new Error("no")));
 *     ctx.self.send("hello");
 *     return 0;
 *   },
 *   on: (state, info) => {
 *     console.log(textOf(info));
 *     return state;
 *   },
 * });
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("top", { children: [child(listener, undefined, { id: "listener" })] }),
 * );
 * await node.advance(10);
 * await node.stop();
 * ```
 *
 * ```text
 * info
 * task fail: false
 * timer lunch: noon
 * ```
 *
 * `Info` is what `on` receives: everything that is neither a call nor a cast. Messages from one sender
 * arrive in the order sent, signals included: a cast sent before an exit is handled before it.
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
/** Kind of a message by name. */
export type MessageKind = keyof typeof Kind;

const KIND_NAMES = Object.keys(Kind) as readonly MessageKind[];

/** Name of a kind, for people. */
export function kindName(kind: KindOf): MessageKind {
  return KIND_NAMES[kind] as MessageKind;
}

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

/**
 * A cast of one protocol, made once per definition: with its argument it stands in a mailbox for
 * the envelope, and remembers the handler of the behaviour that received it last.
 */
export class CastType {
  readonly kind = Kind.cast;
  readonly type: string;
  /** Whose handler `handler` is; both belong to the behaviour that looked it up. */
  owner: object | undefined = undefined;
  handler: unknown = undefined;

  constructor(type: string) {
    this.type = type;
  }

  envelope(arg: unknown): Envelope {
    return new Envelope(Kind.cast, this.type, arg, undefined);
  }
}

/** Handle of one monitor; the same object comes back in the `down` message. */
export interface Monitor {
  readonly id: number;
  /** Name or pid of the monitored process. */
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
