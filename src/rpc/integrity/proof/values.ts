/** Values of an answer as they are hashed. */
import { bigEndian } from "../../../lib/rlp.ts";

/** An object of an answer. */
export type Json = Readonly<Record<string, unknown>>;

/** An object, and no list. */
export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
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
