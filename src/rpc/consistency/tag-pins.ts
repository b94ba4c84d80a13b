/**
 * Which block `latest`, `safe` and `finalized` stand for, within one batch or one client's session.
 *
 * The calls of a batch agree because each tag is looked up once; a session because it never goes
 * back behind a block that it has been told of.
 */
import type { ChainView } from "../proxy/ports.ts";
import { isAsked } from "../selection/asked.ts";
import type { MovingTag } from "./block-tags.ts";
import { finalizedNumber, safeNumber } from "./finality.ts";
import type { ServedHeights } from "./served-heights.ts";

/** Where tags stand for a group of calls. */
export interface TagPins {
  /** The block behind a tag; -1 while nobody knows. */
  numberOf(tag: MovingTag): number;
}

/** Tags as they stand now; what every other kind of pins begins with. */
export class TipPins implements TagPins {
  readonly #chain: ChainView;
  readonly #served: ServedHeights;

  constructor(chain: ChainView, served: ServedHeights) {
    this.#chain = chain;
    this.#served = served;
  }

  numberOf(tag: MovingTag): number {
    if (tag === "finalized") return finalizedNumber(this.#chain);
    return tag === "safe" ? safeNumber(this.#chain) : this.#served.latest(this.#chain);
  }
}

/** Each tag as it stood when the batch first asked. */
export class BatchPins implements TagPins {
  readonly #base: TagPins;
  readonly #known = new Map<MovingTag, number>();

  constructor(base: TagPins) {
    this.#base = base;
  }

  numberOf(tag: MovingTag): number {
    const known = this.#known.get(tag);
    if (known !== undefined) return known;
    const number = this.#base.numberOf(tag);
    this.#known.set(tag, number);
    return number;
  }
}

/** Tags that never go back while the session lasts, unless the chain itself did. */
export class SessionPins implements TagPins {
  readonly #chain: ChainView;
  readonly #base: TagPins;
  readonly #highest = new Map<MovingTag, number>();
  #falls = 0;
  /** The client is told of heads as they come, before the tip has moved to them. */
  hearsHeads = false;

  constructor(chain: ChainView, base: TagPins) {
    this.#chain = chain;
    this.#base = base;
  }

  numberOf(tag: MovingTag): number {
    const falls = this.#chain.head?.falls ?? 0;
    if (falls !== this.#falls) {
      this.#falls = falls;
      this.#highest.clear();
    }
    const number = Math.max(this.#base.numberOf(tag), this.#highest.get(tag) ?? -1);
    this.#highest.set(tag, number);
    // Not kept: a head that was announced first may be replaced by another one.
    const heard = this.hearsHeads && tag === "latest" ? this.#chain.announced : undefined;
    return Math.max(number, heard ?? -1);
  }
}

/** Tags for callers who name their providers: no further than the furthest of those is known to be. */
export class ProviderPins implements TagPins {
  readonly #chain: ChainView;
  readonly #asked: string;

  /** `asked`: an id, a tag or a glob. */
  constructor(chain: ChainView, asked: string) {
    this.#chain = chain;
    this.#asked = asked;
  }

  numberOf(tag: MovingTag): number {
    if (tag === "finalized") return finalizedNumber(this.#chain);
    if (tag === "safe") return safeNumber(this.#chain);
    let highest = -1;
    for (const endpoint of this.#chain.snapshot?.endpoints ?? []) {
      if (!isAsked(this.#asked, endpoint)) continue;
      const { transports } = endpoint;
      highest = Math.max(highest, transports.http?.head ?? -1, transports.ws?.head ?? -1);
    }
    return Math.min(highest, this.#chain.head?.number ?? -1);
  }
}
