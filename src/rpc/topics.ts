/** Names of a chain's topics on the internal pub/sub; nothing is published without a subscriber. */
import type { ChainName } from "./ids.ts";

/** Every event as it arrives from a provider: `{ provider, event, key, atNs, arrival }`. */
export const rawTopic = (chain: ChainName): string => `rpc/chain/${chain}/raw`;

/** Every event once, when it arrives first: `{ provider, event, key, atNs }`. */
export const aggregatedTopic = (chain: ChainName): string => `rpc/chain/${chain}/aggregated`;

/** Blocks as they become canonical: `{ number, hash, parentHash }`. */
export const newBlocksTopic = (chain: ChainName): string => `rpc/chain/${chain}/new-blocks`;

/** Races as they are settled: `SettledRace`, the same that becomes evidence. */
export const racesTopic = (chain: ChainName): string => `rpc/chain/${chain}/races`;

/** Rooms for what is told of single decisions, by the beginning of the event's name. */
const ROOMS = {
  "rpc.selection.": "routing",
  "rpc.failover.": "routing",
  "circuit_breaker.": "circuits",
  "provider.": "providers",
} as const;

/** One of the rooms. */
export type EventRoom = (typeof ROOMS)[keyof typeof ROOMS];

/** A chain's decisions as they are made, `{ event, ...fields }`: routing, circuits or providers. */
export const eventsTopic = (chain: ChainName, room: EventRoom): string =>
  `rpc/chain/${chain}/${room}`;

/** The room of an event; undefined for those that no topic tells. */
export const roomOf = (event: string): EventRoom | undefined => {
  const prefix = (Object.keys(ROOMS) as (keyof typeof ROOMS)[]).find((one) =>
    event.startsWith(one),
  );
  return prefix === undefined ? undefined : ROOMS[prefix];
};
