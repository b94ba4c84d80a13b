/** Requests made ready once: a plan for each distinct one, the least asked for leave first. */
import { Lfu } from "../lib/lfu.ts";
import { type Compiled, compile, type Plan } from "../matching/compile.ts";
import type { Profiles } from "../matching/scorers/profiles.ts";
import { demandOf, type PairDefaults } from "./policy.ts";
import type { PairRequest } from "./protocol.ts";

/** Plans that a market keeps. */
const MOST_PLANS = 4_096;

/** The plans of one market. */
export class PlanBook {
  readonly defaults: PairDefaults;
  readonly #profiles: Profiles;
  readonly #plans = new Lfu<Plan>(MOST_PLANS);

  constructor(profiles: Profiles, defaults: PairDefaults) {
    this.#profiles = profiles;
    this.defaults = defaults;
  }

  /** The plan of a request, or what is wrong with it. */
  planOf(request: PairRequest): Compiled {
    const key = this.#keyOf(request);
    const known = this.#plans.get(key);
    if (known !== undefined) return { ok: true, plan: known };
    const compiled = compile(demandOf(request, this.defaults), this.#profiles);
    if (compiled.ok) this.#plans.set(key, compiled.plan);
    return compiled;
  }

  /** Forgets all plans: a profile or a filter has another meaning now. */
  clear(): void {
    this.#plans.clear();
  }

  /** Cheaper than the canonical text, and finer: requests with one key have one plan. */
  #keyOf({ policy, top, mode, profile, weights }: PairRequest): string {
    const { requiredLocation: place, requiredFeatures, minStake, prefer, relaxed } = policy;
    let key = `${top ?? this.defaults.top} ${mode ?? "top"} ${minStake} ${place.length}:${place}`;
    for (const name of requiredFeatures) key += ` ${name.length}:${name}`;
    if (
      profile !== undefined ||
      weights !== undefined ||
      prefer !== undefined ||
      relaxed === true
    ) {
      key += JSON.stringify([profile, weights, prefer, relaxed]);
    } else if (this.defaults.profile !== "pairing") key += `\n${this.defaults.profile}`;
    return key;
  }
}
