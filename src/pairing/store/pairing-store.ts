/**
 * Markets, policies and the audit trail in a database. Reads come in slices by address, so that a market
 * of a million providers never stands in memory twice and never holds the event loop up.
 */
import { numberAt, type SqlDatabase, type SqlRow, type SqlValue, textAt } from "../../lib/sql.ts";
import { type KeptProvider, type RankingWrite, statementsOf, type StoreWrite } from "./writes.ts";

/** A market that is kept. */
export interface StoredMarket {
  readonly market: string;
  readonly version: number;
}

/** A consumer's policy that is kept, as its document. */
export interface StoredPolicy {
  readonly market: string;
  readonly consumer: string;
  readonly policy: string;
}

/** The weights of a profile that are kept. */
export interface StoredWeights {
  readonly profile: string;
  readonly weights: Readonly<Record<string, number>>;
}

/** What is kept of a market beside its providers. */
export interface KeptMarket {
  /** Undefined where no provider ever was. */
  readonly version: number | undefined;
  readonly weights: readonly StoredWeights[];
}

/** A ranking of the audit trail. */
export type StoredRanking = Omit<RankingWrite, "kind">;

/** Providers read at once: a slice costs the event loop some milliseconds. */
export const SLICE_ROWS = 1_000;

/** Rankings read at once: an explained one of 64 picks has some 10 KB. */
const RANKINGS_AT_ONCE = 50;

/** What is kept of pairing, over any database. */
export class PairingStore {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  /** All of them or none. */
  write(writes: readonly StoreWrite[], nowMs: number): Promise<void> {
    return this.#database.transact(statementsOf(writes, nowMs));
  }

  /** The markets with the versions that they have reached, by name. */
  async markets(): Promise<readonly StoredMarket[]> {
    const rows = await this.#ask("SELECT market, version FROM pairing_markets ORDER BY market");
    return rows.map((row) => ({ market: textAt(row, 0), version: numberAt(row, 1) }));
  }

  /**
   * Hands out the providers of a market as it was at a version, slice after slice; the database reads
   * the next one meanwhile.
   */
  async load(
    { market, version }: StoredMarket,
    take: (slice: readonly KeptProvider[]) => void | Promise<void>,
  ): Promise<void> {
    const read = (after: string) => this.#ask(SLICE, market, after, version, SLICE_ROWS);
    let coming: Promise<readonly SqlRow[]> | undefined = read("");
    while (coming !== undefined) {
      // oxlint-disable-next-line no-await-in-loop -- a slice begins where the one before it ended
      const rows: readonly SqlRow[] = await coming;
      const last = rows.at(-1);
      coming = last === undefined || rows.length < SLICE_ROWS ? undefined : read(textAt(last, 0));
      // Whoever takes may fail first.
      coming?.catch(() => undefined);
      // oxlint-disable-next-line no-await-in-loop
      if (rows.length > 0) await take(rows.map(providerOf));
    }
  }

  /** Forgets slices of markets that were never settled: the program ended while it wrote them. */
  async forgetUnsettled(): Promise<void> {
    await this.#database.transact([{ text: FORGET_UNSETTLED, params: [] }]);
  }

