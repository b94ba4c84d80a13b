/**
 * One call from ranking to answer: tries endpoints under one deadline, classifies how each attempt
 * ended, and stops, fails over or gives up by the decision table. Who is tried: candidate-walk.ts.
 *
 * Callbacks only: no promise, no timer and no mailbox stands between the client's bytes and the
 * provider's. Reports to breaker and pool are casts that may be lost without harm.
 */
import type { ErrorClass } from "../errors/classes.ts";
import type { ToldHedge } from "../explain/told.ts";
import type { OwnReason } from "../errors/codes.ts";
import { DECISIONS } from "../errors/decisions.ts";
import type { ErrorRule } from "../errors/rules.ts";
import { isHelpable } from "../help/helping-regions.ts";
import type { MethodInfo } from "../json-rpc/methods.ts";
import type { BlockDemand } from "../json-rpc/block-demand.ts";
import { upstreamBytes } from "../json-rpc/request-bytes.ts";
import { ID_WIDTH } from "../json-rpc/upstream-id.ts";
import { hedgeDelayMs } from "../hedge.ts";
import type { Selected } from "../selection/selected.ts";
import type { Ranking } from "../selection/snapshot.ts";
import { account } from "./attempt/accounting.ts";
import { blocksOf, isNearHead } from "./attempt/asked.ts";
import type { AttemptOwner } from "./attempt/attempt.ts";
import { Attempt } from "./attempt/attempt.ts";
import type { Expirable } from "./attempt/deadline-wheel.ts";
import { Legs } from "./attempt/legs.ts";
import { failsOver, isStaleSocket, sharedBudgetMs, wantsHigherHead } from "./attempt/retry.ts";
import type { Call, CallSink } from "./call.ts";
import { CandidateWalk, type HedgeDenial, type Target } from "./candidate-walk.ts";
import type { Engine } from "./engine.ts";
import { COLD_Q99_MS, MIN_ATTEMPT_MS } from "./limits.ts";
import type { FinalAnswer } from "./outcome.ts";
import { finalAnswer, ownAnswer } from "./outcome.ts";
import type { RequestRecord, UpstreamFailure } from "./ports.ts";
import { ServedCall } from "./served-call.ts";
import type { Running } from "./service.ts";
import { tellFailover } from "./telling.ts";

/** A call in progress; what expires is the wait before its hedge. */
export class Exchange extends ServedCall implements AttemptOwner, Running, Expirable {
  override readonly attempts: Attempt[] = [];
  expiresAtMs = 0;
  wheelNext: Expirable | undefined = undefined;
  wheelPrevious: Expirable | undefined = undefined;
  /** Why no hedge was sent although the wait was over. */
  hedgeDenied: HedgeDenial | undefined = undefined;
  readonly #sink: CallSink;
  readonly #walk: CandidateWalk;
  #deadlineAtMs = 0;
  readonly #legs = new Legs();
  #mayHedge = false;
  #isDone = false;
  #hasRetriedReset = false;
  /** A valid `null` that is sent when no other provider knows more. */
  #empty:
    | { readonly attempt: Attempt; readonly body: Buffer; readonly idStart: number }
    | undefined;

  constructor(engine: Engine, call: Call, info: MethodInfo, sink: CallSink, nowMs: number) {
    super(engine, call, info, nowMs);
    this.#sink = sink;
    this.#walk = new CandidateWalk(engine, call, info);
  }

  override get selected(): Selected | undefined {
    return this.#walk.selected;
  }

  override get ranking(): Ranking | undefined {
    return this.#walk.selected?.ranking;
  }

  get isCheap(): boolean {
    return this.info.isCheap;
  }

  get canStream(): boolean {
    return this.#sink.canStream;
  }

  get bufferBytes(): number {
    return this.engine.limits.bufferBytes;
  }

  /** Logs and traces can be of any size; a state read over the gateway's limit is a fault. */
  get absurdBytes(): number {
    return this.info.isCheap ? this.engine.limits.maxResponseBytes : Number.POSITIVE_INFINITY;
  }

