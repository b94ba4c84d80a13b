/**
 * FNV-1a of 64 bits (Fowler, Noll, Vo 1991) over the UTF-8 bytes of a text, as two halves of 32 bits:
 * equal on every machine, so that regions agree. Not for anything an attacker may choose with profit.
 */

/** Both halves of a hash, each a signed 32-bit number. */
export interface Halves {
  readonly high: number;
  readonly low: number;
}

/** The hash of `text`. */
export const fnv64 = (text: string): Halves => {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  const bytes = isAscii(text) ? undefined : encoder.encode(text);
  const length = bytes?.length ?? text.length;
  for (let i = 0; i < length; i++) {
    low = (low ^ (bytes === undefined ? text.charCodeAt(i) : (bytes[i] as number))) >>> 0;
    // The prime is 2^40 + 0x1b3: one product below 2^53, and a shift into the high half.
    const product = low * 0x1b3;
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 2 ** 32) + (low << 8)) | 0;
    low = product >>> 0;
  }
  return { high, low: low | 0 };
};

/** The hash of `text` as 16 hexadecimal digits. */
export const fnv64Hex = (text: string): string => {
  const { high, low } = fnv64(text);
  return hex(high) + hex(low);
};

const encoder = new TextEncoder();

const isAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
};

const hex = (half: number): string => (half >>> 0).toString(16).padStart(8, "0");
