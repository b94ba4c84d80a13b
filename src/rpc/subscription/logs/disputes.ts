/**
 * Logs that may not exist: told by a stream, and denied by other providers or by the block's bloom.
 *
 * A disputed block is asked for as any other. That answer is the truth when most streams told the same
 * as it has. Else logs that it lacks are suspected, which are not sent unless they have been, and two
 * providers have to answer alike: what they do not have is false. It is taken back where it was sent,
 * and held against whoever told it. It stays in its block, for cursors may name it.
 */
import type { Dispute } from "../../race/block-sums.ts";
import { isLive, type Block, type BlockLog } from "../chain/block.ts";
import { needAgreedLogs, needLogs, type Needs } from "../chain/needs.ts";
import type { Ring } from "../chain/ring.ts";
import {
  absentFrom,
  isToldByMost,
  sumsOf,
  tellersOfOther,
  type AnsweredLog,
  type BlockLogs,
} from "./block-logs.ts";
import type { Blooms } from "./blooms.ts";
import type { LogMemory } from "./log-memory.ts";

/** What is told of false logs; called after the state is consistent. */
export interface DisputeListener {
  /** Logs that do not exist: clients who have been sent these take them back; these providers lied. */
  disproved(block: Block, taken: readonly BlockLog[], liars: readonly string[]): void;
}

interface OpenDispute {
  /** What the streams told, where they differ. */
  told: Dispute | undefined;
  /** Since when two providers are asked to agree. */
  votedMs: number;
}

/** Providers that do not agree for so long, or are not there, leave everything as it was told, ms. */
const VOTE_MS = 10_000;

/** The disputed blocks of one chain. */
export class Disputes {
  private readonly open = new Map<Block, OpenDispute>();
  private readonly ring: Ring;
  private readonly needs: Needs;
  private readonly memory: LogMemory;
  private readonly blooms: Blooms;
  private readonly listener: () => DisputeListener;

  constructor(
    ring: Ring,
    needs: Needs,
    memory: LogMemory,
    blooms: Blooms,
    listener: () => DisputeListener,
  ) {
    this.ring = ring;
    this.needs = needs;
    this.memory = memory;
    this.blooms = blooms;
    this.listener = listener;
  }

  /** Blocks in dispute. */
  get size(): number {
    return this.open.size;
  }

  /** The streams tell different stories of the block, or one that its bloom denies. */
  add(block: Block, told: Dispute | undefined, nowMs: number): void {
    if (block.isSettled || block.isForgotten) return;
    const known = this.open.get(block);
    if (known === undefined) this.open.set(block, { told, votedMs: nowMs });
    else known.told ??= told;
    this.resume(block, nowMs);
  }

  /** The block may be asked for, if it is disputed. */
  resume(block: Block, nowMs: number): void {
    if (!block.isCanonical || !this.open.has(block)) return;
    this.needs.add(needLogs(block.hash, block.number), nowMs);
  }

  /** Two providers shall agree on the logs of the block, not before a time. */
  vote(block: Block, notBeforeMs: number): void {
    if (block.isSettled || block.isForgotten) return;
    const dispute = this.open.get(block) ?? { told: undefined, votedMs: notBeforeMs };
    dispute.votedMs = notBeforeMs;
    this.open.set(block, dispute);
    this.needs.add(needAgreedLogs(block.hash, block.number), notBeforeMs);
  }

  /** One provider has answered: what it lacks is suspected, and two have to agree on that. */
  answered(block: Block, answer: BlockLogs, notBeforeMs: number): void {
    const told = this.open.get(block)?.told;
    const { logs } = answer;
    const isPlain = logs.length > 0 && this.blooms.areExplainedBy(answer);
    if (told !== undefined && isPlain && isToldByMost(told, sumsOf(told, logs))) {
      return this.settle(block, logs);
    }
    const absent = new Set(absentFrom(block, logs));
    for (const log of block.logs) {
      if (absent.has(log)) log.standing = "suspected";
      else if (log.standing === "suspected") log.standing = "told";
    }
    if (told !== undefined || absent.size > 0) this.vote(block, notBeforeMs);
    else this.open.delete(block);
  }

  /** These are all logs of the block, for certain. */
  settle(block: Block, truth: readonly AnsweredLog[]): void {
    const told = this.open.get(block)?.told;
    const absent = absentFrom(block, truth);
    this.blooms.settled(block, truth.length);
    for (const log of block.logs) if (log.standing === "suspected") log.standing = "told";
    this.end(block);
    this.needs.delete(needLogs(block.hash, block.number).key);
    block.isSettled = true;
    block.isComplete = true;
    this.disprove(
      block,
      absent,
      told === undefined ? [] : tellersOfOther(told, sumsOf(told, truth)),
    );
  }

  /** Two providers have been asked to agree for long enough. */
  isLate(block: Block, nowMs: number): boolean {
    return nowMs - (this.open.get(block)?.votedMs ?? 0) >= VOTE_MS;
  }

  /**
   * No two providers agree. One has not got what is suspected, so where the bloom has not got it either
   * it is false; else it stays as it was told.
   */
  giveUp(block: Block): void {
    const suspected = block.logs.filter(({ standing }) => standing === "suspected");
    const absent = suspected.filter(({ bytes }) => this.blooms.disproves(block, bytes));
    for (const log of suspected) log.standing = "told";
    this.blooms.settled(block, suspected.length - absent.length);
    this.end(block);
    this.disprove(block, absent, []);
  }

  /** The block is not canonical now: it is asked for when it is again. */
  pause(block: Block): void {
    this.needs.delete(needAgreedLogs(block.hash, block.number).key);
  }

  /** History begins anew: of its blocks some may not be known any more. */
  clear(): void {
    this.open.clear();
  }

  /** The block is in dispute no more. */
  end(block: Block): void {
    this.open.delete(block);
    this.pause(block);
  }

  private disprove(block: Block, logs: readonly BlockLog[], others: readonly string[]): void {
    const liars = new Set(others);
    const taken: BlockLog[] = [];
    for (const log of logs.toReversed()) {
      log.standing = "false";
      if (log.source !== undefined) liars.add(log.source);
      if (isLive(log)) {
        log.backAt = this.ring.tick();
        taken.push(log);
      } else if (block.isCanonical) this.memory.unsent--;
    }
    if (liars.size + taken.length > 0) this.listener().disproved(block, taken, [...liars]);
  }
}
