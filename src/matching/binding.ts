/**
 * A plan looked up in one market: which bitsets, which columns, what of the score is constant. It holds
 * until the market's structure or the profile changes, so that most matches look nothing up.
 */
import type { Plan } from "./compile.ts";
import { Conjunction } from "./paths/conjunction.ts";
import { filtersOf } from "./filters/chain.ts";
import { type BoundFilter, type Clause, passes } from "./filters/filter.ts";
import { canonical } from "./canonical.ts";
import { type Part, partKeyOf } from "./index/part.ts";
import type { ProviderIndex } from "./index/provider-index.ts";
import type { BoundedSums } from "./index/score-board.ts";
import type { RankOrder } from "./index/static-order.ts";
import { sumOfTerms, sumReaching, Term, weighing } from "./index/term.ts";
import type { MaskView } from "./explain/survivors.ts";
import type { RankView } from "./paths/rank.ts";
import { bindSafely, type BoundScorer, type Scorer } from "./scorers/scorer.ts";
import { priorityScorer } from "./scorers/signals.ts";

/** One scorer of the profile, bound. */
export interface BoundWeighted {
  readonly name: string;
  readonly weight: number;
  readonly bound: BoundScorer;
}

/** How the picks are looked for. */
export type MatchPath = "none" | "listed" | "scan" | "rank" | "bound" | "draw" | "turns" | "sorted";

/** A plan in a market. */
export class Binding {
  readonly index: ProviderIndex;
  readonly plan: Plan;
  /** Names market and demand; what is ranked again and again is looked up by it. */
  readonly cacheKey: string;
  readonly filters: readonly BoundFilter[];
  readonly clauses: readonly Clause[];
  /** The scorers in ascending order of names, the order that they are added in. */
  readonly scorers: readonly BoundWeighted[];
  readonly weightSum: number;
  /** The rows that the bitsets let pass. */
  readonly where: Conjunction;
  /** Tests of a row beyond bitsets; the minimum of the stake apart, for an order may know it. */
  readonly tests: readonly ((row: number) => boolean)[];
  readonly stakeTest: ((row: number) => boolean) | undefined;
  /** Nobody can pass, whatever the columns say. */
  readonly isImpossible: boolean;
  readonly listed: readonly number[] | undefined;
  /** What all demands share of the score, and the most that the rest adds. */
  readonly parts: readonly Part[];
  readonly restMost: number;
  /** Whether all the rest is constant. */
  readonly isRestConstant: boolean;
  /** Whether all but constants is in static parts. */
  readonly isStatic: boolean;
  /** What the ranked path and the reports looked up in turn; theirs alone. */
  rankView: RankView | undefined;
  maskView: MaskView | undefined;
  /** The k-th sum of the last match by bounds: a guess for the next, which checks it. */
  lastKth = Number.NEGATIVE_INFINITY;
  readonly #structure: number;
  readonly #profileVersion: number;
  /** Plans that name ids hold rows, which change hands with versions. */
  readonly #version: number | undefined;
  readonly #terms: readonly Term[];
  /** What the terms after each add at most. */
  readonly #mostAfter: readonly number[];
  /** One scorer orders alike under any weight; only several need their own order for each. */
  readonly #orderParts: readonly Part[];
  #order: RankOrder | undefined;
  #board: BoundedSums | undefined;
  #turns: RankOrder | undefined;

  constructor(plan: Plan, index: ProviderIndex) {
    const { demand, composite } = plan;
    this.plan = plan;
    this.index = index;
    this.cacheKey = `${index.schema.name}\n${plan.text}`;
    this.#structure = index.structure;
    this.#profileVersion = composite.version;
    const namesRows =
      demand.exclude.length > 0 || demand.ids !== undefined || demand.owners !== undefined;
    this.#version = namesRows ? index.version : undefined;
    this.filters = filtersOf(demand, index, plan.custom);
    this.clauses = this.filters.flatMap(({ clauses }) => clauses);
    this.isImpossible = this.clauses.some(
      ({ slots, isNegated }) => slots.length === 0 && !isNegated,
    );
    this.listed = shortest(
      this.filters.flatMap(({ listed }) => (listed === undefined ? [] : [listed])),
    );
    this.stakeTest = this.filters.find(({ name }) => name === "stake")?.test;
    this.tests = this.filters.flatMap(({ name, test }) =>
      test === undefined || name === "stake" ? [] : [test],
    );
    this.where = new Conjunction(this.clauses, index.bits.words, index.bits.counts);
    const weights = new Map(demand.weights);
    this.scorers = composite.scorers.map(({ name, scorer, weight }) => ({
      name,
      weight: weights.get(name) ?? weight,
      bound: bindSafely(scorer, index, demand),
    }));
    this.#terms = this.scorers.map(({ weight, bound }) => termOf(bound, weight));
    this.#mostAfter = this.scorers.map((_, i) => mostOf(this.scorers.slice(i + 1)));
    this.weightSum = this.scorers.reduce((sum, { weight }) => sum + weight, 0);
    const varying = this.scorers.map(
      ({ bound, weight }) => weight > 0 && bound.constant === undefined,
    );
    const parts = composite.scorers.map(({ scorer }, i) => {
      const { weight = 0, bound } = this.scorers[i] ?? {};
      const isShared = varying[i] === true && bound?.kind !== "demand";
      return isShared ? bindPart(scorer, weight, index) : undefined;
    });
    this.parts = parts.flatMap((part) => part ?? []);
    const [only] = this.parts;
    this.#orderParts =
      this.parts.length === 1 && only !== undefined
        ? [{ ...only, term: weighing(only.term, 1) }]
        : this.parts;
    this.restMost = mostOf(this.scorers.filter((_, i) => parts[i] === undefined));
    this.isRestConstant = varying.every((varies, i) => !varies || parts[i] !== undefined);
    this.isStatic = this.scorers.every(
      (_, i) => varying[i] === false || parts[i]?.isSignal === false,
    );
  }

