/** The database that a storage URL names; nothing is opened before the first statement. */
import type { Secret } from "../../lib/secret.ts";
import type { SqlDatabase } from "../../lib/sql.ts";
import { PostgresDatabase } from "./postgres.ts";
import { SqliteDatabase } from "./sqlite.ts";

/** Where rows are kept. */
export type SqlPlace =
  | { readonly engine: "sqlite"; readonly file: string }
  | { readonly engine: "postgres"; readonly url: Secret };

/** The database of a place. */
export const openDatabase = (place: SqlPlace): SqlDatabase =>
  place.engine === "sqlite" ? new SqliteDatabase(place.file) : new PostgresDatabase(place.url);
