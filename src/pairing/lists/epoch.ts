/**
 * Which epoch it is. Epochs are numbered since the beginning of time or of a chain, so hosts that have
 * never heard of one another agree on the number.
 */

/** How long an epoch is. */
export type EpochRule =
  | { readonly by: "time"; readonly epochMs: number }
  | { readonly by: "block"; readonly chain: string; readonly blocks: number };

/** What the number is read from. */
export interface EpochClue {
  /** Wall-clock ms. */
  readonly wallMs: number;
  /** Newest block of the chain that counts; undefined while it is not known. */
  readonly head: number | undefined;
}

/** One epoch, and when it is over. */
export interface Epoch {
  readonly number: number;
  /** Wall-clock ms; undefined where blocks count. */
  readonly endsAtMs?: number;
  /** First block of the next epoch; undefined where time counts. */
  readonly endsAtBlock?: number;
}

/** The epoch of now; undefined while nothing says which it is. */
export function epochAt(rule: EpochRule, { wallMs, head }: EpochClue): Epoch | undefined {
  if (rule.by === "time") {
    const number = Math.floor(wallMs / rule.epochMs);
    return { number, endsAtMs: (number + 1) * rule.epochMs };
  }
  if (head === undefined || head < 0) return undefined;
  const number = Math.floor(head / rule.blocks);
  return { number, endsAtBlock: (number + 1) * rule.blocks };
}
