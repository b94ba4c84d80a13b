/** Options of the form `path=value`: what is to differ, field by field. */
import { InvalidArgumentError } from "commander";

/** Fields of a record by name, as deep as their paths say. */
export interface Assigned {
  readonly [field: string]: unknown;
}

/** Deepest path. */
const MAX_DEPTH = 4;
const FIELD = /^[A-Za-z][\w-]{0,63}$/;

/** Adds one assignment to those before it: `weights.stake=0.6`; a value is JSON, or else a text. */
export function assigned(text: string, before: Assigned = {}): Assigned {
  const mark = text.indexOf("=");
  const path = text.slice(0, Math.max(0, mark)).split(".");
  if (mark < 1 || path.length > MAX_DEPTH || !path.every((field) => FIELD.test(field))) {
    throw new InvalidArgumentError("a change such as weights.stake=0.6.");
  }
  return put(before, path, valueOf(text.slice(mark + 1)));
}

function put(record: Assigned, [field = "", ...rest]: readonly string[], value: unknown): Assigned {
  if (rest.length === 0) return { ...record, [field]: value };
  const below = record[field];
  const inner = typeof below === "object" && below !== null ? (below as Assigned) : {};
  return { ...record, [field]: put(inner, rest, value) };
}

const valueOf = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};
