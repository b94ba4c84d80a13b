/**
 * A set of very many texts without long turns: a Set of a million lays all of them out anew when it
 * grows, at once, which takes 100 ms; this one is many small ones.
 */
import { fnv32 } from "./fnv32.ts";

const PARTS = 1_024;

/** The set. */
export class SpreadSet {
  readonly #parts: (Set<string> | undefined)[] = [];

  has(text: string): boolean {
    return this.#parts[placeOf(text)]?.has(text) === true;
  }

  add(text: string): void {
    const at = placeOf(text);
    const part = this.#parts[at];
    if (part === undefined) this.#parts[at] = new Set([text]);
    else part.add(text);
  }
}

const placeOf = (text: string): number => (fnv32(text) >>> 0) % PARTS;
