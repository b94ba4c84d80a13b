/**
 * The subscriptions of one upstream connection: what is wanted against what is open.
 *
 * At most one subscription per stream is open or asked for, whatever happens in which order; an id
 * that turns up without being wanted is given back. The ledger is empty after every disconnect.
 */
import type { RaceEvent } from "../race/settled-race.ts";

/** What has to be sent to bring both sides together. */
export type LedgerStep =
  | { readonly type: "subscribe"; readonly event: RaceEvent }
  | { readonly type: "unsubscribe"; readonly id: string };

/** Keeps the upstream subscriptions of one connection. */
export class UpstreamLedger {
  readonly #wanted = new Set<RaceEvent>();
  readonly #asked = new Set<RaceEvent>();
  readonly #refused = new Set<RaceEvent>();
  readonly #open = new Map<RaceEvent, string>();
  readonly #events = new Map<string, RaceEvent>();

  /** Subscriptions that are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Subscribe requests without an answer. */
  get isAsking(): boolean {
    return this.#asked.size > 0;
  }

  /** The stream of an upstream subscription id. */
  eventOf(id: string): RaceEvent | undefined {
    return this.#events.get(id);
  }

  /** Streams that are open. */
  get events(): readonly RaceEvent[] {
    return [...this.#open.keys()];
  }

  want(event: RaceEvent, isWanted: boolean): void {
    if (isWanted) this.#wanted.add(event);
    else this.#wanted.delete(event);
  }

  /** What to send now; each step is given out once. */
  steps(): readonly LedgerStep[] {
    const steps: LedgerStep[] = [];
    for (const event of this.#wanted) {
      if (this.#open.has(event) || this.#asked.has(event) || this.#refused.has(event)) continue;
      this.#asked.add(event);
      steps.push({ type: "subscribe", event });
    }
    for (const event of this.#open.keys()) {
      if (!this.#wanted.has(event)) steps.push(...this.drop(event));
    }
    return steps;
  }

  /** The provider answered a subscribe; a surplus subscription is given back. */
  opened(event: RaceEvent, id: string): readonly LedgerStep[] {
    this.#asked.delete(event);
    if (this.#open.has(event)) return [{ type: "unsubscribe", id }];
    this.#open.set(event, id);
    this.#events.set(id, event);
    return this.#wanted.has(event) ? [] : this.drop(event);
  }

  /** The provider does not serve this stream; it is not asked again on this connection. */
  refused(event: RaceEvent): void {
    this.#asked.delete(event);
    this.#refused.add(event);
  }

  /** Gives a subscription up, e.g. to open it anew. */
  drop(event: RaceEvent): readonly LedgerStep[] {
    const id = this.#open.get(event);
    if (id === undefined) return [];
    this.#open.delete(event);
    this.#events.delete(id);
    return [{ type: "unsubscribe", id }];
  }

  /** The connection is gone and all its subscriptions with it. */
  clear(): void {
    this.#asked.clear();
    this.#refused.clear();
    this.#open.clear();
    this.#events.clear();
  }
}
