/** Finds the second provider of a slow call, or says why it gets none. */
import type { EndpointRow } from "../../chain-view.ts";
import { hedgeTarget, type TriedSet } from "../../selection/pick.ts";
import type { Candidate, Ranking } from "../../selection/snapshot.ts";
import type { Call } from "../call.ts";
import type { Engine } from "../engine.ts";
import { MIN_ATTEMPT_MS } from "../limits.ts";
import type { Upstream } from "../ports.ts";
import type { Attempt } from "./attempt.ts";

/** Why a slow call got no hedge. */
export type HedgeDenial = "no_provider" | "deadline" | "budget";

/** Where a hedge goes. */
export interface HedgeLeg {
  readonly candidate: Candidate;
  readonly row: EndpointRow;
  readonly upstream: Upstream;
}

/** What the hedge of a call depends on. */
export interface HedgeDemand {
  readonly call: Call;
  readonly ranking: Ranking;
  readonly tried: TriedSet;
  /** The block that the provider must have reached. */
  readonly minHead: number;
  readonly slow: Attempt;
  readonly deadlineAtMs: number;
}

/** Takes a hedge from the chain's budget, if there is somebody to send it to. */
export function takeHedge(
  engine: Engine,
  demand: HedgeDemand,
  nowMs: number,
): HedgeLeg | HedgeDenial {
  const { call, ranking, tried, minHead, slow } = demand;
  const candidate = hedgeTarget(ranking, nowMs, tried, minHead, slow.provider);
  const row = candidate === undefined ? undefined : engine.chooser.rowFor(call, candidate, nowMs);
  const upstream = row === undefined ? undefined : call.chain.upstream(row);
  if (candidate === undefined || row === undefined || upstream === undefined) return "no_provider";
  const usualMs = candidate.view.calls.get(row.transport, slow.method)?.p50Ms ?? 0;
  if (demand.deadlineAtMs - nowMs < Math.max(usualMs, MIN_ATTEMPT_MS)) return "deadline";
  return engine.chooser.hedges(call.chain).take() ? { candidate, row, upstream } : "budget";
}
