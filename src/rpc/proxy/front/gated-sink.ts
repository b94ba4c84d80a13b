/**
 * Keeps events back until the reply that announces their subscription has left: no event may precede
 * the subscribe reply on a connection.
 */
import type { ClientSink } from "../ports.ts";

/** Bytes of events that may wait; a subscribe takes milliseconds, so more means trouble. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;

/** The sink that the subscription hub writes to. */
export class GatedSink implements ClientSink {
  readonly id: number;
  readonly #sink: ClientSink;
  #held: (string | Buffer)[] = [];
  #heldFrames: boolean[] = [];
  #heldBytes = 0;
  #gates = 0;

  constructor(sink: ClientSink) {
    this.#sink = sink;
    this.id = sink.id;
  }

  get bufferedBytes(): number {
    return this.#sink.bufferedBytes + this.#heldBytes;
  }

  get sentBytes(): number {
    return this.#sink.sentBytes;
  }

  get isOpen(): boolean {
    return this.#sink.isOpen;
  }

  send(text: string | Buffer): void {
    if (this.#gates === 0) this.#sink.send(text);
    else this.#hold(text, false);
  }

  sendFrame(frame: Buffer): void {
    if (this.#gates === 0) this.#sink.sendFrame(frame);
    else this.#hold(frame, true);
  }

  close(code: number, reason: string): void {
    this.#sink.close(code, reason);
  }

  /** Holds events until the matching `release`. */
  hold(): void {
    this.#gates++;
  }

  release(): void {
    this.#gates--;
    if (this.#gates > 0) return;
    const held = this.#held;
    const frames = this.#heldFrames;
    this.#held = [];
    this.#heldFrames = [];
    this.#heldBytes = 0;
    held.forEach((message, index) => {
      if (frames[index] === true) this.#sink.sendFrame(message as Buffer);
      else this.#sink.send(message);
    });
  }

  #hold(message: string | Buffer, isFrame: boolean): void {
    this.#heldBytes += message.length;
    if (this.#heldBytes > MAX_HELD_BYTES) {
      this.#sink.close(1013, "too many events wait for a subscribe reply");
      return;
    }
    this.#held.push(message);
    this.#heldFrames.push(isFrame);
  }
}