  get maxResponseBytes(): number {
    return Math.min(this.engine.limits.maxResponseBytes, this.#sink.maxBytes);
  }

  override get attemptCount(): number {
    return this.attempts.length;
  }

  override get isDone(): boolean {
    return this.#isDone;
  }

  /** The hedge, as far as one was thought of. */
  get hedge(): ToldHedge | undefined {
    const { attempts, hedgeDenied: deniedBecause } = this;
    if (attempts.length < 2 && deniedBecause === undefined) return undefined;
    const fired = attempts.some(({ kind }) => kind === "hedge");
    if (!fired && deniedBecause === undefined) return undefined;
    const budgetLeft = this.engine.chooser.hedges(this.call.chain).left;
    return { fired, afterMs: this.expiresAtMs - this.startMs, budgetLeft, deniedBecause };
  }

  rulesOf(attempt: Attempt): readonly ErrorRule[] {
    return this.call.chain.errorRules(attempt.row.provider);
  }

  blocksAsked(): BlockDemand | undefined {
    return blocksOf(this.call, this.info.name);
  }

  isNearHead(): boolean | undefined {
    return isNearHead(this.call, this.info.name);
  }

  faultIn({ provider }: Attempt, body: Buffer, valueAt: number): string | undefined {
    return this.engine.guard.faultIn(this.call, this.info.name, provider, body, valueAt);
  }

  /** Starts the first attempt. */
  start(): void {
    const { engine, call, info } = this;
    const { options } = call;
    this.#deadlineAtMs = this.startMs + (options.timeoutMs || info.totalMs);
    const { hedge } = call.chain;
    if (hedge.enabled && info.isIdempotent && info.class !== "write" && !this.#walk.isSingle) {
      engine.chooser.hedges(call.chain).earn(hedge.budget);
      this.#mayHedge = !options.noHedge;
    }
    this.#walk.start(this.startMs);
    this.#tryNext(this.startMs, call.isPart ? "part" : "primary", -1, true);
  }

  /** The client is gone: nobody needs the answer. */
  cancel(): void {
    if (this.#isDone) return;
    const nowMs = this.engine.now();
    for (let leg = this.#legs.one; leg !== undefined; leg = this.#legs.one) {
      this.#giveUpLeg(leg, "client_gone", nowMs);
    }
    this.#done(nowMs, "gone");
    this.engine.finished(this);
  }

  /** The client took what was written: the provider may go on. */
  resume(): void {
    this.#legs.resume();
  }

  /** The stall rule found the provider frozen: whatever can move, moves at once. */
  onStalled(attempt: Attempt): void {
    if (attempt.isSettled || attempt.isStreaming || !this.info.isIdempotent) return;
    // Without another provider a slow answer is the only one there can be.
    const isOnly = this.#legs.beside(attempt) === undefined;
    const isLast = !this.#walk.hasNext(this.engine.now());
    if (isOnly && isLast) return;
    attempt.call?.abort();
    attempt.fail("timeout", "provider answers nobody");
  }

  #tryNext(nowMs: number, kind: Attempt["kind"], aboveHead: number, mayHelp: boolean): void {
    if (this.#deadlineAtMs - nowMs < MIN_ATTEMPT_MS && this.attempts.length > 0) {
      this.#giveUp(nowMs, "deadline");
      return;
    }
    const target = this.#walk.next(nowMs, aboveHead, mayHelp);
    if (target === undefined) {
      this.#giveUp(nowMs, this.attempts.length === 0 ? "no_provider" : "exhausted");
    } else this.#dispatch(target, nowMs, target.row.region !== undefined ? "help" : kind);
  }

  #dispatch({ candidate, row, upstream }: Target, nowMs: number, kind: Attempt["kind"]): void {
    const { engine, call } = this;
    const id = engine.ids.next();
    const attempt = new Attempt(this, candidate, row, id, nowMs, kind);
    this.attempts.push(attempt);
    this.#legs.add(attempt);
    row.inFlight++;
    const usual = candidate.view.calls.get(row.transport, this.info.name);
    const q99Ms = usual?.q99Ms;
    attempt.usualMs = usual?.answeredQ99Ms ?? 0;
    attempt.medianMs = usual?.p50Ms ?? 0;
    engine.attempts.track(attempt, nowMs + this.#budget(q99Ms ?? COLD_Q99_MS, nowMs));
    if (this.#mayHedge) {
      engine.wheel.remove(this);
      engine.wheel.add(this, nowMs + (call.options.hedgeMs || hedgeDelayMs(usual)));
    }
    attempt.call = upstream.send(upstreamBytes(call.body, call.envelope, id), id, attempt);
  }

  /** Time for this attempt: all that is left, or a share of it while another provider could follow. */
  #budget(q99Ms: number, nowMs: number): number {
    const remaining = this.#deadlineAtMs - nowMs;
    const capMs = Math.min(this.info.attemptCapMs, remaining);
    if (!this.#walk.hasNext(nowMs)) return this.#walk.isSingle ? remaining : capMs;
    return sharedBudgetMs(capMs, q99Ms, remaining);
  }

  /** The wait for the first provider is over: a second one is asked, once, if it may be. */
  onExpire(nowMs: number): void {
    const { engine, chain, method, requestId } = this;
    const slow = this.#legs.one;
    if (this.#isDone || slow === undefined || slow.isStreaming) return;
    this.#mayHedge = false;
    const target = this.#walk.hedge(slow, this.#deadlineAtMs, nowMs);
    const { emit } = engine.deps;
    if (typeof target === "string") {
      this.hedgeDenied = target;
      if (target === "budget") emit("rpc.hedge.budget_exhausted", { chain, method, requestId });
      return;
    }
    const { provider } = target.candidate.view;
    emit("rpc.hedge.fired", { chain, method, requestId, provider, from: slow.provider });
    this.#dispatch(target, nowMs, "hedge");
  }

  /** Ends a leg that nobody waits for any more; it is nobody's failure. */
  #giveUpLeg(
    leg: Attempt | undefined,
    reason: NonNullable<Attempt["cancelledBecause"]>,
    nowMs: number,
  ): void {
    if (leg === undefined) return;
    leg.cancelledBecause = reason;
    leg.cancel();
    this.#account(leg, nowMs);
  }

  /** This attempt's answer is the client's. */
  #win(attempt: Attempt, nowMs: number): void {
    this.provider = attempt.provider;
    this.#giveUpLeg(this.#legs.beside(attempt), "lost", nowMs);
    if (attempt.kind !== "hedge") return;
    const { emit } = this.engine.deps;
    const { chain, method, requestId, provider } = this;
    emit("rpc.hedge.won", { chain, method, requestId, provider: provider ?? "" });
  }

