/** The bounds of a chain's follower, from its configuration and from what is known of it. */
import type { ChainState } from "../chain-state.ts";
import { staleAfterMs } from "../head/head-truth.ts";
import type { FollowerLimits } from "./chain/follower.ts";

const MAX_BACKFILL_BLOCKS = 5_000;
const BACKFILL_SPAN_MS = 300_000;

/** Five minutes of blocks, if that is more than configured: fast chains make long gaps quickly. */
export const followerLimits = (state: ChainState, nowMs: number): FollowerLimits => {
  const { config, head } = state;
  const { enabled, maxBackfillBlocks, backfillTimeoutMs } = config.failover;
  const blockTimeMs = config.blockTimeMs ?? head?.blockTimeMs;
  const span = blockTimeMs === undefined || blockTimeMs <= 0 ? 0 : BACKFILL_SPAN_MS / blockTimeMs;
  const blocks = Math.min(MAX_BACKFILL_BLOCKS, Math.max(maxBackfillBlocks, Math.floor(span)));
  return {
    maxBackfillBlocks: enabled ? blocks : 0,
    backfillTimeoutMs,
    settleMs: config.aggregation.deduplicationWindowMs,
    witnessMs: staleAfterMs(blockTimeMs ?? 0),
    voters: votersOf(state, nowMs),
  };
};

/** How many providers can be asked, or may be before long; those that are known to be down are not. */
const votersOf = (state: ChainState, nowMs: number): number =>
  state.config.providers.filter(({ id, url, probe, shadow, cordoned }) => {
    if (!probe || shadow !== undefined || cordoned) return false;
    const row = state.rows(id)[url === undefined ? "ws" : "http"];
    const isRefused = row.unusableReason?.startsWith("wrong chain") === true;
    if (isRefused || row.state === "open" || row.suspect) return false;
    return state.budgets.of(id)?.sparesBackground(nowMs) !== false;
  }).length;
