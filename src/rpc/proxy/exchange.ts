/**
 * One call from ranking to answer: tries endpoints in order under one deadline, classifies how each
 * attempt ended, and stops, fails over or gives up by the decision table.
 *
 * Callbacks only: no promise, no timer and no mailbox stands between the client's bytes and the
 * provider's. Reports to breaker and pool are casts that may be lost without harm.
 */
import type { EndpointRow } from "../chain-view.ts";
import type { ErrorClass } from "../errors/classes.ts";
import type { ToldHedge } from "../explain/told.ts";
import type { OwnReason } from "../errors/codes.ts";
import { DECISIONS } from "../errors/decisions.ts";
import type { ErrorRule } from "../errors/rules.ts";
import type { MethodInfo } from "../json-rpc/methods.ts";
import type { BlockDemand } from "../json-rpc/block-demand.ts";
import { blockDemand } from "../json-rpc/block-demand.ts";
import { upstreamBytes } from "../json-rpc/request-bytes.ts";
import { ID_WIDTH } from "../json-rpc/upstream-id.ts";
import { hedgeDelayMs } from "../hedge.ts";
import { firstUsable, TriedSet } from "../selection/pick.ts";
import type { Selected } from "../selection/selected.ts";
import type { Candidate, Ranking, RoutingSnapshot } from "../selection/snapshot.ts";
import { account } from "./attempt/accounting.ts";
import { blocksOf, isNearHead } from "./attempt/asked.ts";
import type { AttemptOwner } from "./attempt/attempt.ts";
import { Attempt } from "./attempt/attempt.ts";
import type { Expirable } from "./attempt/deadline-wheel.ts";
import { takeHedge, type HedgeDenial } from "./attempt/hedging.ts";
import { Legs } from "./attempt/legs.ts";
import { failsOver, isStaleSocket, sharedBudgetMs, wantsHigherHead } from "./attempt/retry.ts";
import type { Call, CallSink } from "./call.ts";
import type { Engine } from "./engine.ts";
import { COLD_Q99_MS, MIN_ATTEMPT_MS } from "./limits.ts";
import type { FinalAnswer } from "./outcome.ts";
import { finalAnswer, ownAnswer } from "./outcome.ts";
import type { RequestRecord, Upstream, UpstreamFailure } from "./ports.ts";
import { ServedCall } from "./served-call.ts";
import type { Running } from "./service.ts";
import { tellFailover } from "./telling.ts";

/** A call in progress; what expires is the wait before its hedge. */
export class Exchange extends ServedCall implements AttemptOwner, Running, Expirable {
  override readonly attempts: Attempt[] = [];
  override ranking: Ranking | undefined = undefined;
  override selected: Selected | undefined = undefined;
  expiresAtMs = 0;
  wheelNext: Expirable | undefined = undefined;
  wheelPrevious: Expirable | undefined = undefined;
  /** Why no hedge was sent although the wait was over. */
  hedgeDenied: HedgeDenial | undefined = undefined;
  readonly #sink: CallSink;
  readonly #tried = new TriedSet();
  #deadlineAtMs = 0;
  /** Attempts at most, hedge and retries of stale sockets apart. */
  #maxAttempts = 0;
  #tries = 0;
  /** The block that a provider must have reached. */
  #minHead = 0;
  readonly #legs = new Legs();
  #mayHedge = false;
  #isDone = false;
  #hasRetriedReset = false;
  /** The named provider has had its turn; the ranking is everybody's now. */
  #hasLeftProvider = false;
  /** A valid `null` that is sent when no other provider knows more. */
  #empty:
    | { readonly attempt: Attempt; readonly body: Buffer; readonly idStart: number }
    | undefined;

  constructor(engine: Engine, call: Call, info: MethodInfo, sink: CallSink, nowMs: number) {
    super(engine, call, info, nowMs);
    this.#sink = sink;
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
    this.#maxAttempts = options.maxAttempts || engine.limits.maxAttempts;
    if (!options.failover || !call.chain.failoverEnabled) this.#maxAttempts = 1;
    const { snapshot, hedge } = call.chain;
    if (hedge.enabled && info.isIdempotent && info.class !== "write" && this.#maxAttempts > 1) {
      engine.chooser.hedges(call.chain).earn(hedge.budget);
      this.#mayHedge = !options.noHedge;
    }
    if (snapshot !== undefined) {
      const { paramsStart, paramsEnd } = call.envelope;
      const asked = blockDemand(info.name, call.body, paramsStart, paramsEnd);
      this.#select(snapshot, call, asked, this.startMs);
      // A client may ask for the block it has just been told of, before the tip has moved: whoever
      // announced it is preferred; if nobody has it yet, anybody may say so.
      if (asked !== undefined) this.#minHead = asked.block;
    }
    this.#tryNext(this.startMs, call.isPart ? "part" : "primary", -1);
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
    const isLast = this.#tries >= this.#maxAttempts || !this.#hasAnother(this.engine.now());
    if (isOnly && isLast) return;
    attempt.call?.abort();
    attempt.fail("timeout", "provider answers nobody");
  }

