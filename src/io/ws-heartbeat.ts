/**
 * Finds clients that are gone without a word: pings each now and then, cuts one that misses two pongs.
 *
 * The clients are visited in small slices all the time, not all at once: ten thousand pings in one
 * turn would hold up every event for as long as they take to write.
 */

/** A client as far as its heartbeat goes. */
export interface Peer {
  /** It is not read now: its pongs lie unread behind its calls. */
  readonly isPaused: boolean;
  readonly isOpen: boolean;
  ping(): void;
  terminate(): void;
}

/** When and how often. */
export interface HeartbeatTimes {
  /** Time between pings, ms. */
  readonly intervalMs: number;
  /** Time for a pong, ms. */
  readonly timeoutMs: number;
}

interface Beat {
  pingedAtMs: number;
  isPingOpen: boolean;
  misses: number;
}

const MAX_MISSES = 2;
/** Everyone is visited once in a pong's time, in so many turns. */
const SLICES = 50;

/** The heartbeats of all clients of a server. */
export class Heartbeats {
  readonly #times: HeartbeatTimes;
  readonly #beats = new Map<Peer, Beat>();
  #round = this.#beats.entries();

  constructor(times: HeartbeatTimes) {
    this.#times = times;
  }

  /** Time between two calls of `tick`, ms. */
  get tickMs(): number {
    return Math.max(1, Math.floor(this.#times.timeoutMs / SLICES));
  }

  add(peer: Peer, nowMs: number): void {
    this.#beats.set(peer, { pingedAtMs: nowMs, isPingOpen: false, misses: 0 });
  }

  delete(peer: Peer): void {
    this.#beats.delete(peer);
  }

  /** The client has answered a ping. */
  pong(peer: Peer): void {
    const beat = this.#beats.get(peer);
    if (beat === undefined) return;
    beat.isPingOpen = false;
    beat.misses = 0;
  }

  /** Looks at the next slice of the clients. */
  tick(nowMs: number): void {
    for (let left = Math.ceil(this.#beats.size / SLICES); left > 0; left--) {
      const next = this.#round.next();
      if (next.done === true) {
        this.#round = this.#beats.entries();
        return;
      }
      this.#look(...next.value, nowMs);
    }
  }

  #look(peer: Peer, beat: Beat, nowMs: number): void {
    if (peer.isPaused) return;
    const { intervalMs, timeoutMs } = this.#times;
    const sinceMs = nowMs - beat.pingedAtMs;
    if (beat.isPingOpen && sinceMs >= timeoutMs) {
      beat.misses++;
      if (beat.misses >= MAX_MISSES) {
        peer.terminate();
        return;
      }
    } else if (beat.isPingOpen || sinceMs < intervalMs) return;
    beat.pingedAtMs = nowMs;
    beat.isPingOpen = true;
    if (peer.isOpen) peer.ping();
  }
}
