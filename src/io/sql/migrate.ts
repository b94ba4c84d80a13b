/**
 * Brings a database to the schema of this program. Every migration runs once, in one transaction with
 * its row in `schema_migrations`. Of two hosts that start together one is quicker; the other one fails,
 * looks again and finds it done.
 */
import { numberAt, type SqlDatabase, textAt } from "../../lib/sql.ts";
import { MIGRATIONS } from "./schema.ts";

/** How often it is tried: once more than another host could be quicker. */
const TRIES = 3;

/** Runs what is missing; resolves to the numbers that ran. */
export const migrate = async (database: SqlDatabase): Promise<readonly number[]> => {
  for (let left = TRIES; ; left--) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- a second try comes after the first
      return await runMissing(database);
    } catch (error) {
      if (left <= 1) throw error;
    }
  }
};

const runMissing = async (database: SqlDatabase): Promise<readonly number[]> => {
  await database.transact([{ text: TABLE, params: [] }]);
  const rows = await database.query({
    text: "SELECT number, name FROM schema_migrations ORDER BY number",
    params: [],
  });
  const done = new Map(rows.map((row) => [numberAt(row, 0), textAt(row, 1)]));
  const newest = Math.max(0, ...done.keys());
  if (newest > MIGRATIONS.length) {
    throw new Error(
      `the database has migration ${newest} (${done.get(newest)}), this program knows ${MIGRATIONS.length}: it was used by a newer Paceline`,
    );
  }
  const missing = MIGRATIONS.map((migration, at) => ({ number: at + 1, ...migration })).filter(
    ({ number }) => !done.has(number),
  );
  for (const { number, name, statements } of missing) {
    const row = {
      text: "INSERT INTO schema_migrations (number, name) VALUES (?1, ?2)",
      params: [number, name],
    };
    // oxlint-disable-next-line no-await-in-loop -- in their order
    await database.transact([row, ...statements.map((text) => ({ text, params: [] }))]);
  }
  return missing.map(({ number }) => number);
};

const TABLE =
  "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL)";
