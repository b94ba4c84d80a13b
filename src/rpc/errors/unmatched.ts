/**
 * Counts upstream errors that no rule knows, by fingerprint, so that new rules can be mined from what
 * providers really say. Bounded: when full, what was seen least often gives way.
 */

/** One kind of error. */
export interface UnmatchedError {
  readonly code: number | undefined;
  /** The redacted message, its numbers and hex replaced. */
  readonly text: string;
  count: number;
  /** Who sent it last, and to which method. */
  provider: string;
  method: string;
}

/** Kinds that are kept. */
const MAX_KINDS = 64;
/** Chars of a message that tell one kind from another. */
const MAX_TEXT = 160;

/** The unknown errors of one chain. */
export class UnmatchedErrors {
  readonly #kinds = new Map<string, UnmatchedError>();

  /** Counts one; `message` is redacted. */
  note(code: number | undefined, message: string, provider: string, method: string): void {
    const text = fingerprint(message);
    const key = `${code} ${text}`;
    const known = this.#kinds.get(key);
    if (known !== undefined) {
      known.count++;
      known.provider = provider;
      known.method = method;
      return;
    }
    if (this.#kinds.size >= MAX_KINDS) this.#dropRarest();
    this.#kinds.set(key, { code, text, count: 1, provider, method });
  }

  /** All kinds, the most frequent first. */
  most(): readonly UnmatchedError[] {
    return [...this.#kinds.values()].sort((a, b) => b.count - a.count);
  }

  #dropRarest(): void {
    let rarest: string | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const [key, { count }] of this.#kinds) {
      if (count < least) {
        least = count;
        rarest = key;
      }
    }
    if (rarest !== undefined) this.#kinds.delete(rarest);
  }
}

/** The words of a message without what differs from call to call. */
function fingerprint(message: string): string {
  return message
    .slice(0, 4 * MAX_TEXT)
    .replaceAll(/0x[0-9a-f]+/gi, "#")
    .replaceAll(/[0-9a-f]{16,}/gi, "#")
    .replaceAll(/\d+/g, "#")
    .slice(0, MAX_TEXT);
}
