/** A chain's record as the cache's rules see it, as of now. */
import type { BlockSight } from "../../cache/finality.ts";
import { finalizedNumber } from "../../consistency/finality.ts";
import type { ChainView } from "../ports.ts";

/** What is known of a chain's blocks at this moment. */
export class ChainSight implements BlockSight {
  readonly tip: number;
  readonly tipHash: string | undefined;
  readonly tipAtMs: number;
  readonly finalized: number;
  readonly blockTimeMs: number;
  readonly #chain: ChainView;

  constructor(chain: ChainView) {
    const { head } = chain;
    this.#chain = chain;
    this.tip = head?.number ?? -1;
    this.tipHash = head?.hash;
    this.tipAtMs = head?.atMs ?? 0;
    this.finalized = finalizedNumber(chain);
    this.blockTimeMs = head?.blockTimeMs ?? 0;
  }

  /** Two records know of hashes; where they differ nobody knows. */
  hashAt(number: number): string | undefined {
    const hash = this.#chain.canon?.at(number);
    if (hash === undefined) return undefined;
    const told = this.#chain.hashAt?.(number);
    return told === undefined || told === hash ? hash : undefined;
  }

  isContradicted(number: number, hash: string): boolean {
    const { canon } = this.#chain;
    const known = canon?.at(number);
    if (known !== undefined && known !== hash) return true;
    const told = this.#chain.hashAt?.(number);
    return told !== undefined && told !== hash;
  }

  numberOf(hash: string): number | undefined {
    return this.#chain.canon?.numberOf(hash);
  }
}
