/**
 * Takes an endpoint from a ranking at the moment of the attempt: reads live rows, allocates nothing.
 */
import { isAdmissible } from "../admission.ts";
import type { ProviderId } from "../ids.ts";
import { rank } from "./rank.ts";
import { faultsOf } from "./selected.ts";
import type {
  Candidate,
  EndpointView,
  Exclusion,
  ExclusionRule,
  Protocol,
  Ranking,
  RoutingSnapshot,
  SelectionDemand,
} from "./snapshot.ts";

/** Providers that a request has tried, by row index: a mask, and a set for the 32nd and beyond. */
export class TriedSet {
  #low = 0;
  #high: Set<number> | undefined;

  add(index: number): void {
    if (index < 31) this.#low |= 1 << index;
    else (this.#high ??= new Set()).add(index);
  }

  has(index: number): boolean {
    return index < 31 ? (this.#low & (1 << index)) !== 0 : this.#high?.has(index) === true;
  }
}

/**
 * The best untried candidate that is admitted now and has reached `minHead` (default any); whoever
 * is not known to have reached `pin` is none.
 */
export const firstUsable = (
  ranking: Ranking,
  nowMs: number,
  tried?: TriedSet,
  minHead = 0,
  pin = -1,
): Candidate | undefined => {
  const { candidates } = ranking;
  let headless: Candidate | undefined;
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i] as Candidate;
    const { row } = candidate;
    if (!isAdmissible(row, nowMs)) continue;
    if (tried?.has(row.index) === true || row.head < pin) continue;
    if (row.head >= minHead || minHead === 0) return candidate;
    // A provider that never reported a head may have the block; one that is behind has not.
    if (row.head < 0) headless ??= candidate;
  }
  return headless;
};

/**
 * The second provider of a slow call: as `firstUsable`, but of another vendor than `slow` where
 * there is one, because one vendor's endpoints are often slow together.
 */
export const hedgeTarget = (
  ranking: Ranking,
  nowMs: number,
  tried: TriedSet,
  minHead: number,
  slow: ProviderId,
): Candidate | undefined => {
  const { candidates } = ranking;
  const vendor = candidates.find(({ view }) => view.provider === slow)?.view.vendor;
  let sameVendor: Candidate | undefined;
  for (const candidate of candidates) {
    const { row, view } = candidate;
    if (view.provider === slow || !isAdmissible(row, nowMs) || tried.has(row.index)) continue;
    if (row.head < minHead || row.budget?.sparesBackground(nowMs) === false) continue;
    if (vendor === undefined || view.vendor !== vendor) return candidate;
    sameVendor ??= candidate;
  }
  return sameVendor;
};

/** Admits one request per second and chain when every breaker is open. */
export interface PanicGate {
  lastAtMs: number;
}

/** A gate that has admitted nothing yet. */
export const createPanicGate = (): PanicGate => ({ lastAtMs: Number.NEGATIVE_INFINITY });

const panicIntervalMs = 1_000;

/**
 * When `firstUsable` finds nobody: an endpoint in cooldown whose breaker is closed, the soonest
 * free one; else one that stalls, because a slow answer beats none; else, once per second, the open
 * one whose pause ends first. Forced breakers never.
 */
export const lastResort = (
  ranking: Ranking,
  nowMs: number,
  gate: PanicGate,
  tried?: TriedSet,
  pin = -1,
):
  | { readonly candidate: Candidate; readonly relaxed: "cooldown" | "suspect" | "panic" }
  | undefined => {
  let resting: Candidate | undefined;
  let stalled: Candidate | undefined;
  let open: Candidate | undefined;
  for (const candidate of ranking.candidates) {
    const { row } = candidate;
    if (!row.isUsable || row.forced || row.head < pin) continue;
    if (tried?.has(row.index) === true) continue;
    // What the operator has set as a vendor's limit is kept whatever else fails.
    if (row.budget?.admits(nowMs) === false) continue;
    if (row.state === "closed") {
      if (row.suspect) stalled ??= candidate;
      else if (resting === undefined || row.cooldownUntilMs < resting.row.cooldownUntilMs) {
        resting = candidate;
      }
    } else if (open === undefined || row.openUntilMs < open.row.openUntilMs) open = candidate;
  }
  if (resting !== undefined) return { candidate: resting, relaxed: "cooldown" };
  if (stalled !== undefined) return { candidate: stalled, relaxed: "suspect" };
  if (open === undefined || nowMs - gate.lastAtMs < panicIntervalMs) return undefined;
  gate.lastAtMs = nowMs;
  return { candidate: open, relaxed: "panic" };
};

