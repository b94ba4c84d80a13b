/**
 * A read that several providers must agree on: asks some of different vendors at once, answers as
 * soon as enough have given the same answer, and asks another one for each that failed. Whoever
 * contradicts the agreed answer is booked, also when it comes a moment too late to matter.
 */
import { addNote } from "../../explain/record.ts";
import type { OwnReason } from "../../errors/codes.ts";
import { pinned } from "../../consistency/pinning.ts";
import type { ProviderId } from "../../ids.ts";
import { canonicalText } from "../../integrity/canonical.ts";
import type { QuorumTerms } from "../../integrity/quorum-rules.ts";
import { isDissent, QuorumTally, type QuorumGroup } from "../../integrity/quorum-tally.ts";
import type { MethodInfo } from "../../json-rpc/methods.ts";
import { walkReply } from "../../json-rpc/reply-walker.ts";
import type { Expirable } from "../attempt/deadline-wheel.ts";
import type { Call, CallSink } from "../call.ts";
import { Composite } from "../composite.ts";
import type { Engine } from "../engine.ts";
import { BUDGET_SHARE } from "../limits.ts";
import { finalAnswer } from "../outcome.ts";
import type { Running } from "../service.ts";
import { QuorumPins } from "./quorum-pins.ts";
import { quorumCandidates } from "./quorum-candidates.ts";
import { noAgreement } from "./quorum-failure.ts";
import { errorKey, legOptions, type LegOwner, QuorumLeg, revertKey } from "./quorum-leg.ts";
import { alike, QuorumNote } from "./quorum-note.ts";

/** Answers that say "nothing there". */
const EMPTY: ReadonlySet<string> = new Set(["null", "[]"]);
/** Time that the others get for their answers once enough have agreed: evidence, not service. */
const GRACE_MS = 500;

/** An answer as the client may get it. */
type Ballot =
  | {
      readonly kind: "result";
      readonly body: Buffer;
      readonly idStart: number;
      readonly idEnd: number;
    }
  | { readonly kind: "error"; readonly status: number; readonly latin1: string };

/** Serves a read under these terms: all its legs read the same block. */
export function quorumRead(
  engine: Engine,
  call: Call,
  info: MethodInfo,
  sink: CallSink,
  terms: QuorumTerms,
): Running {
  const pins = call.pins ?? new QuorumPins(call.chain, engine.pinning.served, terms.of);
  return new QuorumRead(engine, pinned(call, pins), info, sink, terms).start();
}

/** One read in progress. */
class QuorumRead implements LegOwner, Running, Expirable {
  expiresAtMs = 0;
  wheelNext: Expirable | undefined = undefined;
  wheelPrevious: Expirable | undefined = undefined;
  readonly #whole: Composite;
  readonly #note: QuorumNote;
  readonly #terms: QuorumTerms;
  readonly #tally: QuorumTally;
  /** Providers that have not been asked, best first. */
  readonly #spare: ProviderId[];
  readonly #providers: readonly ProviderId[];
  /** The first answer of each group. */
  readonly #ballots = new Map<QuorumGroup, Ballot>();
  #open = 0;
  #agreed: QuorumGroup | undefined;
  #isGraceArmed = false;
  /** Legs are being started: what they answer at once is judged after the last one. */
  #isStarting = false;

