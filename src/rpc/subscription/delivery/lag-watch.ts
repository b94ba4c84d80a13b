/**
 * How far clients are behind, in time: a mark is set at the end of what waits for a client, and the
 * kernel must have taken all before it within a time. A client that always has something waiting but
 * reads as fast as it is sent to passes mark after mark.
 */
import type { StreamSink } from "./streams.ts";

interface Mark {
  /** Bytes since the connection was opened. */
  readonly atBytes: number;
  readonly atMs: number;
}

/** Watches the clients of one chain. */
export class LagWatch {
  readonly #maxMs: number;
  readonly #marks = new Map<number, Mark>();

  /** `maxMs`: how long a byte may wait for its client. */
  constructor(maxMs: number) {
    this.#maxMs = maxMs;
  }

  /** True when something has waited for this client for longer than allowed; ask every now and then. */
  isBehind(sink: StreamSink, nowMs: number): boolean {
    const { id, bufferedBytes } = sink;
    if (bufferedBytes === 0) {
      this.#marks.delete(id);
      return false;
    }
    const { sentBytes } = sink;
    const mark = this.#marks.get(id);
    if (mark !== undefined && sentBytes < mark.atBytes) return nowMs - mark.atMs > this.#maxMs;
    this.#marks.set(id, { atBytes: sentBytes + bufferedBytes, atMs: nowMs });
    return false;
  }

  /** The client is gone. */
  forget(sinkId: number): void {
    this.#marks.delete(sinkId);
  }
}
