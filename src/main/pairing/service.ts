/** The pairing service of this host, made of its configuration: the markets, the parts of its tree. */
import { availableParallelism } from "node:os";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { PairingConfig } from "../../../config/schema.ts";
import type { PairingParts } from "../../../supervisors/pairing.ts";
import type { Secret } from "../../lib/secret.ts";
import type { Node } from "../../otp/index.ts";
import { MarketBook } from "../../pairing/market-book.ts";
import type { MarketChange, PairingPort } from "../../pairing/protocol.ts";
import { PairingApi } from "../../pairing/rest/api.ts";
import { Seals } from "../../pairing/shared/sealed.ts";
import { SharedRankings } from "../../pairing/shared/shared-rankings.ts";
import type { SharedStore } from "../../pairing/shared/store.ts";
import { type MarketReading, readMarket } from "../../pairing/store/reading.ts";
import { listsTable } from "../../pairing/lists/shelf.ts";
import type { PairingDoor } from "../../rpc/clients/paired-callers.ts";
import { createAudit } from "./audit.ts";
import { pairHere } from "./batch.ts";
import { createLists } from "./lists.ts";
import { createPairingPort } from "./port.ts";
import type { PairingStorage } from "./storage.ts";
import { version } from "../version.ts";
import { pairInThreads } from "./thread-batch.ts";

/** The service: what its tree is started with, and how it is asked. */
export interface PairingService {
  readonly book: MarketBook;
  readonly parts: PairingParts;
  readonly port: PairingPort;
  /** The REST interface. */
  readonly api: PairingApi;
  /** The lists that callers of the gateway are under; undefined where no chain has any. */
  readonly door: PairingDoor | undefined;
  /** What was kept is there again, as far as it can be read. */
  readonly isWhole: () => boolean;
  /** Tables that must outlive the service's processes. */
  readonly tables: readonly string[];
  /** Lets go of the database. */
  readonly close: () => Promise<void>;
}

/** Where markets are kept, and what their keeper says of failures. */
export interface PairingKeeping {
  readonly storage: PairingStorage;
  readonly retentionMs: number;
  readonly redact: (text: string) => string;
  /** Newest block of a chain; none is known without it. */
  readonly head?: (chain: string) => number | undefined;
}

/** What rankings are shared over with other hosts, where they may be. */
export interface PairingSharing {
  readonly store?: SharedStore | undefined;
  readonly secret?: Secret | undefined;
}

/** Threads beside this one; none when no batch is large enough. */
const threadsOf = ({ threads, threadsFrom, maxPolicies }: PairingConfig["batch"]): number => {
  if (threadsFrom > maxPolicies) return 0;
  return threads === 0 ? availableParallelism() - 1 : threads;
};

const yieldTurn = (): Promise<void> => nextTurn();

/** Workers, when the configuration leaves it open. */
const MOST_AUTO_WORKERS = 10;

/** Makes the service; undefined where there can be no market. */
export function makePairing(
  config: PairingConfig,
  node: Node,
  keeping: PairingKeeping,
  sharing: PairingSharing = {},
): PairingService | undefined {
  const { markets, onDemand, workers, queue, results, cache, errors, batch } = config;
  if (markets.length === 0 && onDemand.most === 0) return undefined;
  const { storage } = keeping;
  const threads = threadsOf(batch);
  const book = new MarketBook({
    markets,
    onDemand,
    cache,
    nowUs: () => performance.now() * 1_000,
    isShared: threads > 0,
    shared: sharedOf(cache, sharing),
  });
  const count = workers === 0 ? Math.min(availableParallelism(), MOST_AUTO_WORKERS) : workers;
  const sizes = markets.map(({ maxProviders }) => maxProviders);
  const maxLoad = Math.max(onDemand.settings.maxProviders, ...sizes);
  const limits = { maxLoad, maxBatch: batch.maxPolicies };
  const audit = createAudit({ storage, book, oneIn: config.audit.oneIn });
  const runner = threads === 0 ? pairHere : pairInThreads(node, threads, batch.threadsFrom);
  const port = createPairingPort({ node, book, limits, batch: runner });
  const { redact, head = () => undefined } = keeping;
  const lists = createLists({ node, book, config: config.lists, head, storage, redact });
  const api = new PairingApi({
    port,
    lists: lists?.port,
    audit,
    limits,
    yieldTurn,
  });
  return {
    book,
    parts: {
      storeWriter: {
        store: storage,
        journal: storage.journal,
        read: (market) => readingOf(book, market),
        yieldTurn,
        retentionMs: keeping.retentionMs,
        redact: keeping.redact,
      },
      directory: { book, yieldTurn, ...restoring(keeping), onChange: noter(book, storage) },
      policyQueue: { capacity: queue.capacity },
      resultBuffer: { capacity: results.capacity },
      worker: {
        onResult: audit.sample,
        errors: { count: errors.threshold, windowMs: errors.windowMs, restart: errors.restart },
      },
      epochClock: lists?.clock,
      intake: { workers: count, drainMs: queue.drainTimeoutMs },
    },
    port,
    api,
    door: lists?.door,
    isWhole: () => book.isWhole && lists?.isServed() !== false,
    tables: lists === undefined ? [] : [listsTable],
    close: () => storage.close(),
  };
}

const sharedOf = (
  { enabled, isShared, sharedFromMs, ttlMs }: PairingConfig["cache"],
  { store, secret }: PairingSharing,
): SharedRankings | undefined => {
  if (!enabled || !isShared || store === undefined || secret === undefined) return undefined;
  return new SharedRankings({
    store,
    seals: new Seals(secret.reveal()),
    fromUs: sharedFromMs * 1_000,
    ttlMs,
    // Logarithms are those of the engine.
    program: `${version} ${process.versions.v8}`,
  });
};

/** How markets come back; errors of a database may quote its URL. */
const restoring = ({
  storage,
  redact,
}: PairingKeeping): Pick<PairingParts["directory"], "restore" | "kept"> => {
  const redacted = (error: unknown): never => {
    throw new Error(redact(error instanceof Error ? error.message : String(error)));
  };
  return {
    restore: (market, put, signal) => storage.restore(market, put, signal).catch(redacted),
    kept: () => storage.names().catch(redacted),
  };
};

/** Notes changes of markets, with the versions that the markets have then. */
const noter =
  (book: MarketBook, { journal }: PairingStorage) =>
  (change: MarketChange): void => {
    const { market, type } = change;
    if (type === "weights") {
      const { profile, weights } = change;
      journal.note({ kind: "weights", market, profile, weights });
      return;
    }
    const version = book.peek(market)?.store.index.version ?? 0;
    if (type === "replaced") {
      const put = change.providers;
      if (put === undefined) journal.rewrite(market);
      else journal.note({ kind: "replace", market, version, put });
      return;
    }
    const put = type === "put" ? change.providers : [];
    const removed = type === "removed" ? [change.address] : [];
    journal.note({ kind: "change", market, version, put, removed });
  };

const readingOf = (book: MarketBook, market: string): MarketReading | undefined => {
  const store = book.peek(market)?.store;
  return store && readMarket(store, () => book.peek(market)?.store === store);
};
