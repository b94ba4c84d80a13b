/**
 * Where the chain's head is, given what each provider says (json-rpc reference 8).
 *
 * A lone provider that is wrong must neither lead nor drag: reports that run ahead faster than the
 * chain can are left out, the rest is cut into clusters, and the tip is the second-highest report of
 * the largest one. The tip is monotonic; it falls only for a reorg that most providers confirm.
 */
import type { HeadView } from "../chain-view.ts";
import type { ProviderId } from "../ids.ts";
import { BlockTime } from "./block-time.ts";
import { HeadHashes, RING_BLOCKS } from "./head-hashes.ts";

/** One provider's word on the head. */
export interface HeadReport {
  readonly provider: ProviderId;
  readonly number: number;
  readonly hash: string | undefined;
  /** Known of pushed heads. */
  readonly parentHash?: string | undefined;
  readonly atMs: number;
  readonly source: "ws" | "poll";
}

/** What a report did to the truth. */
export interface HeadChange {
  /** The report runs ahead faster than the chain can: it does not count for now. */
  readonly isTooFast: boolean;
  /** The tip has risen, fallen or changed its hash. */
  readonly hasMoved: boolean;
  /** The tip has fallen: most providers confirmed a shorter branch. */
  readonly isRollback: boolean;
  /** A fall of more than 1,024 blocks was refused: only an operator can accept it. */
  readonly isRefused: boolean;
}

/** How far behind a provider is, in blocks. */
export interface Lag {
  /** With the blocks it has probably made since it last reported; at least 0. */
  readonly optimistic: number;
  /** As reported; negative for a head above the tip. */
  readonly raw: number;
}

/** Configuration of a chain's head truth. */
export interface HeadTruthOptions {
  /** Configured block time, ms; learned when absent. */
  readonly blockTimeMs?: number | undefined;
  /** Where the tip's hashes are kept; its own when absent. */
  readonly hashes?: HeadHashes | undefined;
  /** The tip that was served before a restart: it does not fall because of that. */
  readonly last?: HeadView | undefined;
}

const assumedBlockTimeMs = 12_000;
const leastFreshMs = 30_000;
const freshBlocks = 3;
const leastStaleMs = 10_000;
const gateSlackBlocks = 5;
const optimismMs = 30_000;
const confirmationsToFall = 3;
const deepestFall = 1_024;

/** Keeps the reports of one chain and the served tip. */
export class HeadTruth {
  readonly #configuredMs: number | undefined;
  readonly #blockTime: BlockTime;
  readonly #reports = new Map<ProviderId, HeadReport>();
  readonly #lastWsMs = new Map<ProviderId, number>();
  readonly #hashes: HeadHashes;
  #tip: { number: number; hash: string | undefined; atMs: number } | undefined;
  /** Two providers have been near the tip; until then it is one provider's word. */
  #isCorroborated = false;
  #fallsConfirmed = 0;
  #falls = 0;

  constructor(options: HeadTruthOptions = {}) {
    this.#configuredMs = options.blockTimeMs;
    this.#blockTime = new BlockTime(options.blockTimeMs ?? assumedBlockTimeMs);
    this.#hashes = options.hashes ?? new HeadHashes();
    const { last } = options;
    if (last === undefined) return;
    this.#tip = { number: last.number, hash: last.hash, atMs: last.atMs };
    this.#falls = last.falls ?? 0;
    this.#isCorroborated = true;
  }

  /** The chain's block time: configured, else learned, else a guess. */
  get blockTimeMs(): number {
    return this.#configuredMs ?? this.#blockTime.ms;
  }

