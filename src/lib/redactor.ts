/**
 * The last guard against leaked keys: replaces every known secret in any text by `***`.
 *
 * Redaction goes by type first (`Secret`); this one is for text that others wrote, such as an error
 * that quotes the URL it failed on. Words that are configured names (chains, providers) stay, or a
 * URL that ends in `/ethereum` would blank the chain's name everywhere.
 */
import type { Secret } from "./secret.ts";

const MASK = "***";

/** A function that masks every part of `secrets` that can hold a key, except the words in `keep`. */
export function createRedactor(
  secrets: Iterable<Secret>,
  keep: Iterable<string> = [],
): (text: string) => string {
  const kept = new Set([...keep].map((word) => word.toLowerCase()));
  const pieces = new Set<string>();
  for (const secret of secrets) {
    for (const piece of secret.pieces) {
      if (isOrdinary(piece, kept)) continue;
      pieces.add(piece);
      // As it stands inside a JSON string.
      pieces.add(JSON.stringify(piece).slice(1, -1));
    }
  }
  if (pieces.size === 0) return (text) => text;
  // Longest first: a part must never leave the rest of a longer one behind.
  const ordered = [...pieces].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(ordered.map(escaped).join("|"), "g");
  return (text) => text.replaceAll(pattern, MASK);
}

/** Paths such as `/rpc/ethereum` hold nothing but configured names and short words. */
const isOrdinary = (piece: string, kept: ReadonlySet<string>): boolean =>
  piece
    .toLowerCase()
    .split("/")
    .every((word) => word.length < 6 || kept.has(word));

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
