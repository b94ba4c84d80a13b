/**
 * PostgreSQL behind a small pool. Connections are made when they are needed and thrown away after an
 * error; trying again is the caller's business. `pg` is loaded at the first statement, not before.
 */
import type { CustomTypesConfig, Pool, PoolClient, QueryArrayConfig } from "pg";
import type { Secret } from "../../lib/secret.ts";
import type { SqlDatabase, SqlRow, SqlStatement } from "../../lib/sql.ts";
import { POSTGRES, translator } from "./dialect.ts";

/** Connections: one that writes, one that reads. */
const MAX_CONNECTIONS = 2;
const CONNECT_MS = 5_000;
/** Longest statement, ms: a market of a million providers is closed in one. */
const STATEMENT_MS = 60_000;
const IDLE_MS = 30_000;

/** One database of one server. */
export class PostgresDatabase implements SqlDatabase {
  readonly #url: Secret;
  readonly #own = translator(POSTGRES);
  #pool: Promise<Pool> | undefined;

  constructor(url: Secret) {
    this.#url = url;
  }

  async transact(statements: readonly SqlStatement[]): Promise<void> {
    await this.#with(async (client) => {
      await client.query("BEGIN");
      for (const { text, params } of statements) {
        // oxlint-disable-next-line no-await-in-loop -- in their order
        await client.query({ text: this.#own(text), values: [...params] });
      }
      await client.query("COMMIT");
    });
  }

  query({ text, params }: SqlStatement): Promise<readonly SqlRow[]> {
    const asked: QueryArrayConfig = {
      text: this.#own(text),
      values: [...params],
      rowMode: "array",
    };
    return this.#with(async (client) => (await client.query<SqlRow[number][]>(asked)).rows);
  }

  async close(): Promise<void> {
    const pool = await this.#pool?.catch(() => undefined);
    this.#pool = undefined;
    await pool?.end();
  }

  /** A connection that failed in any way is not used again: nobody knows where it stands. */
  async #with<Result>(use: (client: PoolClient) => Promise<Result>): Promise<Result> {
    try {
      const client = await (await this.#opened()).connect();
      try {
        const result = await use(client);
        client.release();
        return result;
      } catch (error) {
        client.release(true);
        throw error;
      }
    } catch (error) {
      throw new Error(`postgres: ${messageOf(error)}`, { cause: error });
    }
  }

  #opened(): Promise<Pool> {
    this.#pool ??= import("pg").then(({ Pool, types }) => {
      // Our whole numbers are below 2^53, as those of SQLite.
      const getTypeParser: CustomTypesConfig["getTypeParser"] = (oid, format) =>
        oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format);
      const pool = new Pool({
        connectionString: this.#url.reveal(),
        max: MAX_CONNECTIONS,
        connectionTimeoutMillis: CONNECT_MS,
        idleTimeoutMillis: IDLE_MS,
        statement_timeout: STATEMENT_MS,
        // A server that is frozen, or gone without a word, sends nothing at all.
        query_timeout: STATEMENT_MS,
        application_name: "paceline",
        allowExitOnIdle: true,
        types: { getTypeParser },
      });
      // An idle connection that breaks is noticed at its next use.
      pool.on("error", () => undefined);
      return pool;
    });
    return this.#pool;
  }
}

/** Several addresses of one name fail together, and that error has no message of its own. */
const messageOf = (error: unknown): string => {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
};
