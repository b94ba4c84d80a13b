/**
 * Asks the providers of a chain where `safe` and `finalized` are, one provider at a time in turn, so
 * that it costs two small calls per interval however many there are. Pure: its owner puts the
 * questions and brings the answers.
 */
import type { ProviderId } from "../ids.ts";
import { type FinalityTag, TagTruth } from "./tag-truth.ts";

/** Time between questions once an answer is known: finality moves by epochs, not by blocks. */
const INTERVAL_MS = 30_000;
/** Time between questions until then. */
const EAGER_MS = 2_000;
/** A provider that does not know the tag is left alone for this long. */
const IGNORANT_MS = 10 * 60_000;

/** The tags that are asked for. */
export const FINALITY_TAGS: readonly FinalityTag[] = ["finalized", "safe"];

/** Whom to ask next, and what is served for the tags. */
export class FinalityPoll {
  readonly #truths = { safe: new TagTruth(), finalized: new TagTruth() };
  readonly #ignorantUntilMs = new Map<ProviderId, number>();
  #dueAtMs = 0;
  #turn = 0;
  #ableCount = 0;

  /** The provider to ask now, of those that can be; `undefined` when no question is due. */
  next(providers: readonly ProviderId[], nowMs: number): ProviderId | undefined {
    if (nowMs < this.#dueAtMs) return undefined;
    const able = providers.filter((id) => (this.#ignorantUntilMs.get(id) ?? 0) <= nowMs);
    if (able.length === 0) return undefined;
    this.#ableCount = able.length;
    const isKnown = this.#truths.finalized.number !== undefined;
    this.#dueAtMs = nowMs + (isKnown ? INTERVAL_MS : EAGER_MS);
    return able[this.#turn++ % able.length];
  }

  /** A provider named a height for `tag`; true when the served one rose. */
  told(provider: ProviderId, tag: FinalityTag, number: number, nowMs: number): boolean {
    return this.#truths[tag].report(provider, number, nowMs, this.#ableCount <= 1);
  }

  /** A provider does not know the tags, or its chain has none. */
  ignorant(provider: ProviderId, nowMs: number): void {
    this.#ignorantUntilMs.set(provider, nowMs + IGNORANT_MS);
  }

  /** Forgets a provider that left. */
  forget(provider: ProviderId): void {
    this.#ignorantUntilMs.delete(provider);
    for (const tag of FINALITY_TAGS) this.#truths[tag].forget(provider);
  }

  /** Starts anew, for a chain that an operator has reset. */
  reset(): void {
    for (const tag of FINALITY_TAGS) this.#truths[tag].reset();
    this.#dueAtMs = 0;
  }

  /** The heights as the chain's head record has them. */
  get heights(): { readonly safe: number | undefined; readonly finalized: number | undefined } {
    return { safe: this.#truths.safe.number, finalized: this.#truths.finalized.number };
  }
}
