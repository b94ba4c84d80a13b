/**
 * What subscribers of `syncing` are told: whether the chain goes on, by the head that all providers
 * together show. One node that catches up says nothing about a gateway before many.
 */
import { Buffer } from "node:buffer";

/** The served head. */
export interface ServedHead {
  readonly number: number;
  readonly atMs: number;
  readonly blockTimeMs: number;
}

/** A head that is older is behind: the same patience that a stream of heads has. */
const STALE_BLOCKS = 3;
const LEAST_STALE_MS = 10_000;

const CURRENT = Buffer.from("false");

/** The result of an event: `false` while heads come, else where the chain stands, as `eth_syncing` has it. */
export const syncStateOf = (head: ServedHead | undefined, nowMs: number): Buffer => {
  const { number = 0, atMs = Number.NEGATIVE_INFINITY, blockTimeMs = 0 } = head ?? {};
  if (nowMs - atMs <= Math.max(STALE_BLOCKS * blockTimeMs, LEAST_STALE_MS)) return CURRENT;
  const block = `0x${number.toString(16)}`;
  const status = { startingBlock: block, currentBlock: block, highestBlock: block };
  return Buffer.from(JSON.stringify({ syncing: true, status }));
};
