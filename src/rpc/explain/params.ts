/**
 * Parameters as an operator may see them: their size, a hash that tells equal ones, and an outline in
 * which values are cut. A raw transaction, a signature or a key is never in it.
 */
import { hash53 } from "../../lib/hash53.ts";
import type { MethodInfo } from "../json-rpc/methods.ts";

/** What is shown of parameters. */
export interface ParamsOutline {
  readonly bytes: number;
  /** Of the first 64 KiB, as 14 hex digits. */
  readonly hash: string;
  /** Null where nothing may be shown, or where there is too much to look at. */
  readonly outline: string | null;
}

/** Bytes that are hashed; hashing all of a large call would cost more than it tells. */
const MAX_HASHED = 65_536;
/** Parameters beyond this are not parsed for their outline. */
const MAX_OUTLINED = 4096;
const MAX_CHARS = 240;
const MAX_ITEMS = 6;
const MAX_DEPTH = 4;
/** Hex of at most so many digits is a number: a block, a count. Longer is data, and is cut. */
const MAX_NUMBER_DIGITS = 16;
/** Digits that are left of data: enough to tell a function or an address from another. */
const SHOWN_DIGITS = 8;

const WORDS: ReadonlySet<string> = new Set([
  "latest",
  "safe",
  "finalized",
  "earliest",
  "pending",
  "newHeads",
  "logs",
]);
/** Members of call objects and filters; any other name is the caller's own. */
const NAMES: ReadonlySet<string> = new Set([
  "address",
  "blockHash",
  "blockNumber",
  "data",
  "from",
  "fromBlock",
  "gas",
  "gasPrice",
  "input",
  "to",
  "toBlock",
  "topics",
  "value",
]);

/** The outline of the parameters at `start..end`; `undefined` without parameters. */
export const outlineParams = (
  body: Buffer,
  start: number,
  end: number,
  kind: MethodInfo["class"],
): ParamsOutline | undefined => {
  if (start < 0) return undefined;
  const hashed = body.subarray(start, Math.min(end, start + MAX_HASHED));
  const bytes = end - start;
  // What is written holds signatures: not even their beginning is shown.
  const isHidden = kind === "write" || bytes > MAX_OUTLINED;
  const outline = isHidden ? null : outlineText(body.toString("utf8", start, end));
  return { bytes, hash: hash53(hashed).toString(16).padStart(14, "0"), outline };
};

const outlineText = (text: string): string | null => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The scanner lets through what only a full parse refuses; then there is no outline.
    return null;
  }
  const outline = shape(value, 0);
  return outline.length <= MAX_CHARS ? outline : `${outline.slice(0, MAX_CHARS - 1)}…`;
};

const shape = (value: unknown, depth: number): string => {
  if (typeof value === "string") return textShape(value);
  if (typeof value === "number") return numberShape(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (depth >= MAX_DEPTH) return "…";
  if (Array.isArray(value)) return `[${listed(value.map((item) => shape(item, depth + 1)))}]`;
  const members = Object.entries(value).map(
    ([name, item]) => `${NAMES.has(name) ? name : "?"}:${shape(item, depth + 1)}`,
  );
  return `{${listed(members)}}`;
};

const listed = (parts: readonly string[]): string =>
  parts.length <= MAX_ITEMS
    ? parts.join(",")
    : `${parts.slice(0, MAX_ITEMS).join(",")},…${parts.length - MAX_ITEMS} more`;

const textShape = (text: string): string => {
  const digits = text.length - 2;
  if (/^0x[0-9a-f]*$/i.test(text)) {
    return digits <= MAX_NUMBER_DIGITS
      ? text
      : `${text.slice(0, 2 + SHOWN_DIGITS)}…(${digits / 2})`;
  }
  return WORDS.has(text) ? text : `text(${text.length})`;
};

const numberShape = (value: number): string =>
  Number.isSafeInteger(value) && Math.abs(value) < 1e12 ? String(value) : "number";
