/**
 * Counts the answers of several providers to one question and says when enough of them agree.
 *
 * An empty answer (null, an empty list) often means "not here yet", so by default it neither outvotes
 * an answer that says something nor agrees before everybody asked has spoken.
 */
import type { ProviderId } from "../ids.ts";

/** Whether empty answers stand back behind others (`non_empty`) or count like them (`none`). */
export type QuorumPreference = "non_empty" | "none";

/** Providers that gave the same answer. */
export interface QuorumGroup {
  /** Canonical text of the answer. */
  readonly key: string;
  readonly isEmpty: boolean;
  readonly providers: readonly ProviderId[];
}

/** Where a vote stands. */
export type QuorumVerdict =
  | { readonly kind: "agreed"; readonly group: QuorumGroup }
  /** Not yet: answers that are on their way may decide. */
  | { readonly kind: "waiting" }
  /** Not with the answers there are: only another provider could decide. */
  | { readonly kind: "short" };

/** One vote in progress. */
export class QuorumTally {
  readonly #agree: number;
  readonly #preference: QuorumPreference;
  readonly #groups: (QuorumGroup & { readonly providers: ProviderId[] })[] = [];

  constructor(agree: number, preference: QuorumPreference) {
    this.#agree = agree;
    this.#preference = preference;
  }

  /** All answers so far, the most frequent first, then in order of arrival. */
  get groups(): readonly QuorumGroup[] {
    return this.#groups.toSorted((a, b) => b.providers.length - a.providers.length);
  }

  /** Answers that count: all, or those that say something once there is one. */
  get counted(): number {
    const all = this.#groups.reduce((sum, { providers }) => sum + providers.length, 0);
    const full = this.#groups
      .filter((group) => !this.#isShy(group))
      .reduce((sum, { providers }) => sum + providers.length, 0);
    return full > 0 ? full : all;
  }

  /** Counts an answer; returns its group. */
  add(provider: ProviderId, key: string, isEmpty: boolean): QuorumGroup {
    const known = this.#groups.find((group) => group.key === key);
    if (known !== undefined) {
      if (!known.providers.includes(provider)) known.providers.push(provider);
      return known;
    }
    const made = { key, isEmpty, providers: [provider] };
    this.#groups.push(made);
    return made;
  }

  /** The verdict while `open` providers have yet to answer. */
  verdict(open: number): QuorumVerdict {
    let bestFull = 0;
    let bestEmpty = 0;
    let hasFull = false;
    for (const group of this.#groups) {
      const count = group.providers.length;
      if (!this.#isShy(group)) {
        if (count >= this.#agree) return { kind: "agreed", group };
        hasFull = true;
        bestFull = Math.max(bestFull, count);
      } else bestEmpty = Math.max(bestEmpty, count);
    }
    if (!hasFull && open === 0) {
      const group = this.#groups.find(({ providers }) => providers.length >= this.#agree);
      if (group !== undefined) return { kind: "agreed", group };
    }
    const best = hasFull ? bestFull : Math.max(bestFull, bestEmpty);
    return best + open >= this.#agree ? { kind: "waiting" } : { kind: "short" };
  }

  /** An empty answer that stands back behind others. */
  #isShy({ isEmpty }: QuorumGroup): boolean {
    return isEmpty && this.#preference === "non_empty";
  }

  /** Who contradicts a group that enough agreed on; nothing is held against an empty answer. */
  dissenters(agreed: QuorumGroup): readonly ProviderId[] {
    return this.#groups.flatMap((group) => (isDissent(group, agreed) ? group.providers : []));
  }
}

/** Whether an answer contradicts the agreed one, rather than coming too early for it. */
export function isDissent(group: QuorumGroup, agreed: QuorumGroup): boolean {
  return group.key !== agreed.key && (!group.isEmpty || agreed.isEmpty);
}
