/**
 * One market as the service sees it: providers, profiles, plans, the shared ranking cache, counts.
 * Everything is synchronous; time comes from the clock that it is given.
 */
import type { Compiled, Plan } from "../matching/compile.ts";
import { type FilterReport, survivorsOf } from "../matching/explain/survivors.ts";
import { countSurvivors } from "../matching/explain/count.ts";
import { eachSum } from "../matching/explain/sums.ts";
import { whyNot } from "../matching/explain/why-not.ts";
import { Binding, bindingOf } from "../matching/binding.ts";
import { rank, type RankedPicks } from "../matching/match.ts";
import type { RankingCache } from "../matching/ranking-cache.ts";
import type { Composite } from "../matching/scorers/composite.ts";
import { defaultProfiles, type Profiles } from "../matching/scorers/profiles.ts";
import { weightFault } from "../matching/demand.ts";
import { badInput, refusalText } from "./fault.ts";
import { filterStatsOf } from "./filter-stats.ts";
import { PlanBook } from "./plan-book.ts";
import { ProviderStore } from "./provider-store.ts";
import { cacheStatsOf } from "./cache-stats.ts";
import type {
  ConsumerPolicy,
  FilterStats,
  MarketStats,
  PairingResult,
  PairRequest,
  Reply,
  ScoringStats,
  ScoringView,
  WhyNotReport,
} from "./protocol.ts";
import { failedResult, type Outcome, outcomeOf, pickOf, resultOf } from "./result.ts";
import { Tally } from "./tally.ts";

/** What a market is made with. */
export interface MarketOptions {
  readonly name: string;
  readonly maxProviders: number;
  /** Profile and number of picks of a request that does not say. */
  readonly profile: string;
  readonly top: number;
  /** Of all markets together. */
  readonly cache: RankingCache<Outcome>;
  /** Monotonic, µs. */
  readonly nowUs: () => number;
  readonly profiles?: Profiles;
  /** Whether other threads may match in it. */
  readonly isShared?: boolean;
  /** Filled already; an empty one when left out. */
  readonly store?: ProviderStore;
  /** Where rankings are shared with other hosts. */
  readonly shared?: RankingTeller | undefined;
}

/** A ranking that had to be made. */
export interface MadeRanking {
  readonly plan: Plan;
  readonly seed: number | string;
  readonly outcome: Outcome;
  readonly tookUs: number;
}

/** Who tells other hosts of rankings. */
export interface RankingTeller {
  /** For the sums of what markets hold. */
  readonly contentKey: string;
  tell(market: PairingMarket, made: MadeRanking): void;
}

/** Picks by row, as another thread finds them. */
export interface FoundRows {
  readonly rows: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
  /** Survivors; without meaning where there is a report. */
  readonly left: number;
  /** Of the filters, when nobody is left. */
  readonly survivors: readonly FilterReport[] | undefined;
}

/** In a larger market turns wait for their order: to find them without one would hold the loop. */
const MOST_UNORDERED = 32_768;

/** A market. */
export class PairingMarket {
  readonly name: string;
  readonly profiles: Profiles;
  readonly cache: RankingCache<Outcome>;
  readonly plans: PlanBook;
  readonly tally = new Tally();
  store: ProviderStore;
  isCaching = true;
  readonly #options: MarketOptions;

  constructor(options: MarketOptions) {
    this.#options = options;
    this.name = options.name;
    this.cache = options.cache;
    this.profiles = options.profiles ?? defaultProfiles();
    this.plans = new PlanBook(this.profiles, { profile: options.profile, top: options.top });
    this.store = options.store ?? this.emptyStore();
  }

  /** A store as large as this market's, to be filled and then swapped in. */
  emptyStore(): ProviderStore {
    const { maxProviders, isShared = false, shared } = this.#options;
    return new ProviderStore(this.name, maxProviders, isShared, shared?.contentKey);
  }

  /** Begins to make in a store what most requests need, so that it is there when it is swapped in. */
  prepare({ index }: ProviderStore): void {
    const compiled = this.plans.planOf({ policy: ANYBODY });
    if (!compiled.ok) return;
    const binding = new Binding(compiled.plan, index);
    if (binding.order() === undefined) binding.board();
  }

  /** Begins to make what a request is answered by, to be gone on with before it is asked. */
  begin(request: PairRequest): void {
    const compiled = this.plans.planOf(request);
    if (!compiled.ok) return;
    const binding = bindingOf(compiled.plan, this.store.index);
    if (compiled.plan.demand.mode === "roundRobin") binding.turns();
    // Survivors are counted by it, also of those who take turns.
    if (binding.order() === undefined) binding.board();
  }

