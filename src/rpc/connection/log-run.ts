/**
 * Logs that came with one read of a provider's socket, still unread themselves: most are copies of
 * what another provider brought first, and whoever knows that one tells so from their bytes.
 */
import { Buffer } from "node:buffer";
import type { SubscriptionFrame } from "../subscription-frame.ts";
import type { Messages } from "./socket.ts";

/** Notifications of one log subscription, alike up to their result. */
export interface LogRun extends Messages {
  /** Where the result begins in each of them. */
  readonly resultAt: number;
  /** Read from the socket at, monotonic ns. */
  readonly atNs: number;
}

/** What stands before the result in the notifications of one subscription, from its id on. */
export class LogMark {
  /** The subscription; empty when none is known. */
  subscription = "";
  #at = 0;
  #bytes: Buffer = Buffer.alloc(0);

  /** Where the result begins in a notification that fits. */
  get resultAt(): number {
    return this.#at + this.#bytes.length;
  }

  /** From now on notifications like this one are known. */
  learn({
    subscription,
    subscriptionStart,
    resultStart,
    bytes,
    isParsed,
  }: SubscriptionFrame): void {
    // What is not in the usual form may have anything anywhere.
    if (isParsed || subscription === this.subscription) return;
    this.subscription = subscription;
    this.#at = subscriptionStart;
    this.#bytes = Buffer.from(bytes.subarray(subscriptionStart, resultStart));
  }

  /** No notification is known any more. */
  forget(): void {
    this.subscription = "";
  }

  /**
   * True for a notification of the subscription. What stands before its id is not looked at: whoever
   * reads the message finds out, and whoever knows its result from elsewhere need not care.
   */
  fits(bytes: Buffer, start: number, end: number): boolean {
    if (this.subscription === "" || end - start <= this.resultAt) return false;
    const mark = this.#bytes;
    const from = start + this.#at;
    for (let i = 0; i < mark.length; i++) if (bytes[from + i] !== mark[i]) return false;
    return true;
  }
}
