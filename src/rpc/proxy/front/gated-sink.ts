/**
 * Keeps the events of a new subscription back until the reply that announces it has left: none of them
 * may precede it. What else the connection is subscribed to goes on meanwhile.
 */
import type { ClientSink } from "../ports.ts";

/** Bytes of events that may wait: more than a client who comes back is sent at once. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;

/** The sink that the subscription hub writes the events of one subscription to. */
export class GatedSink implements ClientSink {
  readonly id: number;
  readonly #sink: ClientSink;
  /** What waits; undefined once the gate is open. */
  #held: (() => void)[] | undefined = [];
  #heldBytes = 0;
  #isRefused = false;

  constructor(sink: ClientSink) {
    this.#sink = sink;
    this.id = sink.id;
  }

  /** Without what is held: it is not the client who lets that wait. */
  get bufferedBytes(): number {
    return this.#sink.bufferedBytes;
  }

  get sentBytes(): number {
    return this.#sink.sentBytes;
  }

  get isOpen(): boolean {
    return this.#sink.isOpen;
  }

  send(text: string | Buffer): void {
    if (this.#isRefused) return;
    if (this.#held === undefined) this.#sink.send(text);
    else this.#hold(this.#held, text.length, () => this.#sink.send(text));
  }

  sendFrame(frame: Buffer): void {
    if (this.#isRefused) return;
    if (this.#held === undefined) this.#sink.sendFrame(frame);
    else this.#hold(this.#held, frame.length, () => this.#sink.sendFrame(frame));
  }

  close(code: number, reason: string): void {
    this.#sink.close(code, reason);
  }

  /** The client is told that it has no such subscription; a hub that is late may think otherwise. */
  refuse(): void {
    this.#isRefused = true;
    this.#held = undefined;
  }

  /** The reply has left: what was held follows it. */
  open(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const go of held) go();
  }

  #hold(held: (() => void)[], sizeBytes: number, go: () => void): void {
    this.#heldBytes += sizeBytes;
    if (this.#heldBytes <= MAX_HELD_BYTES) held.push(go);
    else this.#sink.close(1013, "too many events wait for a subscribe reply");
  }
}
