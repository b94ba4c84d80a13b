/** Sets of small whole numbers as words of 32 bits; words are signed, so that no bit leaves int32. */

/** Bits of a word. */
export const WORD_BITS = 32;

/** Words that hold `count` bits. */
export const wordsFor = (count: number): number => (count + 31) >>> 5;

/** How many bits of a word are set (Hacker's Delight 5-1). */
export const popcount = (word: number): number => {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};

/** The number of the lowest set bit of a word that is not 0. */
export const lowestBit = (word: number): number => 31 - Math.clz32(word & -word);

/** Whether bit `at` is set. */
export const hasBit = (words: Int32Array, at: number): boolean =>
  ((words[at >>> 5] as number) & (1 << (at & 31))) !== 0;

/** Sets bit `at`. */
export const setBit = (words: Int32Array, at: number): void => {
  words[at >>> 5] = (words[at >>> 5] as number) | (1 << (at & 31));
};

/** Clears bit `at`. */
export const clearBit = (words: Int32Array, at: number): void => {
  words[at >>> 5] = (words[at >>> 5] as number) & ~(1 << (at & 31));
};

/** How many bits of the first `length` words are set. */
export const countBits = (words: Int32Array, length: number): number => {
  let count = 0;
  for (let i = 0; i < length; i++) count += popcount(words[i] as number);
  return count;
};

/** How many bits of the first `length` words both have. */
export const countBoth = (a: Int32Array, b: Int32Array, length: number): number => {
  let count = 0;
  for (let i = 0; i < length; i++) count += popcount((a[i] as number) & (b[i] as number));
  return count;
};

/** Writes the bits that both have to `target`, which may be one of them; answers how many they are. */
export const joinBits = (
  target: Int32Array,
  a: Int32Array,
  b: Int32Array,
  length: number,
): number => {
  let count = 0;
  for (let i = 0; i < length; i++) {
    const both = (a[i] as number) & (b[i] as number);
    target[i] = both;
    count += popcount(both);
  }
  return count;
};
