/** Many providers taken in a slice at a time, so that no load holds the loop. */
import { SpreadSet } from "../lib/spread-set.ts";
import { parseProvider, faultText } from "./provider.ts";
import type { LoadReport, ProviderRecord, RejectedItem } from "./protocol.ts";
import type { ProviderStore } from "./provider-store.ts";

/** Providers a slice: each may move the making of some orders on, which takes far longer than itself. */
export const LOAD_SLICE = 10;
/** Refused ones that a report names. */
const MOST_NAMED = 100;

/** One load. */
export class LoadJob {
  readonly market: string;
  readonly mode: "replace" | "add";
  /** Where they go: a store of their own for `replace`, until it is whole. */
  readonly store: ProviderStore;
  /** Those taken in by the last slice. */
  taken: ProviderRecord[] = [];
  readonly #providers: readonly unknown[];
  readonly #nameOf: () => string;
  /** What an addition has brought; a store of its own holds nothing else. */
  readonly #seen = new SpreadSet();
  readonly #rejected: RejectedItem[] = [];
  #at = 0;
  #accepted = 0;
  #refused = 0;

  constructor(
    market: string,
    mode: "replace" | "add",
    store: ProviderStore,
    providers: readonly unknown[],
    nameOf: () => string,
  ) {
    this.market = market;
    this.mode = mode;
    this.store = store;
    this.#providers = providers;
    this.#nameOf = nameOf;
  }

  /** Takes the next slice in; true when all have been looked at. */
  step(): boolean {
    const end = Math.min(this.#at + LOAD_SLICE, this.#providers.length);
    this.taken = [];
    for (; this.#at < end; this.#at++) this.#take(this.#providers[this.#at]);
    return this.#at === this.#providers.length;
  }

  /** What became of them. */
  report(size: number, version: number): LoadReport {
    return {
      accepted: this.#accepted,
      rejected: this.#rejected,
      rejectedCount: this.#refused,
      size,
      version,
    };
  }

  #take(input: unknown): void {
    const parsed = parseProvider(input, this.#nameOf);
    const error = parsed.ok ? this.#put(parsed.value) : faultText(parsed.faults);
    if (error === undefined) return;
    this.#refused++;
    if (this.#rejected.length < MOST_NAMED) this.#rejected.push({ index: this.#at, error });
  }

  #put(provider: ProviderRecord): string | undefined {
    const { address } = provider;
    const isOwn = this.mode === "replace";
    const isTwice = isOwn ? this.store.has(address) : this.#seen.has(address);
    if (isTwice) return `duplicate address ${address}`;
    const error = this.store.put(provider);
    if (error !== undefined) return error;
    if (!isOwn) this.#seen.add(address);
    this.taken.push(provider);
    this.#accepted++;
    return undefined;
  }
}
