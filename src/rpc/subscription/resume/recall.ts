/**
 * What must be known before a client can go on at a cursor that the followed history does not reach:
 * its block, the blocks between it and the chain, their logs. Asked again after each answer, until
 * nothing is lacking.
 *
 * Here a cursor is a place on the chain, not in the sequence of events: the events before it were sent
 * by somebody else, an earlier program or one that kept no logs.
 */
import { isLive, type Block, type BlockLog } from "../chain/block.ts";
import { isAmbiguous, type Cursor, type Missed, type PlacedLog } from "../chain/history.ts";
import { needBlock, needHeight, needLogs, type Need } from "../chain/needs.ts";
import { RING_BLOCKS, type Ring } from "../chain/ring.ts";

/** What is known by now. */
export type Recall =
  | { readonly kind: "ready"; readonly missed: Missed }
  /** These have to be asked for; none: the chain has to move. */
  | { readonly kind: "lacking"; readonly needs: readonly Need[] }
  | { readonly kind: "too_old" };

/** Which logs are known, and which matter. */
export interface KeptLogs {
  /** Place in the sequence of events since which logs are kept. */
  readonly since: number;
  /** False when no log of such a block can be wanted. */
  readonly mayMatch: (bloom: string | undefined) => boolean;
}

/** Blocks whose logs are asked for at most: what is older has been forgotten by most caches anyway. */
export const MAX_LOG_BLOCKS = 128;
/** Deepest reorganisation that is retraced. */
const MAX_DEPTH = 64;

const WAIT: Recall = { kind: "lacking", needs: [] };
const TOO_OLD: Recall = { kind: "too_old" };

/** What a client at `cursor` has missed, or what is lacking to know; without `logs` only blocks. */
export const recall = (ring: Ring, cursor: Cursor, logs: KeptLogs | undefined): Recall => {
  const at = ring.get(cursor.blockHash);
  if (at?.head === undefined) return lacking(needBlock(cursor.blockHash));
  if (at.number > ring.heightOfTip) return WAIT;
  if (logs !== undefined && isAmbiguous(at, cursor)) return TOO_OLD;
  const window = logs === undefined ? RING_BLOCKS : MAX_LOG_BLOCKS;
  if (ring.heightOfTip - at.number >= window) return TOO_OLD;
  const orphaned: Block[] = [];
  let fork = at;
  while (!fork.isCanonical) {
    if (fork.number < ring.bottom) return lacking(...deeper(ring, fork.number));
    orphaned.push(fork);
    if (orphaned.length > MAX_DEPTH) return TOO_OLD;
    const parent = ring.parentOf(fork);
    if (parent?.head === undefined) return lacking(needBlock(fork.head?.parentHash ?? ""));
    fork = parent;
  }
  const blocks = ring.above(fork).toReversed();
  if (logs === undefined) return { kind: "ready", missed: { retracted: [], blocks, logs: [] } };
  const own = at === fork ? [at] : [];
  const unknown = [...orphaned, ...own, ...blocks].filter((block) => isLacking(block, at, logs));
  if (unknown.length > 0) {
    return lacking(...unknown.map(({ hash, number }) => needLogs(hash, number)));
  }
  const retracted = orphaned.flatMap((block) => seenOf(block, at, cursor).reverse());
  const missed = [...own, ...blocks].flatMap((block) => unseenOf(block, at, cursor));
  return { kind: "ready", missed: { retracted, blocks, logs: missed } };
};

/** Blocks between the history and a height below it: the next by hash, the others by what is likely. */
const deeper = (ring: Ring, height: number): readonly Need[] => {
  const needs = [needBlock(ring.lowest?.head?.parentHash ?? "")];
  for (let number = ring.bottom - 2; number >= height; number--) needs.push(needHeight(number));
  return needs;
};

const isLacking = (block: Block, at: Block, { since, mayMatch }: KeptLogs): boolean => {
  if (!mayMatch(block.head?.bloom)) return false;
  if (block.isForgotten || block.isUnread) return true;
  // Of the cursor's own block some logs were seen and are not to be told again: all must be known.
  return !block.isComplete && (block === at || block.sequence <= since);
};

const placed = (block: Block, logs: readonly BlockLog[]): PlacedLog[] =>
  logs.map((log) => ({ block, log }));

/** Logs of an orphaned block that a client at the cursor has seen. */
const seenOf = (block: Block, at: Block, { logIndex, isRemoved }: Cursor): PlacedLog[] => {
  if (block !== at) return placed(block, block.logs.filter(isTrue));
  const end = logIndex === undefined ? 0 : isRemoved ? logIndex : logIndex + 1;
  return placed(
    block,
    block.logs.filter((log) => log.index < end && isTrue(log)),
  );
};

/** What is false was told by nobody but us, and has been taken back. */
const isTrue = ({ standing }: BlockLog): boolean => standing !== "false";

/** Logs of a canonical block that it has not seen; those that were not sent yet come by themselves. */
const unseenOf = (block: Block, at: Block, { logIndex, isRemoved }: Cursor): PlacedLog[] => {
  const start = block !== at || logIndex === undefined ? 0 : isRemoved ? logIndex : logIndex + 1;
  return placed(
    block,
    block.logs.filter((log) => log.index >= start && isLive(log)),
  );
};

const lacking = (...needs: readonly Need[]): Recall => ({ kind: "lacking", needs });
