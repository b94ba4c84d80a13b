/** Which blocks a call is about, read anew from its bytes when an answer makes them matter. */
import type { BlockDemand } from "../../json-rpc/block-demand.ts";
import { blockDemand, readsHead } from "../../json-rpc/block-demand.ts";
import type { Call } from "../call.ts";

/** The blocks that the call names. */
export function blocksOf({ body, envelope }: Call, method: string): BlockDemand | undefined {
  return blockDemand(method, body, envelope.paramsStart, envelope.paramsEnd);
}

/** State that every full node still keeps, blocks below the head. */
const NEAR_HEAD_BLOCKS = 128;

/** The call reads within the last 128 blocks; undefined when that cannot be told. */
export function isNearHead(call: Call, method: string): boolean | undefined {
  const asked = blocksOf(call, method);
  const tip = call.chain.snapshot?.tip ?? -1;
  if (asked !== undefined) return tip < 0 ? undefined : tip - asked.fromBlock <= NEAR_HEAD_BLOCKS;
  const { body, envelope } = call;
  return readsHead(method, body, envelope.paramsStart, envelope.paramsEnd) ? true : undefined;
}
