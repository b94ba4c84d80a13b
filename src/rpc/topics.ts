/** Names of a chain's topics on the internal pub/sub; nothing is published without a subscriber. */
import type { ChainName } from "./ids.ts";

/** Every event as it arrives from a provider: `{ provider, event, key, atNs, arrival }`. */
export const rawTopic = (chain: ChainName): string => `rpc/chain/${chain}/raw`;

/** Every event once, when it arrives first: `{ provider, event, key, atNs }`. */
export const aggregatedTopic = (chain: ChainName): string => `rpc/chain/${chain}/aggregated`;

/** Blocks as they become canonical: `{ number, hash, parentHash }`. */
export const newBlocksTopic = (chain: ChainName): string => `rpc/chain/${chain}/new-blocks`;
