/** How the parsers of this folder read values from outside: each fault names its field. */
import type { Fault, Refusal, Reply } from "./protocol.ts";

/** What is read, or all that is wrong with it. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** A record from outside. */
export type Outside = Readonly<Record<string, unknown>>;

/** Whether a value is a record. */
export const isRecord = (value: unknown): value is Outside =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The field under its camelCase name, else under its snake_case one. */
export function fieldOf(record: Outside, name: string): unknown {
  const own = record[name];
  if (own !== undefined) return own;
  return record[snakeOf(name)];
}

/** A name in the other spelling. */
export const snakeOf = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** What is wrong, after where it is. */
export const refusalText = ({ message, faults = [] }: Refusal): string => {
  const [first] = faults;
  return first === undefined || first.path === "" ? message : `${first.path}: ${message}`;
};

/** All that is wrong, without where. */
export const messagesText = (faults: readonly Fault[]): string =>
  faults.map(({ message }) => message).join("; ");

/** Largest stake: an int64, as the wire says. */
const MOST_STAKE = 2n ** 63n - 1n;
const LEAST_STAKE = -(2n ** 63n);

/** An exact whole number: a bigint, a safe integer, or decimal digits; else a fault's message. */
export function wholeOf(value: unknown): bigint | string {
  const exact = bigintOf(value);
  if (typeof exact === "string") return exact;
  return exact > MOST_STAKE || exact < LEAST_STAKE ? `${exact} does not fit 64 bits` : exact;
}

function bigintOf(value: unknown): bigint | string {
  if (typeof value === "bigint") return value;
  if (typeof value === "string") {
    return /^[+-]?\d{1,40}$/.test(value.trim()) ? BigInt(value.trim()) : "not a whole number";
  }
  if (typeof value !== "number" || !Number.isInteger(value)) return "not a whole number";
  if (Number.isSafeInteger(value)) return BigInt(value);
  return "beyond 2^53 a number is not exact: send it as a decimal string";
}

/** A refusal of bad input, with its first fault as the message. */
export const badInput = (faults: readonly Fault[]): Reply<never> => {
  const [first] = faults;
  const message = first === undefined ? "bad input" : first.message;
  return { ok: false, refusal: { code: "PAIRING_BAD_INPUT", message, faults } };
};
