/**
 * What a debugged process received or sent, as debug functions, logs and traces see it.
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