/** Options of `pickProvider`. */
export interface PickOptions {
  readonly strategy?: SelectionDemand["strategy"];
  /** Default "any". */
  readonly protocol?: Protocol;
  readonly exclude?: readonly ProviderId[];
  readonly seed?: number;
}

/** Why no provider can serve, with a line for people and the refusals behind it. */
export interface NoProvider {
  readonly ok: false;
  readonly code: "RPC_NO_PROVIDER";
  readonly message: string;
  readonly reasons: readonly Exclusion[];
}

/** The one selection interface: a provider id for a call, or why there is none. */
export const pickProvider = (
  snapshot: RoutingSnapshot,
  method: string,
  options: PickOptions,
  nowMs: number,
):
  | { readonly ok: true; readonly provider: ProviderId; readonly candidate: Candidate }
  | NoProvider => {
  const { strategy, protocol, exclude, seed } = options;
  const ranking = rank(snapshot, { method, strategy, transport: protocol, exclude, seed });
  const candidate = firstUsable(ranking, nowMs);
  if (candidate !== undefined) return { ok: true, provider: candidate.view.provider, candidate };
  return noProvider(snapshot, method, ranking, nowMs);
};

/** Explains why a ranking has no usable candidate. */
export const noProvider = (
  snapshot: RoutingSnapshot,
  method: string,
  ranking: Ranking,
  nowMs: number,
  pin = -1,
): NoProvider => {
  const reasons = refusals(ranking, nowMs, pin);
  const counts = new Map<string, number>();
  for (const [, word] of wordsByProvider(snapshot.endpoints, reasons)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const most = [...counts].sort((a, b) => b[1] - a[1]);
  const listed = most.map(([word, count]) => `${count} ${word}`).join(", ");
  const message = `no provider for ${method} on ${snapshot.chain}: ${listed || "none configured"}`;
  return { ok: false, code: "RPC_NO_PROVIDER", message, reasons };
};

/**
 * All refusals of a ranking at `nowMs`: the hard ones, what the rows say now, and who has not reached
 * the block `pin`.
 */
export const refusals = (ranking: Ranking, nowMs: number, pin = -1): readonly Exclusion[] => [
  ...ranking.candidates.flatMap(({ row, view: { provider } }): Exclusion[] => {
    const [rule] = faultsOf(row, nowMs);
    if (rule === undefined && row.head < pin) {
      return [{ provider, transport: row.transport, rule: "lag", value: row.head, limit: pin }];
    }
    if (rule === undefined) return [];
    const { transport } = row;
    const spent = rule === "rate" || rule === "quota" ? row.budget?.spent(nowMs) : undefined;
    if (spent !== undefined) return [{ provider, transport, ...spent }];
    const value = rule === "cooldown" ? row.cooldownUntilMs - nowMs : row.unusableReason;
    return [{ provider, transport, rule, value, limit: undefined }];
  }),
  ...ranking.excluded,
];

const words: Readonly<Record<ExclusionRule, string>> = {
  breaker_open: "open",
  cooldown: "rate limited",
  suspect: "stalled",
  rate: "at their rate",
  quota: "out of quota",
  cordoned: "unusable",
  transport: "without the transport",
  excluded: "excluded",
  not_requested: "not requested",
  profile: "outside the profile",
  pairing: "outside the pairing list",
  method_unsupported: "without the method",
  archive: "without archive",
  block_range: "limited in range",
  max_cost: "too expensive",
  lag: "behind",
  head_unknown: "without a head",
  failure_ratio: "failing",
  misbehaviour: "caught with wrong answers",
  shadow: "a shadow",
};

/** One word per provider, so that two transports do not count as two providers. */
const wordsByProvider = (
  endpoints: readonly EndpointView[],
  reasons: readonly Exclusion[],
): Map<ProviderId, string> => {
  const byProvider = new Map<ProviderId, string>();
  for (const { provider, rule, value } of reasons) {
    if (byProvider.has(provider)) continue;
    const isNamed = rule === "cordoned" && typeof value === "string";
    byProvider.set(provider, isNamed ? value : words[rule]);
  }
  for (const { provider } of endpoints) {
    if (!byProvider.has(provider)) byProvider.set(provider, "tried");
  }
  return byProvider;
};
