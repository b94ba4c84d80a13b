/**
 * What one provider can serve, as selection reads it: the operator's word where there is one, else
 * what its answers have shown.
 */
import type { CapabilitiesConfig } from "../../../config/schema.ts";
import type { ProviderId } from "../ids.ts";
import type { CapabilityBook } from "./capability-book.ts";
import { NameGlobs } from "../../lib/name-globs.ts";

/** The limits of one provider. */
export interface ProviderLimits {
  readonly unsupported: { has(method: string): boolean };
  /** Most blocks of one `eth_getLogs`. */
  readonly maxBlockRange: number | undefined;
  /** Lowest block whose state it serves. */
  readonly stateFrom: number | undefined;
  /** Lowest block whose logs and receipts it serves. */
  readonly historyFrom: number | undefined;
}

/** The limits at `nowMs`, with the served tip (-1 while unknown) for depths. */
export function limitsOf(
  provider: ProviderId,
  configured: CapabilitiesConfig,
  book: CapabilityBook,
  tip: number,
  nowMs: number,
): ProviderLimits {
  const { unsupported, maxBlockRange, archiveDepth } = configured;
  return {
    unsupported: methodsOf(provider, unsupported, book, nowMs),
    maxBlockRange: maxBlockRange ?? book.limit("range", provider, "eth_getLogs", nowMs),
    stateFrom:
      archiveDepth === undefined
        ? book.floor("state", provider, nowMs)
        : tip < 0
          ? undefined
          : Math.max(0, tip - archiveDepth),
    historyFrom: book.floor("history", provider, nowMs),
  };
}

function methodsOf(
  provider: ProviderId,
  patterns: readonly string[],
  book: CapabilityBook,
  nowMs: number,
): ProviderLimits["unsupported"] {
  const missing = book.missingMethods(provider, nowMs);
  const named = globsOf(patterns);
  if (missing.size === 0) return named;
  return { has: (method) => missing.has(method) || named.has(method) };
}

/** Compiled lists by the configuration's own array, so that a snapshot does not compile them anew. */
const compiled = new WeakMap<readonly string[], NameGlobs>();

function globsOf(patterns: readonly string[]): NameGlobs {
  let globs = compiled.get(patterns);
  if (globs === undefined) compiled.set(patterns, (globs = new NameGlobs(patterns)));
  return globs;
}
