/** In which order providers are asked for their agreement: one of each vendor first. */
import type { ProviderId } from "../ids.ts";

/** What the order looks at. */
export interface LegCandidate {
  readonly provider: ProviderId;
  readonly vendor: string | undefined;
}

/**
 * Each provider once, best first, but the second of a vendor behind the first of all others: two
 * endpoints of one vendor share their faults.
 */
export function legOrder(candidates: readonly LegCandidate[]): readonly ProviderId[] {
  const seen = new Set<ProviderId>();
  const byVendor = new Map<string, number>();
  const placed: { readonly provider: ProviderId; readonly round: number }[] = [];
  for (const { provider, vendor = provider } of candidates) {
    if (seen.has(provider)) continue;
    seen.add(provider);
    const round = byVendor.get(vendor) ?? 0;
    byVendor.set(vendor, round + 1);
    placed.push({ provider, round });
  }
  return placed.sort((a, b) => a.round - b.round).map(({ provider }) => provider);
}
