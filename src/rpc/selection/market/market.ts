/**
 * A chain's providers as a market of the matching kernel: a row each, the rules as its filters, the
 * strategies as its profiles. It outlives snapshots as long as the providers stay the same; what a
 * ranking or an explanation asks is set before each, and read without a pause, so that plans and
 * bindings are made once.
 */
import type { StrategyName } from "../../../../config/schema.ts";
import { fnv64, type Halves } from "../../../lib/fnv64.ts";
import { type Binding, bindingOf } from "../../../matching/binding.ts";
import { compile, type Plan } from "../../../matching/compile.ts";
import { firstRefusal, type Refusal, refusalsOf } from "../../../matching/explain/why-not.ts";
import type { CustomFilter } from "../../../matching/filters/filter.ts";
import type { Column } from "../../../matching/index/columns.ts";
import { ProviderIndex } from "../../../matching/index/provider-index.ts";
import { inOrder } from "../../../matching/paths/sorted.ts";
import { componentsOf } from "../../../matching/picks.ts";
import { Composite } from "../../../matching/scorers/composite.ts";
import type { Profiles } from "../../../matching/scorers/profiles.ts";
import type { ProviderId } from "../../ids.ts";
import type { Entry } from "../entry.ts";
import { type HardRule, hardRules, isTransient } from "../filters.ts";
import type {
  EndpointView,
  RoutingSnapshot,
  SelectionDemand,
  SelectionRules,
} from "../snapshot.ts";
import { strategies } from "../strategies/registry.ts";
import type { Strategy } from "../strategies/strategy.ts";
import { type ColumnName, type ColumnReader, COLUMNS } from "./columns.ts";

/** One part of a score: the score is the sum of `weight` times `value` over its parts. */
export interface ScorePart {
  readonly name: string;
  /** What was measured or configured, in its own unit; null while unknown. */
  readonly raw: number | string | null;
  readonly value: number;
  readonly weight: number;
}

/** A plan, and what its strategy reads. */
interface StrategyPlan {
  readonly strategy: Strategy;
  readonly plan: Plan;
  readonly columns: readonly { readonly column: Column; readonly read: ColumnReader }[];
}

/** Column of the place: the lower is tried first, whatever the score. */
const PLACE = "place";
const NAMES = Object.keys(COLUMNS) as ColumnName[];

/** The market of one list of providers. */
export class ProviderMarket {
  readonly #index: ProviderIndex;
  readonly #place: Column;
  readonly #profiles: Profiles;
  readonly #hashes: ReadonlyMap<ProviderId, Halves>;
  /** By strategy, then by the rules that are asked for, a bit each. */
  readonly #plans = new Map<StrategyName, Map<number, StrategyPlan>>();
  /** The rules whose weights the profiles have. */
  #rules: Pick<SelectionRules, "weights" | "costBias"> | undefined;
  // What is asked at the moment.
  #snapshot: RoutingSnapshot;
  #demand: SelectionDemand;
  #asked: StrategyPlan;
  /** Its plan in the market, for the rules: these do not look at weights. */
  #binding: Binding;
  /** The providers that were last found to be those of the market. */
  #endpoints: readonly EndpointView[];

