/**
 * Runs the calls of one batch: each on its own, some at a time, answers in the order of the request.
 * A call that fails fails alone; answers beyond the size cap are replaced by an error.
 */
import { OWN_ERRORS } from "../../errors/codes.ts";
import { errorText } from "../../json-rpc/error-text.ts";
import { isNotification } from "../../json-rpc/scan.ts";
import { withMeta } from "./meta.ts";
import type { Call, CallFacts, CallSink } from "../call.ts";
import type { Running } from "../service.ts";
import type { GatewayLimits } from "../ports.ts";
import { WholeSink } from "../whole-sink.ts";

/** A piece of an answer: latin1 text, or bytes. */
export type Piece = string | Buffer;

/** Serves one call; the running is returned while it runs. */
export type Submit = (call: Call, sink: CallSink) => Running | undefined;

/** Receives the answers once all are there; `sizeBytes` is 0 when every call was a notification. */
export type BatchDone = (pieces: readonly Piece[], sizeBytes: number) => void;

/** Hears of every answer as it comes, in no order; `index` is the call's place in the request. */
export type OnAnswered = (facts: CallFacts, index: number) => void;

/** One batch in progress. */
export class Batch {
  readonly #limits: GatewayLimits;
  readonly #submit: Submit;
  readonly #calls: readonly Call[];
  readonly #slots: (Slot | undefined)[];
  readonly #done: BatchDone;
  readonly #onAnswered: OnAnswered;
  #next = 0;
  #open = 0;
  #isStarting = false;
  #isCancelled = false;
  #isFinished = false;
  #running = 0;
  #sizeBytes = 0;

  constructor(
    limits: GatewayLimits,
    submit: Submit,
    calls: readonly Call[],
    done: BatchDone,
    onAnswered: OnAnswered,
  ) {
    this.#limits = limits;
    this.#submit = submit;
    this.#calls = calls;
    this.#slots = calls.map(() => undefined);
    this.#done = done;
    this.#onAnswered = onAnswered;
  }

  start(): void {
    this.#open = this.#calls.length;
    this.#fill();
  }

  /** The client is gone. */
  cancel(): void {
    this.#isCancelled = true;
    for (const slot of this.#slots) slot?.running?.cancel();
  }

  /** Answers with more bytes than this are refused. */
  get bytesLeft(): number {
    return this.#limits.maxBatchResponseBytes - this.#sizeBytes;
  }

  #fill(): void {
    // Local answers come back at once; the loop, not the stack, goes on to the next call.
    if (this.#isStarting) return;
    this.#isStarting = true;
    while (
      !this.#isCancelled &&
      this.#next < this.#calls.length &&
      this.#running < this.#limits.batchParallel
    ) {
      const index = this.#next++;
      const call = this.#calls[index] as Call;
      const slot = new Slot(this, call, index);
      this.#slots[index] = slot;
      this.#running++;
      slot.running = this.#submit(call, slot);
    }
    this.#isStarting = false;
    if (this.#open === 0) this.#finish();
  }

  /** One call has its answer. */
  answered(facts: CallFacts, index: number): void {
    this.#onAnswered(facts, index);
  }

  /** One call is answered with `sizeBytes`. */
  settled(sizeBytes: number): void {
    this.#sizeBytes += sizeBytes;
    this.#running--;
    this.#open--;
    this.#fill();
  }

  #finish(): void {
    if (this.#isCancelled || this.#isFinished) return;
    this.#isFinished = true;
    const pieces: Piece[] = [];
    let sizeBytes = 0;
    for (const slot of this.#slots) {
      if (slot === undefined || slot.pieces.length === 0) continue;
      pieces.push(pieces.length === 0 ? "[" : ",");
      sizeBytes += slot.sizeBytes + 1;
      pieces.push(...slot.pieces);
    }
    if (pieces.length > 0) {
      pieces.push("]");
      sizeBytes++;
    }
    this.#done(pieces, sizeBytes);
  }
}

/** The place of one call's answer; notifications leave theirs empty. */
class Slot extends WholeSink {
  readonly maxBytes: number;
  running: Running | undefined = undefined;
  pieces: Piece[] = [];
  sizeBytes = 0;
  readonly #batch: Batch;
  readonly #call: Call;
  readonly #index: number;

  constructor(batch: Batch, call: Call, index: number) {
    super();
    this.#batch = batch;
    this.#call = call;
    this.#index = index;
    this.maxBytes = Math.max(0, batch.bytesLeft);
  }

  result(facts: CallFacts, body: Buffer, idStart: number, idEnd: number): void {
    const before = body.toString("latin1", 0, idStart) + facts.idToken;
    if (this.#call.options.meta === "body") {
      this.text(facts, 200, before + body.toString("latin1", idEnd));
      return;
    }
    this.#keep(facts, [before, body.subarray(idEnd)], before.length + body.length - idEnd);
  }

  text(facts: CallFacts, _status: number, latin1: string): void {
    const text = this.#call.options.meta === "body" ? withMeta(latin1, facts) : latin1;
    this.#keep(facts, [text], text.length);
  }

  #keep(facts: CallFacts, pieces: Piece[], sizeBytes: number): void {
    this.#batch.answered(facts, this.#index);
    if (isNotification(this.#call.envelope)) {
      this.#batch.settled(0);
      return;
    }
    if (sizeBytes > this.#batch.bytesLeft) {
      const text = errorText(
        facts.idToken,
        OWN_ERRORS.response_too_large.code,
        "the answers of this batch are over the size limit",
        { reason: "response_too_large", request_id: facts.requestId },
      );
      this.pieces = [text];
      this.sizeBytes = text.length;
    } else {
      this.pieces = pieces;
      this.sizeBytes = sizeBytes;
    }
    this.#batch.settled(this.sizeBytes);
  }

  override end(): void {
    this.#batch.settled(0);
  }

  override abort(): void {
    this.#batch.settled(0);
  }
}
