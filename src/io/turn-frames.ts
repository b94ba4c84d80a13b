/**
 * Gathers the frames that one socket is sent within one turn of the event loop, and writes to many
 * sockets in slices.
 *
 * The first frame of a turn is written at once, so a lone event is not delayed; from the second on
 * they are put together until the turn ends, and a burst leaves in one write instead of hundreds.
 *
 * One event to 10,000 clients is 120 ms of writing, for which nobody else would be served. So frames
 * are written for some milliseconds at most; those of all other sockets wait in order, and between two
 * slices the loop reads its sockets and runs its timers. Whoever sends knows nothing of that: a frame
 * belongs to its socket from the moment on it was sent, so it can neither be lost nor be overtaken.
 */
import { Buffer } from "node:buffer";
import { Deque } from "../lib/deque.ts";

/** Time and the event loop; tests bring their own. */
export interface Loop {
  /** Milliseconds from any beginning. */
  nowMs(): number;
  /** Runs something at the end of this turn, before anything else happens. */
  atTurnEnd(run: () => void): void;
  /** Runs something after sockets and timers have had their turn. */
  afterIo(run: () => void): void;
}

/** Beyond it the frames of a turn leave before its end: the kernel can send while we go on. */
const MAX_HELD_BYTES = 64 * 1024;
/** Frames are written for so long before others have their turn; the runtime's slices last as long. */
const SLICE_MS = 5;
/** Writes between two looks at the clock: 0.1 ms. */
const WRITES_PER_LOOK = 8;

const hostLoop: Loop = {
  nowMs: () => performance.now(),
  atTurnEnd: (run) => process.nextTick(run),
  afterIo: (run) => void setImmediate(run),
};

/** The turns of the event loop, numbered, and the sockets that wait in them; one per server. */
export class Turns {
  readonly #loop: Loop;
  readonly #sliceMs: number;
  #number = 1;
  #isScheduled = false;
  /** Sockets whose frames wait, each once. */
  readonly #waiting = new Deque<TurnFrames>();
  /** Another slice will come for them. */
  #isSliceAhead = false;
  #writes = 0;
  #endsAtMs: number | undefined;
  #isOver = false;
  #lastFrames: readonly Buffer[] = [];
  #lastJoined: Buffer | undefined;

  /** `sliceMs`: how long frames are written in one go. */
  constructor(sliceMs: number = SLICE_MS, loop: Loop = hostLoop) {
    this.#sliceMs = sliceMs;
    this.#loop = loop;
  }

  /** The number of this turn. */
  get number(): number {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#begin();
      this.#loop.atTurnEnd(this.#end);
    }
    return this.#number;
  }

  /** The time for writing is over in this turn: frames have to wait. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Something was written. */
  wrote(): void {
    if (++this.#writes % WRITES_PER_LOOK !== 0) return;
    const nowMs = this.#loop.nowMs();
    this.#endsAtMs ??= nowMs + this.#sliceMs;
    if (nowMs >= this.#endsAtMs) this.#isOver = true;
  }

  /** These frames are written at the end of this turn, or when those that wait already have left. */
  flushLater(frames: TurnFrames): void {
    this.#waiting.push(frames);
  }

  /** One piece of several frames; made once for many sockets that are sent the same. */
  join(frames: readonly Buffer[], sizeBytes: number): Buffer {
    if (frames.length === 1) return frames[0] as Buffer;
    if (this.#lastJoined === undefined || !isSame(frames, this.#lastFrames)) {
      this.#lastFrames = frames;
      this.#lastJoined = Buffer.concat(frames, sizeBytes);
    }
    return this.#lastJoined;
  }

  #begin(): void {
    this.#writes = 0;
    this.#endsAtMs = undefined;
    this.#isOver = false;
  }

  readonly #end = (): void => {
    this.#number++;
    this.#isScheduled = false;
    if (!this.#isSliceAhead) this.#drain();
  };

  readonly #slice = (): void => {
    this.#isSliceAhead = false;
    this.#begin();
    this.#drain();
  };

  #drain(): void {
    while (this.#waiting.size > 0) {
      if (this.#isOver) {
        this.#isSliceAhead = true;
        this.#loop.afterIo(this.#slice);
        return;
      }
      this.#waiting.shift()?.leave();
    }
    this.#lastFrames = [];
    this.#lastJoined = undefined;
  }
}

/**
 * A socket that is sent frames in turns. To be extended, not held: what is touched for each frame lies in
 * one object, and with thousands of sockets every other one has left the processor's caches meanwhile.
 */
export abstract class TurnFrames {
  /** Bytes that wait for their turn. */
  protected heldBytes = 0;
  readonly #turns: Turns;
  #turn = 0;
  #held: Buffer[] | undefined;
  #isWaiting = false;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** Writes frames whose turn it is. */
  protected abstract write(frames: Buffer): void;

  /** Sends a prebuilt, unmasked frame. */
  sendFrame(frame: Buffer): void {
    if (this.#held === undefined) {
      const turn = this.#turns.number;
      if (turn !== this.#turn && !this.#turns.isOver) {
        this.#turn = turn;
        this.write(frame);
        this.#turns.wrote();
        return;
      }
      this.#held = [];
      if (!this.#isWaiting) this.#turns.flushLater(this);
      this.#isWaiting = true;
    }
    this.#held.push(frame);
    this.heldBytes += frame.length;
    if (this.heldBytes >= MAX_HELD_BYTES) this.flush();
  }

  /** Whatever else is written now comes behind the frames so far. */
  protected flush(): void {
    const held = this.#held;
    if (held === undefined) return;
    const sizeBytes = this.heldBytes;
    this.#held = undefined;
    this.heldBytes = 0;
    this.write(this.#turns.join(held, sizeBytes));
    this.#turns.wrote();
  }

  /** Its turn among those that wait has come. */
  leave(): void {
    this.#isWaiting = false;
    this.flush();
  }
}

const isSame = (some: readonly Buffer[], others: readonly Buffer[]): boolean => {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at++) if (some[at] !== others[at]) return false;
  return true;
};
