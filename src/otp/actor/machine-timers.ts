/**
 * What machines need of timers beyond `ctx`: zero delays, and which delays run.
 */
import { Envelope, Kind } from "../process/message.ts";
import { Ctx } from "./context.ts";

/** A zero delay: runs after raised events and before whatever is queued. */
export function timerNow(ctx: Ctx, key: string, payload: unknown): void {
  const info = { type: "timer", key, payload };
  Ctx.processOf(ctx).mailbox.unshift(new Envelope(Kind.timer, key, info, undefined));
}

/** Takes back what `timerNow` queued. */
export function cancelNow(ctx: Ctx, key: string): void {
  Ctx.processOf(ctx).mailbox.removeFirst(
    (held) => held.kind === Kind.timer && held.type === key && held.origin === undefined,
  );
}

/** Keys of running timers that begin with `prefix`. */
export function timerKeys(ctx: Ctx, prefix: string): readonly string[] {
  const timers = Ctx.processOf(ctx).extras?.timers;
  return [...(timers?.keys() ?? [])].filter((key) => key.startsWith(prefix));
}
