/** What markets did since somebody last looked: for those who tell of it, once in a while. */
import type { MarketBook } from "./market-book.ts";
import type { MatchSample } from "./tally.ts";

/** What one market did. */
export interface MarketNews {
  readonly market: string;
  /** Providers it holds. */
  readonly rows: number;
  /** Its last match. */
  readonly sample: MatchSample | undefined;
  /** Orders that were made, or made anew. */
  readonly rebuilds: number;
  /** Picks on which a scorer failed, by scorer. */
  readonly failures: readonly (readonly [scorer: string, count: number])[];
  /** Providers refused for want of room for a label, by kind of label. */
  readonly crowded: readonly (readonly [kind: string, count: number])[];
}

/** The news of all markets. */
export interface BookNews {
  readonly evictions: number;
  /** Rankings from outside that were not believed. */
  readonly refused: number;
  readonly markets: readonly MarketNews[];
}

/** Remembers what it has seen. */
export class MarketWatch {
  readonly #seen = new Map<string, number>();

  /** What is new in a book. */
  look(book: MarketBook): BookNews {
    const markets = [...book.all()].map(({ name, store, tally }): MarketNews => {
      const { sample } = tally;
      tally.sample = undefined;
      const { size, derived, crowded } = store.index;
      const failures = [...tally.scoredBy].map(([scorer, { failures: count }]) =>
        this.#news(name, `scorer ${scorer}`, count, scorer),
      );
      return {
        market: name,
        rows: size,
        sample,
        rebuilds: this.#since(`${name}\norders`, derived.rebuilds),
        failures: failures.filter(([, count]) => count > 0),
        crowded: [...crowded]
          .map(([kind, count]) => this.#news(name, `kind ${kind}`, count, kind))
          .filter(([, count]) => count > 0),
      };
    });
    return {
      evictions: this.#since("evictions", book.cache.counts.evictions),
      refused: this.#since("refused", book.shared?.counts.refused ?? 0),
      markets,
    };
  }

  #news(market: string, what: string, count: number, label: string): readonly [string, number] {
    return [label, this.#since(`${market}\n${what}`, count)];
  }

  /** How much a count has risen; one that has fallen began anew. */
  #since(key: string, count: number): number {
    const before = this.#seen.get(key) ?? 0;
    this.#seen.set(key, count);
    return count >= before ? count - before : count;
  }
}