  /** Whether nothing has changed that was looked up. */
  isCurrent(index: ProviderIndex): boolean {
    return (
      this.index === index &&
      this.#structure === index.structure &&
      this.#profileVersion === this.plan.composite.version &&
      (this.#version === undefined || this.#version === index.version)
    );
  }

  /** The exact raw sum of a row: weighted scores in ascending order of names. */
  sumOf(row: number): number {
    return sumOfTerms(this.#terms, row);
  }

  /** The same, or something below `need` for a row that is too far below it for what rounding may do. */
  sumReaching(row: number, need: number): number {
    return sumReaching(this.#terms, this.#mostAfter, row, need);
  }

  /** The score that is shown for a raw sum. */
  shown(sum: number): number {
    return this.weightSum === 0 ? 0 : sum / this.weightSum;
  }

  /** Whether a row that the bitsets let pass passes the tests as well. */
  admits(row: number): boolean {
    const { tests } = this;
    for (let i = 0; i < tests.length; i++) if (tests[i]?.(row) === false) return false;
    return true;
  }

  /** `admits`, and the stake is enough. */
  admitsAll(row: number): boolean {
    return this.stakeTest?.(row) !== false && this.admits(row);
  }

  /** Whether a row passes every filter. */
  survives(row: number): boolean {
    return this.filters.every((filter) => passes(filter, row, this.index));
  }

  /** The order of a score that is all static; `undefined` while it is made, or with too many kept. */
  order(): RankOrder | undefined {
    if (!this.isStatic || !this.isShared) return undefined;
    this.#order ??= this.index.derived.order(this.#orderParts);
    return this.#order;
  }

  /** The sums of the shared parts, likewise; not worth making while an order is on its way. */
  board(): BoundedSums | undefined {
    if (this.parts.length === 0 || !this.isShared) return undefined;
    const { derived } = this.index;
    if (this.isStatic && derived.hasOrder(this.#orderParts)) return undefined;
    this.#board ??= derived.board(this.parts);
    return this.#board;
  }

  /** The rows by priority, in which they take turns; `undefined` while they are put in order. */
  turns(): RankOrder | undefined {
    const parts = this.#turnParts();
    if (parts !== undefined) this.#turns ??= this.index.derived.order(parts);
    return this.#turns;
  }

  /** Whether turns are being put in order: until then to find whose turn it is takes long in a large market. */
  awaitsTurns(): boolean {
    const parts = this.#turnParts();
    if (parts === undefined || this.turns() !== undefined) return false;
    return this.index.derived.hasOrder(parts);
  }

  #turnParts(): readonly Part[] | undefined {
    if (this.index.columns.get("priority")?.isFact === false) return undefined;
    const part = bindPart(priorityScorer, 1, this.index);
    return part === undefined ? undefined : [part];
  }

  /** Weights of one demand alone are no reason to keep an order or a board of the whole market. */
  private get isShared(): boolean {
    return this.parts.length <= 1 || this.plan.demand.weights.length === 0;
  }
}

/** The binding of a plan to a market, made anew when it must be. */
export function bindingOf(plan: Plan, index: ProviderIndex): Binding {
  const known = plan.binding;
  if (known?.isCurrent(index) === true) return known;
  plan.binding = new Binding(plan, index);
  return plan.binding;
}

/** What some scorers add to a sum at most. */
const mostOf = (scorers: readonly BoundWeighted[]): number =>
  scorers.reduce(
    (sum, { weight, bound: { constant, most = 1 } }) => sum + weight * (constant ?? most),
    0,
  );

const shortest = (lists: readonly (readonly number[])[]): readonly number[] | undefined =>
  lists.toSorted((a, b) => a.length - b.length)[0];

/** A scorer as all demands see it: without the minimum of one of them. None, if it cannot be so bound. */
const bindPart = (scorer: Scorer, weight: number, index: ProviderIndex): Part | undefined => {
  const bound = bindSafely(scorer, index, ANY);
  if (bound.kind === "demand") return undefined;
  return {
    scorer,
    key: partKeyOf(scorer),
    column: bound.column,
    isSignal: bound.kind === "signal",
    ofStake: bound.ofStake,
    term: termOf(bound, weight),
  };
};

const termOf = ({ score, constant, reading }: BoundScorer, weight: number): Term =>
  new Term(weight, score, constant, reading);

const ANY = canonical({ profile: "" });
