/** RLP, Ethereum's serialization (yellow paper, appendix B): encoding only. */

/** What can be encoded: bytes, or a list of such. */
export type RlpItem = Uint8Array | readonly RlpItem[];

const EMPTY = new Uint8Array(0);

/** The encoding of an item. */
export function rlp(item: RlpItem): Buffer {
  if (item instanceof Uint8Array) {
    if (item.length === 1 && (item[0] as number) < 0x80) return Buffer.from(item);
    return Buffer.concat([header(0x80, item.length), item]);
  }
  const parts = item.map(rlp);
  const sizeBytes = parts.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([header(0xc0, sizeBytes), ...parts]);
}

function header(offset: number, sizeBytes: number): Buffer {
  if (sizeBytes < 56) return Buffer.of(offset + sizeBytes);
  const size = bigEndian(BigInt(sizeBytes));
  return Buffer.concat([Buffer.of(offset + 55 + size.length), size]);
}

/** A number without leading zeros; 0 is no byte at all. */
export function bigEndian(value: bigint): Uint8Array {
  if (value === 0n) return EMPTY;
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
}

/** A JSON-RPC quantity as RLP takes it; `undefined` when it is none. */
export function quantityBytes(value: unknown): Uint8Array | undefined {
  return typeof value === "string" && /^0x[0-9a-f]{1,64}$/i.test(value)
    ? bigEndian(BigInt(value))
    : undefined;
}

/** JSON-RPC data of any length, or of `sizeBytes`; `undefined` when it is none. */
export function dataBytes(value: unknown, sizeBytes?: number): Uint8Array | undefined {
  if (typeof value !== "string" || !/^0x([0-9a-f]{2})*$/i.test(value)) return undefined;
  const bytes = Buffer.from(value.slice(2), "hex");
  return sizeBytes === undefined || bytes.length === sizeBytes ? bytes : undefined;
}
