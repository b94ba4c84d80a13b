/** What every database behind `SqlDatabase` must do; one suite over all of them. */
import { expect, it } from "vitest";
import { migrate } from "../../src/io/sql/migrate.ts";
import { MIGRATIONS } from "../../src/io/sql/schema.ts";
import type { SqlDatabase } from "../../src/lib/sql.ts";

/** A database that has nothing in it yet. */
export type OpenDatabase = () => Promise<SqlDatabase> | SqlDatabase;

const ask = (database: SqlDatabase, text: string, ...params: (string | number | null)[]) =>
  database.query({ text, params });

/** Declares the tests. */
export const sqlDatabaseSuite = (open: OpenDatabase): void => {
  it("gives back texts, whole numbers up to 2^53 and nulls as they were", async () => {
    const database = await open();
    const values = ["plain", "ß ∑ 🚴 'quoted' \\ \"", Number.MAX_SAFE_INTEGER, null, -1];
    await database.transact([
      { text: "CREATE TABLE held (a TEXT, b TEXT, c BIGINT, d TEXT, e BIGINT)", params: [] },
      { text: "INSERT INTO held VALUES (?1, ?2, ?3, ?4, ?5)", params: values },
    ]);
    expect(
      await ask(database, "SELECT a, b, c, d, e FROM held WHERE c = ?1", values[2] ?? 0),
    ).toEqual([values]);
  });

  it("does all statements of a transaction or none", async () => {
    const database = await open();
    await database.transact([{ text: "CREATE TABLE one (n INTEGER PRIMARY KEY)", params: [] }]);
    const insert = (n: number) => ({ text: "INSERT INTO one VALUES (?1)", params: [n] });
    await expect(database.transact([insert(1), insert(1)])).rejects.toThrow(/unique/i);
    expect(await ask(database, "SELECT count(*) FROM one")).toEqual([[0]]);
    await database.transact([insert(1), insert(2)]);
    expect(await ask(database, "SELECT n FROM one ORDER BY n")).toEqual([[1], [2]]);
  });

  it("reads a list of rows out of one text", async () => {
    const database = await open();
    const rows = JSON.stringify([
      ["a", 1, '["x"]'],
      ["b", 2, "{}"],
    ]);
    const text =
      "SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), value ->> 2 FROM {rows:?1} WHERE true ORDER BY 1";
    expect(await ask(database, text, rows)).toEqual([
      ["a", 1, '["x"]'],
      ["b", 2, "{}"],
    ]);
  });

  it("says what is wrong with a statement, and goes on", async () => {
    const database = await open();
    await expect(ask(database, "SELECT n FROM nowhere")).rejects.toThrow(/nowhere/);
    expect(await ask(database, "SELECT 1")).toEqual([[1]]);
  });

  it("is brought to the schema once, whoever comes first", async () => {
    const database = await open();
    const all = MIGRATIONS.map((_, at) => at + 1);
    const ran = await Promise.all([migrate(database), migrate(database)]);
    expect(ran.flat().toSorted((a, b) => a - b)).toEqual(all);
    expect(await migrate(database)).toEqual([]);
  });

  it("is brought to the schema where another host is quicker with every step", async () => {
    const database = await open();
    let first = true;
    const slower: SqlDatabase = {
      query: (statement) => database.query(statement),
      close: () => database.close(),
      transact: async (statements) => {
        await database.transact(statements);
        // PostgreSQL lets the slower of two fail over a table that it makes if there is none.
        if (first) {
          first = false;
          throw new Error("duplicate key value");
        }
        await database.transact(statements);
      },
    };
    expect(await migrate(slower)).toEqual([]);
    expect(await migrate(database)).toEqual([]);
  });

  it("is not touched when a newer program has been there", async () => {
    const database = await open();
    await migrate(database);
    const number = MIGRATIONS.length + 1;
    const text = "INSERT INTO schema_migrations (number, name) VALUES (?1, 'later')";
    await database.transact([{ text, params: [number] }]);
    await expect(migrate(database)).rejects.toThrow(`migration ${number} (later)`);
  });
};
