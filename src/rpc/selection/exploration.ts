/**
 * Which provider should get a copy of a read, so that nobody stays unknown for good: users are never
 * the ones who explore.
 */
import type { Candidate, RoutingSnapshot, SelectionDemand } from "./snapshot.ts";
import { rank } from "./rank.ts";

/** Bounds of exploration by mirrored reads. */
export const explorationLimits = {
  /** Share of idempotent reads that are copied. */
  ratio: 0.02,
  maxConcurrent: 4,
  timeoutMs: 10_000,
} as const;

/**
 * The endpoint that most needs a sample: unknown, degraded or set back for its health or for what is
 * foreseen of it, least evidence first. Never one that is unusable (cordoned, wrong chain), broken, held by force, or has opted out
 * (`probe: off`).
 */
export const explorationTarget = (
  snapshot: RoutingSnapshot,
  demand: SelectionDemand,
  nowMs: number,
): Candidate | undefined => {
  let target: Candidate | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of rank(snapshot, { ...demand, strategy: "leaderboard" }).candidates) {
    const { row, view, tier, relaxed } = candidate;
    const isSetBack = relaxed.length > 0 || view.forecast?.isDemoted === true;
    const isNeedy = tier === "unknown" || tier === "degraded" || isSetBack;
    if (!isNeedy || !row.isUsable || row.state !== "closed" || row.forced) continue;
    if (row.suspect || row.cooldownUntilMs > nowMs || !view.mayProbe) continue;
    if (row.budget?.sparesBackground(nowMs) === false) continue;
    const n = view.calls.get(row.transport, demand.method)?.n ?? 0;
    if (n < fewest) {
      fewest = n;
      target = candidate;
    }
  }
  return target;
};
