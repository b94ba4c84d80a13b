/** Both databases against the suites, and what each of them does on its own. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { describe, expect, it } from "vitest";
import { migrate } from "../../../src/io/sql/migrate.ts";
import { PostgresDatabase } from "../../../src/io/sql/postgres.ts";
import { SqliteDatabase } from "../../../src/io/sql/sqlite.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { statementsOf } from "../../../src/pairing/store/writes.ts";
import { pairingStoreSuite } from "../../suites/pairing-store.ts";
import { sqlDatabaseSuite } from "../../suites/sql-database.ts";
import { cleanupAfterAll, cleanupAfterEach } from "../../support/cleanup.ts";
import {
  describeWithPostgres,
  type PostgresServer,
  startPostgres,
} from "../../support/postgres.ts";

describe("SQLite", () => {
  const use = cleanupAfterEach();
  const folder = () => {
    const directory = mkdtempSync(join(tmpdir(), "paceline-sqlite-"));
    use({ close: () => rmSync(directory, { recursive: true, force: true }) });
    return directory;
  };
  const open = () => use(new SqliteDatabase(join(folder(), "below", "it.db")));

  sqlDatabaseSuite(open);
  pairingStoreSuite(open);

  it("keeps what was committed when it is opened again", async () => {
    const file = join(folder(), "it.db");
    const first = new SqliteDatabase(file);
    await first.transact([
      { text: "CREATE TABLE kept (n INTEGER)", params: [] },
      { text: "INSERT INTO kept VALUES (1)", params: [] },
    ]);
    await first.close();
    const again = use(new SqliteDatabase(file));
    expect(await again.query({ text: "SELECT n FROM kept", params: [] })).toEqual([[1]]);
    expect(statSync(join(file, "..")).isDirectory()).toBe(true);
  });

  it("goes through what has changed, not through the market, when changes are written", async () => {
    const database = open();
    await migrate(database);
    const provider = { address: "a", stake: 1n, location: "EU", features: [] };
    const write = { kind: "change", market: "m", version: 2 } as const;
    const writes = [
      { ...write, put: [provider], removed: [] },
      { ...write, version: 3, put: [], removed: ["b"] },
    ];
    const plans: string[] = [];
    for (const { text, params } of statementsOf(writes, 1)) {
      const rows = await database.query({ text: `EXPLAIN QUERY PLAN ${text}`, params });
      plans.push(...rows.map((row) => String(row[3])));
    }
    const looks = plans.filter((plan) => plan.includes("PRIMARY KEY"));
    expect(looks).toHaveLength(1);
    expect(looks[0]).toContain("market=? AND address=?");
    expect(plans.filter((plan) => /^SCAN (?!json_each)/.test(plan))).toEqual([]);
  });

  it("names the file that it cannot open, and tries anew at the next call", async () => {
    const file = join(folder(), "it.db");
    writeFileSync(file, "this is no database, and long enough to be sure of it".repeat(50));
    const database = use(new SqliteDatabase(file));
    const ask = () => database.query({ text: "SELECT 1", params: [] });
    await expect(ask()).rejects.toThrow(`${file}: file is not a database`);
    rmSync(file);
    expect(await ask()).toEqual([[1]]);
  });
});

describeWithPostgres("PostgreSQL", () => {
  const useServer = cleanupAfterAll();
  const use = cleanupAfterEach();
  let started: Promise<PostgresServer> | undefined;
  const server = () => (started ??= startPostgres().then(useServer));
  let databases = 0;

  const open = async () => {
    const { url } = await server();
    const name = `test${databases++}`;
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(`CREATE DATABASE ${name}`);
    await client.end();
    return use(new PostgresDatabase(new Secret(url.replace(/postgres$/, name))));
  };

  sqlDatabaseSuite(open);
  pairingStoreSuite(open);

  it("fails while the server is away, without its password, and works when it is back", async () => {
    const database = await open();
    const ask = () => database.query({ text: "SELECT 1", params: [] });
    expect(await ask()).toEqual([[1]]);
    await (await server()).kill();
    const failure = await ask().then(String, String);
    expect(failure).toMatch(/postgres: /);
    expect(failure).not.toContain("correct-horse");
    await (await server()).restart();
    expect(await ask()).toEqual([[1]]);
  });
});
