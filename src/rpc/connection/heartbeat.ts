/**
 * Finds a peer that is gone without a word (half-open TCP): a ping at each interval, and what came of it.
 *
 * Any byte read since the ping stands for its pong: a provider that is in the middle of a large
 * message lives, and some never answer pings. A host that was itself held up (a long turn, a
 * suspended laptop) may have the pong lying unread in its socket, so a look that comes too late is
 * taken once more. A dead peer is suspect within an interval and the pong's time after its last
 * byte, 5 s by default, and given up one interval later, 8 s.
 */

/** Longest wait for a pong, ms. */
const PONG_TIMEOUT_MS = 2_000;
/** Of a short interval only this part, but never less than a busy host may need, ms. */
const PONG_SHARE = 2 / 3;
const LEAST_PONG_TIMEOUT_MS = 1_000;
/** A look that is later than this says nothing about the peer, ms. */
const LATE_MS = 250;

/** What a look says: `again` asks for one more after the same time. */
type Pulse = "answered" | "missing" | "again";

/** The pings of one connection. */
export class Heartbeat {
  readonly intervalMs: number;
  /** When to look after a ping, ms. */
  readonly pongTimeoutMs: number;
  #sentAtMs: number | undefined;
  #bytesRead = 0;
  #wasLate = false;

  constructor(intervalMs: number) {
    this.intervalMs = intervalMs;
    const shareMs = Math.floor(intervalMs * PONG_SHARE);
    this.pongTimeoutMs = Math.min(PONG_TIMEOUT_MS, Math.max(LEAST_PONG_TIMEOUT_MS, shareMs));
  }

  /** A pong is waited for. */
  get isWaiting(): boolean {
    return this.#sentAtMs !== undefined;
  }

  /** A ping goes out; `bytesRead` counts the bytes of the socket so far. */
  sent(nowMs: number, bytesRead: number): void {
    this.#sentAtMs = nowMs;
    this.#bytesRead = bytesRead;
    this.#wasLate = false;
  }

  /** The pong came, or the socket is gone. */
  clear(): void {
    this.#sentAtMs = undefined;
  }

  /** The time of the pong is over. */
  look(nowMs: number, bytesRead: number): Pulse {
    if (this.#sentAtMs === undefined) return "answered";
    const isLate = nowMs - this.#sentAtMs > this.pongTimeoutMs + LATE_MS;
    if (bytesRead === this.#bytesRead && isLate && !this.#wasLate) {
      this.#wasLate = true;
      return "again";
    }
    this.#sentAtMs = undefined;
    return bytesRead > this.#bytesRead ? "answered" : "missing";
  }
}
