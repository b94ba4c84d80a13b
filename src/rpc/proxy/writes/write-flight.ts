/**
 * The copies of one transaction on their way: sends them to distinct providers, counts what comes
 * back, and answers everybody who sent these bytes.
 *
 * Nothing is ever cancelled: not when the first provider has said yes (the others' words are
 * evidence), not when the client leaves (the transaction may be out already). Hence a flight belongs
 * to no client, and what it came to is remembered for those who send the same bytes again.
 */
import type { AttemptKind } from "../../explain/record.ts";
import type { OwnReason } from "../../errors/codes.ts";
import type { ProviderId } from "../../ids.ts";
import { isHash } from "../../json-rpc/quantity.ts";
import type { MethodInfo } from "../../json-rpc/methods.ts";
import type { Selected } from "../../selection/selected.ts";
import { Ballot, type BallotPolicy } from "../../write/ballot.ts";
import type { WriteMethod } from "../../write/methods.ts";
import type { RawTransaction } from "../../write/raw-transaction.ts";
import { refusalKind, verdictOf, type Verdict } from "../../write/verdict.ts";
import { account } from "../attempt/accounting.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { Expirable } from "../attempt/deadline-wheel.ts";
import { WholeOwner } from "../attempt/whole-owner.ts";
import type { Call } from "../call.ts";
import type { Engine } from "../engine.ts";
import { COLD_Q99_MS, MIN_ATTEMPT_MS, MIN_BUDGET_MS } from "../limits.ts";
import type { UpstreamFailure } from "../ports.ts";
import { Copies } from "./copies.ts";
import { lookUp, resultOf } from "./look-up.ts";
import { toldOf, type WriteAnswer } from "./write-answer.ts";
import type { WriteCall } from "./write-call.ts";

/** Providers that are asked for a transaction whose fate is unclear. */
const LOOKED_UP_AT = 3;

/** What a flight is made of. */
export interface FlightPlan {
  readonly call: Call;
  readonly info: MethodInfo;
  readonly method: WriteMethod;
  readonly transaction: RawTransaction;
  /** In the order of preference. */
  readonly selected: Selected | undefined;
  readonly policy: BallotPolicy;
}

/** One transaction on its way. */
export class WriteFlight extends WholeOwner implements Expirable {
  /** An answer is a hash or a receipt: no honest one is as large as what the buffer holds. */
  readonly absurdBytes: number;
  readonly startMs: number;
  readonly selected: Selected | undefined;
  readonly hash: string;
  expiresAtMs = 0;
  wheelNext: Expirable | undefined = undefined;
  wheelPrevious: Expirable | undefined = undefined;
  readonly #kind: WriteMethod;
  readonly #isHashSure: boolean;
  readonly #deadlineAtMs: number;
  readonly #ballot: Ballot;
  readonly #copies: Copies;
  #waiting: WriteCall[] = [];
  #answer: WriteAnswer | undefined = undefined;
  #answeredAtTip = -1;
  /** The refusal that is told when there is nothing better. */
  #refusal: Attempt | undefined = undefined;
  #isLookingUp = false;
  #isSending = false;

  constructor(engine: Engine, plan: FlightPlan) {
    const { call, info, transaction } = plan;
    super(engine, call.chain, info.name);
    this.#kind = plan.method;
    this.#isHashSure = transaction.isHashSure;
    this.#ballot = new Ballot(plan.policy);
    this.selected = plan.selected;
    this.hash = transaction.hash;
    this.absurdBytes = engine.limits.bufferBytes;
    this.startMs = engine.now();
    this.#copies = new Copies(engine, this, call, plan.selected?.ranking, info.attemptCapMs);
    this.#deadlineAtMs = this.startMs + (call.options.timeoutMs || info.totalMs);
  }

  get attempts(): readonly Attempt[] {
    return this.#copies.attempts;
  }

  /** Whether these bytes, sent again now, should hear what they came to before. */
  get isWorthJoining(): boolean {
    const answer = this.#answer;
    // A refusal is a verdict on one block's state; where nothing was taken there is no verdict.
    if (answer?.kind === "refused") return this.#tip === this.#answeredAtTip;
    return answer?.kind !== "not_taken";
  }