  /** Policies of all markets. */
  async policies(): Promise<readonly StoredPolicy[]> {
    const rows = await this.#ask(
      "SELECT market, consumer, policy FROM pairing_policies ORDER BY market, consumer",
    );
    return rows.map((row) => ({
      market: textAt(row, 0),
      consumer: textAt(row, 1),
      policy: textAt(row, 2),
    }));
  }

  /** Weights of a market's profiles, of those that were ever changed. */
  async weights(market: string): Promise<readonly StoredWeights[]> {
    const rows = await this.#ask(WEIGHTS, market);
    return rows.map((row) => ({
      profile: textAt(row, 0),
      weights: JSON.parse(textAt(row, 1)) as Record<string, number>,
    }));
  }

  /** The newest rankings of a market, newest first. */
  async rankings(market: string, limit: number): Promise<readonly StoredRanking[]> {
    const found: StoredRanking[] = [];
    for (let after: StoredRanking | undefined; found.length < limit; after = found.at(-1)) {
      const { atMs = Number.MAX_SAFE_INTEGER, id = "" } = after ?? {};
      const most = Math.min(RANKINGS_AT_ONCE, limit - found.length);
      // oxlint-disable-next-line no-await-in-loop -- a slice begins where the one before it ended
      const rows = await this.#ask(NEWEST, market, most, atMs, id);
      found.push(...rows.map(rankingOf));
      if (rows.length < most) break;
    }
    return found;
  }

  /** One ranking by its id. */
  async ranking(id: string): Promise<StoredRanking | undefined> {
    return (await this.#ask(ONE, id)).map(rankingOf)[0];
  }

  /**
   * Forgets rankings from before `beforeMs` and what providers were then, at most about `most` rows of
   * each at a time; resolves to whether there is more.
   */
  async prune(beforeMs: number, most: number): Promise<boolean> {
    const [ranking] = await this.#ask(OLDEST_RANKING, beforeMs, most);
    const [provider] = await this.#ask(OLDEST_PROVIDER, beforeMs, most);
    await this.#database.transact([
      { text: PRUNE_RANKINGS, params: [ranking === undefined ? beforeMs : numberAt(ranking, 0)] },
      {
        text: PRUNE_PROVIDERS,
        params: [provider === undefined ? beforeMs : numberAt(provider, 0)],
      },
    ]);
    return ranking !== undefined || provider !== undefined;
  }

  #ask(text: string, ...params: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    return this.#database.query({ text, params });
  }
}

const SLICE = `SELECT address, stake, location, features FROM pairing_providers
  WHERE market = ?1 AND address > ?2 AND since <= ?3 AND (until IS NULL OR until > ?3)
  ORDER BY address LIMIT ?4`;

const FORGET_UNSETTLED = `DELETE FROM pairing_providers WHERE since >
  COALESCE((SELECT version FROM pairing_markets AS reached
    WHERE reached.market = pairing_providers.market), -1)`;

const WEIGHTS = "SELECT profile, weights FROM pairing_weights WHERE market = ?1 ORDER BY profile";

const RANKING = "id, market, at_ms, reason, version, request, seed, scoring, result";
const NEWEST = `SELECT ${RANKING} FROM rankings WHERE market = ?1 AND at_ms <= ?3
  AND (at_ms < ?3 OR id > ?4) ORDER BY at_ms DESC, id LIMIT ?2`;
const ONE = `SELECT ${RANKING} FROM rankings WHERE id = ?1`;

/** The time up to which `?2` rows go; no row when there are fewer. */
const OLDEST_RANKING =
  "SELECT at_ms + 1 FROM rankings WHERE at_ms < ?1 ORDER BY at_ms LIMIT 1 OFFSET ?2";
const OLDEST_PROVIDER = `SELECT closed_at + 1 FROM pairing_providers WHERE closed_at < ?1
  ORDER BY closed_at LIMIT 1 OFFSET ?2`;
const PRUNE_RANKINGS = "DELETE FROM rankings WHERE at_ms < ?1";
const PRUNE_PROVIDERS = "DELETE FROM pairing_providers WHERE closed_at < ?1";

const providerOf = (row: SqlRow): KeptProvider => ({
  address: textAt(row, 0),
  stake: BigInt(textAt(row, 1)),
  location: textAt(row, 2),
  features: JSON.parse(textAt(row, 3)) as string[],
});

const rankingOf = (row: SqlRow): StoredRanking => ({
  id: textAt(row, 0),
  market: textAt(row, 1),
  atMs: numberAt(row, 2),
  reason: textAt(row, 3) === "explain" ? "explain" : "sample",
  version: numberAt(row, 4),
  request: textAt(row, 5),
  seed: textAt(row, 6),
  scoring: textAt(row, 7),
  result: textAt(row, 8),
});
