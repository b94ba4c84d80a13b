/**
 * The budgets of one chain's providers. They live in the chain's record, so they survive every
 * process; their use is written with the snapshots, so a monthly quota survives the host too.
 */
import type { ProviderConfig } from "../../../config/schema.ts";
import type { ProviderId } from "../ids.ts";
import { quotaUseOf, type QuotaUse } from "../quota.ts";
import { ProviderBudget } from "./provider-budget.ts";

/** How far a quota has come; each step is told once. */
export type QuotaStep = "renewed" | "low" | "spent";

/** A quota that has come to another step. */
export interface QuotaChange {
  readonly provider: ProviderId;
  readonly step: QuotaStep;
  readonly used: number;
  readonly limit: number;
}

/** Used share from which background traffic has stopped. */
const LOW_RATIO = 0.9;

/** The budgets of one chain. */
export class BudgetBook {
  readonly #budgets = new Map<ProviderId, ProviderBudget>();
  readonly #steps = new Map<ProviderId, QuotaStep>();
  /** What a snapshot said of providers whose budget was not made yet. */
  readonly #remembered = new Map<ProviderId, QuotaUse>();

  /** The budget of a provider; undefined when it has no limits. */
  of(provider: ProviderId): ProviderBudget | undefined {
    return this.#budgets.get(provider);
  }

  /** Makes the budgets those of the configuration. */
  configure(providers: readonly ProviderConfig[], wallMs: number): void {
    for (const id of this.#budgets.keys()) {
      if (!providers.some((provider) => provider.id === id)) this.#forget(id);
    }
    for (const provider of providers) {
      const { id, rate, quota } = provider;
      if (rate === undefined && quota === undefined) this.#forget(id);
      else this.#renew(provider, wallMs);
    }
  }

  /** Turns the pages that are due, and tells which quotas have come to another step. */
  look(wallMs: number): readonly QuotaChange[] {
    const changes: QuotaChange[] = [];
    for (const [provider, { quota }] of this.#budgets) {
      if (quota === undefined) continue;
      quota.turn(wallMs);
      const step = quota.isSpent ? "spent" : quota.ratio >= LOW_RATIO ? "low" : "renewed";
      const before = this.#steps.get(provider) ?? "renewed";
      if (step === before) continue;
      this.#steps.set(provider, step);
      changes.push({ provider, step, used: quota.used, limit: quota.limit.units });
    }
    return changes;
  }

  /** What is kept across restarts, as plain JSON. */
  toSnapshot(): Readonly<Record<ProviderId, QuotaUse>> {
    const uses: Record<ProviderId, QuotaUse> = Object.fromEntries(this.#remembered);
    for (const [provider, { quota }] of this.#budgets) {
      if (quota !== undefined) uses[provider] = quota.toUse();
    }
    return uses;
  }

  /** Takes up what `toSnapshot` gave; what cannot be read is left out. */
  restore(document: unknown): void {
    if (typeof document !== "object" || document === null) return;
    for (const [provider, value] of Object.entries(document)) {
      const use = quotaUseOf(value);
      if (use === undefined || this.#remembered.size >= MAX_REMEMBERED) continue;
      const quota = this.#budgets.get(provider)?.quota;
      if (quota === undefined) this.#remembered.set(provider, use);
      else quota.restore(use);
    }
  }

  #renew(provider: ProviderConfig, wallMs: number): void {
    const { id } = provider;
    const known = this.#budgets.get(id);
    known?.configure(provider);
    const budget = known ?? new ProviderBudget(provider);
    this.#budgets.set(id, budget);
    budget.quota?.turn(wallMs);
    const use = this.#remembered.get(id);
    if (use === undefined || budget.quota === undefined) return;
    this.#remembered.delete(id);
    budget.quota.restore(use);
  }

  #forget(provider: ProviderId): void {
    this.#budgets.delete(provider);
    this.#steps.delete(provider);
  }
}

/** Providers of a snapshot that are kept although no budget asks for them yet. */
const MAX_REMEMBERED = 1_000;
