/**
 * What happens at a mailbox's bound (otp.md 4.7): nothing is thrown into a sender, nothing is lost
 * uncounted.
 */
import { PendingCall } from "./calls.ts";
import type { Kernel } from "./kernel.ts";
import { type Envelope, Kind } from "./message.ts";
import type { Process } from "./process.ts";

/** Events of one kind are told once per process in this time. */
const QUIET_MS = 1000;

/** Applies the policy of a full mailbox; true when the new message may be queued after all. */
export function makeRoom(kernel: Kernel, process: Process, envelope: Envelope): boolean {
  const { behaviour } = process;
  countDrop(kernel, process);
  switch (behaviour.overflow) {
    case "reject":
      failCall(envelope);
      return false;
    case "drop-oldest": {
      const oldest = process.mailbox.removeFirst((held) => held.kind <= Kind.info);
      failCall(oldest);
      return oldest !== undefined;
    }
    case "exit": {
      const text = `mailbox of ${process.label} is full: ${behaviour.maxMailbox} messages`;
      const error = new Error(text);
      error.name = "MailboxOverflow";
      failCall(envelope);
      kernel.finish(process, { error });
      return false;
    }
    default:
      return behaviour.overflow satisfies never;
  }
}

/** Tells, once a second at most, that a mailbox has passed 80 % of its bound. */
export function tellHigh(kernel: Kernel, process: Process): void {
  const more = process.more();
  const nowMs = kernel.now();
  if (nowMs - more.highAtMs < QUIET_MS) return;
  more.highAtMs = nowMs;
  const { maxMailbox, overflow } = process.behaviour;
  const fields = { length: process.mailbox.size, max: maxMailbox, policy: overflow };
  kernel.event("otp.mailbox.high", process, fields);
}

function countDrop(kernel: Kernel, process: Process): void {
  kernel.counters.dropped += 1;
  const more = process.more();
  more.dropped += 1;
  const nowMs = kernel.now();
  if (nowMs - more.droppedAtMs < QUIET_MS) return;
  more.droppedAtMs = nowMs;
  // What was lost since the last event.
  const count = more.dropped - more.droppedTold;
  more.droppedTold = more.dropped;
  const { overflow } = process.behaviour;
  const fields = { count, length: process.mailbox.size, policy: overflow };
  kernel.event("otp.mailbox.dropped", process, fields);
}

function failCall(envelope: Envelope | undefined): void {
  if (envelope?.origin instanceof PendingCall) envelope.origin.fail("overloaded");
}
