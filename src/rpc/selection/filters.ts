/**
 * Who may serve a demand. Hard rules exclude for good; health rules only send an endpoint behind the
 * healthy ones, in the order in which they relax: lag, unknown head, failure ratio. Breaker and
 * cooldown are read from the row at the pick.
 */
import type { EndpointRow } from "../chain-view.ts";
import { isAsked } from "./asked.ts";
import { costOf } from "./entry.ts";
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

/** A rule that excludes a provider for good, whatever the transport. */
type HardRule = (demand: SelectionDemand, view: EndpointView) => Finding | undefined;

/** All of them, in the order in which they are asked. */
const hardRules: readonly HardRule[] = [
  ({ profile }, view) =>
    profile === undefined || isServedBy(profile, view)
      ? undefined
      : { rule: "profile", value: profile.name, limit: undefined },
  ({ provider: asked }, view) =>
    asked === undefined || isAsked(asked, view)
      ? undefined
      : { rule: "not_requested", value: asked, limit: undefined },
  ({ exclude }, { provider }) =>
    exclude?.includes(provider) === true
      ? { rule: "excluded", value: undefined, limit: undefined }
      : undefined,
  (_demand, { shadow }) =>
    shadow === undefined ? undefined : { rule: "shadow", value: undefined, limit: undefined },
  ({ method }, { unsupported }) =>
    unsupported.has(method)
      ? { rule: "method_unsupported", value: method, limit: undefined }
      : undefined,
  ({ needsArchive, oldest }, view) => {
    if (needsArchive === true && !view.archival) {
      return { rule: "archive", value: undefined, limit: undefined };
    }
    const from = oldest === undefined ? undefined : lowestServed(view, oldest.isState);
    return oldest !== undefined && from !== undefined && oldest.block < from
      ? { rule: "archive", value: oldest.block, limit: from }
      : undefined;
  },
  ({ blockRange: range = 0 }, { maxBlockRange: limit }) =>
    range > (limit ?? Number.POSITIVE_INFINITY)
      ? { rule: "block_range", value: range, limit }
      : undefined,
  ({ method, maxCost: limit }, view) =>
    limit !== undefined && costOf(view, method) > limit
      ? { rule: "max_cost", value: costOf(view, method), limit }
      : undefined,
];

/** The first hard rule that refuses a provider. */
export const refusal = (demand: SelectionDemand, view: EndpointView): Finding | undefined => {
  for (const rule of hardRules) {
    const found = rule(demand, view);
    if (found !== undefined) return found;
  }
  return undefined;
};

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

/** Every hard rule that refuses a provider; an explanation lists them all. */
export const allRefusals = (demand: SelectionDemand, view: EndpointView): readonly Finding[] =>
  hardRules.flatMap((rule) => rule(demand, view) ?? []);

/** A profile names its providers by id or tag; one that names none takes all. */
export const isServedBy = ({ providers }: Profile, view: EndpointView): boolean =>
  providers.length === 0 || providers.some((name) => isAsked(name, view));

/** The endpoints of a provider that a demand's transport admits. */
export const rowsOf = (demand: SelectionDemand, view: EndpointView): EndpointRow[] => {
  const wanted = demand.transport ?? "any";
  const { http, ws } = view.transports;
  const rows: EndpointRow[] = [];
  if (http !== undefined && wanted !== "ws") rows.push(http);
  if (ws !== undefined && wanted !== "http") rows.push(ws);
  return rows;
};

const leastSamples = 10;
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
  const call = view.calls.get(row.transport, demand.method);
  const judged = call !== undefined && call.n >= leastSamples ? call : allCalls(view, row);
  if (judged !== undefined && judged.n >= leastSamples && judged.failureRatio > maxFailureRatio) {
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

const allCalls = (view: EndpointView, row: EndpointRow) => view.calls.get(row.transport, undefined);

/** How far behind the healthy ones an endpoint stands; 0 for a healthy one. */
export const setback = (faults: readonly ExclusionRule[]): number => {
  if (faults.length === 0) return 0;
  if (faults.includes("failure_ratio") || faults.includes("misbehaviour")) return 3;
  // Who is known to be behind a little still says more than who never said where it is.
  return faults.includes("head_unknown") ? 2 : 1;
};
