/** Subscriptions whose clients went without a word: who comes back with an id gets the same again. */
import type { LogFilter } from "../delivery/filter.ts";
import type { StreamKind, Subscription } from "../delivery/streams.ts";

/** What an id stood for. */
export interface EndedSubscription {
  readonly id: string;
  readonly streamId: string;
  readonly kind: StreamKind;
  readonly filter: LogFilter | undefined;
}

/** Ids that are remembered; clients of one stream share theirs. */
const MAX_ENDED = 10_000;

/** The memory of one chain; it outlives the process that serves the clients. */
export class Ended {
  readonly #byId = new Map<string, EndedSubscription>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): EndedSubscription | undefined {
    return this.#byId.get(id);
  }

  add({ id, streamId, kind, filter }: Subscription): void {
    // The one that ended last is forgotten last.
    this.#byId.delete(id);
    this.#byId.set(id, { id, streamId, kind, filter });
    if (this.#byId.size <= MAX_ENDED) return;
    for (const oldest of this.#byId.keys()) {
      this.#byId.delete(oldest);
      return;
    }
  }
}
