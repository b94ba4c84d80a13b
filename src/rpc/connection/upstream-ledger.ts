/**
 * The subscriptions of one upstream connection: what is wanted against what is open.
 *
 * At most one subscription per stream is open or asked for, whatever happens in which order. A
 * subscription that is given up stays on the books until the provider has confirmed its end, an id
 * that turns up without being wanted is given back, and what does not come to balance in time is
 * found: nothing leaks unseen. The ledger is empty after every disconnect.
 */
import type { RaceEvent } from "../race/settled-race.ts";

/** What has to be sent to bring both sides together. */
export type LedgerStep =
  | { readonly type: "subscribe"; readonly event: RaceEvent }
  | { readonly type: "unsubscribe"; readonly id: string };

/** What did not come to balance. */
export type LedgerFault =
  /** A subscribe without an answer. */
  | { readonly type: "unanswered"; readonly event: RaceEvent }
  /** A subscription whose end the provider does not confirm, or refuses. */
  | { readonly type: "unended"; readonly id: string };

/** Both sides of the ledger, for operators. */
export interface LedgerReport {
  readonly wanted: readonly RaceEvent[];
  readonly open: readonly RaceEvent[];
  /** Subscribes without an answer. */
  readonly asked: readonly RaceEvent[];
  /** Streams that the provider does not serve at the moment. */
  readonly refused: readonly RaceEvent[];
  /** Subscriptions that are being ended. */
  readonly ending: number;
}

/** How a stream was refused. */
interface Refusal {
  readonly untilMs: number;
  readonly pauseMs: number;
}

/** Time for both sides to come to balance, ms. */
const BALANCE_MS = 10_000;
/** First and longest pause before a refused stream is asked for again, ms. */
const FIRST_PAUSE_MS = 30_000;
const MAX_PAUSE_MS = 3_600_000;

/** Keeps the upstream subscriptions of one connection. */
export class UpstreamLedger {
  readonly #wanted = new Set<RaceEvent>();
  /** Since when an answer is waited for. */
  readonly #asked = new Map<RaceEvent, number>();
  /** Streams of subscribes that were given up; the answer may still come. */
  readonly #late = new Set<RaceEvent>();
  readonly #refused = new Map<RaceEvent, Refusal>();
  readonly #open = new Map<RaceEvent, string>();
  readonly #events = new Map<string, RaceEvent>();
  /** Ids given up, since when; infinitely long ago once told as a fault. */
  readonly #ending = new Map<string, number>();

  /** An answer to a subscribe may still come. */
  get isAsking(): boolean {
    return this.#asked.size > 0 || this.#late.size > 0;
  }

  /** The stream of an upstream subscription id. */
  eventOf(id: string): RaceEvent | undefined {
    return this.#events.get(id);
  }

  /** The subscription was given up, and its last events may be on their way. */
  isEnding(id: string): boolean {
    return this.#ending.has(id);
  }

  /** Streams that are open. */
  get events(): readonly RaceEvent[] {
    return [...this.#open.keys()];
  }

  get report(): LedgerReport {
    return {
      wanted: [...this.#wanted],
      open: this.events,
      asked: [...this.#asked.keys()],
      refused: [...this.#refused.keys()],
      ending: this.#ending.size,
    };
  }

  want(event: RaceEvent, isWanted: boolean): void {
    if (isWanted) this.#wanted.add(event);
    else this.#wanted.delete(event);
  }

  /** What to send now; each step is given out once. */
  steps(nowMs: number): readonly LedgerStep[] {
    const steps: LedgerStep[] = [];
    for (const event of this.#wanted) {
      if (this.#open.has(event) || this.#asked.has(event)) continue;
      if (nowMs < (this.#refused.get(event)?.untilMs ?? nowMs)) continue;
      this.#asked.set(event, nowMs);
      steps.push({ type: "subscribe", event });
    }
    for (const event of this.#open.keys()) {
      if (!this.#wanted.has(event)) steps.push(...this.drop(event, nowMs));
    }
    return steps;
  }

  /** The provider answered a subscribe; a surplus subscription is given back. */
  opened(event: RaceEvent, id: string, nowMs: number): readonly LedgerStep[] {
    this.#answered(event);
    this.#refused.delete(event);
    if (this.#open.has(event)) return this.end(id, nowMs);
    this.#open.set(event, id);
    this.#events.set(id, event);
    return this.#wanted.has(event) ? [] : this.drop(event, nowMs);
  }

  /** The provider does not serve this stream now; it is asked again after a growing pause. */
  refused(event: RaceEvent, nowMs: number): void {
    this.#answered(event);
    if (!this.#open.has(event)) this.#rest(event, nowMs);
  }

  /** Gives a subscription up, e.g. to open it anew. */
  drop(event: RaceEvent, nowMs: number): readonly LedgerStep[] {
    const id = this.#open.get(event);
    if (id === undefined) return [];
    this.#open.delete(event);
    this.#events.delete(id);
    return this.end(id, nowMs);
  }

  /** Ends a subscription, held or not. */
  end(id: string, nowMs: number): readonly LedgerStep[] {
    this.#ending.set(id, nowMs);
    return [{ type: "unsubscribe", id }];
  }

  /** The provider has answered an unsubscribe; `false` says that it knew of none, which is as good. */
  ended(id: string): void {
    this.#ending.delete(id);
  }

  /** The provider cannot end a subscription. */
  unended(id: string): void {
    if (this.#ending.has(id)) this.#ending.set(id, -BALANCE_MS);
  }

  /** What has been out of balance for too long; each fault is given out once. */
  faults(nowMs: number): readonly LedgerFault[] {
    const faults: LedgerFault[] = [];
    for (const [event, sinceMs] of this.#asked) {
      if (nowMs - sinceMs < BALANCE_MS) continue;
      this.#asked.delete(event);
      this.#late.add(event);
      this.#rest(event, nowMs);
      faults.push({ type: "unanswered", event });
    }
    for (const [id, sinceMs] of this.#ending) {
      if (nowMs - sinceMs < BALANCE_MS) continue;
      this.#ending.set(id, Number.POSITIVE_INFINITY);
      faults.push({ type: "unended", id });
    }
    return faults;
  }

  /** The connection is gone and all its subscriptions with it. */
  clear(): void {
    this.#asked.clear();
    this.#late.clear();
    this.#refused.clear();
    this.#open.clear();
    this.#events.clear();
    this.#ending.clear();
  }

  #answered(event: RaceEvent): void {
    if (!this.#late.delete(event)) this.#asked.delete(event);
  }

  #rest(event: RaceEvent, nowMs: number): void {
    const last = this.#refused.get(event)?.pauseMs ?? FIRST_PAUSE_MS / 2;
    const pauseMs = Math.min(MAX_PAUSE_MS, last * 2);
    this.#refused.set(event, { untilMs: nowMs + pauseMs, pauseMs });
  }
}
