/**
 * What a log filter tells: the logs of the blocks since it was last asked, and, when blocks were
 * replaced, those that it had told of and that are there no more.
 *
 * A reorganisation is found at the block where the filter stands. Then the logs since the last block
 * that still holds are asked for again, and what differs from what was told is the answer: no block
 * in between need be known.
 */
import type { LogCriteria } from "./criteria.ts";
import { hexQuantity } from "../json-rpc/quantity.ts";
import { readBlock, type Mark, type SeenBlock } from "./mark.ts";
import { blockBy, isOld } from "./new-blocks.ts";
import { FilterGap, type Poll, type Question } from "./poll.ts";
import { MAX_TOLD, readLogs, type ToldLog, type ToldLogs } from "./told-logs.ts";
import type { Trail } from "./trail.ts";

/** Most blocks of one answer; the rest follows with the next one. */
export const MAX_LOG_BLOCKS = 2_000;

/** Where a log filter stands. */
export interface LogState {
  readonly criteria: LogCriteria;
  readonly trail: Trail;
  readonly told: ToldLogs;
}

/** What is told, and where the filter stands then. */
export interface LogAnswer {
  readonly answer: readonly Readonly<Record<string, unknown>>[];
  readonly trail: Trail;
  readonly told: ToldLogs;
}

/** The logs up to `head`. */
export function* newLogs(state: LogState, head: SeenBlock, served: number): Poll<LogAnswer> {
  const { trail, told, criteria } = state;
  const nothing = { answer: [], trail, told };
  if (isOld(trail, head, served)) return nothing;
  const anchor = yield* lastCanonical(trail, head);
  if (anchor === undefined) return nothing;
  if (told.forgottenTo > anchor) {
    throw new FilterGap(
      `blocks from ${anchor + 1} on were replaced, and what was told is forgotten`,
    );
  }
  // What was told is compared as a whole, however much that is.
  const least = Math.min(head.number, trail.tip.number);
  const most = Math.max(least, Math.min(head.number, anchor + MAX_LOG_BLOCKS));
  const all = yield* logsBetween(criteria, anchor + 1, most, head, served);
  if (all === undefined) return nothing;
  const to = Math.max(least, cutAt(all, most));
  const fresh = all.filter(({ number }) => number <= to);
  const last = to === head.number ? head : readBlock((yield [blockBy(hexQuantity(to))])[0]);
  if (last === undefined) return nothing;
  const changes = told.changed(anchor, fresh, to);
  return { ...changes, trail: trail.after(anchor, [...marksOf(fresh, to), last]) };
}

/** The height of the newest remembered block that still is one of `head`'s; undefined: ask later. */
function* lastCanonical(trail: Trail, head: SeenBlock): Poll<number | undefined> {
  for (const { number, hash } of trail.marks.toReversed()) {
    if (number >= head.number) continue;
    if (number === head.number - 1) {
      if (head.parentHash === hash) return number;
      continue;
    }
    const block = readBlock((yield [blockBy(hexQuantity(number))])[0]);
    if (block === undefined) return undefined;
    if (block.hash === hash) return number;
  }
  // All that is remembered was replaced: what is below began before the filter did.
  return Math.min(trail.base.number, head.number - 1);
}

function* logsBetween(
  { matching, fromBlock, toBlock }: LogCriteria,
  from: number,
  to: number,
  head: SeenBlock,
  served: number,
): Poll<readonly ToldLog[] | undefined> {
  const [first, last] = [Math.max(from, fromBlock), Math.min(to, toBlock)];
  const questions: Question[] = [];
  const split = served < 0 ? last : Math.min(last, served);
  if (first <= split) questions.push(logsOf(matching, first, split, head, false));
  const ahead = Math.max(first, split + 1);
  if (ahead <= last) questions.push(logsOf(matching, ahead, last, head, true));
  if (questions.length === 0) return [];
  const logs = (yield questions).map(readLogs);
  // Of another branch than the head: whoever answered sees another chain just now.
  const isSound = logs.every((part) =>
    part?.every(
      ({ number, blockHash }) =>
        number >= first && number <= last && (number !== head.number || blockHash === head.hash),
    ),
  );
  return isSound ? logs.flatMap((part) => part ?? []) : undefined;
}

/** One block is asked for by its hash: who lacks it says so, where a range would just be empty. */
const logsOf = (
  matching: Readonly<Record<string, unknown>>,
  first: number,
  last: number,
  head: SeenBlock,
  isAhead: boolean,
): Question => {
  const where =
    first === head.number
      ? { blockHash: head.hash }
      : { fromBlock: hexQuantity(first), toBlock: hexQuantity(last) };
  return { method: "eth_getLogs", params: [{ ...matching, ...where }], isAhead };
};

/** The last block up to which the logs fit into one answer; a single block always does. */
const cutAt = (logs: readonly ToldLog[], to: number): number => {
  const over = logs[MAX_TOLD];
  if (over === undefined) return to;
  return over.number > (logs[0]?.number ?? 0) ? over.number - 1 : over.number;
};

/** The blocks of some logs below `to`. */
const marksOf = (logs: readonly ToldLog[], to: number): readonly Mark[] => {
  const marks = new Map<number, Mark>();
  for (const { number, blockHash } of logs) {
    if (number < to) marks.set(number, { number, hash: blockHash });
  }
  return [...marks.values()];
};
