/**
 * The elements of a JSON array, a slice of them at a time: a body of many megabytes is parsed without
 * holding the event loop, which `JSON.parse` of the whole would. Only brackets and strings are looked
 * at here; whether an element is JSON is `JSON.parse`'s to say.
 */

/** Why a text is no array of elements. */
export interface ElementsFault {
  /** Place of the element, from 0; undefined when it is no array at all. */
  readonly index: number | undefined;
  readonly message: string;
}

/** A slice, the end, or what is wrong. */
export type ElementsSlice =
  | { readonly ok: true; readonly elements: readonly unknown[]; readonly isLast: boolean }
  | { readonly ok: false; readonly fault: ElementsFault };

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Whether bytes begin as an array does. */
export const beginsList = (bytes: Uint8Array): boolean => bytes[skipSpace(bytes, 0)] === OPEN_LIST;

/** Reads one array. */
export class JsonElements {
  readonly #bytes: Buffer;
  readonly #maxElementBytes: number;
  #at: number;
  #count = 0;

  /** The bytes must begin as an array does; an element may not be larger than said. */
  constructor(bytes: Buffer, maxElementBytes: number) {
    this.#bytes = bytes;
    this.#maxElementBytes = maxElementBytes;
    this.#at = skipSpace(bytes, 0) + 1;
  }

  /** The next elements: about so many bytes of them. */
  next(sliceBytes: number): ElementsSlice {
    const bytes = this.#bytes;
    const start = this.#at;
    let count = 0;
    let at = start;
    for (;;) {
      const end = elementEnd(bytes, at, at + this.#maxElementBytes);
      if (end < 0) return this.#failed(count, this.#unfinished(at));
      const isLast = bytes[end] === CLOSE_LIST;
      const isEmpty = skipSpace(bytes, at) === end;
      if (isEmpty && !(isLast && this.#count + count === 0)) {
        return this.#failed(count, "an element is missing");
      }
      if (!isEmpty) count++;
      at = end + 1;
      if (!isLast && at - start < sliceBytes) continue;
      if (isLast && skipSpace(bytes, at) < bytes.length) {
        return this.#failed(count, "there is more behind the end of the list");
      }
      return this.#parsed(start, end, count, isLast);
    }
  }

  #parsed(start: number, end: number, count: number, isLast: boolean): ElementsSlice {
    const text = this.#bytes.toString("utf8", start, end);
    try {
      const elements = JSON.parse(`[${text}]`) as unknown[];
      this.#at = end + 1;
      this.#count += count;
      return { ok: true, elements, isLast };
    } catch {
      const { index, message } = firstBad(this.#bytes, start, count);
      return { ok: false, fault: { index: this.#count + index, message } };
    }
  }

  #unfinished(at: number): string {
    return this.#bytes.length - at > this.#maxElementBytes
      ? `larger than ${this.#maxElementBytes} bytes`
      : "the list has no end";
  }

  #failed(count: number, message: string): ElementsSlice {
    return { ok: false, fault: { index: this.#count + count, message } };
  }
}

/** Where an element ends: its comma or the bracket of the list; -1 when neither comes before `limit`. */
function elementEnd(bytes: Uint8Array, from: number, limit: number): number {
  const end = Math.min(bytes.length, limit);
  let depth = 0;
  for (let i = from; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === QUOTE) {
      for (i++; i < end && bytes[i] !== QUOTE; i++) if (bytes[i] === BACKSLASH) i++;
    } else if (byte === OPEN_LIST || byte === OPEN_MAP) depth++;
    else if (byte === CLOSE_LIST || byte === CLOSE_MAP) {
      if (depth === 0) return byte === CLOSE_LIST ? i : -1;
      depth--;
    } else if (byte === COMMA && depth === 0) return i;
  }
  return -1;
}

/** Which of a slice's elements is no JSON. */
function firstBad(
  bytes: Buffer,
  start: number,
  count: number,
): { readonly index: number; readonly message: string } {
  let at = start;
  for (let index = 0; index < count; index++) {
    const end = elementEnd(bytes, at, bytes.length);
    try {
      JSON.parse(bytes.toString("utf8", at, end));
    } catch (error) {
      return { index, message: `no JSON: ${(error as Error).message}` };
    }
    at = end + 1;
  }
  return { index: 0, message: "no JSON" };
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && isSpace(bytes[at] as number)) at++;
  return at;
}

const isSpace = (byte: number): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
