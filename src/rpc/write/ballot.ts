/**
 * Counts what the providers say of one transaction and tells what to do next (json-rpc reference,
 * writes). A pure rule: whoever sends the copies tells it of each start and each end.
 *
 * Two rules stand above all: a transaction that somebody took, or may have taken, is never called
 * failed; and no provider gets it twice (the sender's tried set).
 */
import type { Verdict } from "./verdict.ts";

/** How many copies, and how. */
export interface BallotPolicy {
  /** Copies at once. */
  readonly copies: number;
  /** Copies in all. */
  readonly maxCopies: number;
  /** The next copy only when the one before was surely not taken. */
  readonly isCareful: boolean;
}

/** What to do now. */
export type BallotStep =
  /** Send one more copy. */
  | "send"
  /** Something is on its way: nothing to do until it ends. */
  | "wait"
  /** Somebody has it. */
  | "accepted"
  /** Nobody said yes, but the chain may have it: look it up. */
  | "look_up"
  /** Every word was a no. */
  | "refused"
  /** It got nowhere. */
  | "not_taken";

/** Refusals for one reason that make an end of it. */
const AGREEMENT = 2;

/** The state of one transaction's copies. */
export class Ballot {
  readonly #policy: BallotPolicy;
  readonly #reasons = new Map<string, number>();
  #sent = 0;
  #inFlight = 0;
  #widened = 0;
  #unknown = 0;
  #stances = 0;
  #isAccepted = false;
  #isStale = false;
  #isThrottled = false;
  #isExhausted = false;

  constructor(policy: BallotPolicy) {
    this.#policy = policy;
  }

  /** Copies whose end is not known yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Somebody may have it without having said so. */
  get isInDoubt(): boolean {
    return this.#inFlight > 0 || this.#unknown > 0;
  }

  /** Enough were refused for this reason. */
  isAgreed(reason: string): boolean {
    return (this.#reasons.get(reason) ?? 0) >= AGREEMENT;
  }

  /** A copy leaves. */
  sent(): void {
    this.#sent++;
    this.#inFlight++;
  }

  /** A copy has ended; `reason` tells refusals apart. */
  took(verdict: Verdict, reason: string): void {
    this.#inFlight--;
    if (verdict === "not_taken") return;
    this.#stances++;
    if (verdict === "accepted" || verdict === "known") this.#isAccepted = true;
    else if (verdict === "unknown") this.#unknown++;
    else if (verdict === "stale_nonce") this.#isStale = true;
    else if (verdict === "throttled") this.#isThrottled = true;
    else this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
  }

  /** Those who have it keep silent: one copy more may go out beside them. */
  widen(): void {
    if (!this.#policy.isCareful && this.#inFlight > 0) this.#widened++;
  }

  /** There is nobody left to send to. */
  exhausted(): void {
    this.#isExhausted = true;
  }

  /** What to do now. */
  get step(): BallotStep {
    if (this.#isAccepted) return "accepted";
    if (this.#maySend) return "send";
    if (this.#inFlight > 0) return "wait";
    if (this.#isStale || this.#unknown > 0) return "look_up";
    return this.#reasons.size > 0 || this.#isThrottled ? "refused" : "not_taken";
  }

  get #maySend(): boolean {
    const { copies, maxCopies, isCareful } = this.#policy;
    if (this.#isExhausted || this.#isThrottled || this.#isStale || this.#sent >= maxCopies) {
      return false;
    }
    for (const count of this.#reasons.values()) if (count >= AGREEMENT) return false;
    if (isCareful && this.#unknown > 0) return false;
    // A refusal waits for the copies that are out; only when all are in is another asked.
    return this.#inFlight === 0 || this.#inFlight + this.#stances < copies + this.#widened;
  }
}
