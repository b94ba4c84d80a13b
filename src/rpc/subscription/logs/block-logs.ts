/** All logs of one block, as somebody answered, and how two accounts of a block's logs are compared. */
import type { Buffer } from "node:buffer";
import { isAlike, type Dispute, type LogSums } from "../../race/block-sums.ts";
import { LogDigest } from "../../race/log-digest.ts";
import type { Block, BlockLog } from "../chain/block.ts";
import { readRecord } from "../read-record.ts";

/** One log of an answer. */
export interface AnsweredLog {
  readonly index: number;
  readonly bytes: Buffer;
}

/** All logs of one block, as somebody answered. */
export interface BlockLogs {
  /** Ascending by index. */
  readonly logs: readonly AnsweredLog[];
  /** The block's bloom holds nothing that they do not explain. */
  readonly isProven: boolean;
}

/** Logs of the block that an answer does not have, or has otherwise. */
export const absentFrom = (block: Block, answer: readonly AnsweredLog[]): readonly BlockLog[] => {
  const answered = new Map(answer.map(({ index, bytes }) => [index, bytes]));
  return block.logs.filter(({ index, bytes, standing }) => {
    if (standing === "false") return false;
    const other = answered.get(index);
    return other === undefined || !isSame(bytes, other);
  });
};

/** Whether both say the same, in whatever form. */
export const isSame = (one: Buffer, other: Buffer): boolean =>
  one.equals(other) || contentOf(one) === contentOf(other);

/** Whether two answers say the same. */
export const areSame = (one: readonly AnsweredLog[], other: readonly AnsweredLog[]): boolean =>
  one.length === other.length &&
  one.every(({ index, bytes }, at) => {
    const twin = other[at];
    return twin?.index === index && isSame(bytes, twin.bytes);
  });

/** The sums of an answer, to be held against those of a dispute. */
export const sumsOf = ({ seed, isRead }: Dispute, answer: readonly AnsweredLog[]): LogSums => {
  const digest = new LogDigest(seed);
  let [places, contents] = [0, 0];
  for (const { index, bytes } of answer) {
    places = (places + digest.ofIndex(index)) | 0;
    if (isRead) contents = (contents + digest.ofLog(index, readRecord(bytes))) | 0;
  }
  return { count: answer.length, places, contents };
};

/** Most of those who told of the block told exactly this. */
export const isToldByMost = ({ tellings }: Dispute, sums: LogSums): boolean =>
  tellings.filter((telling) => isAlike(telling, sums)).length * 2 > tellings.length;

/** Who told of all places in the block, and of something that is not there. */
export const tellersOfOther = ({ tellings }: Dispute, truth: LogSums): readonly string[] =>
  tellings.flatMap(({ provider, count, places, contents }) =>
    count === truth.count && places === truth.places && contents !== truth.contents
      ? [provider]
      : [],
  );

const contentOf = (bytes: Buffer): string => {
  const { address, topics = [], data = "0x", transactionHash } = readRecord(bytes);
  return JSON.stringify([address, topics, data, transactionHash]).toLowerCase();
};
