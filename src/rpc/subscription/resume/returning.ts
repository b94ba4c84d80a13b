/**
 * Clients who come back with a cursor: what they missed is found out, asked of the providers where
 * memory does not reach, and handed over in one piece; until then they wait, up to a time.
 *
 * Time is an argument; whoever owns this asks the `needs` and brings their answers.
 */
import type { ChainFollower } from "../chain/follower.ts";
import type { Cursor, Missed } from "../chain/history.ts";
import { needBlock, Needs, type Need } from "../chain/needs.ts";
import { bloomMayMatch, isEmptyBloom, type LogFilter } from "../delivery/filter.ts";
import type { StreamSink } from "../delivery/streams.ts";
import type { SubscribeReply } from "../../proxy/ports.ts";
import { headOfBlock, logsOfBlock } from "../parse.ts";
import type { EndedSubscription } from "./ended.ts";
import { MAX_LOG_BLOCKS, recall } from "./recall.ts";
import { RING_BLOCKS } from "../chain/ring.ts";

/** Kinds of which a cursor says something. */
export type ResumableKind = "newHeads" | "logs";

/** A client who comes back. */
export interface Comer {
  readonly sink: StreamSink;
  readonly kind: ResumableKind;
  readonly filter: LogFilter | undefined;
  readonly cursor: Cursor;
  /** The subscription that goes on under its old id; a new one when undefined. */
  readonly former: EndedSubscription | undefined;
  readonly answer: (reply: SubscribeReply) => void;
}

interface Waiting {
  readonly comer: Comer;
  readonly sinceMs: number;
}

/** Questions on their way at a time; gaps of those who never left come first, with more. */
const MAX_ASKED = 8;
/** Clients that wait; all of a node may come back at the same time after a restart. */
const MAX_WAITING = 10_000;
/** Questions that wait: so many blocks are in reach, and cursors that nobody knows add to them. */
const MAX_NEEDS = 1_024;
/** A client waits no longer for what it missed. */
const MAX_WAIT_MS = 10_000;

/** The clients of one chain that wait to go on. */
export class Returning {
  readonly needs = new Needs(MAX_ASKED, true);
  readonly #follower: ChainFollower;
  readonly #join: (comer: Comer, missed: Missed) => SubscribeReply;
  #waiting: Waiting[] = [];
  /** Those before this place were looked at. */
  #looked = 0;
  /** By connection, the blocks of its cursors that have to be asked for. */
  readonly #wanted = new Map<number, Set<string>>();

  /** `join` subscribes a client and sends what it missed. */
  constructor(follower: ChainFollower, join: (comer: Comer, missed: Missed) => SubscribeReply) {
    this.#follower = follower;
    this.#join = join;
  }

  /** Clients that wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Somebody waits for logs, so they have to be kept from now on. */
  get wantsLogs(): boolean {
    return this.#waiting.some(({ comer }) => comer.kind === "logs");
  }

  /** True when somebody waits for logs that a block with this bloom may have. */
  wantsLogsOf(bloom: string | undefined): boolean {
    return this.#waiting.some(({ comer }) => comer.kind === "logs" && mayMatch(comer, bloom));
  }

