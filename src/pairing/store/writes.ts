/**
 * What is written, and the statements of it. A run of writes becomes few statements: rows of one kind
 * travel together as one JSON text.
 */
import type { SqlStatement } from "../../lib/sql.ts";

/** A provider as it is kept. */
export interface KeptProvider {
  readonly address: string;
  readonly stake: bigint;
  readonly location: string;
  readonly features: readonly string[];
}

/** Providers of a market that came, changed or left; the version is that of the market afterwards. */
export interface ChangeWrite {
  readonly kind: "change";
  readonly market: string;
  readonly version: number;
  readonly put: readonly KeptProvider[];
  readonly removed: readonly string[];
}

/** A market that consists of these providers from this version on. */
export interface ReplaceWrite {
  readonly kind: "replace";
  readonly market: string;
  readonly version: number;
  readonly put: readonly KeptProvider[];
}

/** A slice of a market that is written anew; it counts once the market is settled at that version. */
export interface FillWrite {
  readonly kind: "fill";
  readonly market: string;
  readonly version: number;
  readonly put: readonly KeptProvider[];
}

/** The market consists of what was filled at this version, and of nothing else. */
export interface SettleWrite {
  readonly kind: "settle";
  readonly market: string;
  readonly version: number;
}

/** A consumer's policy as its document; undefined when it was withdrawn. */
export interface PolicyWrite {
  readonly kind: "policy";
  readonly market: string;
  readonly consumer: string;
  readonly policy: string | undefined;
}

/** The weights of a profile of a market, all of them. */
export interface WeightsWrite {
  readonly kind: "weights";
  readonly market: string;
  readonly profile: string;
  readonly weights: Readonly<Record<string, number>>;
}

/** A ranking for the audit trail; it can be made again from request, version and seed. */
export interface RankingWrite {
  readonly kind: "ranking";
  readonly id: string;
  readonly market: string;
  readonly atMs: number;
  /** Why it is kept: one of a sample, or because it was asked for with explain. */
  readonly reason: "sample" | "explain";
  readonly version: number;
  /** The request as JSON. */
  readonly request: string;
  readonly seed: string;
  /** The profile and its weights at that time, as JSON. */
  readonly scoring: string;
  /** The result as JSON. */
  readonly result: string;
}

/** One write. */
export type StoreWrite =
  | ChangeWrite
  | ReplaceWrite
  | FillWrite
  | SettleWrite
  | PolicyWrite
  | WeightsWrite
  | RankingWrite;

/** How many rows a write is, for bounds. */
export const rowsOf = (write: StoreWrite): number => {
  if (write.kind === "change") return write.put.length + write.removed.length;
  // To replace a market is a row at least, also by nobody.
  return "put" in write ? Math.max(1, write.put.length) : 1;
};

/** The statements of writes, in an order with the same outcome. */
export const statementsOf = (writes: readonly StoreWrite[], nowMs: number): SqlStatement[] => {
  const statements: SqlStatement[] = [];
  let run: Run | undefined;
  const flush = (): void => {
    if (run !== undefined) statements.push(...runStatements(run, nowMs));
    run = undefined;
  };
  for (const write of writes) {
    if (write.kind === "change") {
      if (run === undefined || !takes(run, write)) flush();
      run ??= { market: write.market, version: 0, addresses: new Set(), closed: [], put: [] };
      add(run, write);
      continue;
    }
    flush();
    statements.push(...singleStatements(write, nowMs));
  }
  flush();
  return statements;
};

/** Changes of one market that do not touch a provider twice, so their order does not matter. */
interface Run {
  readonly market: string;
  version: number;
  readonly addresses: Set<string>;
  /** Address and version from which on it is not as it was. */
  readonly closed: (readonly [string, number])[];
  readonly put: ProviderRow[];
}

const takes = ({ market, addresses }: Run, write: ChangeWrite): boolean =>
  market === write.market &&
  !write.removed.some((address) => addresses.has(address)) &&
  !write.put.some(({ address }) => addresses.has(address));

const add = (run: Run, { version, put, removed }: ChangeWrite): void => {
  run.version = Math.max(run.version, version);
  for (const provider of put) {
    run.addresses.add(provider.address);
    run.closed.push([provider.address, version]);
    run.put.push(rowOf(provider, version));
  }
  for (const address of removed) {
    run.addresses.add(address);
    run.closed.push([address, version]);
  }
};

/** Address, version, stake, location and features as they stand in the JSON of a slice. */
type ProviderRow = readonly [string, number, string, string, string];

const rowOf = (provider: KeptProvider, version: number): ProviderRow => {
  const { address, stake, location, features } = provider;
  return [address, version, String(stake), location, JSON.stringify(features)];
};

