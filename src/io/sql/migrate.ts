/**
 * Brings a database to the schema of this program. Every migration runs once, in one transaction with
 * its row in `schema_migrations`. Of two hosts that start together one is quicker with each; the other
 * one fails there, finds it done, and goes on.
 */
import { numberAt, type SqlDatabase, textAt } from "../../lib/sql.ts";
import { MIGRATIONS } from "./schema.ts";

/** Runs what is missing; resolves to the numbers that ran here. */
export const migrate = async (database: SqlDatabase): Promise<readonly number[]> => {
  await database.transact([TABLE]).catch(() => database.transact([TABLE]));
  const done = await doneIn(database);
  const newest = Math.max(0, ...done.keys());
  if (newest > MIGRATIONS.length) {
    throw new Error(
      `the database has migration ${newest} (${done.get(newest)}), this program knows ${MIGRATIONS.length}: it was used by a newer Paceline`,
    );
  }
  const ran: number[] = [];
  for (const [at, migration] of MIGRATIONS.entries()) {
    const number = at + 1;
    if (done.has(number)) continue;
    // oxlint-disable-next-line no-await-in-loop -- in their order
    if (await runs(database, number, migration)) ran.push(number);
  }
  return ran;
};

/** Whether it ran here; not if another host was quicker. */
const runs = async (
  database: SqlDatabase,
  number: number,
  { name, statements }: (typeof MIGRATIONS)[number],
): Promise<boolean> => {
  const row = {
    text: "INSERT INTO schema_migrations (number, name) VALUES (?1, ?2)",
    params: [number, name],
  };
  try {
    await database.transact([row, ...statements.map((text) => ({ text, params: [] }))]);
    return true;
  } catch (error) {
    if ((await doneIn(database)).has(number)) return false;
    throw error;
  }
};

/** The migrations that the database has had, by number. */
const doneIn = async (database: SqlDatabase): Promise<ReadonlyMap<number, string>> => {
  const rows = await database.query({
    text: "SELECT number, name FROM schema_migrations ORDER BY number",
    params: [],
  });
  return new Map(rows.map((row) => [numberAt(row, 0), textAt(row, 1)]));
};

/** PostgreSQL lets two hosts fail at once over a table that neither has seen; the second try sees it. */
const TABLE = {
  text: "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL)",
  params: [],
};
