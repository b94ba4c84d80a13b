/**
 * The thread that owns a SQLite file: node:sqlite is synchronous, and a large transaction takes as long
 * as it takes. Rows go back as one JSON text, which crosses threads for the price of a copy.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { SQLITE, translator } from "./dialect.ts";
import type { SqliteOrder, SqliteReply } from "./sqlite.ts";

const BUSY_MS = 5_000;
/** Pages kept in memory, KiB: addresses come in no order, so a small cache would read each page again. */
const CACHE_KIB = 65_536;
/** Prepared statements kept. */
const MAX_PREPARED = 200;

if (parentPort !== null) serve(parentPort, new DatabaseSync((workerData as { file: string }).file));

function serve(port: NonNullable<typeof parentPort>, database: DatabaseSync): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
  // A killed program loses nothing with these two; a power cut may lose the last transactions.
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = NORMAL");
  database.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
  const own = translator(SQLITE);
  const prepared = new Map<string, StatementSync>();
  const statementOf = (text: string): StatementSync => {
    const known = prepared.get(text);
    if (known !== undefined) return known;
    const statement = database.prepare(own(text));
    statement.setReturnArrays(true);
    if (prepared.size < MAX_PREPARED) prepared.set(text, statement);
    return statement;
  };
  const run = ({ work, statements }: SqliteOrder): string => {
    if (work === "query") {
      const [first] = statements;
      return first === undefined
        ? "[]"
        : JSON.stringify(statementOf(first.text).all(...first.params));
    }
    database.exec("BEGIN IMMEDIATE");
    try {
      for (const { text, params } of statements) statementOf(text).run(...params);
      database.exec("COMMIT");
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
    return "[]";
  };
  port.on("message", (order: SqliteOrder) => {
    if (order.work === "close") {
      database.close();
      port.postMessage({ id: order.id, rows: "[]" } satisfies SqliteReply);
      port.close();
      return;
    }
    try {
      port.postMessage({ id: order.id, rows: run(order) } satisfies SqliteReply);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      port.postMessage({ id: order.id, error: message } satisfies SqliteReply);
    }
  });
}
