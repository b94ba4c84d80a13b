/** How the one text of a statement reads in each engine. */

/** Words that the engines spell differently. */
export interface Dialect {
  /** The elements of a JSON array as a table with a column `value`. */
  readonly rows: (parameter: string) => string;
  /** How a parameter is written. */
  readonly parameter: (number: string) => string;
  /** Ends a table whose rows lie in the order of its key. */
  readonly clustered: string;
}

/** SQLite 3.45 or newer. */
export const SQLITE: Dialect = {
  rows: (parameter) => `json_each(${parameter})`,
  parameter: (number) => `?${number}`,
  clustered: "WITHOUT ROWID",
};

/** PostgreSQL 12 or newer. */
export const POSTGRES: Dialect = {
  rows: (parameter) => `json_array_elements(${parameter}::json) AS listed(value)`,
  parameter: (number) => `$${number}`,
  clustered: "",
};

/** Turns texts into an engine's own; each text is turned once. */
export const translator = (dialect: Dialect): ((text: string) => string) => {
  const known = new Map<string, string>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const own = text
      .replaceAll("{clustered}", dialect.clustered)
      .replaceAll(/\{rows:(\?\d+)\}/g, (_, parameter: string) => dialect.rows(parameter))
      .replaceAll(/\?(\d+)/g, (_, number: string) => dialect.parameter(number));
    if (known.size < MAX_TEXTS) known.set(text, own);
    return own;
  };
};

/** Statements have no values in them, so there are few. */
const MAX_TEXTS = 500;
