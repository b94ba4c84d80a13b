/** One poll of a filter, whatever it tells of. */
import type { SeenBlock } from "../../filters/mark.ts";
import { newBlocks, newestBlock } from "../../filters/new-blocks.ts";
import { newLogs } from "../../filters/new-logs.ts";
import type { Poll } from "../../filters/poll.ts";
import { Trail } from "../../filters/trail.ts";
import type { FilterState } from "./filter.ts";

/** What a poll tells, and the filter's state once it is told. */
export interface Changes {
  readonly answer: readonly unknown[];
  readonly state: FilterState;
}

/** A filter that stands at `head`. The block before is remembered as well, so that the first may go. */
export const trailFrom = (head: SeenBlock): Trail =>
  new Trail([{ number: head.number - 1, hash: head.parentHash }, head]);

/** Reads what is new for a filter; `served` is the tip that the gateway vouches for, or -1. */
export function* changesOf(
  state: Exclude<FilterState, { kind: "pending" }>,
  served: number,
): Poll<Changes> {
  const head = yield* newestBlock(served);
  if (head === undefined) return { answer: [], state };
  if (state.kind === "blocks") {
    const { answer, trail } = yield* newBlocks(state.trail, head, served);
    return { answer, state: { kind: "blocks", trail } };
  }
  const { answer, trail, told } = yield* newLogs(state, head, served);
  return { answer, state: { ...state, trail, told } };
}
