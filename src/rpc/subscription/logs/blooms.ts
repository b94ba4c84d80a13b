/**
 * What the blooms of one chain's headers say. They are a hint that saves questions, and a witness where
 * a second provider is lacking; never the last word, for some chains write none, and some have logs
 * beside them.
 */
import { headerHash } from "../../integrity/proof/header.ts";
import type { Block } from "../chain/block.ts";
import { isEmptyBloom } from "../delivery/filter.ts";
import { readRecord } from "../read-record.ts";
import { areSame, type BlockLogs } from "./block-logs.ts";
import { bloomDenies, explainsBloom } from "./bloom-proof.ts";

/** Nodes that lack receipts have them after this time; who still says the same may be right, ms. */
const UNPROVEN_MS = 3_000;
/** The same for who says that a block has no log at all, as one does that lacks the block, ms. */
const VAIN_MS = 10_000;
/** After so many blocks in a row of which no answer was proven the blooms are of no use. */
const MAX_UNPROVEN = 3;

/** The blooms of one chain. */
export class Blooms {
  /** A header with a bloom has been seen. */
  private isShown = false;
  /** A log was told of a block whose bloom is empty. */
  private isDoubted = false;
  /** A block has logs although its bloom is empty. */
  private isRefuted = false;
  /** A block has no logs although its bloom holds some. */
  private isVain = false;
  /** Blocks in a row whose answers had to be believed without a proof. */
  private unproven = 0;

  /** False when the chain seems to write none, or something else: then they say nothing. */
  private get areWritten(): boolean {
    const isOfUse = !this.isRefuted && this.unproven < MAX_UNPROVEN;
    return isOfUse && (this.isShown || !this.isDoubted);
  }

  /** The bloom of a block, as far as it says something. */
  of({ head }: Block): string | undefined {
    return this.areWritten ? head?.bloom : undefined;
  }

  /** The block has no log, by its bloom. */
  isEmpty(block: Block): boolean {
    return isEmptyBloom(this.of(block));
  }

  /** The block has logs, by its bloom. */
  promises(block: Block): boolean {
    const bloom = this.of(block);
    return bloom !== undefined && !this.isVain && !isEmptyBloom(bloom);
  }

  /** A block with such a header became canonical. */
  risen({ head }: Block): void {
    this.isShown ||= head?.bloom !== undefined && !isEmptyBloom(head.bloom);
  }

  /** A log is told of the block; true when its bloom has none although the chain writes blooms. */
  contradicts({ head }: Block): boolean {
    if (!isEmptyBloom(head?.bloom)) return false;
    this.isDoubted = true;
    return this.areWritten;
  }

  /** The header has the hash that it says, so nobody has invented its bloom, and that has not got the log. */
  disproves({ head }: Block, log: Buffer): boolean {
    if (head === undefined || !this.areWritten || !bloomDenies(head.bloom, log)) return false;
    return headerHash(readRecord(head.bytes)) === head.hash;
  }

  /** The bloom of the block holds nothing that the answer does not explain. */
  areExplainedBy({ isProven }: BlockLogs): boolean {
    return isProven || !this.areWritten;
  }

  /** The bloom of the block holds nothing that the logs told of it do not explain. */
  isExplained(block: Block): boolean {
    return explainsBloom(this.of(block), recordsOf(block));
  }

  /**
   * Nothing is left to doubt in what several providers answered. Where no bloom says that a block has no
   * log, all of them may still be about to learn of it; not so when it is their last chance.
   */
  confirm({ logs, isProven }: BlockLogs, isLast: boolean): boolean {
    return this.areWritten ? isProven : logs.length > 0 || isLast;
  }

  /** The block has such logs, for certain. */
  settled({ head }: Block, count: number): void {
    this.isRefuted ||= count > 0 && isEmptyBloom(head?.bloom);
  }

  /**
   * A node that lacks the block, or a part of its receipts, answers as readily as one that has it all:
   * what the bloom does not prove has to be said for a while, and always alike.
   */
  isBelievable(block: Block, answer: BlockLogs, nowMs: number): boolean {
    if (this.areExplainedBy(answer)) {
      if (answer.isProven && answer.logs.length > 0) this.unproven = 0;
      return true;
    }
    const before = block.unproven;
    if (before === undefined || !areSame(before.answer.logs, answer.logs)) {
      block.unproven = { answer, sinceMs: nowMs };
      return false;
    }
    const isNone = answer.logs.length === 0;
    if (nowMs - before.sinceMs < (isNone ? VAIN_MS : UNPROVEN_MS)) return false;
    block.unproven = undefined;
    this.isVain ||= isNone;
    this.unproven++;
    return true;
  }
}

/** The logs of a block that nobody denies, read one by one. */
function* recordsOf({ logs }: Block): Generator {
  for (const { standing, bytes } of logs) if (standing === "told") yield readRecord(bytes);
}
