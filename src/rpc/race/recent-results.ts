/**
 * The results of recent events byte for byte, to tell a copy from its bytes alone.
 *
 * Providers tell the same events in the same order, and those that run the same software in the same
 * words: what a lane brings next is what stands behind its last one. Where that is not so nothing is
 * found, the event is read like any other, and the lane goes on from there.
 */
import { Buffer } from "node:buffer";

/** Results kept at most, in bytes; those of the oldest events give way. */
const MAX_BYTES = 8 * 1024 * 1024;
/** Larger results are rare enough to be read. */
const MAX_RESULT_BYTES = 16 * 1024;
const LANES = 32;
/** What follows the result in a notification. */
const BRACE = 0x7d;
const BRACES = 2;

/** Results by the slot of their key in the memory of seen keys. */
export class RecentResults {
  readonly #results: (Buffer | undefined)[];
  /** Where each lane's next event is expected; -1 when nowhere. */
  readonly #next = new Int32Array(LANES).fill(-1);
  #oldest = 0;
  #bytes = 0;

  /** `slots`: how many keys are remembered. */
  constructor(slots: number) {
    this.#results = Array.from({ length: slots }, () => undefined);
  }

  /** The lane brought a new event; slots are taken one after the other. */
  began(lane: number, slot: number): void {
    this.#drop(slot);
    if (slot === this.#oldest) this.#oldest = this.#after(slot);
    this.moved(lane, slot);
  }

  /** The lane is at this event. */
  moved(lane: number, slot: number): void {
    this.#next[lane] = this.#after(slot);
  }

  /** Keeps the result of the newest event. */
  put(slot: number, result: Buffer): void {
    if (result.length > MAX_RESULT_BYTES) return;
    this.#results[slot] = result;
    this.#bytes += result.length;
    for (; this.#bytes > MAX_BYTES; this.#oldest = this.#after(this.#oldest)) {
      this.#drop(this.#oldest);
    }
  }

  /** The slot of the event whose result is what stands in `bytes`, with the end of a notification. */
  find(lane: number, bytes: Buffer, start: number, end: number): number {
    const slot = this.#next[lane] as number;
    const result = this.#results[slot];
    const stop = end - BRACES;
    if (result === undefined || stop - start !== result.length) return -1;
    if (bytes[stop] !== BRACE || bytes[stop + 1] !== BRACE) return -1;
    return bytes.compare(result, 0, result.length, start, stop) === 0 ? slot : -1;
  }

  /** Forgets everything. */
  reset(): void {
    this.#results.fill(undefined);
    this.#next.fill(-1);
    this.#oldest = 0;
    this.#bytes = 0;
  }

  #after(slot: number): number {
    return slot + 1 === this.#results.length ? 0 : slot + 1;
  }

  #drop(slot: number): void {
    this.#bytes -= this.#results[slot]?.length ?? 0;
    this.#results[slot] = undefined;
  }
}
