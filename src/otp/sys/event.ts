/**
 * What a debugged process received or sent, as debug functions, logs and traces see it.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, keyFor, reply, supervisor } from "paceline/otp";
 *
 * const part = defineActor({
 *   name: "demo/part",
 *   init: (_args: undefined) => 0,
 *   calls: { get: (state) => reply(state, state) },
 *   casts: { add: (state, by: number) => state + by },
 * });
 * const partKey = keyFor(part);
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("top", { children: [child(part, undefined, { register: partKey() })] }),
 * );
 * const ref = node.via(partKey());
 * const { inspector } = node;
 * await inspector.log("demo/part", "on");
 * ref.cast.add(1);
 * await ref.call.get();
 * for (const { atMs, direction, kind, type, arg, peer } of await inspector.log(
 *   "demo/part",
 *   "get",
 * )) {
 *   console.log(atMs, direction, kind, type, arg, peer);
 * }
 * await node.stop();
 * ```
 *
 * ```text
 * 0 in cast add 1 outside
 * 0 in call get undefined outside
 * 0 out reply get 1 outside
 * ```
 */
import { PendingCall } from "../process/calls.ts";
import { type Envelope, kindName, type MessageKind } from "../process/message.ts";
import { Process } from "../process/process.ts";

/** One message that passed a debugged process. */
export interface SysEvent {
  /** Monotonic ms. */
  readonly atMs: number;
  readonly direction: "in" | "out";
  /** What kind of message; "reply" answers a call. */
  readonly kind: MessageKind | "reply";
  /** Name that the sender wrote; of a reply, the call's. */
  readonly type: string;
  /** The argument itself: by reference and not redacted. */
  readonly arg: unknown;
  /** Pid of the other side, "outside", or undefined where a message has no sender. */
  readonly peer: string | undefined;
}

/** A sys event without its argument: what operators and crash reports may see. */
export interface SysEventRow {
  readonly atMs: number;
  readonly direction: "in" | "out";
  readonly kind: MessageKind | "reply";
  readonly type: string;
  /** Size of a text or binary argument; of other values it is unknown. */
  readonly bytes?: number;
  readonly peer?: string;
}

/** The row of an event. */
export function rowOfEvent(event: SysEvent): SysEventRow {
  const { atMs, direction, kind, type, arg, peer } = event;
  const bytes = sizeOf(arg);
  return {
    atMs,
    direction,
    kind,
    type,
    ...(bytes === undefined ? {} : { bytes }),
    ...(peer === undefined ? {} : { peer }),
  };
}

/** Who sent a message, where it says so. */
export function senderOf(envelope: Envelope): string | undefined {
  const { origin } = envelope;
  if (origin instanceof PendingCall) return origin.caller;
  return origin instanceof Process ? origin.pid : undefined;
}

/** The event of a message that is taken from a mailbox. */
export function received(envelope: Envelope, atMs: number, sender: string | undefined): SysEvent {
  const { kind, type, arg } = envelope;
  const peer = senderOf(envelope) ?? sender;
  return { atMs, direction: "in", kind: kindName(kind), type, arg, peer };
}

function sizeOf(arg: unknown): number | undefined {
  if (typeof arg === "string") return Buffer.byteLength(arg);
  if (ArrayBuffer.isView(arg)) return arg.byteLength;
  return undefined;
}
