/**
 * The providers of one market in memory: the kernel's index, read and written in the words of pairing.
 * One owner writes; whoever reads sees one version, since nothing here waits.
 */
import { hasBit } from "../lib/bits.ts";
import { OWN_MEMORY, SHARED_MEMORY } from "../matching/index/memory.ts";
import { ProviderIndex } from "../matching/index/provider-index.ts";
import { normalLabel } from "../matching/provider.ts";
import type { ListOptions, ProviderPage, ProviderRecord } from "./protocol.ts";
import { ContentSum } from "./shared/content.ts";

/** Providers of a page when nobody says how many, and at most. */
const PAGE = 100;
const MOST_PAGE = 1_000;
/** Spellings that are remembered; more than a market has features, since features come and go. */
const MOST_SPELLINGS = 4_096;

/** Storage of providers; another one may stand behind the same words. */
export interface ProviderStorage {
  readonly size: number;
  /** Keeps a provider, or replaces the one of its address; a text says why it cannot. */
  readonly put: (provider: ProviderRecord) => string | undefined;
  /** Takes a provider out and answers it. */
  readonly remove: (address: string) => ProviderRecord | undefined;
  readonly get: (address: string) => ProviderRecord | undefined;
  readonly list: (options?: ListOptions) => ProviderPage;
  /** Providers by place. */
  readonly locations: () => Readonly<Record<string, number>>;
}

/** Storage in the kernel's index. */
export class ProviderStore implements ProviderStorage {
  readonly index: ProviderIndex;
  /** What it holds as one number; only where hosts compare. */
  readonly content: ContentSum | undefined;
  /** The kernel compares without case; people see what they wrote. */
  readonly #spellings = new Map<string, string>();

  /** `isShared`: other threads may match in it; `contentKey`: what it holds is to be summed up. */
  constructor(market: string, maxProviders: number, isShared = false, contentKey?: string) {
    this.content = contentKey === undefined ? undefined : new ContentSum(contentKey);
    this.index = new ProviderIndex(
      { name: `pairing:${market}`, maxRows: maxProviders },
      isShared ? SHARED_MEMORY : OWN_MEMORY,
    );
  }

  get size(): number {
    return this.index.size;
  }

  put({ address, stake, location, features }: ProviderRecord): string | undefined {
    const known = this.content === undefined ? undefined : this.get(address);
    const put = this.index.put({ id: address, location, features, stake });
    if (!put.ok) return put.message;
    for (const feature of features) this.#spell(feature.trim());
    if (known !== undefined) this.content?.subtract(known);
    // As it is held, and as it will be taken out again.
    if (this.content !== undefined) this.content.add(this.#recordAt(put.row));
    return undefined;
  }

  /** Whether there is a provider of this address. */
  has(address: string): boolean {
    return this.index.rowOf(address) !== undefined;
  }

  remove(address: string): ProviderRecord | undefined {
    const known = this.get(address);
    if (known === undefined) return undefined;
    this.index.remove(address);
    this.content?.subtract(known);
    return known;
  }

  get(address: string): ProviderRecord | undefined {
    const row = this.index.rowOf(address);
    return row === undefined ? undefined : this.#recordAt(row);
  }

  /** The provider of a row; undefined where there is none. */
  at(row: number): ProviderRecord | undefined {
    return this.index.bits.has(ALL, row) ? this.#recordAt(row) : undefined;
  }

  list({ location, offset = 0, limit = PAGE }: ListOptions = {}): ProviderPage {
    const { index } = this;
    const slot = location === undefined ? ALL : index.locations.slotOf(location);
    if (slot === undefined) return { providers: [], total: 0 };
    const words = index.bits.words[slot] as Int32Array;
    const most = Math.min(Math.max(1, limit), MOST_PAGE);
    const providers: ProviderRecord[] = [];
    let row = Math.max(0, offset);
    for (; row < index.ids.length && providers.length < most; row++) {
      if (hasBit(words, row)) providers.push(this.#recordAt(row));
    }
    const total = index.bits.counts[slot] as number;
    while (row < index.ids.length && !hasBit(words, row)) row++;
    return row < index.ids.length ? { providers, total, next: row } : { providers, total };
  }

  locations(): Readonly<Record<string, number>> {
    const { bits, locations } = this.index;
    const counted = locations.names.map(
      (name, code) => [name, bits.counts[locations.slots[code] as number] as number] as const,
    );
    return Object.fromEntries(counted.filter(([, count]) => count > 0));
  }

  #recordAt(row: number): ProviderRecord {
    const { index } = this;
    return {
      address: index.ids[row] as string,
      stake: index.stakes.at(row),
      location: index.locationAt(row),
      features: index.features.of(row).map((name) => this.#spellings.get(name) ?? name),
    };
  }

  #spell(feature: string): void {
    const name = normalLabel(feature);
    if (this.#spellings.has(name)) return;
    if (this.#spellings.size >= MOST_SPELLINGS) this.#spellings.clear();
    this.#spellings.set(name, feature);
  }
}

/** The bitset of all providers. */
const ALL = 0;
