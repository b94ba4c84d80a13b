/**
 * One try at one endpoint: collects or streams the answer and ends in exactly one outcome.
 *
 * Bodies up to the buffer limit are judged whole, so that a cut one can still fail over. Larger ones
 * stream once the walker has seen that they hold a result; from then on the client has bytes of
 * this answer, and a break destroys its connection.
 */
import type { AttemptOutcome, EndpointRow } from "../../chain-view.ts";
import type { AttemptKind } from "../../explain/record.ts";
import type { ErrorClass } from "../../errors/classes.ts";
import type { ErrorRule } from "../../errors/rules.ts";
import { retryAfterMs, retryHintMs } from "../../errors/retry-after.ts";
import type { BlockDemand } from "../../json-rpc/block-demand.ts";
import { TAIL_BYTES, tailIdAt, walkReply } from "../../json-rpc/reply-walker.ts";
import { ID_WIDTH, readId } from "../../json-rpc/upstream-id.ts";
import type { Candidate } from "../../selection/snapshot.ts";
import type { Expirable } from "./deadline-wheel.ts";
import type { RelayableError, ReplyContext } from "./upstream-reply.ts";
import { judgeReply } from "./upstream-reply.ts";
import { STREAM_IDLE_MS, STREAM_TOTAL_MS } from "../limits.ts";
import type {
  ChainView,
  UpstreamCall,
  UpstreamFailure,
  UpstreamHandler,
  UpstreamHead,
} from "../ports.ts";

/** What an attempt tells the exchange that made it. */
export interface AttemptOwner {
  readonly method: string;
  readonly canStream: boolean;
  /** The stall rule counts this call. */
  readonly isCheap: boolean;
  readonly chainView: ChainView;
  /** The provider looks frozen. */
  onStalled(attempt: Attempt): void;
  readonly bufferBytes: number;
  readonly maxResponseBytes: number;
  /** An answer beyond this size is its provider's failure: no honest one is as large. */
  readonly absurdBytes: number;
  now(): number;
  /** The provider's own error rules. */
  rulesOf(attempt: Attempt): readonly ErrorRule[];
  /** The blocks that the call names; asked for only when an answer makes them matter. */
  blocksAsked(): BlockDemand | undefined;
  /** The call reads within the last 128 blocks; undefined when that cannot be told. */
  isNearHead(): boolean | undefined;
  /** What is wrong with a whole result that begins at `valueAt`, as far as can be told. */
  faultIn(attempt: Attempt, body: Buffer, valueAt: number): string | undefined;
  /** A whole result; the id stands at `idStart..idEnd`. */
  onResult(attempt: Attempt, body: Buffer, idStart: number, idEnd: number, isNull: boolean): void;
  /** A result begins to stream; `sizeBytes` is the upstream's, or -1. */
  onStream(attempt: Attempt, sizeBytes: number): void;
  /** More of a streamed result; false asks for a pause. */
  onChunk(chunk: Buffer): boolean;
  /** The client's id goes here. */
  onIdPlace(): boolean;
  onStreamEnd(attempt: Attempt): void;
  onAttemptFailed(attempt: Attempt, failure: UpstreamFailure | undefined): void;
  /** The stream still moves: look again at `atMs`. */
  rearm(attempt: Attempt, atMs: number): void;
}

/** How much of the answer has been dealt with. */
type Phase = "collecting" | "streaming" | "streaming_to_tail" | "settled";

/** One attempt; it is its own deadline, its own upstream handler and its own outcome record. */
export class Attempt implements UpstreamHandler, Expirable, AttemptOutcome, ReplyContext {
  readonly owner: AttemptOwner;
  readonly row: EndpointRow;
  readonly provider: string;
  readonly generation: number;
  readonly method: string;
  readonly id: number;
  readonly startMs: number;
  readonly kind: AttemptKind;
  /** Why nobody waits for it any more, once it was given up. */
  cancelledBecause: "client_gone" | "lost" | undefined = undefined;
  /** The q99 of the endpoint's answers to this method, or 0 while unknown. */
  usualMs = 0;
  /** The median of them, or 0. */
  medianMs = 0;
  call: UpstreamCall | undefined = undefined;
  errorClass: ErrorClass = "cancelled";
  durationMs = 0;
  retryAfterMs: number | undefined = undefined;
  status: number | undefined = undefined;
  detail: string | undefined = undefined;
  error: RelayableError | undefined = undefined;
  /** The result is the data of a revert. */
  isRevert = false;
  /** How the transport broke, when it did. */
  failureKind: UpstreamFailure["kind"] | undefined = undefined;
  /** Neighbours among all attempts in flight, for the stall rule. */
  next: Attempt | undefined = undefined;
  previous: Attempt | undefined = undefined;
  expiresAtMs = 0;
  wheelNext: Expirable | undefined = undefined;
  wheelPrevious: Expirable | undefined = undefined;
  #phase: Phase = "collecting";
  #declared = -1;
  #received = 0;
  /** Size at which a large answer is looked at again for its beginning. */
  #lookAtBytes = 0;
  #first: Buffer | undefined = undefined;
  #rest: Buffer[] | undefined = undefined;
  #tail: Buffer | undefined = undefined;
  #movedAtMs = 0;