  constructor(engine: Engine, call: Call, info: MethodInfo, sink: CallSink, terms: QuorumTerms) {
    this.#note = new QuorumNote(terms);
    addNote(call, this.#note);
    this.#whole = new Composite(engine, call, info, sink);
    this.#terms = terms;
    this.#tally = new QuorumTally(terms.agree, terms.prefer);
    this.#providers = quorumCandidates(engine, call, info);
    this.#spare = [...this.#providers];
  }

  /** Asks the first providers. */
  start(): this {
    if (this.#providers.length < this.#terms.agree) this.#fail();
    else this.#askMore(this.#terms.of);
    return this;
  }

  cancel(): void {
    this.#disarm();
    this.#whole.cancel();
    this.#whole.abandon();
  }

  resume(): void {
    // Nothing streams.
  }

  /** The grace is over. */
  onExpire(): void {
    this.#isGraceArmed = false;
    this.#whole.abandon();
  }

  #askMore(count: number): void {
    this.#isStarting = true;
    for (let n = 0; n < count; n++) {
      const provider = this.#spare.shift();
      if (provider === undefined) break;
      this.#ask(provider);
    }
    this.#isStarting = false;
    this.#consider();
  }

  #ask(provider: ProviderId): void {
    const { call, info, remainingMs } = this.#whole;
    const { attemptCapMs } = info;
    // Whoever hangs must leave time for another one.
    const timeoutMs =
      this.#spare.length === 0 ? remainingMs : Math.min(attemptCapMs, BUDGET_SHARE * remainingMs);
    this.#open++;
    this.#whole.part(
      call,
      { ...legOptions(call, provider, this.#providers), timeoutMs: Math.max(1, timeoutMs) },
      info,
      new QuorumLeg(this, provider, this.#whole.parts.length),
    );
  }

  /** A leg has a result. */
  voted(provider: ProviderId, leg: number, body: Buffer, idStart: number, idEnd: number): void {
    const { valueAt } = walkReply(body, body.length, true);
    const text = canonicalText(body, valueAt, body.length, this.#terms.ignored);
    const isRevert = this.#whole.parts[leg]?.attempts.at(-1)?.isRevert === true;
    const key = isRevert && text !== undefined ? revertKey(text) : text;
    if (key === undefined) this.#lost();
    else this.#count(provider, key, EMPTY.has(key), { kind: "result", body, idStart, idEnd });
  }

  /** A leg ended with an error: an answer if it is the same everywhere, else a failure. */
  refused(
    provider: ProviderId,
    leg: number,
    status: number,
    latin1: string,
    reason: OwnReason | undefined,
  ): void {
    if (reason === "response_too_large") {
      this.#open--;
      // As large at everybody else.
      this.#end(() => this.#whole.fail(reason));
      return;
    }
    const attempt = this.#whole.parts[leg]?.attempts.at(-1);
    const key = attempt === undefined ? undefined : errorKey(attempt);
    if (key === undefined) this.#lost();
    else this.#count(provider, key, false, { kind: "error", status, latin1 });
  }

  #count(provider: ProviderId, key: string, isEmpty: boolean, ballot: Ballot): void {
    const group = this.#tally.add(provider, key, isEmpty);
    if (this.#agreed !== undefined) {
      if (isDissent(group, this.#agreed)) this.#accuse([provider]);
    } else if (!this.#ballots.has(group)) this.#ballots.set(group, ballot);
    this.#closed();
  }

  /** A provider gave no answer: another one is asked, as long as that can matter. */
  #lost(): void {
    const { isDone, remainingMs } = this.#whole;
    const provider = isDone || remainingMs <= 0 ? undefined : this.#spare.shift();
    if (provider !== undefined) this.#ask(provider);
    this.#closed();
  }

  #closed(): void {
    this.#open--;
    if (!this.#isStarting) this.#consider();
  }

  #consider(): void {
    if (this.#whole.isDone) {
      if (this.#open === 0) this.#disarm();
      return;
    }
    const verdict = this.#tally.verdict(this.#open);
    if (verdict.kind === "agreed") this.#agree(verdict.group);
    else if (verdict.kind === "short") {
      const mayAsk = this.#tally.counted + this.#open < this.#terms.of;
      if (mayAsk && this.#spare.length > 0 && this.#whole.remainingMs > 0) this.#askMore(1);
      else this.#end(() => this.#fail());
    }
  }

  /** The client is answered without an agreement: what is on its way is of no use. */
  #end(answer: () => void): void {
    answer();
    this.#ballots.clear();
    this.#whole.abandon();
  }

  #agree(group: QuorumGroup): void {
    const { engine, method, chain, requestId } = this.#whole;
    this.#agreed = group;
    this.#note.settle(true, alike(this.#tally));
    const ballot = this.#ballots.get(group);
    this.#ballots.clear();
    const [provider] = group.providers;
    if (ballot?.kind === "result") {
      this.#whole.answerResult(provider, ballot.body, ballot.idStart, ballot.idEnd);
      engine.shadows.consider(this.#whole.call, this.#whole.info, ballot.body);
    } else if (ballot !== undefined) {
      const { status, latin1 } = ballot;
      this.#whole.answer({ status, latin1, provider, reason: undefined, isResult: false });
    }
    const { emit } = engine.deps;
    const { agree, of } = this.#terms;
    emit("quorum.agree", { chain, method, requestId, agree, of, providers: group.providers });
    const dissenters = this.#tally.dissenters(group);
    if (dissenters.length > 0) {
      this.#tellDispute();
      this.#accuse(dissenters);
    }
    if (this.#open === 0) return;
    this.#isGraceArmed = true;
    engine.wheel.add(this, engine.now() + GRACE_MS);
  }

  #accuse(providers: readonly ProviderId[]): void {
    const { engine, call, method } = this.#whole;
    const others = this.#agreed?.providers.join(", ") ?? "";
    for (const provider of providers) {
      const reason = `another answer than ${others} agreed on`;
      engine.guard.accuse(call.chain, provider, method, "quorum", reason);
    }
  }

  /** Nobody is blamed for a vote without a majority: it does not say who is wrong. */
  #fail(): void {
    const whole = this.#whole;
    this.#note.settle(false, alike(this.#tally));
    if (this.#tally.groups.length === 0 && whole.parts.length > 0) {
      whole.answer(finalAnswer(whole, "exhausted"));
      return;
    }
    this.#tellDispute();
    whole.answer(noAgreement(whole, this.#terms, this.#tally, this.#providers.length));
  }

  #tellDispute(): void {
    const { engine, method, chain, requestId } = this.#whole;
    const { agree, of } = this.#terms;
    const { emit } = engine.deps;
    emit("quorum.dispute", { chain, method, requestId, agree, of, groups: alike(this.#tally) });
  }

  #disarm(): void {
    if (!this.#isGraceArmed) return;
    this.#isGraceArmed = false;
    this.#whole.engine.wheel.remove(this);
  }
}
