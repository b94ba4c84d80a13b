/**
 * What the blooms of one chain's headers say. They are a hint that saves questions, and a witness where
 * a second provider is lacking; never the last word, for some chains write none, and some have logs
 * beside them.
 */
import { headerHash } from "../../integrity/proof/header.ts";
import type { Block } from "../chain/block.ts";
import { isEmptyBloom } from "../delivery/filter.ts";
import { readRecord } from "../read-record.ts";
import type { BlockLogs } from "./block-logs.ts";
import { bloomDenies } from "./bloom-proof.ts";

/** The blooms of one chain. */
export class Blooms {
  /** A header with a bloom has been seen. */
  private isShown = false;
  /** A log was told of a block whose bloom is empty. */
  private isDoubted = false;
  /** A block has logs although its bloom is empty. */
  private isRefuted = false;

  /** False when the chain seems to write none: then they say nothing. */
  private get areWritten(): boolean {
    return !this.isRefuted && (this.isShown || !this.isDoubted);
  }

  /** The bloom of a block, as far as it says something. */
  of({ head }: Block): string | undefined {
    return this.areWritten ? head?.bloom : undefined;
  }

  /** The block has no log, by its bloom. */
  isEmpty(block: Block): boolean {
    return isEmptyBloom(this.of(block));
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
   * what the bloom does not prove has to be said twice.
   */
  isBelievable(block: Block, answer: BlockLogs): boolean {
    const { logs } = answer;
    if (this.areExplainedBy(answer)) return true;
    if (logs.length > 0 && logs.length === block.doubtful) return true;
    block.doubtful = logs.length;
    return false;
  }
}
