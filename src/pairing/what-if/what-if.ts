/**
 * Who would be picked if a request were another one: both results, and every provider whose place
 * differs. Neither is kept or counted, so asking changes nothing.
 */
import { bindingOf } from "../../matching/binding.ts";
import type { Plan } from "../../matching/compile.ts";
import { shiftsBetween } from "../../matching/explain/what-if.ts";
import { firstRefusal } from "../../matching/explain/why-not.ts";
import { badInput } from "../fault.ts";
import type { PairingMarket } from "../market.ts";
import type {
  PairingResult,
  PairRequest,
  PairShift,
  Refusal,
  Reply,
  WhatIfReport,
} from "../protocol.ts";
import { below } from "./change.ts";

/** Compares a request with another one on a market as it is now. */
export function whatIf(
  market: PairingMarket,
  request: PairRequest,
  changed: PairRequest,
): Reply<WhatIfReport> {
  const before = market.pairOnce(request);
  if (!before.ok) return before;
  const after = market.pairOnce(changed);
  if (!after.ok) return ofChange(after);
  const [planBefore, planAfter] = [planOf(market, request), planOf(market, changed)];
  const shifts = shiftsBetween(picksOf(before.value), picksOf(after.value)).map((shift) => {
    const { id: address, before: old, after: now } = shift;
    // Who is a pick of only one of the two is perhaps refused by a filter of the other.
    const refusedBy = refuserOf(market, now === undefined ? planAfter : planBefore, address);
    return {
      address,
      ...(old === undefined ? {} : { before: old }),
      ...(now === undefined ? {} : { after: now }),
      ...(refusedBy === undefined ? {} : { refusedBy }),
    } satisfies PairShift;
  });
  return { ok: true, value: { before: before.value, after: after.value, shifts } };
}

const picksOf = ({ topProviders }: PairingResult) => ({
  picks: topProviders.map(({ address }) => ({ id: address })),
});

const planOf = (market: PairingMarket, request: PairRequest): Plan | undefined => {
  const compiled = market.plans.planOf(request);
  return compiled.ok ? compiled.plan : undefined;
};

const refuserOf = (
  { store: { index } }: PairingMarket,
  plan: Plan | undefined,
  address: string,
): string | undefined => {
  const row = index.rowOf(address);
  if (plan === undefined || row === undefined) return undefined;
  return firstRefusal(bindingOf(plan, index), row)?.filter;
};

/** The request itself was right, so its change is wrong. */
const ofChange = ({ refusal }: { readonly refusal: Refusal }): Reply<never> =>
  refusal.faults === undefined
    ? { ok: false, refusal }
    : badInput(refusal.faults.map(({ path, message }) => ({ path: below(path), message })));
