/** How what a follower needs is asked for: one call, of any healthy provider. */
import type { Need } from "./chain/needs.ts";

/** A call. */
type Question = readonly [method: string, params: readonly unknown[]];

/** Asks for the newest block. */
export const NEWEST: Question = ["eth_getBlockByNumber", ["latest", false]];

/** Asks for a block or for its logs. */
export const questionOf = ({ kind, hash, number }: Need): Question => {
  if (kind === "block") return ["eth_getBlockByHash", [hash, false]];
  if (kind === "logs") return ["eth_getLogs", [{ blockHash: hash }]];
  return ["eth_getBlockByNumber", [`0x${number.toString(16)}`, false]];
};