  constructor(
    owner: AttemptOwner,
    candidate: Candidate,
    row: EndpointRow,
    id: number,
    nowMs: number,
    kind: AttemptKind,
  ) {
    this.owner = owner;
    this.row = row;
    this.provider = candidate.view.provider;
    this.generation = row.generation;
    this.method = owner.method;
    this.id = id;
    this.startMs = nowMs;
    this.kind = kind;
  }

  get isSettled(): boolean {
    return this.#phase === "settled";
  }

  /** Bytes of this attempt's answer are with the client. */
  get isStreaming(): boolean {
    return this.#phase === "streaming" || this.#phase === "streaming_to_tail";
  }

  get rules(): readonly ErrorRule[] {
    return this.owner.rulesOf(this);
  }

  get block(): number | undefined {
    return this.owner.blocksAsked()?.block;
  }

  get isNearHead(): boolean | undefined {
    return this.owner.isNearHead();
  }

  onHead(head: UpstreamHead): void {
    if (this.#phase !== "collecting") return;
    this.status = head.status;
    this.#declared = head.sizeBytes;
    if (head.retryAfter !== undefined) this.retryAfterMs = retryAfterMs(head.retryAfter);
    if (head.sizeBytes > this.owner.maxResponseBytes) this.#overflow();
  }

  onData(chunk: Buffer): boolean {
    if (this.#phase === "collecting") return this.#collect(chunk);
    if (this.#phase === "settled") return true;
    this.#received += chunk.length;
    this.#movedAtMs = this.owner.now();
    if (this.#received > this.owner.maxResponseBytes) {
      this.#overflow();
      return true;
    }
    return this.#phase === "streaming" ? this.owner.onChunk(chunk) : this.#holdTail(chunk);
  }

  onEnd(): void {
    if (this.#phase === "collecting") {
      this.#judge();
    } else if (this.isStreaming) {
      if (this.#phase === "streaming_to_tail" && !this.#spliceTail()) {
        this.fail("malformed", "answer ends without our id");
        return;
      }
      this.#phase = "settled";
      this.errorClass = "ok";
      this.owner.onStreamEnd(this);
    }
  }

  onFailure(failure: UpstreamFailure): void {
    if (this.#phase === "settled") return;
    this.failureKind = failure.kind;
    const isCut = failure.kind === "truncated" || this.#received > 0;
    this.fail(
      isCut ? "malformed" : failure.kind === "timeout" ? "timeout" : "transport",
      failure.detail,
      failure,
    );
  }

  onExpire(nowMs: number): void {
    if (this.#phase === "settled") return;
    const endsAtMs = Math.min(this.#movedAtMs + STREAM_IDLE_MS, this.startMs + STREAM_TOTAL_MS);
    if (this.isStreaming && nowMs < endsAtMs) {
      this.owner.rearm(this, endsAtMs);
      return;
    }
    this.call?.abort();
    this.fail("timeout", `no answer within ${Math.round(nowMs - this.startMs)} ms`);
  }

  /** Ends the attempt with a failure; the owner decides what follows. */
  fail(errorClass: ErrorClass, detail: string, failure?: UpstreamFailure): void {
    this.errorClass = errorClass;
    this.detail = detail;
    this.#first = undefined;
    this.#rest = undefined;
    this.owner.onAttemptFailed(this, failure);
  }

  /** Nobody waits for the answer any more. */
  cancel(): void {
    if (this.#phase === "settled") return;
    this.#phase = "settled";
    this.errorClass = "cancelled";
    this.call?.abort();
  }

  /** Marks the end for good; called by the owner once it has read the state. */
  settle(): void {
    this.#phase = "settled";
  }

  #collect(chunk: Buffer): boolean {
    this.#received += chunk.length;
    if (this.#first === undefined) this.#first = chunk;
    else if (this.#rest === undefined) this.#rest = [chunk];
    else this.#rest.push(chunk);
    const { owner } = this;
    if (this.#received > owner.maxResponseBytes) {
      this.#overflow();
      return true;
    }
    const isLarge = this.#declared > owner.bufferBytes || this.#received > owner.bufferBytes;
    if (!owner.canStream || this.status !== 200 || !isLarge) return true;
    // Looked at whenever it has doubled: an answer that comes byte by byte is not copied for each.
    if (this.#received < this.#lookAtBytes && this.#received <= owner.bufferBytes) return true;
    this.#lookAtBytes = 2 * this.#received;
    return this.#tryStream();
  }

  /** Starts to stream when the bytes so far show a result. */
  #tryStream(): boolean {
    const bytes = this.#whole();
    const head = walkReply(bytes, bytes.length, false);
    if (head.kind === "bad") {
      this.call?.abort();
      this.fail("malformed", "answer is not JSON-RPC");
      return true;
    }
    if (head.kind !== "result") {
      // An error, or undecided: it is collected, but never beyond the buffer.
      if (this.#received > this.owner.bufferBytes) {
        this.call?.abort();
        this.fail("malformed", "answer has no result within its first bytes");
      }
      return true;
    }
    const { idStart, idEnd } = head;
    if (idStart >= 0 && readId(bytes, idStart, idEnd) !== this.id) {
      this.call?.abort();
      this.fail("malformed", "answer carries another id");
      return true;
    }
    const { owner } = this;
    this.#first = undefined;
    this.#rest = undefined;
    this.#movedAtMs = owner.now();
    this.#phase = idStart < 0 ? "streaming_to_tail" : "streaming";
    owner.onStream(this, this.#declared);
    if (idStart < 0) return this.#holdTail(bytes);
    owner.onChunk(bytes.subarray(0, idStart));
    owner.onIdPlace();
    return owner.onChunk(bytes.subarray(idEnd));
  }

  /** Passes on all but the last bytes, in which the id may stand. */
  #holdTail(chunk: Buffer): boolean {
    const bytes = this.#tail === undefined ? chunk : Buffer.concat([this.#tail, chunk]);
    if (bytes.length <= TAIL_BYTES) {
      this.#tail = bytes;
      return true;
    }
    const cut = bytes.length - TAIL_BYTES;
    // A copy: the held bytes must not keep a whole socket chunk alive, nor be overwritten.
    this.#tail = Buffer.from(bytes.subarray(cut));
    return this.owner.onChunk(bytes.subarray(0, cut));
  }

  #spliceTail(): boolean {
    const tail = this.#tail ?? Buffer.alloc(0);
    const at = tailIdAt(tail, tail.length);
    if (at < 0 || readId(tail, at, at + ID_WIDTH) !== this.id) return false;
    this.owner.onChunk(tail.subarray(0, at));
    this.owner.onIdPlace();
    this.owner.onChunk(tail.subarray(at + ID_WIDTH));
    return true;
  }

  #whole(): Buffer {
    if (this.#first === undefined) return Buffer.alloc(0);
    if (this.#rest === undefined) return this.#first;
    const whole = Buffer.concat([this.#first, ...this.#rest]);
    this.#first = whole;
    this.#rest = undefined;
    return whole;
  }

  #judge(): void {
    const body = this.#whole();
    // The record of the attempt lives as long as its request; the answer need not.
    this.#first = undefined;
    const verdict = judgeReply(body, this);
    if (verdict.kind === "result") {
      const fault = this.owner.faultIn(this, body, verdict.valueAt);
      if (fault !== undefined) {
        this.fail("malformed", fault);
        return;
      }
      this.isRevert = verdict.isRevert;
      this.owner.onResult(this, body, verdict.idStart, verdict.idEnd, verdict.isNull);
      return;
    }
    this.error = verdict.error;
    if (verdict.errorClass === "rate_limit" && verdict.error !== undefined) {
      this.retryAfterMs ??= retryHintMs(verdict.error.message, verdict.error.data);
    }
    this.fail(verdict.errorClass, verdict.detail);
  }

  #overflow(): void {
    this.call?.abort();
    const sizeBytes = Math.max(this.#received, this.#declared);
    if (!this.isStreaming && sizeBytes > this.owner.absurdBytes) {
      this.fail("malformed", "answer is far larger than the method can give");
      return;
    }
    this.failureKind = OVERFLOW.kind;
    // Nobody's failure: the answer is as large at every provider.
    this.fail("cancelled", OVERFLOW.detail, OVERFLOW);
  }
}

const OVERFLOW: UpstreamFailure = {
  kind: "overflow",
  reusedSocket: false,
  detail: "answer is over the size limit",
};
