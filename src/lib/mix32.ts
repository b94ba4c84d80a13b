/** Mixes 32 bits: every bit of the answer depends on every bit of the question (murmur3's last step). */
export const mix32 = (word: number): number => {
  let bits = word ^ (word >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  return bits ^ (bits >>> 16);
};
