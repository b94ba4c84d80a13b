/**
 * What a kept answer must not be: about a block that the chain does not name, or about another tip
 * than the one that is served.
 */
import type { ChainState } from "../../../src/rpc/chain-state.ts";
import { finalizedNumber } from "../../../src/rpc/consistency/finality.ts";
import type { SimCall } from "./reader.ts";

/** What is wrong with a kept answer to `call`, given at this moment; undefined when nothing is. */
export const keptFault = (
  chain: ChainState | undefined,
  { method, params }: SimCall,
  text: string | undefined,
): string | undefined => {
  if (method !== "eth_getBlockByNumber" || text === undefined) return undefined;
  const { result } = JSON.parse(text) as { result?: { number?: string; hash?: string } | null };
  if (chain === undefined) return "an answer of a chain that is gone";
  if (result === undefined || result === null) return `kept although empty: ${text.slice(0, 80)}`;
  const number = Number(result.number);
  const { head } = chain;
  if (params[0] === "latest" && number !== head?.number) {
    return `head ${number} was kept, the tip is ${head?.number ?? "unknown"}`;
  }
  if (params[0] !== "latest" && params[0] !== result.number)
    return `block ${number} was not asked for`;
  const hash = chain.canon.at(number);
  if (hash === result.hash || number <= finalizedNumber(chain)) return undefined;
  return params[0] === "latest" && hash === undefined
    ? undefined
    : `block ${number} was ${result.hash}, the chain names ${hash}`;
};
