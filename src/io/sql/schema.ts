/**
 * The one schema of all domains, as numbered migrations: what has run somewhere is never changed, a
 * change is a new one at the end. Whole numbers are below 2^53; larger ones (stakes) are text.
 *
 * A market's providers are kept with the versions of the market from which and until which they held,
 * so that the market can be read as it was at any version whose rows are not pruned yet. What was
 * written of a version counts only once `pairing_markets` has reached it.
 */

/** One step of the schema. */
export interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

/** In their order; the first has number 1. */
export const MIGRATIONS: readonly Migration[] = [
  {
    name: "pairing",
    statements: [
      `CREATE TABLE pairing_markets (
        market TEXT PRIMARY KEY, version BIGINT NOT NULL, changed_at BIGINT NOT NULL)`,
      `CREATE TABLE pairing_providers (
        market TEXT NOT NULL, address TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
        closed_at BIGINT, stake TEXT NOT NULL, location TEXT NOT NULL, features TEXT NOT NULL,
        PRIMARY KEY (market, address, since)) {clustered}`,
      `CREATE INDEX pairing_providers_closed ON pairing_providers (closed_at)
        WHERE closed_at IS NOT NULL`,
      `CREATE TABLE pairing_policies (
        market TEXT NOT NULL, consumer TEXT NOT NULL, policy TEXT NOT NULL,
        changed_at BIGINT NOT NULL, PRIMARY KEY (market, consumer))`,
      `CREATE TABLE rankings (
        id TEXT PRIMARY KEY, market TEXT NOT NULL, at_ms BIGINT NOT NULL, reason TEXT NOT NULL,
        version BIGINT NOT NULL, request TEXT NOT NULL, seed TEXT NOT NULL, scoring TEXT NOT NULL,
        result TEXT NOT NULL)`,
      "CREATE INDEX rankings_at ON rankings (at_ms)",
      "CREATE INDEX rankings_market_at ON rankings (market, at_ms)",
    ],
  },
  {
    name: "pairing weights",
    statements: [
      `CREATE TABLE pairing_weights (
        market TEXT NOT NULL, profile TEXT NOT NULL, weights TEXT NOT NULL,
        changed_at BIGINT NOT NULL, PRIMARY KEY (market, profile))`,
    ],
  },
];
