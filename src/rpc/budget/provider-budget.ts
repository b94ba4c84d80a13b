/**
 * What may be asked of one provider, so that its vendor's limits are kept and its quota is not burnt:
 * calls per second, and units per day or month. Both transports share it. The request path asks
 * whether it admits a call and charges what was sent; background traffic stops sooner than users.
 */
import type { CostConfig, ProviderConfig } from "../../../config/schema.ts";
import { type RateBucket, renewBucket } from "../../lib/rate-bucket.ts";
import type { EndpointBudget } from "../chain-view.ts";
import { type Quota, renewQuota } from "../quota.ts";

/** The part of a provider's configuration that makes its budget. */
export type BudgetConfig = Pick<ProviderConfig, "rate" | "quota" | "cost">;

/** Share of a budget that is for users only; probes, mirrors and hedges leave it alone. */
const USERS_SHARE = 0.1;

/** The budget of one provider of one chain. */
export class ProviderBudget implements EndpointBudget {
  #rate: RateBucket | undefined;
  #quota: Quota | undefined;
  #cost: CostConfig;

  constructor(config: BudgetConfig) {
    this.#cost = config.cost;
    this.configure(config);
  }

  get rate(): RateBucket | undefined {
    return this.#rate;
  }

  get quota(): Quota | undefined {
    return this.#quota;
  }

  /** Other limits; what was used counts on. */
  configure({ rate, quota, cost }: BudgetConfig): void {
    this.#cost = cost;
    this.#rate = renewBucket(this.#rate, rate && { perSec: rate.rps, burst: rate.burst });
    this.#quota = renewQuota(this.#quota, quota);
  }

  admits(nowMs: number): boolean {
    return (
      (this.#quota === undefined || !this.#quota.isSpent) &&
      (this.#rate === undefined || this.#rate.has(nowMs))
    );
  }

  spent(nowMs: number): ReturnType<EndpointBudget["spent"]> {
    const quota = this.#quota;
    if (quota?.isSpent === true) {
      return { rule: "quota", value: quota.used, limit: quota.limit.units };
    }
    const waitMs = this.#rate?.waitMs(nowMs) ?? 0;
    return waitMs > 0 ? { rule: "rate", value: Math.ceil(waitMs), limit: undefined } : undefined;
  }

  sparesBackground(nowMs: number): boolean {
    return (
      (this.#quota === undefined || this.#quota.ratio < 1 - USERS_SHARE) &&
      (this.#rate === undefined || this.#rate.fill(nowMs) > USERS_SHARE)
    );
  }

  charge(method: string, nowMs: number): void {
    this.#rate?.spend(nowMs);
    if (this.#quota === undefined) return;
    const { unitsByMethod, defaultUnits } = this.#cost;
    this.#quota.add(unitsByMethod[method] ?? defaultUnits);
  }
}
