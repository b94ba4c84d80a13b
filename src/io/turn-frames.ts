/**
 * Gathers the frames that one socket is sent within one turn of the event loop.
 *
 * The first frame of a turn is written at once, so a lone event is not delayed; from the second on
 * they are put together until the turn ends, and a burst leaves in one write instead of hundreds.
 */
import { Buffer } from "node:buffer";

/** Beyond it the frames of a turn leave before its end: the kernel can send while we go on. */
const MAX_HELD_BYTES = 64 * 1024;

/** The turns of the event loop, numbered; one per server. */
export class Turns {
  #number = 1;
  #isScheduled = false;
  #waiting: TurnFrames[] = [];

  /** The number of this turn. */
  get number(): number {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      process.nextTick(() => this.#end());
    }
    return this.#number;
  }

  /** At the end of this turn these frames are sent. */
  flushAtEnd(frames: TurnFrames): void {
    this.#waiting.push(frames);
  }

  #end(): void {
    this.#number++;
    this.#isScheduled = false;
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const frames of waiting) frames.flush();
  }
}

/** The frames of one socket. */
export class TurnFrames {
  /** Bytes that wait for the end of the turn. */
  heldBytes = 0;
  readonly #turns: Turns;
  readonly #write: (bytes: Buffer) => void;
  #turn = 0;
  #held: Buffer[] | undefined;

  constructor(turns: Turns, write: (bytes: Buffer) => void) {
    this.#turns = turns;
    this.#write = write;
  }

  send(frame: Buffer): void {
    const turn = this.#turns.number;
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#write(frame);
      return;
    }
    if (this.#held === undefined) {
      this.#held = [];
      this.#turns.flushAtEnd(this);
    }
    this.#held.push(frame);
    this.heldBytes += frame.length;
    if (this.heldBytes >= MAX_HELD_BYTES) this.flush();
  }

  /** Whatever else is written now comes behind the frames so far. */
  flush(): void {
    const held = this.#held;
    if (held === undefined) return;
    const sizeBytes = this.heldBytes;
    this.#held = undefined;
    this.heldBytes = 0;
    this.#write(held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held, sizeBytes));
  }
}