  constructor(snapshot: RoutingSnapshot, demand: SelectionDemand) {
    const { chain, endpoints } = snapshot;
    this.#snapshot = snapshot;
    this.#demand = demand;
    this.#index = new ProviderIndex({ name: `rpc:${chain}`, signals: [PLACE, ...NAMES] });
    for (const { provider } of endpoints) this.#index.put({ id: provider });
    this.#hashes = new Map(endpoints.map(({ provider }) => [provider, fnv64(provider)]));
    this.#place = this.#column(PLACE);
    this.#profiles = {
      composites: new Map(Object.values(strategies).map((one) => [one.name, compositeOf(one)])),
      filters: new Map(hardRules.map((rule) => [rule.rule, this.#filterOf(rule)])),
    };
    this.#endpoints = endpoints;
    this.#asked = this.#planOf(snapshot, demand);
    this.#binding = bindingOf(this.#asked.plan, this.#index);
  }

  /** Whether these providers are those of the market, in the order of its rows. */
  isOf(endpoints: readonly EndpointView[]): boolean {
    if (this.#endpoints === endpoints) return true;
    const { ids } = this.#index;
    if (ids.length !== endpoints.length) return false;
    for (let at = 0; at < ids.length; at++) if (ids[at] !== endpoints[at]?.provider) return false;
    this.#endpoints = endpoints;
    return true;
  }

  /** Sets what is asked; what follows answers it. */
  ask(snapshot: RoutingSnapshot, demand: SelectionDemand): this {
    this.#snapshot = snapshot;
    this.#demand = demand;
    this.#asked = this.#planOf(snapshot, demand);
    this.#binding = bindingOf(this.#asked.plan, this.#index);
    return this;
  }

  /** The first rule that refuses the provider at a place in the snapshot. */
  firstRefusal(at: number): Refusal | undefined {
    return firstRefusal(this.#binding, at);
  }

  /** All rules that refuse it. */
  refusals(at: number): readonly Refusal[] {
    return refusalsOf(this.#binding, at);
  }

  /** The hash of a provider's id, by which it draws. */
  hashOf(provider: ProviderId): Halves | undefined {
    return this.#hashes.get(provider);
  }

  /**
   * The entries in the order of the strategy within their places, each as `make` makes it of its score:
   * higher is better, and sticky primaries are compared by it.
   */
  sort<T>(
    entries: readonly Entry[],
    places: readonly number[],
    make: (entry: Entry, score: number, place: number) => T,
  ): T[] {
    const rows: number[] = [];
    for (const { at } of entries) rows.push(at);
    const binding = this.#load(rows, entries);
    this.#index.setValues(this.#place, rows, places);
    const sums: number[] = [];
    for (const row of rows) sums.push(binding.sumOf(row));
    return inOrder(binding, rows, sums).map((i) =>
      make(entries[i] as Entry, binding.shown(sums[i] as number), places[i] as number),
    );
  }

  /** The score of each entry taken apart, in the order of the entries. */
  parts(entries: readonly Entry[]): readonly (readonly ScorePart[])[] {
    const { profile } = this.#asked.strategy;
    const snapshot = this.#snapshot;
    const rows = entries.map(({ at }) => at);
    const binding = this.#load(rows, entries);
    return entries.map((entry) => {
      const components = componentsOf(binding, entry.at);
      return profile.map(({ name: part, raw, weight }) => ({
        name: part,
        raw: raw(entry, snapshot) ?? null,
        value: components[part] ?? 0,
        weight: binding.shown(weight(snapshot.rules)),
      }));
    });
  }

  #filterOf({ rule, find }: HardRule): CustomFilter {
    const found = (row: number) =>
      find(this.#demand, this.#snapshot.endpoints[row] as EndpointView);
    const test = (row: number) =>
      find(this.#demand, this.#snapshot.endpoints[row] as EndpointView) === undefined;
    return { name: rule, isTransient: isTransient(rule), test, found };
  }

  /** The plan of a demand: its strategy, and the rules that it asks for. */
  #planOf({ rules }: RoutingSnapshot, demand: SelectionDemand): StrategyPlan {
    const name = demand.strategy ?? rules.strategy;
    let asked = 0;
    for (let i = 0; i < hardRules.length; i++) {
      if (hardRules[i]?.isAsked(demand) === true) asked |= 1 << i;
    }
    let ofStrategy = this.#plans.get(name);
    if (ofStrategy === undefined) this.#plans.set(name, (ofStrategy = new Map()));
    let plan = ofStrategy.get(asked);
    if (plan === undefined) ofStrategy.set(asked, (plan = this.#compile(name, asked)));
    return plan;
  }

  #compile(name: StrategyName, asked: number): StrategyPlan {
    const strategy = strategies[name];
    const custom = hardRules.flatMap(({ rule }, i) => ((asked & (1 << i)) === 0 ? [] : [rule]));
    const orderBy = [PLACE, ...strategy.orderBy];
    const demand = { profile: name, require: { custom }, pick: { orderBy } };
    const compiled = compile(demand, this.#profiles);
    if (!compiled.ok) throw new TypeError(`strategy ${name}: ${JSON.stringify(compiled.faults)}`);
    const { plan } = compiled;
    const scored = bindingOf(plan, this.#index).scorers.map(({ bound }) => bound.column);
    const read = new Set<string | undefined>([...strategy.orderBy, ...scored]);
    const columns = NAMES.filter((column) => read.has(column)).map((column) => ({
      column: this.#column(column),
      read: COLUMNS[column],
    }));
    return { strategy, plan, columns };
  }

  /** Writes what the strategy reads of the entries in these rows. */
  #load(rows: readonly number[], entries: readonly Entry[]): Binding {
    const { plan, columns } = this.#asked;
    this.#weigh(this.#snapshot.rules);
    for (const { column, read } of columns) {
      this.#index.setValues(column, rows, read(entries, this.#snapshot));
    }
    return bindingOf(plan, this.#index);
  }

  /** Gives the profiles the weights of the chain's rules. */
  #weigh(rules: SelectionRules): void {
    if (this.#rules?.weights === rules.weights && this.#rules.costBias === rules.costBias) return;
    this.#rules = rules;
    for (const { name, profile } of Object.values(strategies)) {
      const composite = this.#profiles.composites.get(name);
      for (const { name: part, weight } of profile) composite?.setWeight(part, weight(rules));
    }
  }

  #column(name: ColumnName | typeof PLACE): Column {
    return this.#index.columns.get(name) as Column;
  }
}

/** The market of a snapshot, asked a demand: the chain's own, made anew when the providers are others. */
export const marketOf = (snapshot: RoutingSnapshot, demand: SelectionDemand): ProviderMarket => {
  const { memory, endpoints } = snapshot;
  if (memory.market?.isOf(endpoints) === true) return memory.market.ask(snapshot, demand);
  memory.market = new ProviderMarket(snapshot, demand);
  return memory.market;
};

const compositeOf = ({ name, description, profile }: Strategy): Composite => {
  const composite = new Composite(name, description);
  for (const { name: part, scorer } of profile) composite.add(part, scorer, 0);
  return composite;
};
