/** Who signed a transaction, so that one account's transactions can meet one pool. */
import { keccak256 } from "../../lib/keccak256.ts";
import {
  bigEndian,
  rlp,
  RLP_LIST,
  rlpList,
  rlpSpan,
  rlpSpans,
  type RlpSpan,
} from "../../lib/rlp.ts";
import { recoverPublicKey } from "../../lib/secp256k1.ts";
import type { RawTransaction } from "./raw-transaction.ts";

/** The signer's address, 0x-prefixed and lower case; undefined for what is signed otherwise. */
export const senderOf = ({ payload }: RawTransaction): string | undefined => {
  const isLegacy = (payload[0] ?? 0) >= RLP_LIST;
  const list = rlpSpan(payload, isLegacy ? 0 : 1);
  if (list?.isList !== true) return undefined;
  const items = rlpSpans(payload, list, MAX_ITEMS);
  if (items === undefined || items.length <= SIGNATURE_ITEMS) return undefined;
  const [v, r, s] = items.slice(-SIGNATURE_ITEMS).map((item) => numberOf(payload, item));
  if (v === undefined || r === undefined || s === undefined) return undefined;
  const unsigned = payload.subarray(list.start, items.at(-SIGNATURE_ITEMS)?.at);
  const signed = isLegacy ? legacySigned(unsigned, v) : typedSigned(payload, unsigned);
  const key = recoverPublicKey(keccak256(signed), r, s, isLegacy ? legacyParity(v) : parity(v));
  if (key === undefined) return undefined;
  return `0x${Buffer.from(keccak256(key)).toString("hex", ADDRESS_AT)}`;
};

/** The longest known transaction (type 3) has 14. */
const MAX_ITEMS = 32;
/** v or the parity, r and s. */
const SIGNATURE_ITEMS = 3;
/** An address is the last 20 bytes of the key's hash. */
const ADDRESS_AT = 12;
/** Signature values are 32 bytes; a chain id of EIP-155 makes `v` no longer. */
const MAX_NUMBER_BYTES = 32;

const numberOf = (bytes: Buffer, { start, end, isList }: RlpSpan): bigint | undefined => {
  if (isList || end - start > MAX_NUMBER_BYTES) return undefined;
  return end === start ? 0n : BigInt(`0x${bytes.toString("hex", start, end)}`);
};

/** EIP-2718: the type and the list without its signature. */
const typedSigned = (payload: Buffer, unsigned: Buffer): Buffer =>
  Buffer.concat([payload.subarray(0, 1), rlpList(unsigned)]);

/** EIP-155 signs the chain id as well; before it, `v` is 27 or 28. */
const legacySigned = (unsigned: Buffer, v: bigint): Buffer => {
  if (v < EIP_155) return rlpList(unsigned);
  const chain = [(v - EIP_155) / 2n, 0n, 0n].map((value) => rlp(bigEndian(value)));
  return rlpList(Buffer.concat([unsigned, ...chain]));
};

const EIP_155 = 35n;

const legacyParity = (v: bigint): 0 | 1 => parity(v < EIP_155 ? v - 27n : v - EIP_155);

const parity = (value: bigint): 0 | 1 => ((value & 1n) === 0n ? 0 : 1);
