/** Blocks as filters remember them: by height, hash and the hash before. */
import { isHash, quantity } from "../json-rpc/quantity.ts";

/** One block that a filter has been told of, or stands at. */
export interface Mark {
  readonly number: number;
  readonly hash: string;
}

/** A block as providers answer it. */
export interface SeenBlock extends Mark {
  readonly parentHash: string;
}

/** Reads an answer to `eth_getBlockBy*`; undefined when it is no block. */
export const readBlock = (answer: unknown): SeenBlock | undefined => {
  if (typeof answer !== "object" || answer === null) return undefined;
  const { number, hash, parentHash } = answer as Readonly<Record<string, unknown>>;
  const height = quantity(number);
  if (height === undefined || !isHash(hash) || !isHash(parentHash)) return undefined;
  return { number: height, hash, parentHash };
};

/** The blocks at the front that are each the child of the one before. */
export const linkedPrefix = (blocks: readonly SeenBlock[]): readonly SeenBlock[] => {
  let count = Math.min(1, blocks.length);
  while (count < blocks.length && blocks[count]?.parentHash === blocks[count - 1]?.hash) count++;
  return blocks.slice(0, count);
};
