/**
 * Runs the calls of one batch: each on its own, some at a time, answers in the order of the request.
 * A call that fails fails alone; answers beyond the size cap are replaced by an error.
 */
import { OWN_ERRORS } from "../../errors/codes.ts";
import { errorText } from "../../json-rpc/error-text.ts";
import type { Call, CallFacts, CallSink } from "../call.ts";
import type { Running } from "../service.ts";
import type { GatewayLimits } from "../ports.ts";

/** A piece of an answer: latin1 text, or bytes. */
export type Piece = string | Buffer;

/** Serves one call; the running is returned while it runs. */
export type Submit = (call: Call, sink: CallSink) => Running | undefined;

/** Receives the answers once all are there; `sizeBytes` is 0 when every call was a notification. */
export type BatchDone = (pieces: readonly Piece[], sizeBytes: number) => void;

/** One batch in progress. */
export class Batch {
  readonly #limits: GatewayLimits;
  readonly #submit: Submit;
  readonly #calls: readonly Call[];
  readonly #slots: (Slot | undefined)[];
  readonly #done: BatchDone;
  #next = 0;
  #open = 0;
  #isStarting = false;
  #isCancelled = false;
  #isFinished = false;
  #running = 0;
  #sizeBytes = 0;

  constructor(limits: GatewayLimits, submit: Submit, calls: readonly Call[], done: BatchDone) {
    this.#limits = limits;
    this.#submit = submit;
    this.#calls = calls;
    this.#slots = calls.map(() => undefined);
    this.#done = done;
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
      const slot = new Slot(this, call);
      this.#slots[index] = slot;
      this.#running++;
      slot.running = this.#submit(call, slot);
    }
    this.#isStarting = false;
    if (this.#open === 0) this.#finish();
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
class Slot implements CallSink {
  readonly canStream = false;
  readonly maxBytes: number;
  running: Running | undefined = undefined;
  pieces: Piece[] = [];
  sizeBytes = 0;
  readonly #batch: Batch;
  readonly #call: Call;

  constructor(batch: Batch, call: Call) {
    this.#batch = batch;
    this.#call = call;
    this.maxBytes = Math.max(0, batch.bytesLeft);
  }

  result(facts: CallFacts, body: Buffer, idStart: number, idEnd: number): void {
    const before = body.toString("latin1", 0, idStart) + facts.idToken;
    this.#keep(facts, [before, body.subarray(idEnd)], before.length + body.length - idEnd);
  }

  text(facts: CallFacts, _status: number, latin1: string): void {
    this.#keep(facts, [latin1], latin1.length);
  }

  #keep(facts: CallFacts, pieces: Piece[], sizeBytes: number): void {
    const { envelope } = this.#call;
    if (!envelope.hasId && envelope.fault?.code !== -32600) {
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

  begin(): void {
    throw new Error("a batch item never streams");
  }

  write(): boolean {
    return true;
  }

  end(): void {
    this.#batch.settled(0);
  }

  abort(): void {
    this.#batch.settled(0);
  }
}
