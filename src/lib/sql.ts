/**
 * What the domains ask of a database, whichever it is.
 *
 * One text serves every engine: parameters are `?1`, `?2`, …, and `{rows:?2}` stands for a table whose
 * column `value` holds the elements of the JSON array in that parameter (`value ->> 0` is the first
 * member of an element that is itself an array). So thousands of rows travel as one text, which costs
 * the event loop one copy, and one statement writes them.
 */

/** A parameter, or a column of a row. */
export type SqlValue = string | number | null;

/** Columns of a row in the order of the statement. */
export type SqlRow = readonly SqlValue[];

/** One statement. */
export interface SqlStatement {
  readonly text: string;
  readonly params: readonly SqlValue[];
}

/** A database. Everything rejects with the engine's error while it cannot be reached. */
export interface SqlDatabase {
  /** All of them or none. */
  transact(statements: readonly SqlStatement[]): Promise<void>;
  query(statement: SqlStatement): Promise<readonly SqlRow[]>;
  /** Resolves when what was begun has ended. */
  close(): Promise<void>;
}

/** Text of a column that cannot be null. */
export const textAt = (row: SqlRow, at: number): string => String(row[at]);

/** Number of a column that cannot be null. */
export const numberAt = (row: SqlRow, at: number): number => Number(row[at]);