  onResult(attempt: Attempt, body: Buffer, idStart: number, idEnd: number, isNull: boolean): void {
    const nowMs = this.engine.now();
    if (isNull && this.info.isLookup && this.#retryEmpty(attempt, body, idStart, nowMs)) return;
    attempt.errorClass =
      isNull && this.info.isLookup ? "empty" : attempt.isRevert ? "revert" : "ok";
    attempt.settle();
    this.#account(attempt, nowMs);
    this.#win(attempt, nowMs);
    this.#done(nowMs, "ok");
    this.#sink.result(this, body, idStart, idEnd);
    this.engine.finished(this, body);
  }

  /**
   * Waits for the other leg, or asks one more provider when this one should have known; keeps the
   * `null` in case nobody does.
   */
  #retryEmpty(attempt: Attempt, body: Buffer, idStart: number, nowMs: number): boolean {
    if (this.#empty !== undefined) return false;
    const isRaced = this.#legs.beside(attempt) !== undefined;
    if (!isRaced) {
      if (!this.#walk.hasAnother(nowMs)) return false;
      if (!this.engine.empties.mayRetry(this.call, this.info, nowMs)) return false;
    }
    attempt.errorClass = "empty";
    attempt.settle();
    this.#account(attempt, nowMs);
    this.#empty = { attempt, body, idStart };
    if (isRaced) return true;
    this.#tryNext(nowMs, "failover", attempt.row.head, false);
    return true;
  }

  onStream(attempt: Attempt, sizeBytes: number): void {
    this.#win(attempt, this.engine.now());
    this.#sink.begin(this, sizeBytes < 0 ? -1 : sizeBytes - ID_WIDTH + this.idToken.length);
  }

  onChunk(chunk: Buffer): boolean {
    return chunk.length === 0 || this.#sink.write(chunk);
  }

  onIdPlace(): boolean {
    return this.#sink.write(Buffer.from(this.idToken, "latin1"));
  }

  rearm(attempt: Attempt, atMs: number): void {
    this.engine.wheel.add(attempt, atMs);
  }

  onStreamEnd(attempt: Attempt): void {
    const nowMs = this.engine.now();
    this.#account(attempt, nowMs);
    this.#done(nowMs, "ok");
    this.#sink.end();
    this.engine.finished(this);
  }

  onAttemptFailed(attempt: Attempt, failure: UpstreamFailure | undefined): void {
    const nowMs = this.engine.now();
    const wasStreaming = attempt.isStreaming;
    const isFreeRetry = !this.#hasRetriedReset && isStaleSocket(this.info, attempt, failure);
    if (isFreeRetry) attempt.errorClass = "cancelled";
    attempt.settle();
    this.#account(attempt, nowMs);
    if (this.#isDone) return;
    if (wasStreaming) {
      this.#done(nowMs, "error");
      this.#sink.abort();
      this.engine.finished(this);
      return;
    }
    if (failure?.kind === "overflow") {
      this.#giveUpLeg(this.#legs.beside(attempt), "lost", nowMs);
      this.#answer(ownAnswer(this, "response_too_large"), nowMs);
      return;
    }
    if (isFreeRetry) {
      this.#retryFresh(attempt, nowMs);
      return;
    }
    if (this.#mayFailOver(attempt.errorClass, nowMs)) {
      tellFailover(this.engine.deps.emit, this, attempt);
      const aboveHead = wantsHigherHead(attempt.errorClass) ? attempt.row.head : -1;
      this.#tryNext(nowMs, "failover", aboveHead, isHelpable(attempt.errorClass));
      return;
    }
    if (DECISIONS[attempt.errorClass].failover === "never") {
      this.#giveUpLeg(this.#legs.beside(attempt), "lost", nowMs);
    }
    this.#giveUp(nowMs, "exhausted");
  }

  #retryFresh(attempt: Attempt, nowMs: number): void {
    this.#hasRetriedReset = true;
    const target = this.#walk.again(attempt.row);
    if (target === undefined) this.#tryNext(nowMs, "failover", -1, true);
    else this.#dispatch(target, nowMs, "retry");
  }

  #mayFailOver(errorClass: ErrorClass, nowMs: number): boolean {
    if (!failsOver(this.info, errorClass, this.attempts)) return false;
    if (this.#walk.mayTry) return true;
    return isHelpable(errorClass) && this.#walk.canBeHelped(nowMs);
  }

  #giveUp(nowMs: number, reason: OwnReason): void {
    // The other leg may still answer.
    if (!this.#legs.isEmpty) return;
    const empty = this.#empty;
    if (empty === undefined) {
      this.#answer(finalAnswer(this, reason), nowMs);
      return;
    }
    this.provider = empty.attempt.provider;
    this.#done(nowMs, "ok");
    this.#sink.result(this, empty.body, empty.idStart, empty.idStart + ID_WIDTH);
    this.engine.finished(this);
  }

  #answer(answer: FinalAnswer, nowMs: number): void {
    this.reason = answer.reason;
    this.provider = answer.provider;
    this.#done(nowMs, answer.isResult ? "ok" : "error");
    this.#sink.text(this, answer.status, answer.latin1);
    this.engine.finished(this);
  }

  /** The one terminal outcome of an attempt. */
  #account(attempt: Attempt, nowMs: number): void {
    this.#legs.remove(attempt);
    account(this.engine, this.call.chain, attempt, nowMs);
  }

  #done(nowMs: number, outcome: RequestRecord["outcome"]): void {
    this.#isDone = true;
    this.engine.wheel.remove(this);
    this.close(outcome, nowMs);
  }
}
