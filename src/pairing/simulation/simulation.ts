/**
 * What pairing would do: made-up providers and consumers, epoch after epoch, with providers that come and
 * go. Equal options give equal figures, but for the times.
 */
import { RankingCache } from "../../matching/ranking-cache.ts";
import { seededRandom } from "../../lib/random.ts";
import { PairingGenerator } from "../generator.ts";
import type { Parsed } from "../fault.ts";
import { drawList, type Place } from "../lists/draw.ts";
import { PairingMarket } from "../market.ts";
import type { ConsumerPolicy, Fault, PairedProvider, PairRequest } from "../protocol.ts";
import { OtherLists, type OtherReport } from "./other-lists.ts";

/** What is played. */
export interface SimulationOptions {
  readonly seed: number;
  readonly providers: number;
  /** Consumers, each with a policy of its own. */
  readonly policies: number;
  readonly epochs: number;
  readonly epochMs: number;
  /** Providers that are replaced by others each second. */
  readonly churnPerSec: number;
  readonly mode: "top" | "weighted";
  readonly top: number;
  /** What every consumer asks otherwise, for a comparison; without it there is none. */
  readonly whatIf?: unknown;
}

/** What is usual. */
export const SIMULATION: SimulationOptions = {
  seed: 1,
  providers: 1_000,
  policies: 100,
  epochs: 1,
  epochMs: 300_000,
  churnPerSec: 0,
  mode: "top",
  top: 5,
};

/** How often a provider was in lists, beside its stake's part of the stake of all that are there now. */
export interface ProviderShare {
  readonly address: string;
  readonly picks: number;
  readonly share: number;
  readonly stakeShare: number;
}

/** What came of it. Shares are 0..1, times in µs. */
export interface SimulationReport {
  readonly options: SimulationOptions;
  /** Providers that were replaced in all. */
  readonly replaced: number;
  readonly rankings: number;
  readonly hitRate: number;
  readonly latencyUs: {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly max: number;
  };
  /** Members that a list of an epoch did not have in the one before, as a share; of every later epoch. */
  readonly changed: readonly number[];
  /** Lists with nobody, by the filter that keeps most away. */
  readonly empty: Readonly<Record<string, number>>;
  /** Those in most lists. */
  readonly shares: readonly ProviderShare[];
  /** Beside the lists as they would be with `options.whatIf`. */
  readonly whatIf?: OtherReport;
}

/** Times that are kept; those of later rankings are not. */
const MOST_TIMES = 1_000_000;
const MOST_SHARES = 10;
const CACHE = { capacity: 100, ttlMs: 30_000 };

