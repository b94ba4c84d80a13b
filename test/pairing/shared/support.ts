/** Hosts that share rankings, without processes: a market each, over one store. */
import { RankingCache } from "../../../src/matching/ranking-cache.ts";
import { PairingMarket } from "../../../src/pairing/market.ts";
import type { PairingResult, PairRequest, ProviderRecord } from "../../../src/pairing/protocol.ts";
import { Seals } from "../../../src/pairing/shared/sealed.ts";
import { SharedRankings } from "../../../src/pairing/shared/shared-rankings.ts";
import type { SharedStore } from "../../../src/pairing/shared/store.ts";
import { MARKET, value } from "../support.ts";

export const SECRET = "a secret of these hosts";

/** A store in memory that answers at once, or when it is told to. */
export class MemoryStore implements SharedStore {
  isUp = true;
  isSlow = false;
  readonly values = new Map<string, Buffer>();
  readonly #waiting: (() => void)[] = [];

  get(key: string, done: (value: Buffer | undefined) => void): void {
    if (this.isSlow) this.#waiting.push(() => done(this.values.get(key)));
    else done(this.values.get(key));
  }

  set(key: string, bytes: Buffer): void {
    this.values.set(key, bytes);
  }

  answer(): void {
    for (const done of this.#waiting.splice(0)) done();
  }
}

export interface SharingHost {
  readonly market: PairingMarket;
  readonly shared: SharedRankings;
  readonly pair: (request: PairRequest) => Promise<PairingResult>;
}

interface HostMore {
  readonly secret?: string;
  readonly fromUs?: number;
  readonly program?: string;
}

/** A host with these providers, in this order. */
export function hostOf(
  store: SharedStore,
  providers: readonly ProviderRecord[],
  { secret = SECRET, fromUs = 0, program = "1" }: HostMore = {},
): SharingHost {
  const shared = new SharedRankings({
    store,
    seals: new Seals(secret),
    fromUs,
    ttlMs: 30_000,
    program,
  });
  const market = new PairingMarket({
    name: MARKET,
    maxProviders: 1_048_576,
    profile: "pairing",
    top: 5,
    cache: new RankingCache({ capacity: 100, ttlMs: 30_000 }),
    nowUs: () => performance.now() * 1_000,
    shared,
  });
  for (const provider of providers) market.store.put(provider);
  const pair = async (request: PairRequest) => value(await shared.pair(market, request));
  return { market, shared, pair };
}
