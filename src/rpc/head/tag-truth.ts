/**
 * Where `safe` and `finalized` are, given what each provider answers for the tag (json-rpc
 * reference 8). Like the tip: the second-highest word counts, or the only one, so that no single
 * provider can declare blocks final that others may still replace.
 */
import type { ProviderId } from "../ids.ts";

/** The block tags that follow the tip at a distance. */
export type FinalityTag = "safe" | "finalized";

/** Words older than this no longer count. */
const FRESH_MS = 30 * 60_000;

interface Word {
  readonly number: number;
  readonly atMs: number;
}

/** Keeps what providers say of one tag and the height that is served for it. */
export class TagTruth {
  readonly #words = new Map<ProviderId, Word>();
  #served: number | undefined;

  /**
   * Takes a provider's answer; true when the served height rose. A lone word counts only where
   * nobody else could be asked: what is served never falls again.
   */
  report(provider: ProviderId, number: number, nowMs: number, isOnly: boolean): boolean {
    this.#words.set(provider, { number, atMs: nowMs });
    const fresh = [...this.#words.values()].filter(({ atMs }) => nowMs - atMs < FRESH_MS);
    const [first, second] = fresh.map((word) => word.number).sort((a, b) => b - a);
    const wanted = isOnly ? first : second;
    if (wanted === undefined || wanted <= (this.#served ?? -1)) return false;
    this.#served = wanted;
    return true;
  }

  /** Forgets a provider that left. */
  forget(provider: ProviderId): void {
    this.#words.delete(provider);
  }

  /** Starts anew, for a chain that an operator has reset. */
  reset(): void {
    this.#words.clear();
    this.#served = undefined;
  }

  /** The served height; `undefined` while nobody has told one. */
  get number(): number | undefined {
    return this.#served;
  }
}
