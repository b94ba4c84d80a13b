/** Maps callers and budgets onto the shapes that the admin socket and the metrics read. */
import type { BudgetView, CallerView, QuotaView, RateView } from "../ops/views.ts";
import type { RateBucket } from "../lib/rate-bucket.ts";
import type { ProviderBudget } from "../rpc/budget/provider-budget.ts";
import type { Caller } from "../rpc/clients/caller.ts";
import type { CallerBook } from "../rpc/clients/caller-book.ts";
import type { Quota } from "../rpc/quota.ts";

/** All callers. */
export const callerViews = (book: CallerBook, nowMs: number): readonly CallerView[] =>
  book.all.map((caller) => callerView(caller, nowMs));

const callerView = (caller: Caller, nowMs: number): CallerView => ({
  id: caller.id,
  calls: caller.calls,
  units: caller.units,
  inFlight: caller.inFlight,
  refused: caller.refused,
  rate: rateView(caller.rate, nowMs),
  unitRate: rateView(caller.unitRate, nowMs),
  day: quotaView(caller.day),
  month: quotaView(caller.month),
});

/** What is left of a provider's budget. */
export const budgetView = (
  budget: ProviderBudget | undefined,
  nowMs: number,
): BudgetView | undefined =>
  budget === undefined
    ? undefined
    : { rate: rateView(budget.rate, nowMs), quota: quotaView(budget.quota) };

const rateView = (bucket: RateBucket | undefined, nowMs: number): RateView | undefined =>
  bucket === undefined ? undefined : { perSec: bucket.perSec, left: bucket.fill(nowMs) };

const quotaView = (quota: Quota | undefined): QuotaView | undefined =>
  quota === undefined
    ? undefined
    : {
        used: quota.used,
        units: quota.limit.units,
        per: quota.limit.per,
        endsAtMs: quota.endsAtMs,
      };
