/**
 * One call of `eth_getLogs` over a range: asked for in one piece where somebody serves it in one,
 * else in parts, some at a time, from several providers. A part that is refused is cut, one that
 * fails goes to another provider, and only those are asked for again.
 *
 * Parts that a reorganisation may still change leave when all of them are there and agree with the
 * chain; all others leave in the order of their blocks as they come.
 */
import { addNote } from "../../explain/record.ts";
import type { OwnReason } from "../../errors/codes.ts";
import { DECISIONS } from "../../errors/decisions.ts";
import type { MethodInfo } from "../../json-rpc/methods.ts";
import type { Part } from "../../logs/plan.ts";
import { LogsPlan } from "../../logs/plan.ts";
import type { LogsQuery } from "../../logs/query.ts";
import { sliceParams } from "../../logs/query.ts";
import type { LogsRange } from "../../logs/range.ts";
import type { LogsConfig } from "../../../../config/schema.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { Expirable } from "../attempt/deadline-wheel.ts";
import type { Call, CallSink } from "../call.ts";
import type { Engine } from "../engine.ts";
import type { Exchange } from "../exchange.ts";
import { MIN_ATTEMPT_MS } from "../limits.ts";
import { withParams } from "../make-call.ts";
import { finalAnswer } from "../outcome.ts";
import type { Running } from "../service.ts";
import { cutPart, tellPlanned } from "./cut-part.ts";
import { LogsNote } from "./logs-note.ts";
import { LogsRecord, PartRecord } from "./logs-record.ts";
import { MergedAnswer } from "./merged-answer.ts";
import { MAX_REFETCHES, OpenEnd } from "./open-end.ts";
import type { Run, RunOwner } from "./part-run.ts";
import { PartRun, WholeRun } from "./part-run.ts";
import { PartTries } from "./part-tries.ts";
import { Takers } from "./takers.ts";

/** Bytes that parts may hold besides the one whose turn it is, where the client takes a stream. */
const WINDOW_BYTES = 8 * 1024 * 1024;
/** A call in progress. */
export class LogsCall implements Running, RunOwner, Expirable {
  expiresAtMs = 0;
  wheelNext: Expirable | undefined = undefined;
  wheelPrevious: Expirable | undefined = undefined;
  readonly #engine: Engine;
  readonly #call: Call;
  readonly #info: MethodInfo;
  readonly #sink: CallSink;
  readonly #rules: LogsConfig;
  readonly #record: LogsRecord;
  readonly #note: LogsNote;
  readonly #plan: LogsPlan;
  readonly #takers: Takers;
  readonly #answer: MergedAnswer;
  readonly #runs = new Set<PartRun>();
  readonly #tries: PartTries;
  readonly #openEnd: OpenEnd;
  #whole: WholeRun | undefined = undefined;
  #isPumping = false;
  #isAgain = false;

