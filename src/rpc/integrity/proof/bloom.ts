/** The log bloom of receipts and blocks (yellow paper 4.3.1). */
import { keccak256 } from "../../../lib/keccak256.ts";

/** Bytes of a bloom. */
export const BLOOM_BYTES = 256;

/** The bits of one address or topic in a bloom. */
const bitsOf = (bytes: Uint8Array): readonly number[] => {
  const digest = keccak256(bytes);
  return [0, 2, 4].map(
    (at) => (((digest[at] as number) << 8) | (digest[at + 1] as number)) & 0x7ff,
  );
};

/** Sets the bits of an address or topic. */
export function addToBloom(bloom: Uint8Array, bytes: Uint8Array): void {
  for (const bit of bitsOf(bytes)) {
    const at = BLOOM_BYTES - 1 - (bit >> 3);
    bloom[at] = (bloom[at] as number) | (1 << (bit & 7));
  }
}

/** Whether all bits of an address or topic are set. */
export function bloomHas(bloom: Uint8Array, bytes: Uint8Array): boolean {
  return bitsOf(bytes).every(
    (bit) => ((bloom[BLOOM_BYTES - 1 - (bit >> 3)] as number) & (1 << (bit & 7))) !== 0,
  );
}
