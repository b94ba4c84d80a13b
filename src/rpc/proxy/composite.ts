/**
 * One call of a client that several exchanges serve: the parts of a range of logs, the legs of a
 * quorum, the copies of a transaction. Holds what the client sees of them as one: request id,
 * deadline, attempts, the one answer and the one record.
 */
import type { OwnReason } from "../errors/codes.ts";
import type { ProviderId } from "../ids.ts";
import type { MethodInfo } from "../json-rpc/methods.ts";
import type { Selected } from "../selection/selected.ts";
import type { Ranking } from "../selection/snapshot.ts";
import type { Attempt } from "./attempt/attempt.ts";
import type { Call, CallOptions, CallSink } from "./call.ts";
import type { Engine } from "./engine.ts";
import type { Exchange } from "./exchange.ts";
import { ownAnswer, type FinalAnswer } from "./outcome.ts";
import type { RequestRecord } from "./ports.ts";
import { ServedCall } from "./served-call.ts";
import type { Running } from "./service.ts";

/** A call in progress that is made of parts. */
export class Composite extends ServedCall implements Running {
  /** When the client's time is over, engine ms. */
  readonly deadlineAtMs: number;
  readonly #sink: CallSink;
  readonly #parts: Exchange[] = [];
  #isDone = false;

  constructor(engine: Engine, call: Call, info: MethodInfo, sink: CallSink) {
    super(engine, call, info, engine.now());
    this.#sink = sink;
    this.deadlineAtMs = this.startMs + (call.options.timeoutMs || info.totalMs);
  }

  /** The parts started so far, in that order. */
  get parts(): readonly Exchange[] {
    return this.#parts;
  }

  override get attempts(): readonly Attempt[] {
    return this.#parts.flatMap(({ attempts }) => attempts);
  }

  override get attemptCount(): number {
    return this.#parts.reduce((sum, { attempts }) => sum + attempts.length, 0);
  }

  /** Who could have served: the first part's ranking. */
  override get ranking(): Ranking | undefined {
    return this.#parts[0]?.ranking;
  }

  /** The first part's selection. */
  override get selected(): Selected | undefined {
    return this.#parts[0]?.selected;
  }

  /** The client has its answer, or is gone. */
  override get isDone(): boolean {
    return this.#isDone;
  }

  /** Time that is left for further parts, ms. */
  get remainingMs(): number {
    return this.deadlineAtMs - this.now();
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

  /** A result begins to leave; `sizeBytes` is that of all of it, or -1. */
  begin(sizeBytes: number): void {
    if (!this.#isDone) this.#sink.begin(this, sizeBytes);
  }

  /** More of it; false asks for a pause. */
  write(chunk: Buffer): boolean {
    return this.#isDone || this.#sink.write(chunk);
  }

  /** That was all of it. */
  end(): void {
    if (this.#isDone) return;
    this.#finish("ok");
    this.#sink.end();
    this.engine.observed(this, this.call, this.info.class);
  }

  /** The rest will never come: what has left must not look complete. */
  breakOff(): void {
    if (this.#isDone) return;
    this.#finish("error");
    this.abandon();
    this.#sink.abort();
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
    this.close(outcome, this.now());
  }
}
