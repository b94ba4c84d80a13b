/** The founding system's storage of providers, on a market's store. */
import { faultText, generatedAddress, parseProvider } from "../provider.ts";
import type { ConsumerPolicy, ProviderPage, ProviderRecord } from "../protocol.ts";
import { ProviderStore } from "../provider-store.ts";
import { PairingGenerator } from "../generator.ts";

/** Providers that are read at once. */
const PAGE = 1_000;

/** Providers by address. */
export class OriginStorage {
  readonly store: ProviderStore;
  readonly #random: () => number;
  #added = 0;

  /** `random` names providers without an address. */
  constructor(maxProviders = 1_048_576, random: () => number = () => 0) {
    this.store = new ProviderStore("origin", maxProviders);
    this.#random = random;
  }

  /** Adds a provider, or replaces the one of its address; answers its address. A wrong one is an error. */
  addProvider(provider: ProviderRecord): string {
    this.#added++;
    const parsed = parseProvider(provider, () => generatedAddress(this.#added, this.#random()));
    if (!parsed.ok) throw new RangeError(faultText(parsed.faults));
    const error = this.store.put(parsed.value);
    if (error !== undefined) throw new RangeError(error);
    return parsed.value.address;
  }

  getProvider(address: string): ProviderRecord | undefined {
    return this.store.get(address);
  }

  getAllProviders(): ProviderRecord[] {
    const { index } = this.store;
    return [...index.rows()].flatMap((row) => this.store.get(index.ids[row] as string) ?? []);
  }

  getProvidersByLocation(location: string): ProviderRecord[] {
    const found: ProviderRecord[] = [];
    for (let offset: number | undefined = 0; offset !== undefined; ) {
      const page: ProviderPage = this.store.list({ location, offset, limit: PAGE });
      found.push(...page.providers);
      offset = page.next;
    }
    return found;
  }

  removeProvider(address: string): boolean {
    return this.store.remove(address) !== undefined;
  }

  getProviderCount(): number {
    return this.store.size;
  }

  getLocationStats(): Readonly<Record<string, number>> {
    return this.store.locations();
  }
}

/** Storage and policies of the usual mix; equal seeds make equal ones. */
export function generateRealisticWorkload(
  providers: number,
  policies: number,
  seed = 1,
): { readonly storage: OriginStorage; readonly policies: readonly ConsumerPolicy[] } {
  const generator = new PairingGenerator(seed);
  const storage = new OriginStorage();
  for (const provider of generator.workloadProviders(providers)) storage.addProvider(provider);
  return { storage, policies: generator.workloadPolicies(policies) };
}