/** Plays it, unless its what-if is wrong; `nowUs` is a monotonic clock. */
export function simulate(
  options: SimulationOptions,
  nowUs: () => number,
): Parsed<SimulationReport> {
  const simulation = new Simulation(options, nowUs);
  const faults = simulation.begin();
  if (faults.length > 0) return { ok: false, faults };
  for (let epoch = 0; epoch < options.epochs; epoch++) simulation.play(epoch);
  return { ok: true, value: simulation.report() };
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #market: PairingMarket;
  readonly #generator: PairingGenerator;
  readonly #random: () => number;
  readonly #policies: readonly ConsumerPolicy[];
  readonly #addresses: string[] = [];
  readonly #times: number[] = [];
  readonly #changed: number[] = [];
  readonly #empty = new Map<string, number>();
  readonly #picked = new Map<string, { readonly stake: number; count: number }>();
  #other: OtherLists | undefined;
  #lists: (readonly PairedProvider[])[] = [];
  #rankings = 0;
  #hits = 0;
  #replaced = 0;

  constructor(options: SimulationOptions, nowUs: () => number) {
    const { seed, providers, policies, top } = options;
    this.#options = options;
    this.#random = seededRandom(seed);
    this.#generator = new PairingGenerator(seed);
    this.#market = new PairingMarket({
      name: "simulation",
      maxProviders: providers,
      profile: "pairing",
      top,
      cache: new RankingCache(CACHE),
      nowUs,
    });
    for (const provider of this.#generator.workloadProviders(providers)) {
      this.#market.store.put(provider);
      this.#addresses.push(provider.address);
    }
    this.#policies = this.#generator.workloadPolicies(policies);
  }

  /** Makes ready what lists are compared with; answers what is wrong with it. */
  begin(): readonly Fault[] {
    const { whatIf, mode, top } = this.#options;
    if (whatIf === undefined) return [];
    const other = OtherLists.of(this.#market, this.#policies, { mode, top }, whatIf);
    if (!other.ok) return other.faults;
    this.#other = other.value;
    return [];
  }

  play(epoch: number): void {
    if (epoch > 0) this.#churn(epoch);
    let [fresh, members] = [0, 0];
    const before = this.#lists;
    this.#lists = this.#policies.map((policy, i) => {
      const place = { consumer: `consumer-${i}`, chain: "simulation", epoch };
      const picks = this.#draw(policy, place);
      this.#other?.compare(i, place, picks);
      const known = new Set(before[i]?.map(({ address }) => address));
      for (const { address } of picks) if (!known.has(address)) fresh++;
      members += picks.length;
      return picks;
    });
    if (epoch > 0) this.#changed.push(members === 0 ? 0 : fresh / members);
  }

  report(): SimulationReport {
    const times = Float64Array.from(this.#times).sort();
    const timeAt = (share: number): number =>
      times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0;
    return {
      options: this.#options,
      replaced: this.#replaced,
      rankings: this.#rankings,
      hitRate: this.#rankings === 0 ? 0 : this.#hits / this.#rankings,
      latencyUs: { p50: timeAt(0.5), p95: timeAt(0.95), p99: timeAt(0.99), max: timeAt(1) },
      changed: this.#changed,
      empty: Object.fromEntries(this.#empty),
      shares: this.#shares(),
      ...(this.#other === undefined ? {} : { whatIf: this.#other.report() }),
    };
  }

  /** As many as the rate says have gone by the beginning of this epoch, others in their place. */
  #churn(epoch: number): void {
    const { churnPerSec, epochMs } = this.#options;
    const due = Math.floor((churnPerSec * epochMs * epoch) / 1_000);
    for (; this.#replaced < due && this.#addresses.length > 0; this.#replaced++) {
      const at = Math.floor(this.#random() * this.#addresses.length);
      this.#market.store.remove(this.#addresses[at] as string);
      const provider = this.#generator.demoProvider();
      this.#market.store.put(provider);
      this.#addresses[at] = provider.address;
    }
  }

  #draw(policy: ConsumerPolicy, place: Place): readonly PairedProvider[] {
    const { mode, top } = this.#options;
    const rank = (request: PairRequest): ReturnType<PairingMarket["pair"]> => {
      const reply = this.#market.pair(request);
      if (reply.ok) this.#count(reply.value.processingTimeUs, reply.value.cache === "hit");
      return reply;
    };
    const drawn = drawList(rank, { policy, mode, top }, place);
    if (!drawn.ok) throw new Error(`a made-up policy was refused: ${drawn.refusal.message}`);
    const { picks, blockedBy } = drawn.value;
    for (const { address, stake } of picks) {
      const known = this.#picked.get(address);
      if (known === undefined) this.#picked.set(address, { stake: Number(stake), count: 1 });
      else known.count++;
    }
    if (picks.length === 0) {
      const filter = blockedBy ?? "none";
      this.#empty.set(filter, (this.#empty.get(filter) ?? 0) + 1);
    }
    return picks;
  }

  #count(timeUs: number, isHit: boolean): void {
    this.#rankings++;
    if (isHit) this.#hits++;
    if (this.#times.length < MOST_TIMES) this.#times.push(timeUs);
  }

  #shares(): ProviderShare[] {
    const { store } = this.#market;
    let [all, stakes] = [0, 0];
    for (const { count } of this.#picked.values()) all += count;
    for (const address of this.#addresses) stakes += Number(store.get(address)?.stake ?? 0n);
    return [...this.#picked]
      .map(([address, { count, stake }]) => ({
        address,
        picks: count,
        share: count / all,
        stakeShare: stake / Math.max(1, stakes),
      }))
      .toSorted((a, b) => b.picks - a.picks || (a.address < b.address ? -1 : 1))
      .slice(0, MOST_SHARES);
  }
}