const runStatements = ({ market, version, closed, put }: Run, nowMs: number): SqlStatement[] => [
  { text: CLOSE, params: [market, JSON.stringify(closed), nowMs] },
  ...(put.length === 0 ? [] : [{ text: PUT, params: [market, JSON.stringify(put)] }]),
  { text: REACH, params: [market, version, nowMs] },
];

const singleStatements = (
  write: Exclude<StoreWrite, ChangeWrite>,
  nowMs: number,
): SqlStatement[] => {
  switch (write.kind) {
    case "replace":
      return [fill(write), ...settle(write, nowMs)];
    case "fill":
      return [fill(write)];
    case "settle":
      return settle(write, nowMs);
    case "policy": {
      const { market, consumer, policy } = write;
      return policy === undefined
        ? [{ text: WITHDRAW, params: [market, consumer] }]
        : [{ text: SET_POLICY, params: [market, consumer, policy, nowMs] }];
    }
    case "weights": {
      const { market, profile, weights } = write;
      return [{ text: SET_WEIGHTS, params: [market, profile, JSON.stringify(weights), nowMs] }];
    }
    case "ranking": {
      const { id, market, atMs, reason, version, request, seed, scoring, result } = write;
      const params = [id, market, atMs, reason, version, request, seed, scoring, result];
      return [{ text: KEEP_RANKING, params }];
    }
    default:
      return write satisfies never;
  }
};

const fill = ({ market, version, put }: FillWrite | ReplaceWrite): SqlStatement => {
  const rows = put.map((provider) => rowOf(provider, version));
  return { text: PUT, params: [market, JSON.stringify(rows)] };
};

const settle = (
  { market, version }: Pick<SettleWrite, "market" | "version">,
  nowMs: number,
): SqlStatement[] => [
  { text: CLOSE_OLD, params: [market, version, nowMs] },
  { text: REACH, params: [market, version, nowMs] },
];

/**
 * Goes through the list, never through the market: as an UPDATE, SQLite looks through the whole list for
 * each provider of the market. CROSS JOIN keeps the list first there; to PostgreSQL it is any join.
 */
const CLOSE = `INSERT INTO pairing_providers
    (market, address, since, until, closed_at, stake, location, features)
  SELECT held.market, held.address, held.since, left_at.version, ?3,
    held.stake, held.location, held.features
  FROM (SELECT value ->> 0 AS address, CAST(value ->> 1 AS BIGINT) AS version FROM {rows:?2}) AS left_at
  CROSS JOIN pairing_providers AS held
  WHERE held.market = ?1 AND held.address = left_at.address
    AND held.until IS NULL AND held.since < left_at.version
  ON CONFLICT (market, address, since) DO UPDATE SET until = excluded.until,
    closed_at = excluded.closed_at`;

/** Written twice it is the same: a transaction may have been done although nobody heard of it. */
const PUT = `INSERT INTO pairing_providers
    (market, address, since, until, closed_at, stake, location, features)
  SELECT ?1, value ->> 0, CAST(value ->> 1 AS BIGINT), NULL, NULL, value ->> 2, value ->> 3,
    value ->> 4
  FROM {rows:?2} WHERE true
  ON CONFLICT (market, address, since) DO UPDATE SET until = NULL, closed_at = NULL,
    stake = excluded.stake, location = excluded.location, features = excluded.features`;

const REACH = `INSERT INTO pairing_markets (market, version, changed_at) VALUES (?1, ?2, ?3)
  ON CONFLICT (market) DO UPDATE SET version = excluded.version, changed_at = excluded.changed_at`;

const CLOSE_OLD = `UPDATE pairing_providers SET until = ?2, closed_at = ?3
  WHERE market = ?1 AND until IS NULL AND since < ?2`;

const SET_POLICY = `INSERT INTO pairing_policies (market, consumer, policy, changed_at)
  VALUES (?1, ?2, ?3, ?4)
  ON CONFLICT (market, consumer) DO UPDATE SET policy = excluded.policy,
    changed_at = excluded.changed_at`;

const WITHDRAW = "DELETE FROM pairing_policies WHERE market = ?1 AND consumer = ?2";

const SET_WEIGHTS = `INSERT INTO pairing_weights (market, profile, weights, changed_at)
  VALUES (?1, ?2, ?3, ?4)
  ON CONFLICT (market, profile) DO UPDATE SET weights = excluded.weights,
    changed_at = excluded.changed_at`;

const KEEP_RANKING = `INSERT INTO rankings
    (id, market, at_ms, reason, version, request, seed, scoring, result)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING`;
