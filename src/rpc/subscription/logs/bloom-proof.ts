/** What a block's bloom says: whether an answer can be all its logs, and whether it can have a log. */
import { addToBloom, bloomHas, BLOOM_BYTES } from "../../integrity/proof/bloom.ts";
import { dataBytes } from "../../integrity/proof/values.ts";
import { readRecord } from "../read-record.ts";

/**
 * True when every bit of the block's bloom stems from these logs; an unreadable bloom says nothing.
 * Logs are read as far as bits are left to explain: those of a large block share what there is.
 */
export const explainsBloom = (bloom: string | undefined, logs: Iterable<unknown>): boolean => {
  const wanted = dataBytes(bloom, BLOOM_BYTES);
  if (wanted === undefined) return true;
  const found = new Uint8Array(BLOOM_BYTES);
  const isAllFound = () => wanted.every((byte, at) => (byte & ~(found[at] as number)) === 0);
  const seen = new Set<unknown>();
  for (const log of logs) {
    const known = seen.size;
    const { address, topics } = log as { readonly address?: unknown; readonly topics?: unknown };
    for (const item of [address, ...(Array.isArray(topics) ? (topics as unknown[]) : [])]) {
      // The same few addresses and topics fill a block; each is hashed once.
      if (seen.has(item)) continue;
      seen.add(item);
      const bytes = dataBytes(item);
      if (bytes !== undefined) addToBloom(found, bytes);
    }
    if (seen.size > known && isAllFound()) return true;
  }
  return isAllFound();
};

/** True when the bloom has not got the address or a topic of the log; an unreadable one says nothing. */
export const bloomDenies = (bloom: string | undefined, log: Buffer): boolean => {
  const known = dataBytes(bloom, BLOOM_BYTES);
  if (known === undefined) return false;
  const { address, topics } = readRecord(log);
  return [address, ...(Array.isArray(topics) ? (topics as unknown[]) : [])].some((item) => {
    const bytes = dataBytes(item);
    return bytes !== undefined && !bloomHas(known, bytes);
  });
};
