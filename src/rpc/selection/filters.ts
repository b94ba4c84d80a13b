/**
 * Who may serve a demand. Hard rules exclude for good; health rules only send an endpoint behind the
 * healthy ones, in the order in which they relax: lag, unknown head, failure ratio. Breaker and
 * cooldown are read from the row at the pick.
 */
import type { Refusal } from "../../matching/explain/why-not.ts";
import type { Found } from "../../matching/filters/filter.ts";
import type { EndpointRow } from "../chain-view.ts";
import { isAsked } from "./asked.ts";
import { costOf, judgedCalls, LEAST_SAMPLES } from "./entry.ts";
import { isPaired } from "./paired.ts";
import type {
  EndpointView,
  Exclusion,
  ExclusionRule,
  OldestBlock,
  Profile,
  RoutingSnapshot,
  SelectionDemand,
} from "./snapshot.ts";

/** What a rule found: the numbers behind a refusal. */
export type Finding = Omit<Exclusion, "provider" | "transport">;

/** A rule that excludes a provider from a demand; a filter of the matching kernel. */
export interface HardRule {
  readonly rule: ExclusionRule;
  /** Whether a demand asks anything of the kind; if not, nobody is looked at. */
  readonly isAsked: (demand: SelectionDemand) => boolean;
  readonly find: (demand: SelectionDemand, view: EndpointView) => Found | undefined;
}

const refused: Found = { value: undefined, limit: undefined };

const always = (): boolean => true;

/** All of them, in the order in which they are asked. */
export const hardRules: readonly HardRule[] = [
  {
    rule: "profile",
    isAsked: ({ profile }) => profile !== undefined,
    find: ({ profile }, view) =>
      profile === undefined || isServedBy(profile, view)
        ? undefined
        : { value: profile.name, limit: undefined },
  },
  {
    rule: "pairing",
    isAsked: ({ paired, hasLeftList }) => paired !== undefined && hasLeftList !== true,
    find: ({ paired, hasLeftList }, view) =>
      paired === undefined || hasLeftList === true || isPaired(paired, view)
        ? undefined
        : { value: paired.consumer, limit: undefined },
  },
  {
    rule: "not_requested",
    isAsked: ({ provider }) => provider !== undefined,
    find: ({ provider: asked }, view) =>
      asked === undefined || isAsked(asked, view) ? undefined : { value: asked, limit: undefined },
  },
  {
    rule: "excluded",
    isAsked: ({ exclude = [] }) => exclude.length > 0,
    find: ({ exclude }, { provider }) =>
      exclude?.includes(provider) === true ? refused : undefined,
  },
  {
    rule: "shadow",
    isAsked: always,
    find: (_demand, { shadow }) => (shadow === undefined ? undefined : refused),
  },
  {
    rule: "method_unsupported",
    isAsked: always,
    find: ({ method }, { unsupported }) =>
      unsupported.has(method) ? { value: method, limit: undefined } : undefined,
  },
  {
    rule: "archive",
    isAsked: ({ needsArchive, oldest }) => needsArchive === true || oldest !== undefined,
    find: ({ needsArchive, oldest }, view) => {
      if (needsArchive === true && !view.archival) return refused;
      const from = oldest === undefined ? undefined : lowestServed(view, oldest.isState);
      return oldest !== undefined && from !== undefined && oldest.block < from
        ? { value: oldest.block, limit: from }
        : undefined;
    },
  },
  {
    rule: "block_range",
    isAsked: ({ blockRange = 0 }) => blockRange > 0,
    find: ({ blockRange: range = 0 }, { maxBlockRange: limit }) =>
      range > (limit ?? Number.POSITIVE_INFINITY) ? { value: range, limit } : undefined,
  },
  {
    rule: "max_cost",
    isAsked: ({ maxCost }) => maxCost !== undefined,
    find: ({ method, maxCost: limit }, view) =>
      limit !== undefined && costOf(view, method) > limit
        ? { value: costOf(view, method), limit }
        : undefined,
  },
  {
    rule: "transport",
    isAsked: always,
    find: ({ transport = "any" }, { transports: { http, ws } }) =>
      (http !== undefined && transport !== "ws") || (ws !== undefined && transport !== "http")
        ? undefined
        : { value: transport, limit: undefined },
  },
];

/** Rules whose refusal ends only when the configuration, the provider or the call is another. */
const PERMANENT: ReadonlySet<string> = new Set<ExclusionRule>([
  "profile",
  "not_requested",
  "excluded",
  "shadow",
  "method_unsupported",
  "archive",
  "block_range",
  "max_cost",
  "transport",
]);

/** Whether what a rule refuses may be let in later without anybody's doing. */
export const isTransient = (rule: FindingRule): boolean => !PERMANENT.has(rule);

