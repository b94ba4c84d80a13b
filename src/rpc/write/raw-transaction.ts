/**
 * A signed transaction as a client sends it: checked to be bytes, and named by its hash before any
 * provider has seen it.
 *
 * The hash of a typed or legacy transaction is keccak256 of its bytes (EIP-2718). A blob transaction
 * travels with its blobs around it (EIP-4844 "network representation", since EIP-7594 with a version
 * in front of the blobs); its hash is that of the transaction inside. Types that no EIP of Ethereum
 * knows (zkSync's 0x71) may be named by rules of their own: for them the provider's word counts.
 */
import { hash53 } from "../../lib/hash53.ts";
import { keccak256 } from "../../lib/keccak256.ts";
import { RLP_LIST, rlpSpan } from "../../lib/rlp.ts";

/** Longest transaction without blobs, as go-ethereum's pool takes it (`txMaxSize`), twice over. */
export const MAX_PLAIN_BYTES = 256 * 1024;

/** A transaction that may be sent. */
export interface RawTransaction {
  readonly ok: true;
  /** 0x-prefixed, lower case. */
  readonly hash: string;
  /** False where the chain may name it otherwise than by keccak256. */
  readonly isHashSure: boolean;
  /** Equal for equal bytes. */
  readonly fingerprint: string;
  /** What is signed and hashed: without the blobs around it. */
  readonly payload: Buffer;
}

/** A transaction, or why it is none. */
export type RawTransactionResult =
  | RawTransaction
  | { readonly ok: false; readonly message: string };

/** Reads the parameter of `eth_sendRawTransaction`. */
export const readRawTransaction = (input: unknown): RawTransactionResult => {
  if (typeof input !== "string") return refused("the raw transaction is not a string");
  if (!input.startsWith("0x")) return refused("the raw transaction has no 0x in front");
  if (input.length < 4 || input.length % 2 !== 0) return refused("the raw transaction is no bytes");
  const bytes = Buffer.from(input.slice(2), "hex");
  // Node decodes up to the first digit that is none.
  if (bytes.length * 2 !== input.length - 2) return refused("the raw transaction is not hex");
  const payload = bytes[0] === BLOB_TYPE ? withoutBlobs(bytes) : bytes;
  if (payload.length > MAX_PLAIN_BYTES) {
    return refused(`the transaction is over ${MAX_PLAIN_BYTES} bytes without its blobs`);
  }
  const hash = hex(keccak256(payload));
  return {
    ok: true,
    hash,
    isHashSure: isKnownType(bytes[0] ?? 0),
    // Blobs of one transaction are told apart at a thousandth of the cost of a hash.
    fingerprint: payload === bytes ? hash : `${hash}:${bytes.length}:${hash53(bytes)}`,
    payload,
  };
};

const BLOB_TYPE = 0x03;
/** EIP-7702; the highest type that Ethereum has. */
const HIGHEST_TYPE = 0x04;

/** A legacy transaction is a list itself. */
const isKnownType = (first: number): boolean => first <= HIGHEST_TYPE || first >= RLP_LIST;

/** The transaction inside its blobs; what does not look wrapped is taken as it is. */
const withoutBlobs = (bytes: Buffer): Buffer => {
  const outer = rlpSpan(bytes, 1);
  const inner = outer?.isList === true ? rlpSpan(bytes, outer.start) : undefined;
  // Unwrapped, the first item is the chain id and no list.
  if (outer === undefined || inner?.isList !== true || inner.end > outer.end) return bytes;
  return Buffer.concat([bytes.subarray(0, 1), bytes.subarray(inner.at, inner.end)]);
};

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString("hex")}`;

const refused = (message: string): RawTransactionResult => ({ ok: false, message });
