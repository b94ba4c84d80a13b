/**
 * What one client has asked and not been answered: at most so many calls and bytes at a time. What
 * comes beyond waits, and the client is not read until there is room again.
 */
import type { GatewayLimits, SessionSink } from "../ports.ts";

/** Bytes of messages that may wait: what one read of a socket can bring, and then some. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** Something of this client that runs and can be given up. */
export interface Cancellable {
  cancel(): void;
}

/** The messages of one connection. */
export class WsInbox {
  readonly #limits: Pick<GatewayLimits, "wsMaxInFlight" | "wsMaxInFlightBytes">;
  readonly #sink: SessionSink;
  readonly #serve: (body: Buffer) => void;
  readonly #running = new Set<Cancellable>();
  /** Messages beyond the limits; few, since the socket is not read meanwhile. */
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #runningBytes = 0;
  #isServingWaiting = false;
  #isClosed = false;

  /** `serve` starts what a message asks for, and says so by `started` and `ended`. */
  constructor(
    limits: Pick<GatewayLimits, "wsMaxInFlight" | "wsMaxInFlightBytes">,
    sink: SessionSink,
    serve: (body: Buffer) => void,
  ) {
    this.#limits = limits;
    this.#sink = sink;
    this.#serve = serve;
  }

  /** Calls and batches that wait for an answer. */
  get inFlight(): number {
    return this.#running.size + this.#waiting.length;
  }

  take(body: Buffer): void {
    if (this.#waiting.length === 0 && !this.#isFull(body.length)) {
      this.#serve(body);
      return;
    }
    this.#waiting.push(body);
    this.#waitingBytes += body.length;
    this.#sink.pause();
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#sink.close(1013, "too many calls at once");
  }

  started(running: Cancellable, sizeBytes: number): void {
    this.#running.add(running);
    this.#runningBytes += sizeBytes;
  }

  /** A call or batch of `sizeBytes` is answered. */
  ended(running: Cancellable, sizeBytes: number): void {
    if (!this.#running.delete(running)) return;
    this.#runningBytes -= sizeBytes;
    this.#serveWaiting();
  }

  /** The client is gone: what it asked is given up. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.length = 0;
    for (const running of this.#running) running.cancel();
    this.#running.clear();
  }

  /** Serves what waited, as far as there is room. */
  #serveWaiting(): void {
    if (this.#waiting.length === 0 || this.#isServingWaiting || this.#isClosed) return;
    // Local answers end at once: the loop, not the stack, goes on to the next message.
    this.#isServingWaiting = true;
    for (;;) {
      const body = this.#waiting[0];
      if (body === undefined || this.#isFull(body.length)) break;
      this.#waiting.shift();
      this.#waitingBytes -= body.length;
      this.#serve(body);
    }
    this.#isServingWaiting = false;
    if (this.#waiting.length === 0) this.#sink.resume();
  }

  #isFull(sizeBytes: number): boolean {
    const { wsMaxInFlight, wsMaxInFlightBytes } = this.#limits;
    const { size } = this.#running;
    return (
      size >= wsMaxInFlight || (size > 0 && this.#runningBytes + sizeBytes > wsMaxInFlightBytes)
    );
  }
}
