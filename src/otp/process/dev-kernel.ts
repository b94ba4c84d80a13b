/**
 * The kernel of dev mode (virtual nodes, `isDev`): sharing bugs and code that outlives its process
 * show themselves. A class of its own, so that production pays nothing for it.
 */
import { PendingCall } from "./calls.ts";
import { deepFreeze } from "./freeze.ts";
import { Kernel } from "./kernel.ts";
import { type CastType, type Envelope, Kind } from "./message.ts";
import type { Process } from "./process.ts";

/** Freezes what is sent and answered; warns of dead scopes that go on. */
export class DevKernel extends Kernel {
  private readonly warned = new WeakSet<Process>();

  override send(process: Process, envelope: Envelope): void {
    freeze(envelope);
    super.send(process, envelope);
  }

  override cast(process: Process, cast: CastType, arg: unknown): void {
    deepFreeze(arg);
    super.cast(process, cast, arg);
  }

  /** Once a process: its code was resumed after its death, by a promise or callback unguarded. */
  override zombie(process: Process, op: string): void {
    super.zombie(process, op);
    if (this.warned.has(process)) return;
    this.warned.add(process);
    const stack = new Error(`${op} by ${process.label} after its death`).stack ?? "";
    this.event("otp.scope.resumed", process, { op, stack });
  }
}

function freeze({ kind, arg, origin }: Envelope): void {
  // Orders of the runtime hold records that it goes on writing to; specs hold handles for init.
  if (kind >= Kind.internal) return;
  deepFreeze(arg);
  if (kind === Kind.call && origin instanceof PendingCall) {
    origin.reply = (value) => PendingCall.prototype.reply.call(origin, deepFreeze(value));
  }
}
