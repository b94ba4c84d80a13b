/** What the explanation of a request says of its vote. */
import { hash53 } from "../../../lib/hash53.ts";
import type { ExplainRecord, Note } from "../../explain/record.ts";
import type { QuorumTerms } from "../../integrity/quorum-rules.ts";
import type { QuorumTally } from "../../integrity/quorum-tally.ts";
import type { ProviderId } from "../../ids.ts";

/** Who answered alike. */
export interface AlikeGroup {
  /** A short hash of what they answered. */
  readonly hash: string;
  readonly providers: readonly ProviderId[];
}

/** The groups of a vote, the largest first. */
export const alike = (tally: QuorumTally): readonly AlikeGroup[] =>
  tally.groups.map(({ key, providers }) => ({
    hash: hash53(Buffer.from(key)).toString(16).padStart(14, "0"),
    providers,
  }));

/** The note of one vote; it keeps hashes of the answers, never the answers. */
export class QuorumNote implements Note {
  next: Note | undefined = undefined;
  readonly #terms: QuorumTerms;
  #isAgreed = false;
  #groups: readonly AlikeGroup[] = [];

  constructor(terms: QuorumTerms) {
    this.#terms = terms;
  }

  /** The vote is over. */
  settle(isAgreed: boolean, groups: readonly AlikeGroup[]): void {
    this.#isAgreed = isAgreed;
    this.#groups = groups;
  }

  describe(record: ExplainRecord): void {
    const { agree, of } = this.#terms;
    record.quorum = { agree, of, agreed: this.#isAgreed, groups: this.#groups };
  }
}
