/**
 * The work behind one call of `eth_getLogs`: an ordered row of parts that together cover its range,
 * each asked for once. Parts are cut when somebody takes them, to the size that this provider takes;
 * one that is refused is cut further.
 *
 * Pure: who asks whom, and when, is the caller's matter. Parts never overlap, so their answers can be
 * put one behind the other: no log is lost and none comes twice.
 */
import type { LogsBody } from "./log-reader.ts";
import { interleave } from "./interleave.ts";
import type { LogsQuery, LogsSlice } from "./query.ts";
import type { BranchStamp } from "./superseded.ts";

/** Parts one call may be cut into; beyond it the filter is too much for these providers. */
export const MAX_PARTS = 1024;

/** One part of the work. */
export interface Part {
  readonly kind: "part";
  readonly slice: LogsSlice;
  readonly row: Row;
  state: "waiting" | "running" | "done";
  /** The logs, once done. */
  body: LogsBody | undefined;
  /** What was known of the chain when it was asked for. */
  stamp: BranchStamp | undefined;
  /** Providers that shall not be asked for it again. */
  readonly failed: string[];
  /** Times it was asked for anew because the chain was reorganised meanwhile. */
  refetches: number;
}

/** Two halves of a list over one range, whose logs are put together by their place. */
interface Fork {
  readonly kind: "fork";
  readonly slice: LogsSlice;
  readonly row: Row;
  readonly halves: readonly [Row, Row];
}

type Entry = Part | Fork;

/** Parts in the order of their blocks. */
interface Row {
  readonly entries: Entry[];
  fork: Fork | undefined;
}

/** How a part was cut. */
export type SplitBy = "range" | "address" | "topic";

/** What is known of a refusal. */
export interface PartRefusal {
  /** What was too much: the blocks of the range, the addresses of the list, or the answer. */
  readonly of: "range" | "addresses" | "answer";
  /** The most blocks that would be served, when the provider said so. */
  readonly blocks: number | undefined;
}

/** The parts of one call. */
export class LogsPlan {
  readonly query: LogsQuery;
  readonly fromBlock: number;
  readonly toBlock: number;
  readonly #root: Row = { entries: [], fork: undefined };
  #parts = 0;
  #isOverfull = false;
  /** Blocks that parts of this call may span, as refusals and answers have shown. */
  #pace = Number.POSITIVE_INFINITY;
  #heldBytes = 0;

  constructor(query: LogsQuery, fromBlock: number, toBlock: number) {
    this.query = query;
    this.fromBlock = fromBlock;
    this.toBlock = toBlock;
    const slice = { fromBlock, toBlock, addresses: undefined, topics: undefined };
    this.#root.entries.push(this.#part(slice, this.#root));
  }

  /** Parts so far. */
  get parts(): number {
    return this.#parts;
  }

  /** Bytes of answers that wait to be passed on. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Everything is answered and passed on. */
  get isOver(): boolean {
    return this.#root.entries.length === 0;
  }

  /** It would take too many parts. */
  get isOverfull(): boolean {
    return this.#isOverfull || this.#parts > MAX_PARTS;
  }

