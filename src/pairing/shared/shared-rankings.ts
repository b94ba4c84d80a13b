/**
 * Rankings that hosts share through a store outside. It is asked only for what is not kept here and takes
 * long to make, and whatever it lacks, delays or forges is made here.
 *
 * What names a ranking is everything that it follows from: who is in the market, how they are scored, what
 * is asked, and by which program. Hosts whose markets differ in anything have no name in common, so a
 * ranking is never stale. The store keeps it for as long as it would be kept here.
 */
import { hash } from "node:crypto";
import { bindingOf } from "../../matching/binding.ts";
import type { Plan } from "../../matching/compile.ts";
import { rankKnown } from "../../matching/known-picks.ts";
import { builtInName } from "../../matching/scorers/built-in.ts";
import type { MadeRanking, PairingMarket, RankingTeller } from "../market.ts";
import type { PairingResult, PairRequest, Reply } from "../protocol.ts";
import { expectedUs, mostUs } from "./cost.ts";
import { MAX_SEALED_BYTES, type Seals } from "./sealed.ts";
import type { SharedStore } from "./store.ts";

/** What rankings are shared with. */
export interface SharedRankingsOptions {
  readonly store: SharedStore;
  readonly seals: Seals;
  /** Rankings that take less, µs, are made here. */
  readonly fromUs: number;
  /** How long one is good, ms. */
  readonly ttlMs: number;
  /** What two programs must have in common, to rank alike to the last bit. */
  readonly program: string;
}

/** What became of what was asked and told. */
export type SharedCounts = Record<
  | "hit"
  /** Not there, or not in time. */
  | "miss"
  /** Forged, foreign, or no ranking of this market. */
  | "refused"
  /** The market had changed before the answer came. */
  | "changed"
  | "written",
  number
>;

/** Stands before the keys. */
const PREFIX = "ranking:";

/** One host's way to them. */
export class SharedRankings implements RankingTeller {
  readonly counts: SharedCounts = { hit: 0, miss: 0, refused: 0, changed: 0, written: 0 };
  readonly #options: SharedRankingsOptions;

  constructor(options: SharedRankingsOptions) {
    this.#options = options;
  }

  /** For the sums of what markets hold. */
  get contentKey(): string {
    return this.#options.seals.contentKey;
  }

  /** Answers a request: at once from what is kept here or quick to make, else after asking the store. */
  pair(
    market: PairingMarket,
    request: PairRequest,
  ): Reply<PairingResult> | Promise<Reply<PairingResult>> {
    const key = this.#worthAsking(market, request);
    if (key === undefined) return market.pair(request);
    return new Promise((resolve) => {
      this.#options.store.get(key, (value) => {
        if (value === undefined) this.counts.miss++;
        else this.counts[this.#take(market, request, key, value)]++;
        resolve(market.pair(request));
      });
    });
  }

  /** Tells the others of a ranking that took long to make. */
  tell(market: PairingMarket, made: MadeRanking): void {
    const { store, seals, fromUs, ttlMs } = this.#options;
    const { plan, seed, outcome, tookUs } = made;
    if (tookUs < fromUs || !store.isUp) return;
    const key = this.#keyOf(market, plan, seed);
    if (key === undefined) return;
    const { picks, left, survivors } = outcome;
    const ids = picks.map(({ address }) => address);
    const value = seals.seal(key, { ids, left, survivors: left === 0 ? survivors : undefined });
    if (value.length > MAX_SEALED_BYTES) return;
    this.counts.written++;
    store.set(key, value, ttlMs);
  }

  /** The key of a request whose ranking is worth waiting for. */
  #worthAsking(market: PairingMarket, request: PairRequest): string | undefined {
    const { store, fromUs } = this.#options;
    if (!store.isUp || !market.isCaching || request.explain === true) return undefined;
    // In a small market none is, and the request is looked up once.
    if (mostUs(market.store.size) < fromUs) return undefined;
    const compiled = market.plans.planOf(request);
    if (!compiled.ok) return undefined;
    const { plan } = compiled;
    const { seed = 0 } = request;
    if (market.isKept(plan, seed)) return undefined;
    if (expectedUs(bindingOf(plan, market.store.index)) < fromUs) return undefined;
    return this.#keyOf(market, plan, seed);
  }

  #take(
    market: PairingMarket,
    request: PairRequest,
    key: string,
    value: Buffer,
  ): "hit" | "refused" | "changed" {
    const compiled = market.plans.planOf(request);
    const { seed = 0 } = request;
    if (!compiled.ok || this.#keyOf(market, compiled.plan, seed) !== key) return "changed";
    const { plan } = compiled;
    const found = this.#options.seals.open(key, value);
    const picks =
      found === undefined ? undefined : rankKnown(plan, market.store.index, seed, found);
    if (found === undefined || picks === undefined) return "refused";
    market.keep(plan, picks, found);
    return "hit";
  }

  /** Undefined where others could not rank alike, since code from outside has a say. */
  #keyOf(market: PairingMarket, plan: Plan, seed: number | string): string | undefined {
    const { content, size } = market.store;
    const scorers = plan.composite.scorers.map(({ name, scorer, weight }) => {
      return [name, builtInName(scorer), weight] as const;
    });
    const isOurs = plan.custom.length === 0 && scorers.every(([, kind]) => kind !== undefined);
    if (content === undefined || !isOurs) return undefined;
    const decides = plan.demand.mode === "top" ? undefined : [typeof seed, seed];
    const all = [
      this.#options.program,
      market.name,
      size,
      content.text,
      scorers,
      plan.text,
      decides,
    ];
    return PREFIX + hash("sha256", JSON.stringify(all), "hex");
  }
}
