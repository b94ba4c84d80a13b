/** From a demand to a plan: checked, canonical, its profile and custom filters found. */
import { type CanonicalDemand, canonical, canonicalText, demandHash } from "./canonical.ts";
import type { Composite } from "./scorers/composite.ts";
import { type Demand, type DemandFault, demandFaults } from "./demand.ts";
import type { CustomFilter } from "./filters/filter.ts";
import type { Binding } from "./binding.ts";
import type { Profiles } from "./scorers/profiles.ts";

/** A demand made ready; good for any market and for all later versions of its profile. */
export interface Plan {
  readonly demand: CanonicalDemand;
  /** The canonical text: equal for demands that mean the same. */
  readonly text: string;
  /** Its hash, for people. */
  readonly hash: string;
  readonly composite: Composite;
  readonly custom: readonly CustomFilter[];
  /** What was looked up for the last market; see `bindingOf`. */
  binding: Binding | undefined;
}

/** A plan, or everything that is wrong with the demand. */
export type Compiled =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly faults: readonly DemandFault[] };

/** Compiles a demand; once for each distinct one. */
export function compile(demand: Demand, profiles: Profiles): Compiled {
  const composite = profiles.composites.get(demand.profile);
  const faults = [...demandFaults(demand), ...unknownNames(demand, profiles, composite)];
  if (faults.length > 0 || composite === undefined) return { ok: false, faults };
  const form = canonical(demand);
  const text = canonicalText(form);
  // In the order that they were registered in, which is the order of reports.
  const custom = [...profiles.filters].flatMap(([name, filter]) =>
    form.custom.includes(name) ? [filter] : [],
  );
  const plan: Plan = {
    demand: form,
    text,
    hash: demandHash(text),
    composite,
    custom,
    binding: undefined,
  };
  return { ok: true, plan };
}

const unknownNames = (
  { profile, weights = {}, require = {} }: Demand,
  { filters }: Profiles,
  composite: Composite | undefined,
): DemandFault[] => {
  if (composite === undefined)
    return [{ path: "profile", message: `profile ${profile} not found` }];
  const scorers = composite.list();
  return [
    ...Object.keys(weights)
      .filter((name) => !scorers.includes(name))
      .map((name) => ({ path: `weights.${name}`, message: `scorer ${name} not found` })),
    ...(require.custom ?? [])
      .filter((name) => !filters.has(name.trim()))
      .map((name) => ({ path: "require.custom", message: `filter ${name} not found` })),
  ];
};
