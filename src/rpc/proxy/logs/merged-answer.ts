/**
 * The answer that grows out of the parts, in the order of their blocks.
 *
 * Its head is held back while all of it may still turn into a clean error: until everything is
 * there, or until more waits than is worth holding. From then on it streams, and a part that fails
 * for good cuts the client's connection.
 */
import type { LogsBody } from "../../logs/log-reader.ts";
import { ANSWER_HEAD } from "../../json-rpc/error-text.ts";
import { COMMA } from "../../logs/plan.ts";
import type { Expirable } from "../attempt/deadline-wheel.ts";
import { STREAM_IDLE_MS } from "../limits.ts";
import type { LogsRecord } from "./logs-record.ts";

/** Bytes that wait for the end before the answer streams: as much as a client may lose to a cut. */
const HOLD_BYTES = 4 * 1024 * 1024;
/** Answers up to this size leave in one piece. */
const ONE_PIECE_BYTES = 64 * 1024;

/** Collects parts and passes them on. */
export class MergedAnswer implements Expirable {
  expiresAtMs = 0;
  wheelNext: Expirable | undefined = undefined;
  wheelPrevious: Expirable | undefined = undefined;
  readonly #record: LogsRecord;
  readonly #canStream: boolean;
  readonly #onDrained: () => void;
  #queue: Buffer[] = [];
  #next = 0;
  #waitingBytes = 0;
  #totalBytes = 0;
  #count = 0;
  #isBegun = false;
  #isComplete = false;
  #pausedAtMs = -1;
  #pausedMs = 0;

  /** `onDrained` hears that the client takes more again. */
  constructor(record: LogsRecord, canStream: boolean, onDrained: () => void) {
    this.#record = record;
    this.#canStream = canStream;
    this.#onDrained = onDrained;
  }

  /** Bytes that wait for the client. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Bytes of all parts so far. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** The client has bytes of the answer. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** The client does not read. */
  get isPaused(): boolean {
    return this.#pausedAtMs >= 0;
  }

  /** Time that the client has spent not reading, ms: nobody else's. */
  pausedMs(nowMs: number): number {
    return this.#pausedMs + (this.isPaused ? nowMs - this.#pausedAtMs : 0);
  }

  /** Takes the next part. */
  push({ pieces, sizeBytes, count }: LogsBody): void {
    if (count === 0) return;
    if (this.#count > 0) this.#add(COMMA);
    this.#count += count;
    for (const piece of pieces) this.#add(piece);
    this.#totalBytes += sizeBytes;
    if (this.#canStream && !this.#isBegun && this.#waitingBytes >= HOLD_BYTES) this.#begin(-1);
    if (this.#isBegun) this.#drain();
  }

  /** That was the last part. */
  complete(): void {
    this.#isComplete = true;
    if (!this.#isBegun) {
      if (!this.#canStream || this.#waitingBytes <= ONE_PIECE_BYTES) {
        this.#sendWhole();
        return;
      }
      const { length } = this.#head() + TAIL;
      this.#begin(length + this.#waitingBytes);
    }
    this.#add(Buffer.from(TAIL));
    this.#drain();
  }

  /** The client took what was written. */
  resume(): void {
    if (!this.isPaused) return;
    const { engine } = this.#record;
    engine.wheel.remove(this);
    this.#pausedMs += engine.now() - this.#pausedAtMs;
    this.#pausedAtMs = -1;
    this.#drain();
    if (!this.isPaused) this.#onDrained();
  }

  /** The client has read nothing for too long. */
  onExpire(): void {
    this.drop();
    this.#record.breakOff();
  }

  /** Lets go of everything. */
  drop(): void {
    this.#record.engine.wheel.remove(this);
    this.#queue = [];
    this.#next = 0;
    this.#waitingBytes = 0;
  }

  #head(): string {
    return `${ANSWER_HEAD}${this.#record.idToken},"result":[`;
  }

  #add(piece: Buffer): void {
    this.#queue.push(piece);
    this.#waitingBytes += piece.length;
  }

  #begin(sizeBytes: number): void {
    this.#isBegun = true;
    const head = Buffer.from(this.#head(), "latin1");
    this.#queue.unshift(head);
    this.#waitingBytes += head.length;
    this.#record.begin(sizeBytes);
  }

  #drain(): void {
    while (!this.isPaused && this.#next < this.#queue.length) {
      const piece = this.#queue[this.#next] as Buffer;
      // What has left is let go at once: a slow client must not hold it twice.
      this.#queue[this.#next++] = COMMA;
      this.#waitingBytes -= piece.length;
      if (!this.#record.write(piece)) this.#pause();
    }
    if (this.#next < this.#queue.length) return;
    this.#queue = [];
    this.#next = 0;
    if (!this.#isComplete) return;
    this.drop();
    this.#record.end();
  }

  #pause(): void {
    const { engine } = this.#record;
    this.#pausedAtMs = engine.now();
    engine.wheel.add(this, this.#pausedAtMs + STREAM_IDLE_MS);
  }

  #sendWhole(): void {
    const head = Buffer.from(this.#head(), "latin1");
    const tail = Buffer.from(TAIL);
    const sizeBytes = head.length + this.#waitingBytes + tail.length;
    const body = Buffer.concat([head, ...this.#queue, tail], sizeBytes);
    this.drop();
    const idAt = ANSWER_HEAD.length;
    this.#record.answerResult(
      this.#record.provider,
      body,
      idAt,
      idAt + this.#record.idToken.length,
    );
  }
}

const TAIL = "]}";
