/** What the host keeps of its markets: the database behind the journal, and how a market comes back. */
import { existsSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { DatabaseConfig } from "../../../config/schema.ts";
import { migrate } from "../../io/sql/migrate.ts";
import { openDatabase } from "../../io/sql/open.ts";
import { Journal } from "../../pairing/store/journal.ts";
import { type KeptMarket, PairingStore } from "../../pairing/store/pairing-store.ts";
import type { KeptProvider, StoreWrite } from "../../pairing/store/writes.ts";

/** Rows and rankings that wait while the database is away. */
const JOURNAL_LIMITS = { maxRows: 50_000, maxRankings: 1_000 };

/** Rows that are forgotten at once. */
const PRUNE_ROWS = 5_000;

const NOTHING_KEPT: KeptMarket = { version: undefined, weights: [] };

/** The storage of one host; it outlives the processes that use it. */
export class PairingStorage {
  readonly journal = new Journal(JOURNAL_LIMITS);
  readonly store: PairingStore;
  readonly #config: DatabaseConfig;
  readonly #database: ReturnType<typeof openDatabase>;
  #opened: Promise<void> | undefined;

  constructor(config: DatabaseConfig) {
    this.#config = config;
    this.#database = openDatabase(config);
    this.store = new PairingStore(this.#database);
  }

  /** Brings the database to the schema; once, unless it fails. */
  open(): Promise<void> {
    this.#opened ??= this.#open().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  /** Whether there is anything to bring back: a file that is not there need not be made for that. */
  get isNew(): boolean {
    return this.#config.engine === "sqlite" && !existsSync(this.#config.file);
  }

  /** All of them or none. */
  async write(writes: readonly StoreWrite[], nowMs: number): Promise<void> {
    await this.open();
    await this.store.write(writes, nowMs);
  }

  /** Forgets what is older, part by part, so that nobody waits long. */
  async prune(beforeMs: number): Promise<void> {
    if (this.isNew) return;
    await this.open();
    while (await this.store.prune(beforeMs, PRUNE_ROWS));
  }

  /**
   * Hands out the providers that were kept of a market, a slice a turn of the loop; resolves to what
   * was kept besides. What is still to be written is written first, so that nothing is brought back
   * that was already changed.
   */
  async restore(
    market: string,
    put: (providers: readonly KeptProvider[]) => void,
    signal: AbortSignal,
  ): Promise<KeptMarket> {
    if (this.isNew) return NOTHING_KEPT;
    await this.open();
    await this.journal.settled();
    const weights = await this.store.weights(market);
    const found = (await this.store.markets()).find((one) => one.market === market);
    if (found === undefined) return { version: undefined, weights };
    await this.store.load(found, async (slice) => {
      signal.throwIfAborted();
      put(slice);
      // The next slice is often here already, and a port hands out all it has before anything else.
      await nextTurn();
    });
    return { version: found.version, weights };
  }

  /** Markets that are kept, by name. */
  async names(): Promise<readonly string[]> {
    if (this.isNew) return [];
    await this.open();
    return (await this.store.markets()).map(({ market }) => market);
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  async #open(): Promise<void> {
    await migrate(this.#database);
    await this.store.forgetUnsettled();
  }
}