  /** Takes a report and moves the tip where it must. */
  report(report: HeadReport): HeadChange {
    this.#reports.set(report.provider, report);
    if (report.source === "ws") this.#lastWsMs.set(report.provider, report.atMs);
    const { fresh, credible } = this.#judge(report.atMs);
    const isTooFast = !credible.includes(report);
    const tip = this.#tip;
    const cluster = largestCluster(credible, this.#maxGap());
    const leader = cluster[1] ?? cluster[0];
    if (leader === undefined) return { ...unmoved, isTooFast };
    if (tip !== undefined && leader.number < tip.number && this.#isOutvoted(cluster)) {
      return { ...this.#fall(leader, report.atMs), isTooFast };
    }
    if (cluster.length > 1 && leader.number >= (tip?.number ?? 0)) this.#isCorroborated = true;
    if (tip === undefined || leader.number > tip.number) {
      this.#rise(leader, report.atMs);
      return { ...unmoved, isTooFast, hasMoved: true };
    }
    if (leader.number === tip.number) {
      this.#fallsConfirmed = 0;
      return { ...unmoved, isTooFast, hasMoved: this.#rename(tip, leader) };
    }
    return { ...this.#considerFall(tip, leader, fresh, report.atMs), isTooFast };
  }

  /** Forgets a provider that left, or whose word no longer counts. */
  forget(provider: ProviderId): void {
    this.#reports.delete(provider);
    this.#lastWsMs.delete(provider);
  }

  /** The served tip; `undefined` before the first report. */
  get head(): HeadView | undefined {
    if (this.#tip === undefined) return undefined;
    return { ...this.#tip, blockTimeMs: this.blockTimeMs, falls: this.#falls };
  }

  /** Whoever has reported and was not forgotten. */
  get providers(): Iterable<ProviderId> {
    return this.#reports.keys();
  }

  /** The last report of a provider. */
  of(provider: ProviderId): HeadReport | undefined {
    return this.#reports.get(provider);
  }

  /** How far a provider is behind; `undefined` while it never reported: unknown, not 0. */
  lag(provider: ProviderId, nowMs: number): Lag | undefined {
    const report = this.#reports.get(provider);
    if (report === undefined || this.#tip === undefined) return undefined;
    return lagOf(this.#tip.number, report, this.blockTimeMs, nowMs);
  }

  /** True when a provider's newHeads have been silent too long: poll it, resubscribe. */
  isStale(provider: ProviderId, nowMs: number): boolean {
    const lastMs = this.#lastWsMs.get(provider);
    if (lastMs === undefined) return true;
    return nowMs - lastMs > staleAfterMs(this.blockTimeMs);
  }

  /** Accepts the providers' word however far the tip falls; for operators. */
  reset(): void {
    this.#tip = undefined;
    this.#isCorroborated = false;
    this.#fallsConfirmed = 0;
    this.#falls++;
    this.#hashes.clear();
  }

  /** Fresh reports, and those of them that the chain can have reached. */
  #judge(nowMs: number): { fresh: HeadReport[]; credible: HeadReport[] } {
    const freshMs = Math.max(leastFreshMs, freshBlocks * this.blockTimeMs);
    const fresh = [...this.#reports.values()].filter(({ atMs }) => nowMs - atMs < freshMs);
    const tip = this.#tip;
    if (tip === undefined) return { fresh, credible: fresh };
    const ceiling = highestPossible(tip, this.blockTimeMs, nowMs);
    const credible = fresh.filter(({ number }) => number <= ceiling);
    const ahead = fresh.length - credible.length;
    // When most of several agree, or everybody does, the chain did jump.
    const hasJumped = credible.length === 0 || (ahead >= 2 && ahead > credible.length);
    return { fresh, credible: hasJumped ? fresh : credible };
  }

  /** Neighbours further apart than this are not on one head. */
  #maxGap(): number {
    return Math.min(10, Math.max(2, Math.ceil(2_000 / this.blockTimeMs)));
  }

  #rise(leader: HeadReport, nowMs: number): void {
    const tip = this.#tip;
    if (tip !== undefined) this.#blockTime.advance(leader.number - tip.number, nowMs - tip.atMs);
    this.#tip = { number: leader.number, hash: leader.hash, atMs: nowMs };
    this.#fallsConfirmed = 0;
    this.#remember(leader);
  }

  #rename(tip: { hash: string | undefined }, leader: HeadReport): boolean {
    if (leader.hash === undefined || leader.hash === tip.hash) return false;
    tip.hash = leader.hash;
    this.#remember(leader);
    return true;
  }

  /** A lower leader is a laggard, unless most fresh providers are on another branch three times. */
  #considerFall(
    tip: { readonly number: number },
    leader: HeadReport,
    fresh: readonly HeadReport[],
    nowMs: number,
  ): Omit<HeadChange, "isTooFast"> {
    const dissenters = fresh.filter((report) => this.#isOnOtherBranch(report, tip.number));
    if (dissenters.length * 2 <= fresh.length) {
      this.#fallsConfirmed = 0;
      return unmoved;
    }
    this.#fallsConfirmed++;
    if (this.#fallsConfirmed < confirmationsToFall) return unmoved;
    if (tip.number - leader.number > deepestFall) return { ...unmoved, isRefused: true };
    return this.#fall(leader, nowMs);
  }

  #fall(leader: HeadReport, nowMs: number): Omit<HeadChange, "isTooFast"> {
    this.#tip = { number: leader.number, hash: leader.hash, atMs: nowMs };
    this.#fallsConfirmed = 0;
    this.#falls++;
    this.#hashes.cut(leader.number);
    this.#remember(leader);
    return { hasMoved: true, isRollback: true, isRefused: false };
  }

  /**
   * The tip is the word of one provider that spoke first, and several agree on another one: it was
   * never the truth, however far below the others are.
   */
  #isOutvoted(cluster: readonly HeadReport[]): boolean {
    if (this.#isCorroborated || cluster.length < 2) return false;
    this.#isCorroborated = true;
    return true;
  }

  #isOnOtherBranch({ number, hash }: HeadReport, tipNumber: number): boolean {
    if (number >= tipNumber || hash === undefined) return false;
    const known = this.#hashes.at(number);
    // Out of the ring's reach the hash cannot be compared: so deep a fall is another branch.
    return known === undefined ? tipNumber - number >= RING_BLOCKS : known !== hash;
  }

  #remember({ number, hash, parentHash }: HeadReport): void {
    if (hash !== undefined) this.#hashes.set(number, hash);
    if (parentHash !== undefined) this.#hashes.set(number - 1, parentHash);
  }
}

const unmoved: HeadChange = {
  isTooFast: false,
  hasMoved: false,
  isRollback: false,
  isRefused: false,
};

/** The largest group of reports without a gap, highest first; the tip is its second, or its only one. */
const largestCluster = (reports: readonly HeadReport[], maxGap: number): readonly HeadReport[] => {
  const sorted = [...reports].sort((a, b) => b.number - a.number);
  let best: HeadReport[] = [];
  let cluster: HeadReport[] = [];
  for (const report of sorted) {
    const lowest = cluster.at(-1);
    if (lowest !== undefined && lowest.number - report.number > maxGap) cluster = [];
    cluster.push(report);
    // From high to low, so that an equally large higher cluster stays.
    if (cluster.length > best.length) best = cluster;
  }
  return best;
};

/** How far a report is behind a tip, with the blocks made since, of 30 s at most. */
export const lagOf = (
  tip: number,
  report: Pick<HeadReport, "number" | "atMs">,
  blockTimeMs: number,
  nowMs: number,
): Lag => {
  const elapsedMs = Math.min(Math.max(0, nowMs - report.atMs), optimismMs);
  const raw = tip - report.number;
  return { raw, optimistic: Math.max(0, raw - Math.floor(elapsedMs / blockTimeMs)) };
};

/** The highest block that the chain can have reached: twice its pace since the tip, and a little. */
export const highestPossible = (
  tip: { readonly number: number; readonly atMs: number },
  blockTimeMs: number,
  nowMs: number,
): number =>
  tip.number + Math.ceil((2 * Math.max(0, nowMs - tip.atMs)) / blockTimeMs) + gateSlackBlocks;

/** How long heads may be silent before something is wrong, ms. */
export const staleAfterMs = (blockTimeMs: number): number =>
  Math.max(freshBlocks * blockTimeMs, leastStaleMs);

/** How often to ask a provider without live heads, ms. */
export const pollIntervalMs = (blockTimeMs: number): number =>
  Math.min(30_000, Math.max(2_000, blockTimeMs));
