/**
 * Calls from this side whose answer comes over a bridge, by the number they went out with.
 */
import type { PendingCall } from "../process/calls.ts";
import type { CallFault, Reason } from "../reason.ts";
import { decodeAnswer } from "./admin.ts";
import type { Bridge } from "./bridge.ts";

interface Waiting {
  readonly call: PendingCall;
  /** What an admin command asks; undefined for all others. */
  readonly op: string | undefined;
}

/** Waiting calls of one bridge. */
export class WaitingCalls {
  private readonly bridge: Bridge;
  private readonly waiting = new Map<number, Waiting>();
  private seq = 0;

  constructor(bridge: Bridge) {
    this.bridge = bridge;
  }

  /** The number of a call that goes out. */
  add(call: PendingCall, op: string | undefined): number {
    this.seq += 1;
    this.waiting.set(this.seq, { call, op });
    return this.seq;
  }

  /** The value is decoded only when somebody waits for it. */
  reply(number: number, decode: () => unknown): void {
    const known = this.take(number);
    if (known === undefined) return;
    const { call, op } = known;
    const value = decode();
    call.reply(op === undefined ? value : decodeAnswer(this.bridge, op, value));
  }

  fail(number: number, reason: CallFault | Reason): void {
    this.take(number)?.call.fail(reason);
  }

  /** Nobody will answer any more. */
  close(): void {
    for (const { call } of this.waiting.values()) call.fail("noconnection");
    this.waiting.clear();
  }

  private take(number: number): Waiting | undefined {
    const known = this.waiting.get(number);
    if (known !== undefined) this.waiting.delete(number);
    return known;
  }
}
