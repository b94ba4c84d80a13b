/**
 * One text for all spellings of a JSON value, so that answers of different nodes can be compared:
 * members in order of their names, hex in lower case, numbers by their exact value, escapes resolved.
 *
 * Works on bytes, not on parsed values: a number beyond 2^53 must not lose its last digits on the way
 * to a comparison.
 */
import { MAX_DEPTH, skipNumber, skipSpace, skipString } from "../json-rpc/json-bytes.ts";

/** Members that do not count in a comparison. */
export interface IgnoredFields {
  /** Member names, left out wherever they stand. */
  readonly names: ReadonlySet<string>;
  /** Dotted paths from the result on; lists on the way are passed through (`logs.blockTimestamp`). */
  readonly paths: ReadonlySet<string>;
}

/** Nothing is left out. */
export const NOTHING_IGNORED: IgnoredFields = { names: new Set(), paths: new Set() };

/** Reads a list of names and dotted paths. */
export function ignoredFields(fields: readonly string[]): IgnoredFields {
  if (fields.length === 0) return NOTHING_IGNORED;
  return {
    names: new Set(fields.filter((field) => !field.includes("."))),
    paths: new Set(fields.filter((field) => field.includes("."))),
  };
}

/**
 * The canonical text of the value at `from`, or `undefined` when the bytes are not JSON, or nest
 * deeper than any answer does: what cannot be read cannot agree with anything.
 */
export function canonicalText(
  bytes: Buffer,
  from: number,
  end: number,
  ignored: IgnoredFields = NOTHING_IGNORED,
): string | undefined {
  const writer = new Writer(bytes, end, ignored);
  return writer.value(skipSpace(bytes, from, end), "", 1) < 0 ? undefined : writer.text;
}

/** Writes what it reads; every method returns the position behind the value, or -1. */
class Writer {
  text = "";
  readonly #bytes: Buffer;
  readonly #end: number;
  readonly #ignored: IgnoredFields;

  constructor(bytes: Buffer, end: number, ignored: IgnoredFields) {
    this.#bytes = bytes;
    this.#end = end;
    this.#ignored = ignored;
  }

  value(at: number, path: string, depth: number): number {
    if (at >= this.#end || depth > MAX_DEPTH) return -1;
    const byte = this.#bytes[at] as number;
    if (byte === 0x22) return this.#string(at);
    if (byte === 0x7b) return this.#object(at, path, depth);
    if (byte === 0x5b) return this.#array(at, path, depth);
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return this.#number(at);
    return this.#literal(at);
  }

  #string(at: number): number {
    const after = skipString(this.#bytes, at, this.#end);
    if (after < 0) return -1;
    this.text += canonicalString(this.#bytes, at, after);
    return after;
  }

  #number(at: number): number {
    const after = skipNumber(this.#bytes, at, this.#end);
    if (after < 0) return -1;
    this.text += canonicalNumber(this.#bytes.toString("latin1", at, after));
    return after;
  }

  #literal(at: number): number {
    for (const word of LITERALS) {
      const after = at + word.length;
      if (after > this.#end || this.#bytes.toString("latin1", at, after) !== word) continue;
      this.text += word;
      return after;
    }
    return -1;
  }

  #array(from: number, path: string, depth: number): number {
    this.text += "[";
    let at = this.#space(from + 1);
    if (this.#bytes[at] === 0x5d && at < this.#end) return this.#closed(at, "]");
    for (;;) {
      at = this.value(at, path, depth + 1);
      if (at < 0) return -1;
      at = this.#space(at);
      if (at >= this.#end) return -1;
      if (this.#bytes[at] === 0x5d) return this.#closed(at, "]");
      if (this.#bytes[at] !== 0x2c) return -1;
      this.text += ",";
      at = this.#space(at + 1);
    }
  }

  /** Members are written one by one into texts of their own, then joined in order of their names. */
  #object(from: number, path: string, depth: number): number {
    const outer = this.text;
    const members: string[] = [];
    let at = this.#space(from + 1);
    if (this.#bytes[at] === 0x7d && at < this.#end) return this.#closed(at, "{}");
    for (;;) {
      at = this.#member(at, path, depth, members);
      if (at < 0 || at >= this.#end) return -1;
      if (this.#bytes[at] === 0x7d) break;
      if (this.#bytes[at] !== 0x2c) return -1;
      at = this.#space(at + 1);
    }
    this.text = `${outer}{${members.sort().join(",")}}`;
    return at + 1;
  }

  #member(from: number, path: string, depth: number, members: string[]): number {
    const bytes = this.#bytes;
    if (from >= this.#end || bytes[from] !== 0x22) return -1;
    const keyEnd = skipString(bytes, from, this.#end);
    if (keyEnd < 0) return -1;
    const key = bytes.toString("utf8", from, keyEnd);
    const colon = this.#space(keyEnd);
    if (colon >= this.#end || bytes[colon] !== 0x3a) return -1;
    const name = key.includes("\\") ? String(JSON.parse(key)) : key.slice(1, -1);
    const below = path === "" ? name : `${path}.${name}`;
    this.text = "";
    const after = this.value(this.#space(colon + 1), below, depth + 1);
    if (after < 0) return -1;
    if (!this.#ignored.names.has(name) && !this.#ignored.paths.has(below)) {
      members.push(`${JSON.stringify(name)}:${this.text}`);
    }
    return this.#space(after);
  }

  #closed(at: number, text: string): number {
    this.text += text;
    return at + 1;
  }

  #space(at: number): number {
    return skipSpace(this.#bytes, at, this.#end);
  }
}

const LITERALS = ["null", "true", "false"] as const;

/** The string at `from..to`, quotes included: hex in lower case, everything else as it reads. */
function canonicalString(bytes: Buffer, from: number, to: number): string {
  const isHex = bytes[from + 1] === 0x30 && ((bytes[from + 2] as number) | 0x20) === 0x78;
  if (isHex) {
    const text = bytes.toString("latin1", from, to);
    if (HEX.test(text)) return text.toLowerCase();
  }
  const text = bytes.toString("utf8", from, to);
  return text.includes("\\") ? JSON.stringify(JSON.parse(text)) : text;
}

const HEX = /^"0x[0-9a-f]*"$/i;

/** A number as digits and a power of ten, without zeros at either end: `10`, `1e1` and `10.0` are one. */
export function canonicalNumber(token: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  if (digits === "") return "0";
  const significant = digits.replace(/0+$/, "");
  const power =
    BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return power === 0n ? `${sign}${significant}` : `${sign}${significant}e${power}`;
}