/** Rules of ranking, and the one that only a request's own block can break. */
export type FindingRule = ExclusionRule | "block_unreached";

/** What the kernel says of a refusal, in our words. */
export const findingOf = ({ filter, found = refused }: Refusal): Finding => ({
  rule: filter as ExclusionRule,
  ...found,
});

/** Lowest block whose state, or whose logs and receipts, a provider is known to serve. */
const lowestServed = (view: EndpointView, isState: boolean): number | undefined =>
  isState ? view.stateFrom : view.historyFrom;

/** What a call's oldest block adds to its demand: nothing, unless some provider lacks that block. */
export const oldestDemand = (
  { endpoints }: RoutingSnapshot,
  block: number,
  isState: boolean,
): OldestBlock | undefined => {
  for (const view of endpoints) {
    const from = lowestServed(view, isState);
    if (from !== undefined && block < from) return { block, isState };
  }
  return undefined;
};

/** What a call's range of blocks adds to its demand: nothing, unless some provider takes no such range. */
export const rangeDemand = ({ endpoints }: RoutingSnapshot, range: number): number | undefined => {
  for (const { maxBlockRange: limit } of endpoints) {
    if (limit !== undefined && range > limit) return range;
  }
  return undefined;
};

/** A profile names its providers by id or tag; one that names none takes all. */
export const isServedBy = ({ providers }: Profile, view: EndpointView): boolean =>
  providers.length === 0 || providers.some((name) => isAsked(name, view));

/** The endpoints of a provider that a demand's transport admits. */
export const rowsOf = (demand: SelectionDemand, view: EndpointView): EndpointRow[] => {
  const wanted = demand.transport ?? "any";
  const { http, ws } = view.transports;
  const first = wanted === "ws" ? undefined : http;
  const second = wanted === "http" ? undefined : ws;
  // An array that is written down takes no more room than it needs, and there is one for each provider.
  if (first === undefined) return second === undefined ? [] : [second];
  return second === undefined ? [first] : [first, second];
};

const maxFailureRatio = 0.7;
/** Wrong answers, decayed, from which on a provider stands behind all that were not caught. */
const maxMisbehaviour = 3;
/** A head this far above the tip is nobody's lead but a wrong number: blocks, and time. */
const leadBlocks = 16;
const leadMs = 8_000;

/** The health rules an endpoint breaks, mildest first, with the numbers behind them. */
export const healthFindings = (
  snapshot: RoutingSnapshot,
  demand: SelectionDemand,
  view: EndpointView,
  row: EndpointRow,
): readonly Finding[] => {
  const found: Finding[] = [];
  if (snapshot.tip >= 0) {
    const lead = view.head - snapshot.tip;
    const maxLead = Math.max(leadBlocks, leadMs / Math.max(1, snapshot.blockTimeMs));
    const { maxLagBlocks: limit } = snapshot.rules;
    if (view.lag === undefined)
      found.push({ rule: "head_unknown", value: undefined, limit: undefined });
    else if (lead > maxLead) found.push({ rule: "head_unknown", value: lead, limit: maxLead });
    else if (view.lag > limit) found.push({ rule: "lag", value: view.lag, limit });
  }
  const judged = judgedCalls(view, row, demand.method);
  if (judged !== undefined && judged.n >= LEAST_SAMPLES && judged.failureRatio > maxFailureRatio) {
    found.push({ rule: "failure_ratio", value: judged.failureRatio, limit: maxFailureRatio });
  }
  const { misbehaviour = 0 } = view;
  if (misbehaviour >= maxMisbehaviour) {
    found.push({ rule: "misbehaviour", value: misbehaviour, limit: maxMisbehaviour });
  }
  return found.length === 0 ? unbroken : found;
};

const unbroken: readonly Finding[] = [];

/** The health rules an endpoint breaks, mildest first. */
export const healthFaults = (
  snapshot: RoutingSnapshot,
  demand: SelectionDemand,
  view: EndpointView,
  row: EndpointRow,
): readonly ExclusionRule[] => {
  const found = healthFindings(snapshot, demand, view, row);
  return found.length === 0 ? healthy : found.map(({ rule }) => rule);
};

const healthy: readonly ExclusionRule[] = [];

/** How far behind the healthy ones an endpoint stands; 0 for a healthy one. */
export const setback = (faults: readonly ExclusionRule[]): number => {
  if (faults.length === 0) return 0;
  if (faults.includes("failure_ratio") || faults.includes("misbehaviour")) return 3;
  // Who is known to be behind a little still says more than who never said where it is.
  return faults.includes("head_unknown") ? 2 : 1;
};
