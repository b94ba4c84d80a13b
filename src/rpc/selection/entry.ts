/** One endpoint on its way into a ranking, with the evidence that its demand looks at. */
import type { EndpointRow } from "../chain-view.ts";
import { blend } from "./prior.ts";
import type {
  CallSummary,
  EndpointView,
  ExclusionRule,
  RoutingSnapshot,
  SelectionDemand,
  Tier,
} from "./snapshot.ts";

/** An endpoint that passed the hard filters. */
export interface Entry {
  readonly row: EndpointRow;
  readonly view: EndpointView;
  /** Evidence of the asked method on this transport. */
  readonly call: CallSummary | undefined;
  readonly tier: Tier;
  readonly reliabilityLb: number;
  /** Price of a million such calls. */
  readonly cost: number;
  /** Health rules it breaks. */
  readonly relaxed: readonly ExclusionRule[];
  /** Its provider's place in the snapshot, and row in the market. */
  readonly at: number;
}

/** Calls from which on a record says something. */
export const LEAST_SAMPLES = 10;
const qualifiedLb = 0.8;
/** This many wrong answers halve what a provider's successes are worth. */
const forgivenAnswers = 8;
/** A cooldown that ended less than this ago still counts against an endpoint, ms. */
const recentlyLimitedMs = 10_000;

/**
 * The record by which an endpoint is judged for a method: the method's own, or all of it on this
 * transport where a rare method says little.
 */
export const judgedCalls = (
  view: EndpointView,
  row: EndpointRow,
  method: string,
): CallSummary | undefined => judgedBy(view, row, view.calls.get(row.transport, method));

const judgedBy = (
  { calls }: EndpointView,
  { transport }: EndpointRow,
  own: CallSummary | undefined,
): CallSummary | undefined =>
  own !== undefined && own.n >= LEAST_SAMPLES ? own : calls.get(transport, undefined);

/** Looks an endpoint up in the evidence. */
export const entryOf = (
  snapshot: RoutingSnapshot,
  demand: SelectionDemand,
  view: EndpointView,
  row: EndpointRow,
  relaxed: readonly ExclusionRule[],
  at: number,
): Entry => {
  const call = view.calls.get(row.transport, demand.method);
  const judged = judgedBy(view, row, call);
  const own = judged?.n ?? 0;
  const { value, samples: n } =
    view.prior === undefined
      ? { value: judged?.reliabilityLb, samples: own }
      : blend(judged?.reliabilityLb, own, view.prior.calls);
  const reliabilityLb = (value ?? 0) * trustIn(view);
  return {
    row,
    view,
    call,
    tier: tierOf(row, n, reliabilityLb, snapshot.builtAtMs),
    reliabilityLb,
    cost: costOf(view, demand.method),
    relaxed,
    at,
  };
};

/** 1 for a provider that was never caught; two fresh wrong answers end its being qualified. */
const trustIn = ({ misbehaviour = 0 }: EndpointView): number =>
  forgivenAnswers / (forgivenAnswers + misbehaviour);

/** Price of a million calls of a method. */
export const costOf = ({ cost }: EndpointView, method: string): number =>
  cost.pricePerMillionUnits * (cost.unitsByMethod[method] ?? cost.defaultUnits);

const tierOf = (row: EndpointRow, n: number, lb: number, nowMs: number): Tier => {
  if (row.state !== "closed") return "recovering";
  if (row.cooldownUntilMs > 0 && row.cooldownUntilMs + recentlyLimitedMs > nowMs) return "limited";
  // Decay takes a little off at once: ten calls in a row are ten samples.
  if (n < LEAST_SAMPLES - 0.5) return "unknown";
  return lb >= qualifiedLb ? "qualified" : "degraded";
};
