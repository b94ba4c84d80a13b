/** The founding system's filters: lists in, lists out. The service itself filters by bitsets. */
import { normalLabel } from "../../matching/provider.ts";
import type { ConsumerPolicy, FilterStats, ProviderRecord } from "../protocol.ts";

/** A filter by name. */
export interface Filter {
  readonly name: () => string;
  readonly apply: (
    providers: readonly ProviderRecord[],
    policy: ConsumerPolicy,
  ) => readonly ProviderRecord[];
}

/** The required place, exactly; nothing required passes all. */
export class LocationFilter implements Filter {
  name(): string {
    return "LocationFilter";
  }

  apply(providers: readonly ProviderRecord[], { requiredLocation }: ConsumerPolicy) {
    if (requiredLocation === "") return providers;
    return providers.filter(({ location }) => location === requiredLocation);
  }
}

/** All required features, without case. */
export class FeatureFilter implements Filter {
  name(): string {
    return "FeatureFilter";
  }

  apply(providers: readonly ProviderRecord[], { requiredFeatures }: ConsumerPolicy) {
    const wanted = requiredFeatures.map(normalLabel);
    if (wanted.length === 0) return providers;
    return providers.filter(({ features }) => {
      const own = new Set(features.map(normalLabel));
      return wanted.every((name) => own.has(name));
    });
  }
}

/** The minimum stake, exactly. */
export class StakeFilter implements Filter {
  name(): string {
    return "StakeFilter";
  }

  apply(providers: readonly ProviderRecord[], { minStake }: ConsumerPolicy) {
    return minStake <= 0n ? providers : providers.filter(({ stake }) => stake >= minStake);
  }
}

/** Those that every policy has. */
const STANDARD: readonly string[] = ["LocationFilter", "FeatureFilter", "StakeFilter"];

/** Filters one after the other: location, features, stake, then whatever is added. */
export class FilterChain {
  #filters: readonly Filter[] = [new LocationFilter(), new FeatureFilter(), new StakeFilter()];

  /** The filters in their order. */
  get filters(): readonly Filter[] {
    return this.#filters;
  }

  /** Filters beyond the usual three. */
  get custom(): readonly Filter[] {
    return this.#filters.filter((filter) => !STANDARD.includes(filter.name()));
  }

  /** Adds a filter at the end, or before the one of a name. */
  add(filter: Filter, before?: string): this {
    const at =
      before === undefined
        ? this.#filters.length
        : this.#filters.findIndex((one) => one.name() === before);
    if (at < 0) throw new RangeError(`filter ${before} not found`);
    this.#filters = this.#filters.toSpliced(at, 0, filter);
    return this;
  }

  /** Those who pass all; it ends with the first filter that leaves nobody. */
  apply(providers: readonly ProviderRecord[], policy: ConsumerPolicy): readonly ProviderRecord[] {
    let left = providers;
    for (const filter of this.#filters) {
      if (left.length === 0) break;
      left = filter.apply(left, policy);
    }
    return left;
  }

  /** How many are left after each filter. */
  filterStats(providers: readonly ProviderRecord[], policy: ConsumerPolicy): FilterStats {
    const stats: Record<string, number> = { initial: providers.length };
    let left = providers;
    for (const filter of this.#filters) {
      left = filter.apply(left, policy);
      stats[filter.name()] = left.length;
    }
    return stats;
  }
}
