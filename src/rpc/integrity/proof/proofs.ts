/**
 * The checks that compute what an answer should be: the hash of a header, the bloom and the root of
 * receipts. They parse the answer, so each is switched on by the operator, chain by chain.
 */
import type { IntegrityConfig } from "../../../../config/schema.ts";
import { bloomHas, BLOOM_BYTES } from "./bloom.ts";
import { headerHash } from "./header.ts";
import { bloomItems, hasOwnBloom, receiptsRoot } from "./receipts.ts";
import { dataBytes, isObject, type Json } from "./values.ts";
import type { BlockFacts, BlockRing } from "../block-ring.ts";
import type { Answered, Fault } from "../question.ts";

/** Answers beyond this are not parsed: it would hold up everybody else. */
const MAX_PROVED_BYTES = 2 * 1024 * 1024;

type Proof = (value: unknown, rules: IntegrityConfig, ring: BlockRing | undefined) => Fault;

/** Proves an answer as far as the rules ask and the ring knows; `undefined` when nothing is wrong. */
export function prove(method: string, answered: Answered, rules: IntegrityConfig): Fault {
  const proof = PROOFS.get(method);
  const { bytes, start, ring } = answered;
  if (proof === undefined || bytes.length > MAX_PROVED_BYTES) return undefined;
  const body: unknown = parsed(bytes.toString("utf8"));
  if (!isObject(body) || bytes[start] === 0x6e) return undefined;
  return proof(body["result"], rules, ring);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // SyntaxError is all that JSON.parse throws: a large answer was looked at from both ends only.
    return undefined;
  }
}

function proveBlock(value: unknown, rules: IntegrityConfig, ring: BlockRing | undefined): Fault {
  if (!isObject(value)) return undefined;
  const told = lower(value["hash"]);
  // A pending block has no hash.
  if (told === undefined) return undefined;
  const computed = headerHash(value);
  if (computed === undefined) return undefined;
  if (computed !== told) {
    return rules.headers ? `the header of block ${told} hashes to ${computed}` : undefined;
  }
  ring?.learn(told, factsOf(value));
  return undefined;
}

const factsOf = (header: Json): BlockFacts => ({
  logsBloom: lower(header["logsBloom"]),
  receiptsRoot: lower(header["receiptsRoot"]),
});

/** Remembers what a pushed header says of its block, if it is what its hash says. */
export function learnHeader(text: string, hash: string, ring: BlockRing): void {
  if (ring.factsOf(hash) !== undefined) return;
  const header = parsed(text);
  if (isObject(header) && headerHash(header) === hash.toLowerCase()) {
    ring.learn(hash, factsOf(header));
  }
}

function proveReceipt(value: unknown, rules: IntegrityConfig): Fault {
  return rules.bloom && hasOwnBloom(value) === false
    ? "a receipt's bloom is not that of its logs"
    : undefined;
}

function proveReceipts(value: unknown, rules: IntegrityConfig, ring: BlockRing | undefined): Fault {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  for (const receipt of value) {
    const fault = proveReceipt(receipt, rules);
    if (fault !== undefined) return fault;
  }
  const hash = isObject(value[0]) ? lower(value[0]["blockHash"]) : undefined;
  const root = hash === undefined ? undefined : ring?.factsOf(hash)?.receiptsRoot;
  if (!rules.receipts || root === undefined) return undefined;
  const computed = receiptsRoot(value);
  return computed === undefined || computed === root
    ? undefined
    : `the receipts of block ${hash} have the root ${computed} instead of ${root}`;
}

function proveLogs(value: unknown, rules: IntegrityConfig, ring: BlockRing | undefined): Fault {
  if (!rules.bloom || ring === undefined || !Array.isArray(value)) return undefined;
  let lastHash: string | undefined;
  let bloom: Uint8Array | undefined;
  for (const log of value) {
    if (!isObject(log)) return undefined;
    const hash = lower(log["blockHash"]);
    if (hash === undefined) continue;
    if (hash !== lastHash) {
      lastHash = hash;
      bloom = dataBytes(ring.factsOf(hash)?.logsBloom, BLOOM_BYTES);
    }
    if (bloom === undefined) continue;
    const known = bloom;
    if (bloomItems(log)?.every((item) => bloomHas(known, item)) === false) {
      return `a log is not in the bloom of its block ${hash}`;
    }
  }
  return undefined;
}

const PROOFS: ReadonlyMap<string, Proof> = new Map<string, Proof>([
  ["eth_getBlockByNumber", proveBlock],
  ["eth_getBlockByHash", proveBlock],
  ["eth_getTransactionReceipt", proveReceipt],
  ["eth_getBlockReceipts", proveReceipts],
  ["eth_getLogs", proveLogs],
]);

function lower(value: unknown): string | undefined {
  return typeof value === "string" ? value.toLowerCase() : undefined;
}
