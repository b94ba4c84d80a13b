/**
 * Who may serve a demand. Hard rules exclude for good; health rules only send an endpoint behind the
 * healthy ones, in the order in which they relax: unknown head, lag, failure ratio. Breaker and
 * cooldown are read from the row at the pick.
 */
import type { EndpointRow } from "../chain-view.ts";
import { costOf } from "./entry.ts";
import type {
  EndpointView,
  Exclusion,
  ExclusionRule,
  OldestBlock,
  RoutingSnapshot,
  SelectionDemand,
} from "./snapshot.ts";

/** The first hard rule that refuses a provider whatever the transport. */
export const refusal = (
  demand: SelectionDemand,
  view: EndpointView,
): Omit<Exclusion, "provider" | "transport"> | undefined => {
  const { provider: asked, method, maxCost, blockRange: range = 0 } = demand;
  if (asked !== undefined && asked !== view.provider && !view.tags.includes(asked)) {
    return { rule: "not_requested", value: asked, limit: undefined };
  }
  if (demand.exclude?.includes(view.provider) === true) {
    return { rule: "excluded", value: undefined, limit: undefined };
  }
  if (view.unsupported.has(method)) {
    return { rule: "method_unsupported", value: method, limit: undefined };
  }
  if (demand.needsArchive === true && !view.archival) {
    return { rule: "archive", value: undefined, limit: undefined };
  }
  const { oldest } = demand;
  const from = oldest === undefined ? undefined : lowestServed(view, oldest.isState);
  if (oldest !== undefined && from !== undefined && oldest.block < from) {
    return { rule: "archive", value: oldest.block, limit: from };
  }
  if (range > (view.maxBlockRange ?? Number.POSITIVE_INFINITY)) {
    return { rule: "block_range", value: range, limit: view.maxBlockRange };
  }
  if (maxCost !== undefined && costOf(view, method) > maxCost) {
    return { rule: "max_cost", value: costOf(view, method), limit: maxCost };
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
/** A head this far above the tip is nobody's lead but a wrong number: blocks, and time. */
const leadBlocks = 16;
const leadMs = 8_000;

/** The health rules an endpoint breaks, mildest first. */
export const healthFaults = (
  snapshot: RoutingSnapshot,
  demand: SelectionDemand,
  view: EndpointView,
  row: EndpointRow,
): readonly ExclusionRule[] => {
  const faults: ExclusionRule[] = [];
  if (snapshot.tip >= 0) {
    const lead = view.head - snapshot.tip;
    const maxLead = Math.max(leadBlocks, leadMs / Math.max(1, snapshot.blockTimeMs));
    if (view.lag === undefined || lead > maxLead) faults.push("head_unknown");
    else if (view.lag > snapshot.rules.maxLagBlocks) faults.push("lag");
  }
  const call = view.calls.get(row.transport, demand.method);
  const judged = call !== undefined && call.n >= leastSamples ? call : allCalls(view, row);
  if (judged !== undefined && judged.n >= leastSamples && judged.failureRatio > maxFailureRatio) {
    faults.push("failure_ratio");
  }
  return faults.length === 0 ? healthy : faults;
};

const healthy: readonly ExclusionRule[] = [];

const allCalls = (view: EndpointView, row: EndpointRow) => view.calls.get(row.transport, undefined);

/** How far behind the healthy ones an endpoint stands; 0 for a healthy one. */
export const setback = (faults: readonly ExclusionRule[]): number => {
  if (faults.length === 0) return 0;
  if (faults.includes("failure_ratio")) return 3;
  return faults.includes("lag") ? 2 : 1;
};

/** Why a row does not admit a call now; `undefined` when it does. */
export const rowFault = (row: EndpointRow, nowMs: number): ExclusionRule | undefined => {
  if (!row.isUsable) return "cordoned";
  if (row.state !== "closed") return "breaker_open";
  if (row.cooldownUntilMs > nowMs) return "cooldown";
  return row.suspect ? "suspect" : undefined;
};
