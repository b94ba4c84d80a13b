/** How what a follower needs is asked for: one call, of any healthy provider, or of some that must agree. */
import type { Quorum } from "../proxy/call.ts";
import type { Need } from "./chain/needs.ts";

/** A call. */
type Question = readonly [method: string, params: readonly unknown[]];

/** Providers that have to tell alike what the logs of a disputed block are; none is an answer as well. */
const AGREED: Quorum = { agree: 2, of: 3, prefer: "none" };

/** Asks for the newest block. */
export const NEWEST: Question = ["eth_getBlockByNumber", ["latest", false]];

/** Asks for a block or for its logs. */
export const questionOf = ({ kind, hash, number }: Need): Question => {
  if (kind === "block") return ["eth_getBlockByHash", [hash, false]];
  if (kind === "logs" || kind === "agreedLogs") return ["eth_getLogs", [{ blockHash: hash }]];
  return ["eth_getBlockByNumber", [`0x${number.toString(16)}`, false]];
};

/** How many providers have to answer alike; one is enough when undefined. */
export const quorumOf = ({ kind }: Need): Quorum | undefined =>
  kind === "agreedLogs" ? AGREED : undefined;
