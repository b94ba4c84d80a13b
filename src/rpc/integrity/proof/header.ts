/**
 * The hash of a block header as JSON-RPC shows it: keccak256 of the RLP of its fields, for the shapes
 * that mainnet has had so far (London to Prague, and the plain one before). A header with a field that
 * is not known here belongs to a fork or a chain that hashes differently: nothing can be said of it.
 */
import { keccak256 } from "../../../lib/keccak256.ts";
import { rlp } from "../../../lib/rlp.ts";
import { dataBytes, quantityBytes } from "./values.ts";

/** The fields of every header, in the order of their encoding, with their sizes in bytes. */
const BASE: readonly (readonly [name: string, size: number | "quantity" | "data"])[] = [
  ["parentHash", 32],
  ["sha3Uncles", 32],
  ["miner", 20],
  ["stateRoot", 32],
  ["transactionsRoot", 32],
  ["receiptsRoot", 32],
  ["logsBloom", 256],
  ["difficulty", "quantity"],
  ["number", "quantity"],
  ["gasLimit", "quantity"],
  ["gasUsed", "quantity"],
  ["timestamp", "quantity"],
  ["extraData", "data"],
  ["mixHash", 32],
  ["nonce", 8],
];

/** What each fork appended; a header has the first few of these groups, all of each. */
const FORKS: readonly (readonly (readonly [string, number | "quantity" | "data"])[])[] = [
  [["baseFeePerGas", "quantity"]],
  [["withdrawalsRoot", 32]],
  [
    ["blobGasUsed", "quantity"],
    ["excessBlobGas", "quantity"],
    ["parentBeaconBlockRoot", 32],
  ],
  [["requestsHash", 32]],
];

/** Members of a block that are not of its header. */
const BESIDE: ReadonlySet<string> = new Set([
  "author",
  "hash",
  "sealFields",
  "size",
  "totalDifficulty",
  "transactions",
  "uncles",
  "withdrawals",
]);

const KNOWN: ReadonlySet<string> = new Set([
  ...[...BASE, ...FORKS.flat()].map(([name]) => name),
  ...BESIDE,
]);

/** The hash of a header, `0x` and 64 digits; `undefined` when its shape is not known. */
export function headerHash(block: Readonly<Record<string, unknown>>): string | undefined {
  for (const name of Object.keys(block)) if (!KNOWN.has(name)) return undefined;
  const fields: Uint8Array[] = [];
  let isOver = false;
  for (const group of [BASE, ...FORKS]) {
    const present = group.filter(([name]) => block[name] !== undefined && block[name] !== null);
    if (present.length === 0 && group !== BASE) {
      isOver = true;
      continue;
    }
    // A later fork's field without an earlier one's, or half a fork: not a header of mainnet.
    if (isOver || present.length !== group.length) return undefined;
    for (const [name, size] of group) {
      const bytes = fieldBytes(block[name], size);
      if (bytes === undefined) return undefined;
      fields.push(bytes);
    }
  }
  return `0x${Buffer.from(keccak256(rlp(fields))).toString("hex")}`;
}

function fieldBytes(value: unknown, size: number | "quantity" | "data"): Uint8Array | undefined {
  if (size === "quantity") return quantityBytes(value);
  return dataBytes(value, size === "data" ? undefined : size);
}
