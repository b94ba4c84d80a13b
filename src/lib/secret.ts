/**
 * Text that must never be printed: provider URLs, header values, tokens.
 *
 * Redaction goes by type. Whatever prints a `Secret` (a template string, `JSON.stringify`, `inspect`,
 * a logger) gets its label: the host and a 4-character fingerprint for a URL, `***` and the
 * fingerprint for anything else. Only `reveal()` gives the text, and only drivers call it.
 */
import { fnv32 } from "./fnv32.ts";

/** A value that prints as its label, never as itself. */
export class Secret {
  readonly #value: string;
  readonly #label: string;
  readonly #kin: readonly string[];
  #pieces: readonly string[] | undefined;

  /**
   * `host: "hide"` leaves the host out of the label, for URLs that carry a key in their host name;
   * `kin` are texts that were taken out of the value and must not show either.
   */
  constructor(value: string, host: "show" | "hide" = "show", kin: readonly string[] = []) {
    this.#value = value;
    this.#kin = kin;
    this.#label = `${(host === "show" && hostOf(value)) || "***"}#${fingerprint(value)}`;
  }

  /** The text itself, for the driver that sends it. */
  reveal(): string {
    return this.#value;
  }

  /** Whether both hold the same text. */
  equals(other: Secret | undefined): boolean {
    return other !== undefined && other.#value === this.#value;
  }

  /** `text` with this secret, and every part of it that can hold a key, replaced by `***`. */
  redact(text: string): string {
    let redacted = text;
    for (const piece of this.pieces) {
      if (redacted.includes(piece)) redacted = redacted.replaceAll(piece, "***");
    }
    return redacted;
  }

  /** Every part that can hold a key; longest first, so that none leaves a rest behind. */
  get pieces(): readonly string[] {
    this.#pieces ??= [this.#value, ...this.#kin]
      .flatMap((text) => sensitivePieces(text))
      .sort((a, b) => b.length - a.length);
    return this.#pieces;
  }

  toString(): string {
    return this.#label;
  }

  toJSON(): string {
    return this.#label;
  }

  [Symbol.toPrimitive](): string {
    return this.#label;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.#label;
  }
}

/** 16 bits of FNV-1a: enough to tell two keys apart by eye, too few to find one. */
function fingerprint(value: string): string {
  const hash = fnv32(value);
  return ((hash ^ (hash >>> 16)) & 0xffff).toString(16).padStart(4, "0");
}

function hostOf(value: string): string {
  return URL.canParse(value) ? new URL(value).host : "";
}

/** Short path words (`v2`, `rpc`) are no keys and would mangle ordinary text. */
const MIN_PIECE_LENGTH = 6;

function sensitivePieces(value: string): readonly string[] {
  const pieces = new Set<string>(value === "" ? [] : [value]);
  const keep = (piece: string): void => {
    if (piece.length >= MIN_PIECE_LENGTH) pieces.add(piece);
  };
  if (URL.canParse(value)) {
    const url = new URL(value);
    pieces.add(url.href);
    keep(url.pathname + url.search);
    keep(url.username);
    keep(url.password);
    for (const segment of url.pathname.split("/")) keepBoth(segment, keep);
    for (const [, parameter] of url.searchParams) keepBoth(parameter, keep);
  } else {
    for (const word of value.split(/\s+/)) keep(word);
  }
  return [...pieces];
}

/** Text may quote a key as it stands in the URL or decoded. */
function keepBoth(piece: string, keep: (piece: string) => void): void {
  keep(piece);
  try {
    keep(decodeURIComponent(piece));
  } catch {
    // not percent-encoded: the raw form is the only one
  }
  keep(encodeURIComponent(piece));
}