  /** Another store from now on; versions go on rising, from the one that it was kept with. */
  swap(store: ProviderStore, version?: number): void {
    const { index } = store;
    index.version = version ?? index.version + this.store.index.version + 1;
    this.store = store;
  }

  /** Answers one request. */
  pair(request: PairRequest): Reply<PairingResult> {
    const startUs = this.#options.nowUs();
    const compiled = this.plans.planOf(request);
    if (!compiled.ok) return refused(compiled);
    const { plan } = compiled;
    const { index } = this.store;
    const { explain = false, seed = 0 } = request;
    const isCached = this.isCaching && !explain;
    if (this.#awaitsTurns(plan) && !(isCached && this.isKept(plan, seed))) {
      return this.#preparing();
    }
    const picks = isCached
      ? this.cache.picks(plan, index, seed, startUs / 1_000)
      : { ...rank(plan, index, { seed, explain }), shown: undefined };
    const { ranking } = picks;
    const cache = isCached ? (this.cache.isHit ? "hit" : "miss") : "off";
    const outcome = (picks.shown ??= this.#outcomeOf(plan, picks));
    const timeUs = this.#options.nowUs() - startUs;
    const result = resultOf(this.name, request.policy, ranking, outcome, cache, timeUs);
    this.tally.add(result, cache === "hit" ? "kept" : ranking.path);
    if (cache === "miss") this.#options.shared?.tell(this, { plan, seed, outcome, tookUs: timeUs });
    return { ok: true, value: result };
  }

  /** Whether the ranking of a plan would not have to be made. */
  isKept(plan: Plan, seed: number | string): boolean {
    return this.cache.has(plan, this.store.index, seed, this.#options.nowUs() / 1_000);
  }

  /** Keeps a ranking that another host has made of the very same providers. */
  keep(plan: Plan, picks: RankedPicks, found: Pick<Outcome, "left" | "survivors">): void {
    const { index } = this.store;
    const binding = bindingOf(plan, index);
    const { left, survivors } = found;
    const shown = outcomeOf(this.store, {
      picks: picks.ranking.picks.map((pick, i) => pickOf(binding, picks.rows[i] as number, pick)),
      left,
      survivors,
      scorerErrors: undefined,
    });
    this.cache.keep(plan, index, { ...picks, shown }, this.#options.nowUs() / 1_000);
  }

  /** Answers a request whose like never comes again: it is neither kept nor counted. */
  pairOnce(request: PairRequest): Reply<PairingResult> {
    const compiled = this.plans.planOf(request);
    if (!compiled.ok) return refused(compiled);
    if (this.#awaitsTurns(compiled.plan)) return this.#preparing();
    const { seed = 0, explain = false } = request;
    const picks = rank(compiled.plan, this.store.index, { seed, explain });
    const outcome = this.#outcomeOf(compiled.plan, picks);
    const { ranking } = picks;
    return { ok: true, value: resultOf(this.name, request.policy, ranking, outcome, "off", 0) };
  }

  /** What is wrong with a request, without answering it. */
  check(request: PairRequest): Reply<"right"> {
    const compiled = this.plans.planOf(request);
    return compiled.ok ? { ok: true, value: "right" } : refused(compiled);
  }

  /** The same as one of many: what is wrong with it is in its result. */
  answer(request: PairRequest): PairingResult {
    const reply = this.pair(request);
    return reply.ok
      ? reply.value
      : failedResult(this.name, request.policy, refusalText(reply.refusal));
  }

  /** The result of a request whose picks another thread has found in this very version. */
  resultOfRows(
    policy: ConsumerPolicy,
    plan: Plan,
    found: FoundRows,
    timeUs: number,
  ): PairingResult {
    const { rows, scores, left, survivors } = found;
    const { index } = this.store;
    const binding = bindingOf(plan, index);
    const outcome = outcomeOf(this.store, {
      picks: Array.from(rows, (row, i) => pickOf(binding, row, { score: scores[i] as number })),
      left: survivors === undefined ? left : (survivors.at(-1)?.left ?? 0),
      survivors,
      scorerErrors: undefined,
    });
    const { version } = index;
    const result = resultOf(this.name, policy, { version }, outcome, "off", timeUs);
    this.tally.add(result, "thread");
    return result;
  }

  /** Why one provider is, or is not, among the picks. */
  why(request: PairRequest, address: string): Reply<WhyNotReport> {
    const compiled = this.plans.planOf(request);
    if (!compiled.ok) return refused(compiled);
    if (this.#awaitsTurns(compiled.plan)) return this.#preparing();
    const { seed = 0 } = request;
    return { ok: true, value: whyNot(compiled.plan, this.store.index, address, { seed }) };
  }

  /** Survivors after each filter of the chain. */
  filterStats(policy: ConsumerPolicy): Reply<FilterStats> {
    const compiled = this.plans.planOf({ policy });
    if (!compiled.ok) return refused(compiled);
    const binding = bindingOf(compiled.plan, this.store.index);
    return { ok: true, value: filterStatsOf(this.store.size, survivorsOf(binding)) };
  }

  /** How the scores of the survivors spread. */
  scoringStats(policy: ConsumerPolicy): Reply<ScoringStats> {
    const compiled = this.plans.planOf({ policy });
    if (!compiled.ok) return refused(compiled);
    const { composite } = compiled.plan;
    const binding = bindingOf(compiled.plan, this.store.index);
    let [count, sum, min, max] = [0, 0, 1, 0];
    eachSum(binding, (raw) => {
      const score = binding.shown(raw);
      count++;
      sum += score;
      min = Math.min(min, score);
      max = Math.max(max, score);
    });
    const isEmpty = count === 0;
    return {
      ok: true,
      value: {
        count,
        avg: isEmpty ? 0 : sum / count,
        min: isEmpty ? 0 : min,
        max,
        range: isEmpty ? 0 : max - min,
        scoring_strategy: composite.description,
        available_scorers: composite.list(),
      },
    };
  }

  /** All profiles with their scorers and weights. */
  scoring(): readonly ScoringView[] {
    return [...this.profiles.composites.values()].map(scoringView);
  }

  /** Changes weights of a profile; the next request is scored by them. */
  setWeights(profile: string, weights: Readonly<Record<string, number>>): Reply<ScoringView> {
    const composite = this.profiles.composites.get(profile);
    if (composite === undefined) {
      const message = `profile ${profile} not found`;
      return { ok: false, refusal: { code: "PAIRING_UNKNOWN_PROFILE", message } };
    }
    const faults = Object.entries(weights).flatMap(([name, weight]) => {
      const message = composite.list().includes(name)
        ? weightFault(weight)
        : `scorer ${name} not found`;
      return message === undefined ? [] : [{ path: `weights.${name}`, message }];
    });
    if (faults.length > 0) return badInput(faults);
    for (const [name, weight] of Object.entries(weights)) composite.setWeight(name, weight);
    return { ok: true, value: scoringView(composite) };
  }

  /** Counts and settings. */
  stats(): MarketStats {
    const { tally } = this;
    return {
      total_processed: tally.processed,
      total_filtered: tally.filtered,
      total_ranked: tally.ranked,
      total_cache_hits: tally.hits,
      total_cache_misses: tally.misses,
      average_process_time: tally.meanUs,
      top_n: this.plans.defaults.top,
      caching_enabled: this.isCaching,
      stats_enabled: tally.isOn,
      cache_stats: cacheStatsOf(this.cache.stats()),
      provider_count: this.store.size,
      location_distribution: this.store.locations(),
      version: this.store.index.version,
    };
  }

  #awaitsTurns(plan: Plan): boolean {
    const { index } = this.store;
    const isLong = plan.demand.mode === "roundRobin" && index.size > MOST_UNORDERED;
    return isLong && bindingOf(plan, index).awaitsTurns();
  }

  #preparing(): Reply<never> {
    const message = `the turns of market ${this.name} are being put in order`;
    return { ok: false, refusal: { code: "PAIRING_PREPARING", message } };
  }

  #outcomeOf(plan: Plan, { ranking, rows, left: counted }: RankedPicks): Outcome {
    const binding = bindingOf(plan, this.store.index);
    const isNobody = ranking.picks.length === 0;
    const survivors = ranking.survivors ?? (isNobody ? survivorsOf(binding) : undefined);
    const left = survivors?.at(-1)?.left ?? counted ?? countSurvivors(binding);
    const picks = ranking.picks.map((pick, i) => pickOf(binding, rows[i] as number, pick));
    return outcomeOf(this.store, { picks, left, survivors, scorerErrors: ranking.scorerErrors });
  }
}

/** A policy of the profile that is asked for most, whatever it requires. */
const ANYBODY: ConsumerPolicy = { requiredLocation: "", requiredFeatures: [], minStake: 0n };

const scoringView = (composite: Composite): ScoringView => ({
  name: composite.name,
  description: composite.description,
  version: composite.version,
  scorers: Object.fromEntries(composite.scorers.map(({ name, weight }) => [name, weight])),
});

/** The kernel's paths begin at the demand; a policy's fields have other names. */
const refused = (compiled: Compiled & { readonly ok: false }): Reply<never> =>
  badInput(compiled.faults.map(({ path, message }) => ({ path: FIELDS[path] ?? path, message })));

const FIELDS: Readonly<Record<string, string>> = {
  "require.features.all": "policy.requiredFeatures",
  "require.location": "policy.requiredLocation",
  "prefer.features": "policy.prefer.features",
  "pick.k": "top",
};
