/**
 * A call that waits for the answer of an equal one: it has its own id, deadline and record, and may
 * leave at any time.
 */
import { OWN_ERRORS, type OwnReason } from "../../errors/codes.ts";
import { addNote, type ExplainRecord, type Note } from "../../explain/record.ts";
import type { ProviderId } from "../../ids.ts";
import { ANSWER_HEAD, errorText } from "../../json-rpc/error-text.ts";
import type { MethodInfo } from "../../json-rpc/methods.ts";
import type { Expirable } from "../attempt/deadline-wheel.ts";
import type { Call, CallFacts, CallSink } from "../call.ts";
import type { Engine } from "../engine.ts";
import { LocalFacts } from "../facts.ts";
import type { RequestRecord } from "../ports.ts";
import type { Running } from "../service.ts";

/** Whom a follower tells that it waits no more. */
export interface Followed {
  left(follower: Follower): void;
}

/** One waiting call. */
export class Follower extends LocalFacts implements Running, Expirable {
  expiresAtMs = 0;
  wheelNext: Expirable | undefined = undefined;
  wheelPrevious: Expirable | undefined = undefined;
  override isLocal = false;
  override isDone = false;
  override durationMs = 0;
  override provider: ProviderId | undefined = undefined;
  override reason: OwnReason | undefined = undefined;
  readonly #engine: Engine;
  readonly #info: MethodInfo;
  readonly #sink: CallSink;
  readonly #flight: Followed;
  #outcome: RequestRecord["outcome"] = "ok";

  constructor(
    engine: Engine,
    call: Call,
    info: MethodInfo,
    sink: CallSink,
    flight: Followed,
    timeoutMs: number,
  ) {
    super(engine, call, undefined, "COALESCED");
    this.#engine = engine;
    this.#info = info;
    this.#sink = sink;
    this.#flight = flight;
    engine.countWaiting(1);
    engine.wheel.add(this, this.startMs + timeoutMs);
  }

  override get outcome(): RequestRecord["outcome"] {
    return this.#outcome;
  }

  /** Largest answer its client takes. */
  get maxBytes(): number {
    return this.#sink.maxBytes;
  }

  /** The shared answer is a result. */
  result(
    facts: CallFacts,
    body: Buffer,
    idStart: number,
    idEnd: number,
    outcome: RequestRecord["outcome"] = "ok",
  ): void {
    if (!this.#end(facts, outcome)) return;
    this.#sink.result(this, body, idStart, idEnd);
    this.#observed();
  }

  /** The shared answer is text, which holds the other call's id and request id. */
  text(facts: CallFacts, status: number, latin1: string, outcome: RequestRecord["outcome"]): void {
    if (!this.#end(facts, outcome)) return;
    const tail = latin1.slice(ID_AT + facts.idToken.length);
    const own = tail.replaceAll(requestMember(facts.requestId), requestMember(this.requestId));
    this.#sink.text(this, status, latin1.slice(0, ID_AT) + this.idToken + own);
    this.#observed();
  }

  cancel(): void {
    if (!this.#end(undefined, "gone")) return;
    this.#flight.left(this);
    this.#observed();
  }

  /** Nothing of it streams. */
  resume(): void {}

  /** The shared answer broke off on its way. */
  cut(facts: CallFacts | undefined): void {
    if (!this.#end(facts, "error")) return;
    this.#fail("exhausted", `the shared answer to ${this.method} on ${this.chain} broke off`);
  }

  onExpire(): void {
    if (!this.#end(undefined, "error")) return;
    this.#flight.left(this);
    const what = `${this.method} on ${this.chain}`;
    this.#fail("deadline", `time ran out for ${what}: an equal call is still unanswered`);
  }

  #fail(reason: OwnReason, message: string): void {
    this.reason = reason;
    const { code, status } = OWN_ERRORS[reason];
    const data = { reason: this.reason, request_id: this.requestId };
    this.#sink.text(this, status, errorText(this.idToken, code, message, data));
    this.#observed();
  }

  #end(facts: CallFacts | undefined, outcome: RequestRecord["outcome"]): boolean {
    if (this.isDone) return false;
    this.isDone = true;
    this.provider = facts?.provider;
    this.reason = facts?.reason;
    this.#outcome = outcome;
    this.durationMs = this.now() - this.startMs;
    this.#engine.wheel.remove(this);
    this.#engine.countWaiting(-1);
    if (facts !== undefined) addNote(this.call, new SharedNote(facts.requestId));
    return true;
  }

  #observed(): void {
    this.#engine.observed(this, this.call, this.#info.class);
  }
}

/** Says whose attempts brought the answer. */
class SharedNote implements Note {
  next: Note | undefined = undefined;
  readonly #requestId: string;

  constructor(requestId: string) {
    this.#requestId = requestId;
  }

  describe(record: ExplainRecord): void {
    record.flight = { shared_with: this.#requestId };
  }
}

/** Where the id begins in every answer that we word. */
const ID_AT = ANSWER_HEAD.length;

function requestMember(requestId: string): string {
  return `"request_id":"${requestId}"`;
}
