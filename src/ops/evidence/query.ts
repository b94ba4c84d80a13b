/** Reads a query strictly: every parameter by its rule, and what cannot be read by its name. */
import { didYouMean } from "../../../config/reading/suggest.ts";
import { parseDuration } from "../../lib/duration.ts";

/** How one parameter is read. */
export interface QueryField<Value> {
  readonly read: (text: string) => Value | undefined;
  readonly expected: string;
}

/** What was read. */
export type QueryValues<Fields extends Readonly<Record<string, QueryField<unknown>>>> = {
  readonly [Name in keyof Fields]: Fields[Name] extends QueryField<infer Value>
    ? Value | undefined
    : never;
};

/** A query that cannot be answered; `field` is the parameter that is wrong. */
export interface QueryFault {
  readonly ok: false;
  readonly field: string;
  readonly error: string;
}

const SHOWN_CHARS = 64;

/** Reads all parameters; the first that is wrong ends it. */
export const readQuery = <Fields extends Readonly<Record<string, QueryField<unknown>>>>(
  query: URLSearchParams,
  fields: Fields,
): { readonly ok: true; readonly values: QueryValues<Fields> } | QueryFault => {
  const values: Record<string, unknown> = {};
  for (const [name, text] of query) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) {
      const known = Object.keys(fields);
      const hint = didYouMean(name, known);
      return fault(
        name,
        `unknown parameter ${shown(name)}${hint || `; known: ${known.join(", ")}`}`,
      );
    }
    if (name in values) return fault(name, `${name} is given twice`);
    const value = field.read(text);
    if (value === undefined) {
      return fault(name, `${name}: expected ${field.expected}, got ${shown(text)}`);
    }
    values[name] = value;
  }
  return { ok: true, values: values as QueryValues<Fields> };
};

const shown = (text: string): string => JSON.stringify(text.slice(0, SHOWN_CHARS));

const fault = (name: string, error: string): QueryFault => ({
  ok: false,
  field: name.slice(0, SHOWN_CHARS),
  error,
});

/** A whole number. */
export const wholeField = (min: number, max: number): QueryField<number> => ({
  read: (text) => {
    const value = Number(text);
    return /^\d{1,16}$/.test(text) && value >= min && value <= max ? value : undefined;
  },
  expected: `a whole number from ${min} to ${max}`,
});

/** One of a few words. */
export const wordField = <Word extends string>(words: readonly Word[]): QueryField<Word> => ({
  read: (text) => words.find((word) => word === text),
  expected: `one of ${words.join(", ")}`,
});

const MAX_NAME = 128;

/** A name, such as a provider's. */
export const nameField: QueryField<string> = {
  read: (text) => (text !== "" && text.length <= MAX_NAME ? text : undefined),
  expected: `a name of at most ${MAX_NAME} characters`,
};

/** A moment: ms since 1970, an ISO time, or that long ago. */
export const momentField = (wallMs: number): QueryField<number> => ({
  read: (text) => momentOf(text, wallMs),
  expected: "ms since 1970, an ISO time or a duration such as 10m",
});

/** A row's number, or a moment. */
export const sinceField = (
  wallMs: number,
): QueryField<{ readonly seq: number } | { readonly wallMs: number }> => ({
  read: (text) => {
    // A number this small would be a moment of the years before 1973.
    if (/^\d{1,11}$/.test(text)) return { seq: Number(text) };
    const moment = momentOf(text, wallMs);
    return moment === undefined ? undefined : { wallMs: moment };
  },
  expected: "the seq of a row, ms since 1970, an ISO time or a duration such as 10m",
});

const ISO_TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/;

const momentOf = (text: string, wallMs: number): number | undefined => {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  if (ISO_TIME.test(text)) {
    const moment = Date.parse(text);
    return Number.isNaN(moment) ? undefined : moment;
  }
  const agoMs = parseDuration(text);
  return agoMs === undefined ? undefined : wallMs - agoMs;
};