  /** The first part that nobody works on. */
  get next(): Part | undefined {
    return firstWaiting(this.#root);
  }

  /** The part whose answer is passed on next, while it is missing. */
  get head(): Part | undefined {
    return firstOpen(this.#root);
  }

  /** The part whose answer is passed on next, when it is there. */
  get front(): Part | undefined {
    const [entry] = this.#root.entries;
    return entry?.kind === "part" && entry.state === "done" ? entry : undefined;
  }

  /** Gives out a waiting part, or as much of its front as the taker serves: `limit` blocks. */
  take(part: Part, limit: number): Part {
    const { fromBlock, toBlock } = part.slice;
    const blocks = Math.max(1, Math.min(limit, this.#pace));
    if (toBlock - fromBlock < blocks) {
      part.state = "running";
      return part;
    }
    const left = Math.ceil((toBlock - fromBlock + 1) / blocks);
    // Known beforehand, it need not be tried: nobody asks for a thousand parts to throw them away.
    this.#isOverfull ||= this.#parts - 1 + left > MAX_PARTS;
    const [front] = this.#cut(part, fromBlock + blocks - 1);
    front.state = "running";
    return front;
  }

  /** Nobody answered: the part waits for another provider. */
  release(part: Part): void {
    part.state = "waiting";
  }

  /** Too much for whoever was asked: cuts the part; `undefined` when it cannot be cut. */
  refuse(part: Part, refusal: PartRefusal): SplitBy | undefined {
    const { slice } = part;
    const range = slice.toBlock - slice.fromBlock + 1;
    const addresses = slice.addresses ?? this.query.addresses;
    const topics = slice.topics ?? this.query.topics;
    if (addresses.length > 1 && (refusal.of === "addresses" || range === 1)) {
      this.#fork(part, halves(addresses), undefined);
      return "address";
    }
    if (range > 1) {
      const blocks = smaller(refusal.blocks, range);
      // A limit of blocks is that provider's own; too many logs are too many elsewhere as well.
      if (refusal.of === "answer") this.#pace = Math.min(this.#pace, blocks);
      for (const half of this.#cut(part, slice.fromBlock + blocks - 1)) half.state = "waiting";
      return "range";
    }
    if (topics.length > 1) {
      this.#fork(part, undefined, halves(topics));
      return "topic";
    }
    return undefined;
  }

  /** A part is answered. */
  complete(part: Part, body: LogsBody): void {
    part.state = "done";
    part.body = body;
    this.#heldBytes += body.sizeBytes;
    const { fromBlock, toBlock } = part.slice;
    // As with any window: what fits is tried a little larger.
    const range = toBlock - fromBlock + 1;
    if (range >= this.#pace) this.#pace = 2 * range;
    if (part.row.fork !== undefined) this.#join(part.row.fork);
  }

  /** The answer of a part no longer holds: it is asked for again. */
  reopen(part: Part): void {
    this.#heldBytes -= part.body?.sizeBytes ?? 0;
    part.body = undefined;
    part.state = "waiting";
    part.refetches++;
  }

  /** Parts that are answered and not passed on yet, in order, from `fromBlock` on. */
  *done(fromBlock: number): Generator<Part> {
    for (const part of partsOf(this.#root)) {
      if (part.state === "done" && part.slice.toBlock >= fromBlock) yield part;
    }
  }

  /** No part at or above `block` is missing. */
  isAnsweredFrom(block: number): boolean {
    for (const part of partsOf(this.#root)) {
      if (part.state !== "done" && part.slice.toBlock >= block) return false;
    }
    return true;
  }

  /** Takes out the answer that comes next, when it is there. */
  shift(): LogsBody | undefined {
    const [entry] = this.#root.entries;
    if (entry?.kind !== "part" || entry.body === undefined) return undefined;
    this.#root.entries.shift();
    this.#heldBytes -= entry.body.sizeBytes;
    return entry.body;
  }

  #part(slice: LogsSlice, row: Row): Part {
    this.#parts++;
    return {
      kind: "part",
      slice,
      row,
      state: "waiting",
      body: undefined,
      stamp: undefined,
      failed: [],
      refetches: 0,
    };
  }

  /** Puts two parts in the place of one: up to `lastOfFront`, and what follows. */
  #cut(part: Part, lastOfFront: number): readonly [Part, Part] {
    const { slice, row } = part;
    const front = this.#part({ ...slice, toBlock: lastOfFront }, row);
    const back = this.#part({ ...slice, fromBlock: lastOfFront + 1 }, row);
    this.#parts--;
    front.failed.push(...part.failed);
    back.failed.push(...part.failed);
    row.entries.splice(row.entries.indexOf(part), 1, front, back);
    return [front, back];
  }

  #fork(
    part: Part,
    addresses: readonly [readonly string[], readonly string[]] | undefined,
    topics: readonly [readonly string[], readonly string[]] | undefined,
  ): void {
    const { slice, row } = part;
    const rows: readonly [Row, Row] = [
      { entries: [], fork: undefined },
      { entries: [], fork: undefined },
    ];
    const fork: Fork = { kind: "fork", slice, row, halves: rows };
    for (const half of [0, 1] as const) {
      rows[half].fork = fork;
      const of: LogsSlice = {
        ...slice,
        addresses: addresses === undefined ? slice.addresses : addresses[half],
        topics: topics === undefined ? slice.topics : topics[half],
      };
      rows[half].entries.push(this.#part(of, rows[half]));
    }
    this.#parts--;
    row.entries.splice(row.entries.indexOf(part), 1, fork);
  }

  /** Makes one answered part of a fork whose halves are answered. */
  #join(fork: Fork): void {
    const [left, right] = fork.halves;
    const one = whole(left);
    const other = whole(right);
    if (one === undefined || other === undefined) return;
    const body = interleave(one, other);
    if (body === undefined) {
      // The halves saw two branches of the chain.
      for (const part of [...partsOf(left), ...partsOf(right)]) this.reopen(part);
      return;
    }
    for (const part of [...partsOf(left), ...partsOf(right)]) {
      this.#heldBytes -= part.body?.sizeBytes ?? 0;
    }
    const { slice, row } = fork;
    // The older stamp: what has changed since then has changed for one half at least.
    const stamp = stampOf([...partsOf(left), ...partsOf(right)]);
    const joined: Part = { ...this.#part(slice, row), state: "done", body, stamp };
    this.#parts--;
    this.#heldBytes += body.sizeBytes;
    row.entries.splice(row.entries.indexOf(fork), 1, joined);
    if (row.fork !== undefined) this.#join(row.fork);
  }
}

/** The blocks of the front of a range that was refused: what the provider said, else half. */
function smaller(said: number | undefined, range: number): number {
  return said !== undefined && said >= 1 && said < range ? said : Math.floor(range / 2);
}

function halves(list: readonly string[]): readonly [readonly string[], readonly string[]] {
  const middle = list.length >> 1;
  return [list.slice(0, middle), list.slice(middle)];
}

function* partsOf(row: Row): Generator<Part> {
  for (const entry of row.entries) {
    if (entry.kind === "part") yield entry;
    else {
      yield* partsOf(entry.halves[0]);
      yield* partsOf(entry.halves[1]);
    }
  }
}

function firstWaiting(row: Row): Part | undefined {
  for (const part of partsOf(row)) if (part.state === "waiting") return part;
  return undefined;
}

function firstOpen(row: Row): Part | undefined {
  for (const part of partsOf(row)) if (part.state !== "done") return part;
  return undefined;
}

function stampOf(parts: readonly Part[]): BranchStamp | undefined {
  const stamps = parts.flatMap(({ stamp }) => stamp ?? []);
  return stamps.toSorted((a, b) => a.falls - b.falls)[0];
}

/** The answers of a row as one, when all are there. */
function whole(row: Row): LogsBody | undefined {
  const pieces: Buffer[] = [];
  const marks = [];
  let sizeBytes = 0;
  let count = 0;
  for (const entry of row.entries) {
    if (entry.kind !== "part" || entry.body === undefined) return undefined;
    const { body } = entry;
    marks.push(...body.marks);
    if (body.count === 0) continue;
    if (count > 0) {
      pieces.push(COMMA);
      sizeBytes++;
    }
    pieces.push(...body.pieces);
    sizeBytes += body.sizeBytes;
    count += body.count;
  }
  return { pieces, sizeBytes, count, marks };
}

/** Stands between the logs of two parts. */
export const COMMA = Buffer.from(",");
