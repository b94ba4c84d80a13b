/**
 * What is yet to be written, bounded. The service notes what happened and never waits; a writer takes it
 * in batches. Where more happens than can be kept while the database is away, a market's changes are
 * forgotten and the market is written anew as a whole once it is back, so that the two never drift
 * apart; rankings of the audit trail are just lost, the oldest first.
 */
import {
  type ChangeWrite,
  type PolicyWrite,
  type RankingWrite,
  type ReplaceWrite,
  rowsOf,
  type StoreWrite,
  type WeightsWrite,
} from "./writes.ts";

/** Bounds of a journal. */
export interface JournalLimits {
  /** Rows of changes, policies and weights that wait. */
  readonly maxRows: number;
  /** Rankings that wait. */
  readonly maxRankings: number;
}

/** What a journal had to give up. */
export interface JournalLosses {
  /** Rankings that will not be in the audit trail. */
  readonly rankings: number;
}

type Noted = ChangeWrite | ReplaceWrite | PolicyWrite | WeightsWrite | RankingWrite;

/** Writes in their order. */
export class Journal {
  readonly #limits: JournalLimits;
  readonly #unwritten = new Set<string>();
  #waiting: Noted[] = [];
  #taken: Noted[] = [];
  /** The market that is being written as a whole. */
  #rewriting: string | undefined;
  #rows = 0;
  #rankings = 0;
  #lostRankings = 0;
  #onWork: () => void = () => undefined;
  #onEmpty: (() => void)[] = [];

  constructor(limits: JournalLimits) {
    this.#limits = limits;
  }

  /** Whoever writes hears when there is something to do; what another had taken is the oldest again. */
  adopt(onWork: () => void): void {
    this.#onWork = onWork;
    this.giveBack();
    if (!this.isEmpty) onWork();
  }

  /** Notes a change, a policy, weights or a ranking. */
  note(write: Noted): void {
    const wasEmpty = this.isEmpty;
    if (write.kind === "ranking") this.#noteRanking(write);
    else this.#noteRows(write);
    if (wasEmpty && !this.isEmpty) this.#onWork();
  }

  /** The market is another one: it has to be written as a whole. */
  rewrite(market: string): void {
    const wasEmpty = this.isEmpty;
    this.#forget(market);
    this.#unwritten.add(market);
    if (wasEmpty) this.#onWork();
  }

  /** Nothing waits; what was taken may still be on its way. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#unwritten.size === 0;
  }

  /** Resolves when everything that was noted before is written or given up. */
  settled(): Promise<void> {
    if (this.isEmpty && this.#taken.length === 0 && this.#rewriting === undefined) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#onEmpty.push(resolve);
    });
  }

  /** Rows and rankings that wait. */
  get size(): number {
    return this.#rows + this.#rankings;
  }

  /** A market that has to be written as a whole, if there is one. */
  get unwritten(): string | undefined {
    return this.#unwritten.values().next().value;
  }

  /** That market is being written; what changes from here on is noted again. */
  begin(market: string): void {
    this.#unwritten.delete(market);
    this.#rewriting = market;
  }

  /** The oldest writes, about as many rows; they come back if they cannot be written. */
  take(maxRows: number): readonly StoreWrite[] {
    let rows = 0;
    let count = 0;
    while (count < this.#waiting.length && rows < maxRows) {
      rows += rowsOf(this.#waiting[count] as Noted);
      count++;
    }
    this.#taken = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    return this.#taken;
  }

  /** What was taken, or begun, is written. */
  written(): void {
    for (const write of this.#taken) this.#uncount(write);
    this.#taken = [];
    this.#rewriting = undefined;
    if (!this.isEmpty) return;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }

  /** What was taken, or begun, is not written: it is the oldest again. */
  giveBack(): void {
    this.#waiting = [...this.#taken, ...this.#waiting];
    this.#taken = [];
    if (this.#rewriting !== undefined) this.rewrite(this.#rewriting);
    this.#rewriting = undefined;
  }

  /** What was given up since the last time somebody asked. */
  losses(): JournalLosses {
    const losses = { rankings: this.#lostRankings };
    this.#lostRankings = 0;
    return losses;
  }

  #noteRanking(write: RankingWrite): void {
    if (this.#rankings >= this.#limits.maxRankings) {
      this.#lostRankings++;
      const oldest = this.#waiting.findIndex(({ kind }) => kind === "ranking");
      // All of them are being written: the new one is lost instead.
      if (oldest < 0) return;
      this.#waiting.splice(oldest, 1);
      this.#rankings--;
    }
    this.#rankings++;
    this.#waiting.push(write);
  }

  #noteRows(write: Exclude<Noted, RankingWrite>): void {
    // It will be read with the rest of its market.
    if (concernsMarket(write) && this.#unwritten.has(write.market)) return;
    this.#waiting.push(write);
    this.#rows += rowsOf(write);
    if (this.#rows > this.#limits.maxRows) this.#shrink();
  }

  /** Forgets what was said anew since; then the changes of the market that has most of them. */
  #shrink(): void {
    this.#forgetSuperseded();
    if (this.#rows <= this.#limits.maxRows) return;
    const rows = new Map<string, number>();
    for (const write of this.#waiting) {
      if (!concernsMarket(write)) continue;
      rows.set(write.market, (rows.get(write.market) ?? 0) + rowsOf(write));
    }
    const [largest] = [...rows].sort(([, a], [, b]) => b - a);
    if (largest !== undefined) this.rewrite(largest[0]);
  }

  #forgetSuperseded(): void {
    const later = new Set<string>();
    this.#waiting = this.#waiting.toReversed().filter((write) => {
      const subject = subjectOf(write);
      if (subject === undefined) return true;
      if (later.has(subject)) {
        this.#uncount(write);
        return false;
      }
      later.add(subject);
      return true;
    });
    this.#waiting.reverse();
  }

  #forget(market: string): void {
    const kept = this.#waiting.filter((write) => {
      const isGone = concernsMarket(write) && write.market === market;
      if (isGone) this.#uncount(write);
      return !isGone;
    });
    this.#waiting = kept;
  }

  #uncount(write: Noted): void {
    if (write.kind === "ranking") this.#rankings--;
    else this.#rows -= rowsOf(write);
  }
}

/** Of what a write is the last word, until there is another; undefined for what only adds. */
const subjectOf = (write: Noted): string | undefined => {
  if (write.kind === "policy") return JSON.stringify(["policy", write.market, write.consumer]);
  if (write.kind === "weights") return JSON.stringify(["weights", write.market, write.profile]);
  return undefined;
};

/** What a market written as a whole includes. */
const concernsMarket = ({ kind }: Noted): boolean => kind === "change" || kind === "replace";
