/** Which providers may be heard on where a chain stands: more than half of them decide it. */
import type { ChainState } from "../chain-state.ts";

/** How many providers can be asked, or may be before long; those that are known to be down are not. */
export const votersOf = (state: ChainState, nowMs: number): number =>
  state.config.providers.filter(({ id, url, probe, shadow, cordoned }) => {
    if (!probe || shadow !== undefined || cordoned) return false;
    const row = state.rows(id)[url === undefined ? "ws" : "http"];
    const isRefused = row.unusableReason?.startsWith("wrong chain") === true;
    if (isRefused || row.state === "open" || row.suspect) return false;
    return state.budgets.of(id)?.sparesBackground(nowMs) !== false;
  }).length;