  #tryNext(nowMs: number, kind: Attempt["kind"], aboveHead: number): void {
    const { ranking, engine, call } = this;
    for (;;) {
      if (this.#deadlineAtMs - nowMs < MIN_ATTEMPT_MS && this.attempts.length > 0) {
        this.#giveUp(nowMs, "deadline");
        return;
      }
      const candidate =
        ranking === undefined
          ? undefined
          : engine.chooser.pick(
              call,
              ranking,
              nowMs,
              this.#tried,
              Math.max(aboveHead + 1, this.#minHead),
            );
      if (candidate === undefined) {
        if (this.#leaveProvider()) {
          this.#tryNext(nowMs, kind, aboveHead);
          return;
        }
        this.#giveUp(nowMs, this.attempts.length === 0 ? "no_provider" : "exhausted");
        return;
      }
      this.#tried.add(candidate.row.index);
      const row = engine.chooser.rowFor(call, candidate, nowMs);
      const upstream = row === undefined ? undefined : call.chain.upstream(row);
      if (row !== undefined && upstream !== undefined) {
        this.#dispatch(candidate, row, upstream, nowMs, kind);
        return;
      }
    }
  }

  get #mayLeaveProvider(): boolean {
    const { options, chain } = this.call;
    if (this.#hasLeftProvider || !options.leavesProvider) return false;
    return options.provider !== undefined && (chain.snapshot?.endpoints.length ?? 0) > 1;
  }

  /** `failover=on` with a provider: once that one has failed, whoever the chain has. */
  #leaveProvider(): boolean {
    const { call, engine, info } = this;
    const { options, chain, envelope } = call;
    const { snapshot } = chain;
    if (!this.#mayLeaveProvider || snapshot === undefined) return false;
    this.#hasLeftProvider = true;
    const asked = blockDemand(info.name, call.body, envelope.paramsStart, envelope.paramsEnd);
    const anybody = { ...call, options: { ...options, provider: undefined } };
    this.#select(snapshot, anybody, asked, engine.now());
    return true;
  }

  #select(
    snapshot: RoutingSnapshot,
    call: Call,
    asked: BlockDemand | undefined,
    nowMs: number,
  ): void {
    this.selected = this.engine.chooser.select(snapshot, call, this.info.name, asked, nowMs);
    this.ranking = this.selected.ranking;
  }

  #dispatch(
    candidate: Candidate,
    row: EndpointRow,
    upstream: Upstream,
    nowMs: number,
    kind: Attempt["kind"],
  ): void {
    const { engine, call } = this;
    const id = engine.ids.next();
    const attempt = new Attempt(this, candidate, row, id, nowMs, kind);
    this.attempts.push(attempt);
    this.#legs.add(attempt);
    if (kind !== "hedge" && kind !== "retry") this.#tries++;
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
    if (this.#tries >= this.#maxAttempts || !this.#hasAnother(nowMs)) {
      return this.#maxAttempts === 1 ? remaining : capMs;
    }
    return sharedBudgetMs(capMs, q99Ms, remaining);
  }

  /** The wait for the first provider is over: a second one is asked, once, if it may be. */
  onExpire(nowMs: number): void {
    const { engine, call, ranking, chain, method, requestId } = this;
    const slow = this.#legs.one;
    if (this.#isDone || slow === undefined || slow.isStreaming || ranking === undefined) return;
    this.#mayHedge = false;
    const demand = {
      call,
      ranking,
      tried: this.#tried,
      minHead: this.#minHead,
      slow,
      deadlineAtMs: this.#deadlineAtMs,
    };
    const leg = takeHedge(engine, demand, nowMs);
    const { emit } = engine.deps;
    if (typeof leg === "string") {
      this.hedgeDenied = leg;
      if (leg === "budget") emit("rpc.hedge.budget_exhausted", { chain, method, requestId });
      return;
    }
    const { provider } = leg.candidate.view;
    emit("rpc.hedge.fired", { chain, method, requestId, provider, from: slow.provider });
    this.#tried.add(leg.row.index);
    this.#dispatch(leg.candidate, leg.row, leg.upstream, nowMs, "hedge");
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

  #hasAnother(nowMs: number): boolean {
    if (this.#mayLeaveProvider) return true;
    return (
      this.ranking !== undefined &&
      firstUsable(this.ranking, nowMs, this.#tried, 0, this.call.pin) !== undefined
    );
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
      if (this.#tries >= this.#maxAttempts || !this.#hasAnother(nowMs)) return false;
      if (!this.engine.empties.mayRetry(this.call, this.info, nowMs)) return false;
    }
    attempt.errorClass = "empty";
    attempt.settle();
    this.#account(attempt, nowMs);
    this.#empty = { attempt, body, idStart };
    if (isRaced) return true;
    this.#tryNext(nowMs, "failover", attempt.row.head);
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
    if (this.#mayFailOver(attempt.errorClass)) {
      tellFailover(this.engine.deps.emit, this, attempt);
      this.#tryNext(nowMs, "failover", wantsHigherHead(attempt.errorClass) ? attempt.row.head : -1);
      return;
    }
    if (DECISIONS[attempt.errorClass].failover === "never") {
      this.#giveUpLeg(this.#legs.beside(attempt), "lost", nowMs);
    }
    this.#giveUp(nowMs, "exhausted");
  }

  #retryFresh(attempt: Attempt, nowMs: number): void {
    this.#hasRetriedReset = true;
    const candidate = this.ranking?.candidates.find(({ row }) => row.index === attempt.row.index);
    const upstream = this.call.chain.upstream(attempt.row);
    if (candidate === undefined || upstream === undefined) {
      this.#tryNext(nowMs, "failover", -1);
      return;
    }
    this.#dispatch(candidate, attempt.row, upstream, nowMs, "retry");
  }

  #mayFailOver(errorClass: ErrorClass): boolean {
    return this.#tries < this.#maxAttempts && failsOver(this.info, errorClass, this.attempts);
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
