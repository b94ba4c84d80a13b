/**
 * How long an answer holds (json-rpc reference 13), decided twice: from the request alone, where to
 * look for it; and from the answer, whether and for how long to keep it.
 *
 * Pure: the chain is a `BlockSight`, time is an argument.
 */
import type { AnswerBlock } from "./answer-block.ts";
import type { BlockRef } from "./block-ref.ts";

/** What an answer's worth depends on. */
export type Finality =
  /** Nothing. */
  | "static"
  /** A block that no reorg replaces any more. */
  | "finalized"
  /** A block that one still may. */
  | "unfinalized"
  /** The newest block, whichever that is. */
  | "realtime";

/** A chain as this decision sees it. */
export interface BlockSight {
  /** The served tip; -1 while nobody has told one. */
  readonly tip: number;
  readonly tipHash: string | undefined;
  /** When the tip was first seen, monotonic ms. */
  readonly tipAtMs: number;
  /** The highest block that no reorg replaces. */
  readonly finalized: number;
  readonly blockTimeMs: number;
  /** The canonical hash at a height, where it is known. */
  hashAt(number: number): string | undefined;
  /** Whether anything that is known of the chain names another hash at this height. */
  isContradicted(number: number, hash: string): boolean;
  /** The height of a canonical block, where it is known. */
  numberOf(hash: string): number | undefined;
}

/** Where the answer to a call is looked for. */
export interface Place {
  /** Known from the request; "later" when only the answer tells. */
  readonly finality: Finality | "later";
  /** Part of the key: what makes the answer another one although the params are the same. */
  readonly anchor: string;
  /** The block that the request fixes, -1 when it fixes none. */
  readonly number: number;
  /** The hash of that block, where the answer hangs on it. */
  readonly hash: string | undefined;
}

/** What an answer hangs on as long as it is kept. */
export interface Worth {
  readonly finality: Finality;
  /** The block whose replacement ends it. */
  readonly number: number;
  readonly hash: string | undefined;
}

/** Longest life of an answer about the newest block. */
const MAX_REALTIME_MS = 2_000;
/** Blocks for which an answer about a replaceable block is kept. */
const UNFINALIZED_BLOCKS = 2;
/** Answers about blocks further above the tip than this are not believed. */
const MAX_AHEAD_BLOCKS = 1;

/**
 * How long an answer of this finality is kept unless a policy says otherwise, ms; Infinity while
 * there is room.
 */
export function defaultTtlMs(finality: Finality, blockTimeMs: number): number {
  if (finality === "realtime") return Math.min(blockTimeMs, MAX_REALTIME_MS);
  if (finality === "unfinalized") return UNFINALIZED_BLOCKS * blockTimeMs;
  return Infinity;
}

const STATIC_PLACE: Place = { finality: "static", anchor: "s", number: -1, hash: undefined };
const ANSWER_PLACE: Place = { finality: "later", anchor: "a", number: -1, hash: undefined };

/** Where to look; `undefined` when the answer cannot be kept whatever it is. */
export function placeOf(ref: BlockRef, sight: BlockSight): Place | undefined {
  switch (ref.kind) {
    case "static":
      return STATIC_PLACE;
    case "answer":
      return ANSWER_PLACE;
    case "none":
      return undefined;
    case "tag":
      return sight.tip < 0 ? undefined : realtimePlace(sight);
    case "hash":
      return { finality: "later", anchor: "h", number: -1, hash: ref.hash };
    case "number":
      return numberPlace(ref.number, sight);
    default:
      return ref satisfies never;
  }
}

/** A new tip makes a new place, so what was said of the old one is never found again. */
function realtimePlace({ tip, tipHash }: BlockSight): Place {
  return { finality: "realtime", anchor: `${tip}:${tipHash ?? ""}`, number: tip, hash: tipHash };
}

function numberPlace(number: number, sight: BlockSight): Place | undefined {
  if (number <= sight.finalized) {
    return { finality: "finalized", anchor: "f", number, hash: undefined };
  }
  if (number > sight.tip + MAX_AHEAD_BLOCKS) return undefined;
  const hash = sight.hashAt(number);
  if (hash === undefined) return undefined;
  return { finality: "unfinalized", anchor: hash, number, hash };
}

/**
 * What an answer found at `place` is worth, given the block that it names itself; `undefined` when
 * it must not be kept. `isExact`: whatever block it names must be the one that was asked for.
 */
export function worthOf(
  place: Place,
  named: AnswerBlock | undefined,
  isExact: boolean,
  sight: BlockSight,
): Worth | undefined {
  if (named !== undefined) {
    if (sight.isContradicted(named.number, named.hash)) return undefined;
    if (isExact && place.number >= 0 && named.number !== place.number) return undefined;
  }
  switch (place.finality) {
    case "static":
      return STATIC_WORTH;
    case "realtime":
      return realtimeWorth(place, named, sight);
    case "finalized":
    case "unfinalized":
      return numberWorth(place, sight);
    case "later":
      return laterWorth(place, named, sight);
    default:
      return place.finality satisfies never;
  }
}

const STATIC_WORTH: Worth = { finality: "static", number: -1, hash: undefined };

function realtimeWorth(
  place: Place,
  named: AnswerBlock | undefined,
  sight: BlockSight,
): Worth | undefined {
  // The tip moved meanwhile: nobody would look here again.
  if (place.number !== sight.tip || place.hash !== sight.tipHash) return undefined;
  if (place.hash !== undefined && sight.isContradicted(place.number, place.hash)) return undefined;
  // A tip that was asked for has no hash; what stands there may be replaced all the same.
  const hash = place.hash ?? named?.hash ?? sight.hashAt(sight.tip);
  return { finality: "realtime", number: sight.tip, hash };
}

function numberWorth(place: Place, sight: BlockSight): Worth | undefined {
  const { finality, number } = place;
  if (finality === "finalized") return { finality, number, hash: undefined };
  const hash = sight.hashAt(number);
  // The block was replaced, or dropped out of sight, while the answer was on its way.
  if (hash === undefined || hash !== place.hash) return undefined;
  return { finality: "unfinalized", number, hash };
}

/** By hash, or only by what the answer says. */
function laterWorth(
  place: Place,
  named: AnswerBlock | undefined,
  sight: BlockSight,
): Worth | undefined {
  if (place.hash !== undefined && named !== undefined && named.hash !== place.hash) {
    return undefined;
  }
  const hash = place.hash ?? named?.hash;
  if (hash === undefined) return undefined;
  const number = sight.numberOf(hash) ?? named?.number;
  if (number === undefined || number > sight.tip + MAX_AHEAD_BLOCKS) return undefined;
  if (sight.isContradicted(number, hash)) return undefined;
  if (number <= sight.finalized) return { finality: "finalized", number, hash: undefined };
  return sight.hashAt(number) === undefined ? undefined : { finality: "unfinalized", number, hash };
}

/** Whether an answer that was kept may still be given: its block is the canonical one to this day. */
export function stillHolds({ finality, number, hash }: Worth, sight: BlockSight): boolean {
  if (finality === "unfinalized") return sight.hashAt(number) === hash;
  return finality !== "realtime" || hash === undefined || !sight.isContradicted(number, hash);
}
