/**
 * A SQLite file behind a thread of its own, so that no statement holds the event loop up. A thread that
 * ends (the file cannot be opened, the disk is gone) fails what waits for it; the next call starts
 * another.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import type { SqlDatabase, SqlRow, SqlStatement } from "../../lib/sql.ts";

/** What the thread is told. */
export interface SqliteOrder {
  readonly id: number;
  readonly work: "transact" | "query" | "close";
  readonly statements: readonly SqlStatement[];
}

/** What it answers. */
export type SqliteReply =
  | { readonly id: number; readonly rows: string }
  | { readonly id: number; readonly error: string };

interface Waiting {
  readonly resolve: (rows: string) => void;
  readonly reject: (error: Error) => void;
}

/** Orders that may wait for the thread. */
const MAX_WAITING = 1_000;

/** From source the room is TypeScript, in a package it is JavaScript. */
const THREAD = new URL(
  import.meta.url.endsWith(".ts") ? "./sqlite-thread.ts" : "./sqlite-thread.js",
  import.meta.url,
);

/** Opens the file at the first call; `:memory:` is a database that ends with its thread. */
export class SqliteDatabase implements SqlDatabase {
  readonly #file: string;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;

  constructor(file: string) {
    this.#file = file;
  }

  async transact(statements: readonly SqlStatement[]): Promise<void> {
    await this.#ask("transact", statements);
  }

  async query(statement: SqlStatement): Promise<readonly SqlRow[]> {
    return JSON.parse(await this.#ask("query", [statement])) as SqlRow[];
  }

  async close(): Promise<void> {
    if (this.#worker === undefined) return;
    const worker = this.#worker;
    const ended = new Promise<void>((resolve) => {
      worker.once("exit", () => resolve());
    });
    await this.#ask("close", []).catch(() => undefined);
    worker.ref();
    this.#worker = undefined;
    await ended;
  }

  #ask(work: SqliteOrder["work"], statements: readonly SqlStatement[]): Promise<string> {
    if (this.#waiting.size >= MAX_WAITING) {
      return Promise.reject(new Error(`${this.#file}: ${MAX_WAITING} statements wait already`));
    }
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      try {
        this.#worker ??= this.#start();
        this.#worker.ref();
        this.#worker.postMessage({ id, work, statements } satisfies SqliteOrder, []);
      } catch (error) {
        this.#waiting.delete(id);
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  #start(): Worker {
    if (this.#file !== ":memory:") mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    const worker = new Worker(THREAD, {
      name: "sqlite",
      workerData: { file: this.#file },
      // node:sqlite still warns that it is young.
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    worker.on("message", (reply: SqliteReply) => this.#take(reply));
    worker.once("error", (error: unknown) => {
      this.#lost(worker, error instanceof Error ? error.message : String(error));
    });
    worker.once("exit", () => this.#lost(worker, "its thread has ended"));
    return worker;
  }

  #take(reply: SqliteReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    // The program may end while the thread has nothing to do.
    if (this.#waiting.size === 0) this.#worker?.unref();
    if ("rows" in reply) waiting?.resolve(reply.rows);
    else waiting?.reject(new Error(`${this.#file}: ${reply.error}`));
  }

  #lost(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new Error(`${this.#file}: ${reason}`));
  }
}