  constructor(
    engine: Engine,
    call: Call,
    info: MethodInfo,
    sink: CallSink,
    takers: Takers,
    query: LogsQuery,
    range: LogsRange,
    rules: LogsConfig,
  ) {
    this.#engine = engine;
    this.#call = call;
    this.#info = { ...info, isCut: true };
    this.#sink = sink;
    this.#rules = rules;
    this.#takers = takers;
    this.#tries = new PartTries(takers);
    this.#plan = new LogsPlan(query, range.fromBlock, range.toBlock);
    this.#note = new LogsNote(this.#plan);
    addNote(call, this.#note);
    this.#record = new LogsRecord(engine, call, info, sink);
    this.#openEnd = new OpenEnd(call.chain, this.#note);
    this.#answer = new MergedAnswer(this.#record, sink.canStream, () => this.#pump());
  }

  /** Asks for all of it where one provider serves that much, else for the first parts. */
  start(): void {
    const { fromBlock, toBlock } = this.#plan;
    const blocks = toBlock - fromBlock + 1;
    const widest = this.#takers.widest(this.#engine.now());
    // With nobody to ask, one exchange says best why.
    if (widest === 0 || blocks <= widest) this.#startWhole(blocks);
    else {
      tellPlanned(this.#record, this.#plan, Math.ceil(blocks / widest));
      this.#pump();
    }
  }

  cancel(): void {
    if (this.#record.isDone) return;
    this.#record.cancel();
    this.#clear();
  }

  resume(): void {
    if (this.#whole !== undefined) this.#whole.exchange.resume();
    else this.#answer.resume();
  }

  exchangeAt(index: number): Exchange {
    return this.#record.parts[index] as Exchange;
  }

  mayGrow(run: PartRun): boolean {
    if (this.#bytes > this.#maxBytes) {
      this.#giveUp("response_too_large", undefined);
      return true;
    }
    if (!this.#sink.canStream || this.#heldBytes <= WINDOW_BYTES) return true;
    return run.part === this.#plan.head && !this.#answer.isPaused;
  }

  arrived(run: PartRun): void {
    if (this.#record.isDone) return;
    const { part, reader } = run;
    const body = reader.finish();
    if (body === undefined) {
      const fault = reader.fault ?? "no logs";
      const { guard } = this.#engine;
      const { provider } = run.exchange;
      if (provider !== undefined) {
        guard.accuse(this.#call.chain, provider, this.#info.name, "answer", fault);
      }
      this.failed(run, fault);
      return;
    }
    this.#leave(run);
    const { provider } = run.exchange;
    this.#note.add(part.slice, provider, "ok");
    this.#record.provider ??= provider;
    this.#tries.forget(part);
    this.#plan.complete(part, body);
    this.#pump();
  }

  failed(run: Run, fault?: string): void {
    if (this.#record.isDone) return;
    this.#leave(run);
    const { part, exchange } = run;
    const { attempts, reason } = exchange;
    // One that streamed breaks off without a reason of its own.
    if (attempts.some(({ failureKind }) => failureKind === "overflow")) {
      this.#giveUp("response_too_large", undefined);
      return;
    }
    if (fault === undefined && this.#isCut(part, attempts)) {
      if (run instanceof WholeRun) tellPlanned(this.#record, this.#plan, this.#plan.parts);
      this.#pump();
      return;
    }
    this.#note.add(part.slice, run.taker, "failed");
    const isSpent = this.#tries.add(part, exchange, fault !== undefined, this.#engine.now());
    const last = attempts.at(-1);
    const isFinal =
      fault === undefined &&
      last?.error !== undefined &&
      DECISIONS[last.errorClass].failover === "never";
    // In one piece it is a call as any other, but for refusals that somebody else may not share.
    const isPlain = run instanceof WholeRun && last?.errorClass !== "capability";
    if (isFinal || isSpent || isPlain || !this.#mayAskAgain(part)) {
      this.#giveUp(reason ?? "exhausted", part);
      return;
    }
    this.#plan.release(part);
    this.#pump();
  }

  /** A provider that rested may be asked again. */
  onExpire(): void {
    this.#pump();
  }

  /** Bytes that are held for the client now. */
  get #heldBytes(): number {
    let bytes = this.#plan.heldBytes + this.#answer.waitingBytes;
    for (const { reader } of this.#runs) bytes += reader.sizeBytes;
    return bytes;
  }

  /** Bytes of the answer as far as they are known. */
  get #bytes(): number {
    return this.#heldBytes - this.#answer.waitingBytes + this.#answer.totalBytes;
  }

  get #maxBytes(): number {
    return Math.min(this.#engine.limits.maxResponseBytes, this.#sink.maxBytes);
  }

  /** Time that is left; a client that does not read spends its own. */
  get #remainingMs(): number {
    return this.#record.remainingMs + this.#answer.pausedMs(this.#engine.now());
  }

  #startWhole(blocks: number): void {
    const part = this.#plan.take(this.#plan.next as Part, blocks);
    this.#whole = new WholeRun(this, part, this.#record, this.#sink);
    this.#record.part(this.#call, {}, this.#info, this.#whole);
  }

  #leave(run: Run): void {
    if (run instanceof PartRun) {
      this.#runs.delete(run);
      if (run.taker !== undefined) this.#takers.occupy(run.taker, -1);
    } else this.#whole = undefined;
  }

  /** Passes on what is ready and asks for what is missing; a call from within waits for its turn. */
  #pump(): void {
    this.#isAgain = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#isAgain && !this.#record.isDone) {
      this.#isAgain = false;
      this.#passOn();
      if (!this.#record.isDone) this.#launch();
    }
    this.#isPumping = false;
    if (this.#record.isDone) this.#clear();
  }

  #passOn(): void {
    for (;;) {
      const first = this.#plan.front;
      if (first === undefined) break;
      if (first.slice.toBlock >= this.#openEnd.fromBlock && !this.#isSettled()) break;
      const body = this.#plan.shift();
      if (body === undefined) break;
      this.#answer.push(body);
    }
    if (this.#bytes > this.#maxBytes) this.#giveUp("response_too_large", undefined);
    else if (this.#plan.isOver && !this.#record.isDone) this.#answer.complete();
  }

  #isSettled(): boolean {
    return this.#openEnd.isSettled(this.#plan, this.#engine.now());
  }

  #launch(): void {
    const plan = this.#plan;
    // Fewer at a time are asked of providers that throttle.
    const parallel = Math.max(1, this.#rules.parallel - this.#tries.throttles);
    this.#engine.wheel.remove(this);
    for (const run of this.#runs) {
      if (run.isPaused && this.mayGrow(run)) {
        run.isPaused = false;
        run.exchange.resume();
      }
    }
    while (!this.#record.isDone && this.#whole === undefined) {
      const part = plan.next;
      if (part === undefined || this.#runs.size >= parallel) return;
      const isAhead = part !== plan.head;
      if (isAhead && this.#sink.canStream && this.#heldBytes > WINDOW_BYTES) return;
      if (this.#answer.isPaused && this.#heldBytes > WINDOW_BYTES) return;
      if (!this.#ask(part)) return;
    }
  }

  /** Asks somebody for a part; false when nobody can be asked now. */
  #ask(part: Part): boolean {
    if (part.refetches > MAX_REFETCHES) {
      this.#giveUp("exhausted", part);
      return false;
    }
    const nowMs = this.#engine.now();
    const refetchAtMs = this.#openEnd.refetchAtMs(part);
    if (nowMs < refetchAtMs) {
      this.#engine.wheel.add(this, refetchAtMs);
      return false;
    }
    const { length } = part.slice.addresses ?? this.#plan.query.addresses;
    const taker = this.#takers.choose(part.slice, part.failed, length, nowMs);
    if (taker === undefined && this.#waits(part, nowMs)) return false;
    const taken = this.#plan.take(part, taker?.limit ?? this.#rules.partRange);
    if (this.#plan.isOverfull) {
      this.#refuse();
      return false;
    }
    this.#openEnd.stamp(taken);
    const bounds = { ...taken.slice, marksFrom: this.#openEnd.fromBlock };
    const leftBytes = Math.max(0, this.#maxBytes - this.#bytes);
    const index = this.#record.parts.length;
    const run = new PartRun(this, taken, taker?.provider, index, bounds, leftBytes);
    this.#runs.add(run);
    if (taker !== undefined) this.#takers.occupy(taker.provider, 1);
    const exclude = [...this.#call.options.exclude, ...part.failed];
    const prefer = taker?.provider;
    const timeoutMs = Math.max(1, this.#remainingMs);
    const call = withParams(this.#call, sliceParams(this.#plan.query, taken.slice));
    this.#record.part(call, { exclude, prefer, timeoutMs }, this.#info, run);
    return true;
  }

  /** Nobody can serve the part now: waits for whoever is only throttled, or for what runs. */
  #waits(part: Part, nowMs: number): boolean {
    const atMs = this.#takers.freeAtMs(part.slice, part.failed, nowMs);
    if (atMs !== undefined && atMs > nowMs && atMs - nowMs < this.#remainingMs - MIN_ATTEMPT_MS) {
      this.#engine.wheel.add(this, atMs);
      return true;
    }
    return this.#runs.size > 0;
  }

  #isCut(part: Part, attempts: readonly Attempt[]): boolean {
    const context = {
      record: this.#record,
      plan: this.#plan,
      takers: this.#takers,
      note: this.#note,
    };
    return cutPart(context, part, attempts);
  }

  #mayAskAgain(part: Part): boolean {
    const { options, chain } = this.#call;
    return (
      options.failover &&
      options.maxAttempts !== 1 &&
      chain.failoverEnabled &&
      this.#remainingMs >= MIN_ATTEMPT_MS &&
      this.#takers.hasAnother(part.slice, part.failed)
    );
  }

  /** The call fails, with the most informative error of the part that nobody answered. */
  #giveUp(reason: OwnReason, part: Part | undefined): void {
    const record = this.#record;
    if (this.#answer.isBegun) record.breakOff();
    else if (part === undefined) record.fail(reason);
    else {
      const { attempts, last } = this.#tries.of(part);
      record.answer(finalAnswer(new PartRecord(record, attempts, last), reason));
    }
    record.abandon();
    this.#clear();
  }

  /** Providers serve so little at once that the range would take too many parts. */
  #refuse(): void {
    if (this.#answer.isBegun) this.#giveUp("exhausted", undefined);
    else {
      this.#record.refuse("logs_range", "the range would take too many parts of these providers");
      this.#record.abandon();
      this.#clear();
    }
  }

  #clear(): void {
    this.#engine.wheel.remove(this);
    this.#answer.drop();
    this.#runs.clear();
  }
}
