/** The sessions of clients that name themselves (`X-Paceline-Session`), bounded in number and age. */
import type { ChainView } from "../proxy/ports.ts";
import { SessionPins, TipPins } from "./tag-pins.ts";
import type { ServedHeights } from "./served-heights.ts";

/** Sessions that are remembered; beyond, the one that was quiet longest goes. */
export const MAX_SESSIONS = 10_000;
/** A session that was quiet for this long starts anew. */
export const SESSION_TTL_MS = 10 * 60_000;
/** Longest name of a session. */
export const MAX_SESSION_CHARS = 128;

interface Session {
  readonly chain: ChainView;
  readonly pins: SessionPins;
  usedAtMs: number;
}

/** Finds the pins of a session. */
export class Sessions {
  readonly #served: ServedHeights;
  /** In the order of their last use. */
  readonly #byKey = new Map<string, Session>();

  constructor(served: ServedHeights) {
    this.#served = served;
  }

  /** Sessions that are remembered. */
  get size(): number {
    return this.#byKey.size;
  }

  /** The pins of session `id` on a chain; a new one, or one that was quiet too long, is empty. */
  of(chain: ChainView, id: string, nowMs: number): SessionPins {
    const key = `${chain.name} ${id}`;
    const known = this.#byKey.get(key);
    this.#byKey.delete(key);
    const isAlive = known?.chain === chain && nowMs - known.usedAtMs < SESSION_TTL_MS;
    const session: Session = isAlive ? known : { chain, pins: this.open(chain), usedAtMs: nowMs };
    session.usedAtMs = nowMs;
    this.#byKey.set(key, session);
    this.#trim(nowMs);
    return session.pins;
  }

  /** Pins of a session that its owner keeps, such as a connection. */
  open(chain: ChainView): SessionPins {
    return new SessionPins(chain, new TipPins(chain, this.#served));
  }

  /** The oldest stand first: whatever is too old or too many is taken from there. */
  #trim(nowMs: number): void {
    for (const [key, { usedAtMs }] of this.#byKey) {
      if (this.#byKey.size <= MAX_SESSIONS && nowMs - usedAtMs < SESSION_TTL_MS) return;
      this.#byKey.delete(key);
    }
  }
}
