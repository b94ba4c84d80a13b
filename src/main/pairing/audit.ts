/** The audit trail on the storage of this host: what is kept, shown, and made again. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { nanoid } from "nanoid";
import { RankingCache } from "../../matching/ranking-cache.ts";
import { PairingMarket } from "../../pairing/market.ts";
import type { MarketBook } from "../../pairing/market-book.ts";
import type { Reply } from "../../pairing/protocol.ts";
import { auditListText, auditText } from "./audit-text.ts";
import type { AuditPort, Replayed } from "../../pairing/rest/handlers.ts";
import { wirePairing } from "../../pairing/rest/wire.ts";
import { AuditTrail, pairAgain } from "../../pairing/store/audit.ts";
import type { StoredRanking } from "../../pairing/store/pairing-store.ts";
import type { PairingStorage } from "./storage.ts";

/** What the trail works with. */
export interface AuditTrailOptions {
  readonly storage: PairingStorage;
  readonly book: MarketBook;
  readonly oneIn: number;
}

/** Makes the trail. */
export const createAudit = ({ storage, book, oneIn }: AuditTrailOptions): AuditPort => {
  const trail = new AuditTrail({
    oneIn,
    newId: () => nanoid(),
    wallNow: Date.now,
    market: (name) => {
      const found = book.find(name);
      return found.ok ? found.value : undefined;
    },
    keep: (write) => storage.journal.note(write),
  });
  let isReplaying = false;

  const read = async <T>(ask: () => Promise<T>): Promise<Reply<T>> => {
    try {
      await storage.open();
      return { ok: true, value: await ask() };
    } catch {
      const message = "the audit trail cannot be read now";
      return { ok: false, refusal: { code: "PAIRING_UNAVAILABLE", message } };
    }
  };

  const one = async (market: string, id: string): Promise<Reply<StoredRanking>> => {
    const found = await read(() => storage.store.ranking(id));
    if (!found.ok) return found;
    if (found.value?.market === market) return { ok: true, value: found.value };
    const message = `the audit trail of ${market} has no pairing ${id.slice(0, 64)}`;
    return { ok: false, refusal: { code: "PAIRING_UNKNOWN_RANKING", message } };
  };

  const replay = async (market: string, id: string): Promise<Reply<Replayed>> => {
    const stored = await one(market, id);
    if (!stored.ok) return stored;
    const loaded = await read(() => marketAt(storage, stored.value));
    if (!loaded.ok) return loaded;
    const again = await pairAgain(stored.value, loaded.value, () => nextTurn());
    if (!again.ok) return again;
    const { isEqual, result } = again.value;
    const { providers } = wirePairing(result);
    return { ok: true, value: { id, isEqual, version: stored.value.version, providers } };
  };

  return {
    note: (market, request, result) => trail.note(market, request, result),
    sample: (market, request, result) => trail.sample(market, request, result),
    list: async (market, limit) => {
      const found = await read(() => storage.store.rankings(market, limit));
      return found.ok ? { ok: true, value: auditListText(found.value) } : found;
    },
    get: async (market, id) => {
      const found = await one(market, id);
      return found.ok ? { ok: true, value: auditText(found.value) } : found;
    },
    replay: async (market, id) => {
      if (isReplaying) {
        const message = "another pairing is being made again";
        return { ok: false, refusal: { code: "PAIRING_NOT_REPLAYABLE", message } };
      }
      isReplaying = true;
      try {
        return await replay(market, id);
      } finally {
        isReplaying = false;
      }
    },
  };
};

/** A market of its own that holds what the stored one held at that version. */
const marketAt = async (
  storage: PairingStorage,
  { market, version }: StoredRanking,
): Promise<PairingMarket> => {
  const maxProviders = Number.MAX_SAFE_INTEGER;
  const made = new PairingMarket({
    name: market,
    maxProviders,
    // What was asked for is stored whole; these are never used.
    profile: "pairing",
    top: 1,
    cache: new RankingCache({ capacity: 0, ttlMs: 0 }),
    nowUs: () => 0,
  });
  await storage.store.load({ market, version }, async (slice) => {
    for (const provider of slice) made.store.put(provider);
    await nextTurn();
  });
  made.store.index.version = version;
  return made;
};
