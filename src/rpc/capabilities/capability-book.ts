/**
 * What the answers of a chain's providers have shown of their limits, with an expiry: a provider
 * that cannot serve a call need not be asked.
 *
 * Pure data like the evidence: the request path writes what an error told, the provider pool reads
 * it into the next snapshot. Losing it costs a few refused attempts.
 */
import type { ProviderId } from "../ids.ts";
import type { BlockDemand } from "../json-rpc/block-demand.ts";
import type { RefusedCall } from "./refusal.ts";
import { readRefusal } from "./refusal.ts";

/** Kinds of limits. */
export type CapabilityKind =
  /** It does not serve the method. */
  | "method"
  /** Most blocks of one `eth_getLogs`. */
  | "range"
  /** Most logs in one answer. */
  | "results"
  /** Most addresses in one filter. */
  | "addresses"
  /** Lowest block whose state it keeps. */
  | "state"
  /** Lowest block whose logs and receipts it keeps. */
  | "history";

/** One thing that is known of a provider. */
export interface Lesson {
  readonly provider: ProviderId;
  readonly kind: CapabilityKind;
  /** The method it holds for; undefined for all. */
  readonly method: string | undefined;
  /** Blocks, results, addresses or the lowest block; 0 for a missing method. */
  readonly limit: number;
  /** Monotonic ms at which it is forgotten. */
  readonly untilMs: number;
}

/** A refusal and what the call had asked for. */
export interface RefusedAttempt extends RefusedCall {
  readonly provider: ProviderId;
  readonly asked: BlockDemand | undefined;
}

/** How long a missing method is remembered, ms. */
export const MISSING_METHOD_MS = 10 * 60_000;
/** How long every other limit is remembered, ms. */
export const LIMIT_MS = 60 * 60_000;
/** Refusals of a method, within its memory, after which it counts as missing. */
const SIGHTINGS = 2;
/** Methods remembered per provider; the oldest leaves first. Clients choose the names. */
const MAX_METHODS = 256;

interface Limit {
  readonly limit: number;
  readonly untilMs: number;
}

interface OfMethod {
  missing: (Limit & { readonly sightings: number }) | undefined;
  range: Limit | undefined;
  results: Limit | undefined;
  addresses: Limit | undefined;
}

interface OfProvider {
  readonly methods: Map<string, OfMethod>;
  state: Limit | undefined;
  history: Limit | undefined;
}

/** The learned limits of one chain's providers. */
export class CapabilityBook {
  readonly #providers = new Map<ProviderId, OfProvider>();

  /** Nothing is known of anybody: the request path need not look. */
  get isEmpty(): boolean {
    return this.#providers.size === 0;
  }

  /** Reads a refusal of class `capability`; tells what is new, if anything. */
  learn(attempt: RefusedAttempt, nowMs: number): Lesson | undefined {
    const refusal = readRefusal(attempt);
    if (refusal === undefined) return undefined;
    const { provider, method, asked } = attempt;
    const known = this.#open(provider);
    if (refusal.kind === "archive") return this.#learnFloor(known, provider, asked, nowMs);
    const ofMethod = openMethod(known, method);
    const untilMs = nowMs + (refusal.kind === "method" ? MISSING_METHOD_MS : LIMIT_MS);
    const lesson = (kind: CapabilityKind, limit: number): Lesson => ({
      provider,
      kind,
      method,
      limit,
      untilMs,
    });
    if (refusal.kind === "method") {
      const before = live(ofMethod.missing, nowMs)?.sightings ?? 0;
      ofMethod.missing = { limit: 0, untilMs, sightings: before + 1 };
      return before + 1 === SIGHTINGS ? lesson("method", 0) : undefined;
    }
    const before = live(ofMethod[refusal.kind], nowMs)?.limit;
    const limit =
      refusal.kind === "range"
        ? rangeLimit(refusal.limit, asked?.range ?? 0, before)
        : refusal.limit;
    if (limit === undefined) return undefined;
    ofMethod[refusal.kind] = { limit, untilMs };
    return limit === before ? undefined : lesson(refusal.kind, limit);
  }

