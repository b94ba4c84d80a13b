/** The founding system's processor and pairing system: one market without processes. */
import { MAX_PICKS } from "../../matching/demand.ts";
import type { CustomFilter } from "../../matching/filters/filter.ts";
import { RankingCache } from "../../matching/ranking-cache.ts";
import { PairingMarket } from "../market.ts";
import { messagesText } from "../fault.ts";
import { parsePolicy } from "../policy.ts";
import type {
  ConsumerPolicy,
  FilterStats,
  MarketStats,
  PairingResult,
  ProviderRecord,
  ScoringStats,
} from "../protocol.ts";
import { failedResult } from "../result.ts";
import { type CompositeScoringSystem, defaultComposite, type PairingScore } from "./composite.ts";
import { type Filter, FilterChain } from "./filters.ts";
import { policyOf } from "./scorers.ts";
import { OriginStorage } from "./storage.ts";

/** How long a ranking may be kept; there are no drifting signals here. */
const TTL_MS = 3_600_000;
const TOP = 5;
const CONCURRENCY = 10;

/** Filters, ranks, keeps and counts. */
export class Processor {
  readonly market: PairingMarket;
  readonly filters = new FilterChain();
  readonly #storage: OriginStorage;
  #composite: CompositeScoringSystem;

  constructor(storage: OriginStorage, cacheCapacity = 100, nowUs: () => number = () => 0) {
    this.#storage = storage;
    this.#composite = defaultComposite();
    const name = this.#composite.getName();
    this.market = new PairingMarket({
      name: "origin",
      maxProviders: 1,
      profile: name,
      top: TOP,
      cache: new RankingCache({ capacity: cacheCapacity, ttlMs: TTL_MS }),
      nowUs,
      store: storage.store,
    });
    this.setScoringSystem(this.#composite);
  }

  /** Another composite from now on; nothing that was ranked by the old one is served. */
  setScoringSystem(composite: CompositeScoringSystem): void {
    this.#composite = composite;
    const { profiles, plans, cache } = this.market;
    profiles.composites.set(composite.getName(), composite.kernel);
    plans.defaults.profile = composite.getName();
    plans.clear();
    cache.clear();
  }

  get scoringSystem(): CompositeScoringSystem {
    return this.#composite;
  }

  /** Providers of a result, from 1 on; less is ignored, and more than there can be is an error. */
  setTopN(count: number): void {
    if (!Number.isInteger(count) || count < 1) return;
    if (count > MAX_PICKS) {
      throw new RangeError(`${count} providers of a result, at most ${MAX_PICKS} can be`);
    }
    this.market.plans.defaults.top = count;
  }

  getTopN(): number {
    return this.market.plans.defaults.top;
  }

  /** Rankings that are kept; what is over it leaves at once, the least asked for first. */
  setCapacity(count: number): void {
    this.market.cache.resize(count);
  }

  setCachingEnabled(isOn: boolean): void {
    this.market.isCaching = isOn;
    this.market.cache.setEnabled(isOn);
  }

  setStatsEnabled(isOn: boolean): void {
    this.market.tally.isOn = isOn;
    this.market.cache.setStatsEnabled(isOn);
  }

  filterProviders(
    providers: readonly ProviderRecord[],
    policy: ConsumerPolicy,
  ): readonly ProviderRecord[] {
    return this.filters.apply(providers, policy);
  }

  rankProviders(providers: readonly ProviderRecord[], policy: ConsumerPolicy): PairingScore[] {
    return this.#composite.scoreAll(providers, policy);
  }

  /** One policy against all that is stored; what is wrong with it is in its result. */
  processPolicy(policy: ConsumerPolicy | null): PairingResult {
    const parsed = parsePolicy(policy);
    if (!parsed.ok) return failedResult(this.market.name, policy, messagesText(parsed.faults));
    const [fault] = this.#composite.faults();
    if (fault !== undefined) return failedResult(this.market.name, policy, fault);
    this.#composite.sync();
    this.#syncFilters();
    return this.market.answer({ policy: parsed.value });
  }

  processPolicies(policies: readonly (ConsumerPolicy | null)[]): PairingResult[] {
    return policies.map((policy) => this.processPolicy(policy));
  }

  /** The same in turns of `maxConcurrency`; results in their order, after an abort those that are done. */
  async processPoliciesConcurrently(
    policies: readonly (ConsumerPolicy | null)[],
    maxConcurrency = CONCURRENCY,
    signal?: AbortSignal,
  ): Promise<PairingResult[]> {
    const results: PairingResult[] = [];
    const step = maxConcurrency > 0 ? maxConcurrency : CONCURRENCY;
    for (let at = 0; at < policies.length; at += step) {
      if (signal?.aborted === true) break;
      results.push(...this.processPolicies(policies.slice(at, at + step)));
      await Promise.resolve();
    }
    return results;
  }

  getStats(): MarketStats {
    return this.market.stats();
  }

  getFilterStats(policy: ConsumerPolicy): FilterStats {
    return this.filters.filterStats(this.#storage.getAllProviders(), policy);
  }

  getScoringStats(policy: ConsumerPolicy): ScoringStats {
    this.#composite.sync();
    const stats = this.market.scoringStats(policy);
    if (!stats.ok) throw new RangeError(stats.refusal.message);
    return { ...stats.value, scoring_strategy: this.#composite.getName() };
  }

  resetStats(): void {
    this.market.tally.reset();
    this.market.cache.resetStats();
    this.market.cache.clear();
  }

  /** Filters of the chain beyond the usual three are filters of the market, by their names. */
  #syncFilters(): void {
    const { custom } = this.filters;
    const { profiles, plans } = this.market;
    const names = custom.map((filter) => filter.name());
    if (names.join("\n") === (plans.defaults.custom ?? []).join("\n")) return;
    for (const filter of custom) profiles.filters.set(filter.name(), kernelFilterOf(filter));
    plans.defaults.custom = names;
    plans.clear();
  }

  /** Throws when it could not work. */
  validateConfiguration(): void {
    if (this.#composite.listScorers().length === 0) throw new RangeError("no scorer is there");
    const [fault] = this.#composite.faults();
    if (fault !== undefined) throw new RangeError(fault);
  }
}

/** The founding system's front: filter, rank, and the list of both. */
export class DefaultPairingSystem {
  readonly processor: Processor;
  readonly #storage: OriginStorage;
  readonly #nowUs: () => number;

  constructor(storage: OriginStorage, cacheCapacity = 100, nowUs: () => number = () => 0) {
    this.#storage = storage;
    this.#nowUs = nowUs;
    this.processor = new Processor(storage, cacheCapacity, nowUs);
  }

  filterProviders(
    providers: readonly ProviderRecord[],
    policy: ConsumerPolicy,
  ): readonly ProviderRecord[] {
    return this.processor.filterProviders(providers, policy);
  }

  rankProviders(providers: readonly ProviderRecord[], policy: ConsumerPolicy): PairingScore[] {
    return this.processor.rankProviders(providers, policy);
  }

  /** The best of all that is stored, or of exactly those given. */
  getPairingList(
    providers: readonly ProviderRecord[] | null,
    policy: ConsumerPolicy,
  ): ProviderRecord[] {
    if (providers === null) return recordsOf(this.#storage, this.processor.processPolicy(policy));
    const given = new OriginStorage(Math.max(1, providers.length));
    for (const provider of providers) given.addProvider(provider);
    const processor = new Processor(given, 0, this.#nowUs);
    processor.setScoringSystem(this.processor.scoringSystem);
    processor.setTopN(this.processor.getTopN());
    for (const filter of this.processor.filters.custom) processor.filters.add(filter);
    return recordsOf(given, processor.processPolicy(policy));
  }
}

const kernelFilterOf = (filter: Filter): CustomFilter => ({
  name: filter.name(),
  isTransient: false,
  test: (row, index, demand) => {
    const { id, location = "", stake = 0n, features = [] } = index.providerAt(row);
    const provider = { address: id, location, stake, features };
    return filter.apply([provider], policyOf(demand)).length > 0;
  },
});

function recordsOf(storage: OriginStorage, { topProviders, error }: PairingResult) {
  if (error !== null) throw new RangeError(error);
  return topProviders.flatMap(({ address }) => storage.getProvider(address) ?? []);
}
