/** What the end of an attempt leaves behind: cells and evidence at once, breaker and pool by cast. */
import { DECISIONS } from "../../errors/decisions.ts";
import type { Attempt } from "./attempt.ts";
import { learn } from "./learning.ts";
import type { ChainView, GatewayDeps, RequestObserver } from "../ports.ts";

/** The shared parts that hear of attempts. */
interface Books {
  readonly deps: Pick<GatewayDeps, "emit">;
  readonly observer: RequestObserver;
  readonly redact: (text: string) => string;
  readonly attempts: { untrack(attempt: Attempt): void };
}

/** Books an attempt's one terminal outcome. */
export function account(books: Books, chain: ChainView, attempt: Attempt, nowMs: number): void {
  const { row, errorClass } = attempt;
  attempt.durationMs = nowMs - attempt.startMs;
  row.inFlight--;
  row.completed++;
  if (errorClass !== "cancelled" && errorClass !== "timeout") row.answered++;
  books.attempts.untrack(attempt);
  if (attempt.detail !== undefined) attempt.detail = books.redact(attempt.detail);
  books.observer.attempt(attempt);
  const { provider, transport } = row;
  const { evidence } = chain;
  if (row.region !== undefined) {
    settleHelp(chain, attempt);
    return;
  }
  if (errorClass === "cancelled") {
    // Nobody's failure; but one that lost although it had more than its usual time was slow.
    const { method, durationMs, usualMs, cancelledBecause } = attempt;
    if (cancelledBecause === "lost" && usualMs > 0 && durationMs > usualMs) {
      evidence.recordCensored(provider, transport, method, durationMs, nowMs);
    }
    return;
  }
  evidence.recordCall(provider, transport, attempt.method, errorClass, attempt.durationMs, nowMs);
  learn(books, chain, attempt, nowMs);
  const { breaker, memory } = DECISIONS[errorClass];
  // Extra load must not open a breaker that the requests themselves would have left closed.
  if (attempt.kind === "hedge" && memory !== "cooldown") return;
  if (breaker === "success") {
    row.successes++;
    if (row.dirty || errorClass === "empty") chain.report(attempt);
    return;
  }
  if (breaker !== "none") row.dirty = true;
  chain.report(attempt);
}

/** Whoever answers in another region is in no leaderboard of this one; its breaker hears of it. */
function settleHelp(chain: ChainView, attempt: Attempt): void {
  const { row, errorClass } = attempt;
  if (errorClass === "cancelled") return;
  const { breaker } = DECISIONS[errorClass];
  if (breaker === "success") row.successes++;
  else if (breaker !== "none") row.dirty = true;
  if (breaker !== "success" || row.dirty) chain.report(attempt);
}