  /** Takes a client in; `admit` has to follow, once logs are kept if it wants some. */
  enter(comer: Comer, nowMs: number): void {
    if (this.#waiting.length < MAX_WAITING && this.needs.size < MAX_NEEDS) {
      this.#waiting.push({ comer, sinceMs: nowMs });
    } else comer.answer(this.#remembered(comer) ?? BUSY);
  }

  /** Looks at those who have come since: each is one of thousands perhaps, and the others wait as they did. */
  admit(nowMs: number): void {
    this.#settleFrom(this.#looked, nowMs);
  }

  /** Lets those go on of whom everything is known, asks for the rest, and gives up on the late. */
  look(nowMs: number): void {
    if (this.#waiting.length === 0) return;
    this.#wanted.clear();
    for (const one of this.#waiting) {
      // Should somebody else wait for the same, it is asked for anew.
      if (isOver(one, nowMs)) this.needs.delete(needBlock(one.comer.cursor.blockHash).key);
    }
    this.#settleFrom(0, nowMs);
    if (this.#waiting.length === 0) this.needs.clear();
  }

  /** The answer to a need; anything unusable is asked for again. */
  answered(need: Need, value: unknown, nowMs: number): void {
    if (this.needs.get(need.key) === undefined) return;
    if (!this.#learn(need, value, nowMs)) {
      this.needs.failed(need.key, nowMs);
      return;
    }
    this.needs.answered(need.key, nowMs);
    // Thousands may wait for the same blocks: they are looked at when all that was asked is there.
    if (this.needs.size === 0) this.look(nowMs);
  }

  #settleFrom(place: number, nowMs: number): void {
    for (const one of this.#waiting.splice(place)) {
      const { comer } = one;
      if (!comer.sink.isOpen) continue;
      const reply = this.#settle(comer, nowMs, isOver(one, nowMs));
      if (reply === undefined) this.#waiting.push(one);
      else comer.answer(reply);
    }
    this.#looked = this.#waiting.length;
  }

  #learn(need: Need, value: unknown, nowMs: number): boolean {
    if (need.kind === "logs") {
      const bloom = this.#follower.ring.get(need.hash)?.head?.bloom;
      return this.#follower.recalledLogs(need.hash, logsOfBlock(value, need.hash, bloom), nowMs);
    }
    const head = headOfBlock(value);
    if (head === undefined || (need.kind === "block" && head.hash !== need.hash)) return false;
    this.#follower.recalled(head, nowMs);
    return true;
  }

  /** What the client is told without asking anybody; undefined when somebody has to be asked. */
  #remembered(comer: Comer): SubscribeReply | undefined {
    const missed = this.#follower.missedSince(comer.cursor, comer.kind);
    if (missed === "ambiguous") return AMBIGUOUS;
    return missed && this.#join(comer, missed);
  }

  /** What the client is told; undefined while something is lacking and it is not too late. */
  #settle(comer: Comer, nowMs: number, isLate: boolean): SubscribeReply | undefined {
    const remembered = this.#remembered(comer);
    if (remembered !== undefined) return remembered;
    const { kind, cursor } = comer;
    const { ring, logs } = this.#follower;
    const kept = {
      since: logs.onSince,
      mayMatch: (bloom: string | undefined) => mayMatch(comer, bloom),
    };
    const found = recall(ring, cursor, kind === "logs" ? kept : undefined);
    if (found.kind === "ready") return this.#join(comer, found.missed);
    if (found.kind === "too_old") return tooOld(kind);
    if (isLate) return UNREACHABLE;
    const rank = this.#rankOf(comer);
    for (const need of found.needs) this.needs.add(need, nowMs, rank);
    return undefined;
  }

  /** How many other blocks the connection's cursors want that were asked for before. */
  #rankOf({ sink, cursor }: Comer): number {
    const wanted = this.#wanted.get(sink.id) ?? new Set();
    this.#wanted.set(sink.id, wanted.add(cursor.blockHash));
    return wanted.size - 1;
  }
}

/** Nobody waits any more, or for too long. */
const isOver = ({ comer, sinceMs }: Waiting, nowMs: number): boolean =>
  !comer.sink.isOpen || nowMs - sinceMs > MAX_WAIT_MS;

/** An empty bloom says nothing here: whether the chain writes any is not known at a start. */
const mayMatch = ({ filter }: Comer, bloom: string | undefined): boolean =>
  filter === undefined || isEmptyBloom(bloom) || bloomMayMatch(filter, bloom);

const refusal = (reason: string, message: string): SubscribeReply => ({
  ok: false,
  code: UNAVAILABLE,
  message,
  data: { reason },
});

/** Ours, for what cannot be had now. */
const UNAVAILABLE = -32002;

const tooOld = (kind: ResumableKind): SubscribeReply => {
  const blocks = kind === "logs" ? MAX_LOG_BLOCKS : RING_BLOCKS;
  const message = `the cursor is too old: ${kind} go on within ${blocks} blocks; subscribe anew and read what is missing`;
  return refusal("cursor_too_old", message);
};

const AMBIGUOUS = refusal(
  "cursor_too_old",
  "the cursor means one of several events, with others between them; subscribe anew and read what is missing",
);

const UNREACHABLE = refusal(
  "cursor_unknown",
  `no provider told of the blocks since the cursor within ${MAX_WAIT_MS / 1_000} s; subscribe anew and read what is missing`,
);

const BUSY = refusal("overloaded", "too many clients come back at the same time, try again");