  /** Answers `call` as soon as there is an answer, maybe at once. */
  join(call: WriteCall): void {
    const answer = this.#answer;
    if (answer !== undefined && answer.kind !== "unknown") {
      call.answer(toldOf(answer, call, this.hash));
      return;
    }
    this.#waiting.push(call);
    // What nobody could confirm may be known by now.
    if (answer !== undefined && !this.#isLookingUp) this.#lookUp();
  }

  /** Sends the first copies, all of them before any answer counts. */
  start(copies: number): void {
    this.engine.countWaiting(1);
    this.#isSending = true;
    for (let copy = 0; copy < copies; copy++) {
      if (!this.#send(this.startMs, "primary")) break;
    }
    this.#isSending = false;
    // Whoever answers at once may have ended it already.
    if (this.#answer === undefined) this.#arm(this.startMs);
    this.#proceed();
  }

  onResult(attempt: Attempt, body: Buffer): void {
    const { answersHash } = this.#kind;
    const result = resultOf(body);
    if (result === undefined || (answersHash && !isHash(result))) {
      attempt.fail("malformed", "the answer is no transaction hash");
      return;
    }
    attempt.errorClass = "ok";
    this.#ended(attempt, "accepted", "");
    this.#accept(JSON.stringify(answersHash ? this.#nameOf(attempt, result) : result), attempt);
    this.#proceed();
  }

  onAttemptFailed(attempt: Attempt, failure: UpstreamFailure | undefined): void {
    const { errorClass, error } = attempt;
    const message = error?.message ?? "";
    const verdict = verdictOf({ errorClass, failureKind: failure?.kind, message });
    const reason = refusalKind(message);
    this.#ended(attempt, verdict, reason);
    if (verdict === "known") this.#known(attempt);
    else if (error !== undefined && isRefusal(verdict)) {
      // The first word, unless a later one decides.
      if (verdict !== "refused" || this.#ballot.isAgreed(reason)) this.#refusal = attempt;
      else this.#refusal ??= attempt;
    }
    this.#proceed();
  }

  onStalled(): void {
    this.#ballot.widen();
    this.#proceed();
  }

  /** Those who have it keep silent, or the time is over. */
  onExpire(nowMs: number): void {
    if (this.#answer !== undefined) return;
    const isOver = nowMs >= this.#deadlineAtMs;
    if (!isOver) {
      this.#ballot.widen();
      this.#proceed();
      if (this.#answer === undefined) this.#arm(nowMs);
      return;
    }
    this.#ballot.exhausted();
    if (this.#ballot.isInDoubt || this.#isLookingUp) this.#unconfirmed();
    else this.#proceed();
  }

  blocksAsked(): undefined {
    // A transaction names no block.
  }

  isNearHead(): undefined {
    // As above.
  }

  faultIn(): undefined {
    // The hash that an answer holds is compared when it is there (`#nameOf`).
  }

  get #tip(): number {
    return this.chainView.snapshot?.tip ?? -1;
  }

  /** Sends one copy; false when there is nobody to send it to, or no time. */
  #send(nowMs: number, kind: AttemptKind): boolean {
    if (this.#deadlineAtMs - nowMs < MIN_ATTEMPT_MS) return false;
    return this.#copies.send(nowMs, kind, () => this.#ballot.sent());
  }

  /** Sends what is to be sent now, and concludes when nothing is out any more. */
  #proceed(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#answer === undefined && this.#ballot.step === "send") {
      if (!this.#send(this.now(), "failover")) this.#ballot.exhausted();
    }
    this.#isSending = false;
    if (this.#answer === undefined) this.#conclude();
    this.#release();
  }

  #conclude(): void {
    switch (this.#ballot.step) {
      case "look_up":
        if (!this.#isLookingUp) this.#lookUp();
        return;
      case "refused":
        this.#refused();
        return;
      case "not_taken":
        this.#settle({ kind: "not_taken", reason: this.#reasonOfNothing() });
        return;
      case "accepted":
      case "send":
      case "wait":
    }
  }

  #refused(): void {
    const raw = this.#refusal?.error?.raw;
    if (this.#refusal === undefined || raw === undefined) {
      this.#settle({ kind: "not_taken", reason: "exhausted" });
    } else this.#settle({ kind: "refused", raw, provider: this.#refusal.provider });
  }

  #reasonOfNothing(): OwnReason {
    if (this.attempts.length === 0) return "no_provider";
    return this.now() >= this.#deadlineAtMs ? "deadline" : "exhausted";
  }

  #lookUp(): void {
    if (!this.#kind.answersHash) {
      // Who waits for a receipt is not helped by a transaction that is only known.
      this.#unconfirmed();
      return;
    }
    this.#isLookingUp = true;
    lookUp({
      engine: this.engine,
      chain: this.chainView,
      hash: this.hash,
      providers: this.#witnesses(),
      report: (provider) => {
        this.#isLookingUp = false;
        if (provider !== undefined) {
          this.#settle({ kind: "accepted", json: JSON.stringify(this.hash), provider });
        } else this.#unconfirmed();
        this.#release();
      },
    });
  }

  /** Who may know it: those who got a copy, then the others. */
  #witnesses(): readonly ProviderId[] {
    const sent = this.attempts.map(({ provider }) => provider);
    const others = this.selected?.ranking.candidates.map(({ view }) => view.provider) ?? [];
    return [...new Set([...sent, ...others])].slice(0, LOOKED_UP_AT);
  }

  /** Nobody says that it is there: a refusal if all have spoken, otherwise nobody can say. */
  #unconfirmed(): void {
    if (this.#ballot.isInDoubt) this.#settle({ kind: "unknown" });
    else this.#refused();
  }

  #known(attempt: Attempt): void {
    const { emit } = this.engine.deps;
    const { provider, error } = attempt;
    emit("write.known", { chain: this.chainView.name, provider, hash: this.hash });
    if (this.#kind.answersHash) this.#accept(JSON.stringify(this.hash), attempt);
    else if (error !== undefined) this.#settle({ kind: "refused", raw: error.raw, provider });
  }

  #accept(json: string, { provider }: Attempt): void {
    this.#settle({ kind: "accepted", json, provider });
  }

  /** The hash as the client gets it: ours, unless only the chain knows it. */
  #nameOf(attempt: Attempt, answered: unknown): string {
    if (!this.#isHashSure) return String(answered);
    if (String(answered).toLowerCase() !== this.hash) {
      const reason = `called the transaction ${this.hash} ${String(answered)}`;
      const { guard } = this.engine;
      guard.accuse(this.chainView, attempt.provider, this.method, "answer", reason);
    }
    return this.hash;
  }

  #settle(answer: WriteAnswer): void {
    const before = this.#answer;
    // A yes that comes late still counts for those who ask again.
    if (before !== undefined && (before.kind !== "unknown" || this.#waiting.length === 0)) {
      if (before.kind === "unknown" && answer.kind === "accepted") this.#answer = answer;
      return;
    }
    this.#answer = answer;
    this.#answeredAtTip = this.#tip;
    this.engine.wheel.remove(this);
    if (before === undefined) this.#tell(answer);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const call of waiting) call.answer(toldOf(answer, call, this.hash));
  }

  #tell(answer: WriteAnswer): void {
    const { emit } = this.engine.deps;
    const fields = {
      chain: this.chainView.name,
      hash: this.hash,
      attempts: this.attempts.length,
      durationMs: Math.round(this.now() - this.startMs),
    };
    emit("write.broadcast", { ...fields, method: this.method, result: answer.kind });
    if (answer.kind === "unknown") emit("write.unknown_fate", fields);
  }

  #ended(attempt: Attempt, verdict: Verdict, reason: string): void {
    attempt.settle();
    account(this.engine, this.chainView, attempt, this.now());
    this.#ballot.took(verdict, reason);
  }

  /** Time until one more provider is asked beside those that keep silent. */
  #arm(nowMs: number): void {
    const usualMs = Math.max(COLD_Q99_MS, this.attempts[0]?.usualMs ?? 0);
    const waitMs = Math.max(MIN_BUDGET_MS, 4 * usualMs);
    this.engine.wheel.add(this, Math.min(nowMs + waitMs, this.#deadlineAtMs));
  }

  /** Everything has ended: what was sent is needed no more. */
  #release(): void {
    const isOver = this.#answer !== undefined && this.#ballot.inFlight === 0;
    if (!isOver || !this.#copies.isOpen) return;
    this.#copies.close();
    this.engine.countWaiting(-1);
  }
}

const isRefusal = (verdict: Verdict): boolean =>
  verdict === "refused" || verdict === "stale_nonce" || verdict === "throttled";
