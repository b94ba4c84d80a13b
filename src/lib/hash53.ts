/**
 * A fast hash of bytes to 53 bits, to tell equal inputs from others. Two lanes of FNV-1a (Fowler,
 * Noll, Vo 1991), the second with an offset and a prime of its own, mixed at the end. Not for anything
 * an attacker may choose with profit: collisions can be made.
 */
export const hash53 = (bytes: Uint8Array): number => {
  let low = 0x811c9dc5;
  let high = 0x9dc5811c;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    low = Math.imul(low ^ byte, PRIME);
    high = Math.imul(high ^ byte, OTHER_PRIME);
  }
  low = mixed(low ^ (high >>> 15));
  high = mixed(high ^ (low >>> 13));
  return (high & HIGH_BITS) * 2 ** 32 + (low >>> 0);
};

const PRIME = 0x01000193;
const OTHER_PRIME = 0x85ebca6b;
const HIGH_BITS = 0x1fffff;

const mixed = (value: number): number => {
  const once = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  const twice = Math.imul(once ^ (once >>> 15), 0x846ca68b);
  return twice ^ (twice >>> 16);
};
