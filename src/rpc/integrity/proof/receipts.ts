/**
 * The receipts of a block as its header vouches for them: encoded as consensus has them (EIP-2718,
 * EIP-658), their trie's root is `receiptsRoot`, and their logs are in their blooms.
 */
import { rlp, type RlpItem } from "../../../lib/rlp.ts";
import { addToBloom, BLOOM_BYTES } from "./bloom.ts";
import { listRoot } from "./trie.ts";
import { dataBytes, isObject, type Json, quantityBytes } from "./values.ts";

/** Transaction types whose receipts are encoded as known here: legacy, 2930, 1559, 4844, 7702. */
const LAST_TYPE = 4;

/** The root of a block's receipts, `0x` and 64 digits; `undefined` when one cannot be encoded. */
export function receiptsRoot(receipts: readonly unknown[]): string | undefined {
  const values: Uint8Array[] = [];
  for (const receipt of receipts) {
    const value = encodeReceipt(receipt);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return `0x${listRoot(values).toString("hex")}`;
}

/** Whether a receipt's bloom is that of its logs; `undefined` when it cannot be said. */
export function hasOwnBloom(receipt: unknown): boolean | undefined {
  if (!isObject(receipt)) return undefined;
  const told = dataBytes(receipt["logsBloom"], BLOOM_BYTES);
  const logs = receipt["logs"];
  if (told === undefined || !Array.isArray(logs)) return undefined;
  const bloom = new Uint8Array(BLOOM_BYTES);
  for (const log of logs) {
    for (const item of bloomItems(log) ?? []) addToBloom(bloom, item);
    if (bloomItems(log) === undefined) return undefined;
  }
  return Buffer.compare(bloom, told) === 0;
}

/** What a log puts into a bloom: its address and its topics. */
export function bloomItems(log: unknown): readonly Uint8Array[] | undefined {
  if (!isObject(log)) return undefined;
  const address = dataBytes(log["address"], 20);
  const topics: unknown = log["topics"];
  if (address === undefined || !Array.isArray(topics)) return undefined;
  const items = [address];
  for (const topic of topics) {
    const bytes = dataBytes(topic, 32);
    if (bytes === undefined) return undefined;
    items.push(bytes);
  }
  return items;
}

function encodeReceipt(receipt: unknown): Uint8Array | undefined {
  if (!isObject(receipt)) return undefined;
  const type = receipt["type"] === undefined ? 0 : Number(receipt["type"]);
  const outcome = quantityBytes(receipt["status"]) ?? dataBytes(receipt["root"], 32);
  const gas = quantityBytes(receipt["cumulativeGasUsed"]);
  const bloom = dataBytes(receipt["logsBloom"], BLOOM_BYTES);
  const logs = encodeLogs(receipt["logs"]);
  // Fields of other chains' receipts (deposits, L1 fees by version) change the encoding.
  if (!(type >= 0 && type <= LAST_TYPE) || receipt["depositNonce"] !== undefined) return undefined;
  if (outcome === undefined || gas === undefined || bloom === undefined || logs === undefined) {
    return undefined;
  }
  const body = rlp([outcome, gas, bloom, logs]);
  return type === 0 ? body : Buffer.concat([Buffer.of(type), body]);
}

function encodeLogs(logs: unknown): readonly RlpItem[] | undefined {
  if (!Array.isArray(logs)) return undefined;
  const encoded: RlpItem[] = [];
  for (const log of logs) {
    const items = bloomItems(log);
    const data = dataBytes((log as Json)["data"]);
    if (items === undefined || data === undefined) return undefined;
    const [address, ...topics] = items as readonly [Uint8Array, ...Uint8Array[]];
    encoded.push([address, topics, data]);
  }
  return encoded;
}
