/**
 * The end of a range that a reorganisation may still replace: parts that reach into it leave
 * together, once all of them are there and belong to the branch that the chain is on.
 */
import { finalizedNumber } from "../../consistency/finality.ts";
import type { LogsPlan, Part } from "../../logs/plan.ts";
import { type BranchView, isSuperseded, stampOf } from "../../logs/superseded.ts";
import type { ChainView } from "../ports.ts";
import type { LogsNote } from "./logs-note.ts";

/** Times a part is asked for anew after a reorganisation. */
export const MAX_REFETCHES = 2;
/** How long the head is given to follow before a part is asked for anew, ms; more each time. */
const REFETCH_WAIT_MS = 250;

/** Watches the open end of one call. */
export class OpenEnd {
  /** Blocks from here on may still be replaced. */
  readonly fromBlock: number;
  readonly #chain: ChainView;
  readonly #note: LogsNote;
  #refetchAtMs = 0;

  constructor(chain: ChainView, note: LogsNote) {
    this.#chain = chain;
    this.#note = note;
    // Without a head nobody can tell one branch from another.
    this.fromBlock =
      chain.head === undefined ? Number.POSITIVE_INFINITY : finalizedNumber(chain) + 1;
  }

  /** A part is asked for: its answer will belong to the branch of this moment. */
  stamp(part: Part): void {
    part.stamp = stampOf(this.#view, part.slice.toBlock);
  }

  /** When a part that was reopened may be asked for. */
  refetchAtMs(part: Part): number {
    return part.refetches === 0 ? 0 : this.#refetchAtMs;
  }

  /** All parts are there and of one branch; those that are not are reopened. */
  isSettled(plan: LogsPlan, nowMs: number): boolean {
    if (!plan.isAnsweredFrom(this.fromBlock)) return false;
    let isSettled = true;
    for (const part of plan.done(this.fromBlock)) {
      const { body, stamp, slice } = part;
      if (body === undefined || stamp === undefined || part.refetches >= MAX_REFETCHES) continue;
      if (!isSuperseded(slice.toBlock, body.marks, stamp, this.#view)) continue;
      this.#note.add(slice, undefined, "superseded");
      plan.reopen(part);
      // One of the two is behind the other: asked at once, both would say the same again.
      this.#refetchAtMs = nowMs + REFETCH_WAIT_MS * part.refetches;
      isSettled = false;
    }
    return isSettled;
  }

  get #view(): BranchView {
    const { head } = this.#chain;
    return { falls: head?.falls ?? 0, hashAt: (block) => this.#chain.hashAt?.(block) };
  }
}