  #learnFloor(
    known: OfProvider,
    provider: ProviderId,
    asked: BlockDemand | undefined,
    nowMs: number,
  ): Lesson | undefined {
    if (asked === undefined) return undefined;
    const kind = asked.isState ? "state" : "history";
    const before = live(known[kind], nowMs)?.limit;
    const limit = Math.max(before ?? 0, asked.fromBlock + 1);
    const untilMs = nowMs + LIMIT_MS;
    known[kind] = { limit, untilMs };
    return limit === before ? undefined : { provider, kind, method: undefined, limit, untilMs };
  }

  /** A call was served: whatever said that it cannot be is forgotten. */
  served(provider: ProviderId, method: string, asked: BlockDemand | undefined): void {
    const known = this.#providers.get(provider);
    if (known === undefined) return;
    const ofMethod = known.methods.get(method);
    if (ofMethod !== undefined) {
      ofMethod.missing = undefined;
      if (asked !== undefined && exceeds(asked.range, ofMethod.range)) ofMethod.range = undefined;
    }
    if (asked === undefined) return;
    const kind = asked.isState ? "state" : "history";
    const floor = known[kind];
    if (floor !== undefined && asked.fromBlock < floor.limit) known[kind] = undefined;
  }

  /** Most blocks, results or addresses that the provider takes in one call of the method. */
  limit(
    kind: "range" | "results" | "addresses",
    provider: ProviderId,
    method: string,
    nowMs: number,
  ): number | undefined {
    return live(this.#providers.get(provider)?.methods.get(method)?.[kind], nowMs)?.limit;
  }

  /** Lowest block whose state, or whose history, the provider keeps. */
  floor(kind: "state" | "history", provider: ProviderId, nowMs: number): number | undefined {
    return live(this.#providers.get(provider)?.[kind], nowMs)?.limit;
  }

  /** Methods that the provider is believed not to serve. */
  missingMethods(provider: ProviderId, nowMs: number): ReadonlySet<string> {
    const known = this.#providers.get(provider);
    if (known === undefined) return NO_METHODS;
    const missing = new Set<string>();
    for (const [method, ofMethod] of known.methods) {
      const { sightings = 0 } = live(ofMethod.missing, nowMs) ?? {};
      if (sightings >= SIGHTINGS) missing.add(method);
    }
    return missing;
  }

  /** Whether a success with this method may disprove something that is remembered. */
  watches(provider: ProviderId, method: string): boolean {
    const known = this.#providers.get(provider);
    if (known === undefined) return false;
    return known.state !== undefined || known.history !== undefined || known.methods.has(method);
  }

  /** Everything that is known of a provider now. */
  lessons(provider: ProviderId, nowMs: number): readonly Lesson[] {
    const known = this.#providers.get(provider);
    if (known === undefined) return [];
    const lessons: Lesson[] = [];
    const add = (kind: CapabilityKind, method: string | undefined, found: Limit | undefined) => {
      const limit = live(found, nowMs);
      if (limit !== undefined) {
        lessons.push({ provider, kind, method, limit: limit.limit, untilMs: limit.untilMs });
      }
    };
    for (const [method, { missing, range, results, addresses }] of known.methods) {
      if (missing !== undefined && missing.sightings >= SIGHTINGS) add("method", method, missing);
      add("range", method, range);
      add("results", method, results);
      add("addresses", method, addresses);
    }
    add("state", undefined, known.state);
    add("history", undefined, known.history);
    return lessons;
  }

  /** Drops what is known of a provider that has gone, or whose node may be another one. */
  forget(provider: ProviderId): void {
    this.#providers.delete(provider);
  }

  #open(provider: ProviderId): OfProvider {
    let known = this.#providers.get(provider);
    if (known === undefined) {
      known = { methods: new Map(), state: undefined, history: undefined };
      this.#providers.set(provider, known);
    }
    return known;
  }
}

const NO_METHODS: ReadonlySet<string> = new Set();

function openMethod({ methods }: OfProvider, method: string): OfMethod {
  let known = methods.get(method);
  if (known === undefined) {
    known = { missing: undefined, range: undefined, results: undefined, addresses: undefined };
    methods.set(method, known);
    const [oldest] = methods.keys();
    if (methods.size > MAX_METHODS && oldest !== undefined) methods.delete(oldest);
  }
  return known;
}

/** The vendor's number, but always below what it has just refused; half of that without a number. */
function rangeLimit(
  said: number | undefined,
  asked: number,
  before: number | undefined,
): number | undefined {
  if (said !== undefined && (asked === 0 || said < asked)) return said;
  // A single block cannot be made smaller, and a refusal without a range says nothing of it.
  if (asked <= 1) return undefined;
  const below = said === undefined ? Math.floor(asked / 2) : asked - 1;
  return Math.min(below, before ?? below);
}

function exceeds(range: number, limit: Limit | undefined): boolean {
  return limit !== undefined && range > limit.limit;
}

function live<L extends Limit>(limit: L | undefined, nowMs: number): L | undefined {
  return limit !== undefined && nowMs < limit.untilMs ? limit : undefined;
}
