/**
 * One call of a client that several exchanges serve: the parts of a range of logs, the legs of a
 * quorum, the copies of a transaction. Holds what the client sees of them as one: request id,
 * deadline, attempts, the one answer and the one record.
 */
import type { Note } from "../explain/record.ts";
import type { OwnReason } from "../errors/codes.ts";
import type { ChainName, ProviderId, Transport } from "../ids.ts";
import type { MethodInfo } from "../json-rpc/methods.ts";
import { idToken } from "../json-rpc/request-bytes.ts";
import type { Selected } from "../selection/selected.ts";
import type { Ranking } from "../selection/snapshot.ts";
import type { Attempt } from "./attempt/attempt.ts";
import type { Call, CallOptions, CallSink } from "./call.ts";
import type { CallRecord } from "./call-record.ts";
import type { Engine } from "./engine.ts";
import type { Exchange } from "./exchange.ts";
import { paramsBytes } from "./facts.ts";
import { ownAnswer, type FinalAnswer } from "./outcome.ts";
import type { RequestRecord } from "./ports.ts";
import type { Running } from "./service.ts";

/** A call in progress that is made of parts. */
export class Composite implements CallRecord, RequestRecord, Running {
  readonly engine: Engine;
  readonly call: Call;
  readonly info: MethodInfo;
  readonly requestId: string;
  readonly strategy: string;
  readonly startMs: number;
  /** When the client's time is over, engine ms. */
  readonly deadlineAtMs: number;
  readonly isLocal = false;
  provider: ProviderId | undefined = undefined;
  reason: OwnReason | undefined = undefined;
  durationMs = 0;
  outcome: RequestRecord["outcome"] = "ok";
  cache: CallRecord["cache"] = "BYPASS";
  readonly #sink: CallSink;
  readonly #parts: Exchange[] = [];
  #isDone = false;

  constructor(engine: Engine, call: Call, info: MethodInfo, sink: CallSink) {
    this.engine = engine;
    this.call = call;
    this.info = info;
    this.#sink = sink;
    this.requestId = engine.nextRequestId();
    this.strategy = call.options.strategy ?? call.chain.strategy;
    this.startMs = engine.now();
    this.deadlineAtMs = this.startMs + (call.options.timeoutMs || info.totalMs);
  }

  get method(): string {
    return this.info.name;
  }

  get chain(): ChainName {
    return this.call.chain.name;
  }

  get protocol(): Transport {
    return this.call.protocol;
  }

  /** The parts started so far, in that order. */
  get parts(): readonly Exchange[] {
    return this.#parts;
  }

  get attempts(): readonly Attempt[] {
    return this.#parts.flatMap(({ attempts }) => attempts);
  }

  get attemptCount(): number {
    return this.#parts.reduce((sum, { attempts }) => sum + attempts.length, 0);
  }

  /** Who could have served: the first part's ranking. */
  get ranking(): Ranking | undefined {
    return this.#parts[0]?.ranking;
  }

  /** The first part's selection. */
  get selected(): Selected | undefined {
    return this.#parts[0]?.selected;
  }

  get clientRequestId(): string | undefined {
    return this.call.options.clientRequestId;
  }

  get notes(): Note | undefined {
    return this.call.notes;
  }

  get paramsBytes(): number {
    return paramsBytes(this.call);
  }

  get idToken(): string {
    return idToken(this.call.body, this.call.envelope);
  }

  /** The client has its answer, or is gone. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Time that is left for further parts, ms. */
  get remainingMs(): number {
    return this.deadlineAtMs - this.now();
  }

  now(): number {
    return this.engine.now();
  }

  /** Starts a part: this call, or another one in its service, with options of its own. */
  part(call: Call, options: Partial<CallOptions>, info: MethodInfo, sink: CallSink): Exchange {
    const part: Call = {
      ...call,
      options: { ...call.options, timeoutMs: Math.max(1, this.remainingMs), ...options },
      isPart: true,
    };
    return this.engine.exchange(part, info, sink, (exchange) => this.#parts.push(exchange));
  }

  /** Answers with a provider's bytes; the id stands at `idStart..idEnd`. */
  answerResult(
    provider: ProviderId | undefined,
    body: Buffer,
    idStart: number,
    idEnd: number,
  ): void {
    if (this.#isDone) return;
    this.provider = provider;
    this.#finish("ok");
    this.#sink.result(this, body, idStart, idEnd);
    this.engine.observed(this, this.call, this.info.class);
  }

  /** Answers with text. */
  answer(answer: FinalAnswer): void {
    if (this.#isDone) return;
    this.provider = answer.provider;
    this.reason = answer.reason;
    this.#finish(answer.isResult ? "ok" : "error");
    this.#sink.text(this, answer.status, answer.latin1);
    this.engine.observed(this, this.call, this.info.class);
  }

  /** Answers with an error of ours that lists all attempts. */
  fail(reason: OwnReason): void {
    this.answer(ownAnswer(this, reason));
  }

  cancel(): void {
    if (this.#isDone) return;
    this.#finish("gone");
    this.abandon();
    this.engine.observed(this, this.call, this.info.class);
  }

  /** Gives up the parts that still run. */
  abandon(): void {
    for (const part of this.#parts) part.cancel();
  }

  resume(): void {
    for (const part of this.#parts) part.resume();
  }

  #finish(outcome: RequestRecord["outcome"]): void {
    this.#isDone = true;
    this.outcome = outcome;
    this.durationMs = this.now() - this.startMs;
  }
}
