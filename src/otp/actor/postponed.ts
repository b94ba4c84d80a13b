/**
 * Postponed events of one machine process: they wait for a state that takes them.
 */
import type { AnyEventObject, AnyMachineSnapshot } from "xstate";
import { Ctx } from "./context.ts";

/** Bounded queue, oldest first. */
export class Postponed {
  private readonly events: AnyEventObject[] = [];
  /** The bound was met and told; told again once there was room. */
  private isFull = false;

  get size(): number {
    return this.events.length;
  }

  /** Lets the event wait; at the bound it is dropped, with one event until there is room again. */
  add(event: AnyEventObject, max: number, ctx: Ctx): void {
    if (this.events.length < max) {
      this.events.push(event);
      return;
    }
    if (!this.isFull) {
      const process = Ctx.processOf(ctx);
      process.kernel.event("otp.postponed.full", process, { type: event.type, limit: max });
    }
    this.isFull = true;
  }

  /** Takes out the oldest event from `from` on that the snapshot can take, with its place. */
  take(snapshot: AnyMachineSnapshot, from: number): [AnyEventObject, number] | undefined {
    for (let at = from; at < this.events.length; at += 1) {
      const event = this.events[at] as AnyEventObject;
      if (!snapshot.can(event)) continue;
      this.events.splice(at, 1);
      this.isFull = false;
      return [event, at];
    }
    return undefined;
  }
}

/** Compares state values: a name, or a record of them for nested and parallel states. */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const left = Object.entries(a);
  const right = b as Readonly<Record<string, unknown>>;
  if (left.length !== Object.keys(right).length) return false;
  return left.every(([key, value]) => key in right && isSameValue(value, right[key]));
}
