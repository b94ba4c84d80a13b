/**
 * Copies a stream as it passes, so that an answer too large to be buffered can be kept all the same.
 * Bounded for each stream and for all of them together; what goes over a bound is not kept.
 */
import { MAX_ANSWER_BYTES } from "../../cache/answer-cache.ts";

/** Bytes of all copies that are being made, at most. */
const MAX_COPYING_BYTES = 32 * 1024 * 1024;

/** What all copies together hold now. */
export class CopyRoom {
  bytes = 0;
}

/** One stream's bytes. */
export class StreamCopy {
  readonly #room: CopyRoom;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isOver = false;

  constructor(room: CopyRoom) {
    this.#room = room;
  }

  /** Takes the next bytes; they must not be changed afterwards. */
  add(chunk: Buffer): void {
    if (this.#isOver) return;
    const isTooMuch =
      this.#bytes + chunk.length > MAX_ANSWER_BYTES ||
      this.#room.bytes + chunk.length > MAX_COPYING_BYTES;
    if (isTooMuch) {
      this.drop();
      return;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#room.bytes += chunk.length;
  }

  /** The whole stream, unless it went over a bound; ends the copy. */
  take(): Buffer | undefined {
    const whole = this.#isOver ? undefined : Buffer.concat(this.#chunks, this.#bytes);
    this.drop();
    return whole;
  }

  /** Ends the copy. */
  drop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#room.bytes -= this.#bytes;
    this.#chunks = [];
  }
}
