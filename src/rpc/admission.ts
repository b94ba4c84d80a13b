/** What the request path asks of an admission cell: a few field reads, no process, no machine. */
import type { EndpointRow } from "./chain-view.ts";

/** True when a user's request may be sent to this endpoint now. */
export const isAdmissible = (row: EndpointRow, nowMs: number): boolean =>
  row.isUsable &&
  row.state === "closed" &&
  !row.suspect &&
  row.cooldownUntilMs <= nowMs &&
  (row.budget === undefined || row.budget.admits(nowMs));

/** Counts a success; true when the breaker must hear of it (failures have been reported). */
export const noteSuccess = (row: EndpointRow): boolean => {
  row.successes++;
  return row.dirty;
};
