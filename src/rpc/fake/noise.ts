/**
 * Seeded noise of the fake world: the same seed and coordinates always give the same number, in any
 * order and without state. The mixer is murmur3's 32-bit finaliser; it is no cryptographic hash.
 */
import { fnv32 } from "../../lib/fnv32.ts";
import { mix32 } from "../../lib/mix32.ts";

/** A uniform 32-bit word for a seed and up to three coordinates. */
export function noiseWord(seed: number, a: number, b = 0, c = 0): number {
  let h = mix32(seed ^ 0x9e3779b9);
  h = mix32(h ^ Math.imul(a, 0x85ebca6b));
  h = mix32(h ^ Math.imul(b, 0xc2b2ae35));
  return mix32(h ^ Math.imul(c, 0x27d4eb2f)) >>> 0;
}

/** A uniform ratio in [0, 1) for a seed and up to three coordinates. */
export function noiseRatio(seed: number, a: number, b = 0, c = 0): number {
  return noiseWord(seed, a, b, c) / 2 ** 32;
}

/** `sizeBytes` bytes of noise as 0x-prefixed hex. */
export function noiseHex(seed: number, sizeBytes: number, a: number, b = 0): string {
  let digits = "";
  for (let word = 0; digits.length < sizeBytes * 2; word++) {
    digits += hexWord(noiseWord(seed, a, b, word));
  }
  return `0x${digits.slice(0, sizeBytes * 2)}`;
}

/** Eight hex digits of a 32-bit word. */
export function hexWord(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}

/** A stable 32-bit number for a name, to give each provider a seed of its own (FNV-1a). */
export function nameSeed(seed: number, name: string): number {
  return mix32(fnv32(name, seed)) >>> 0;
}
