/**
 * Values that structured clone does not carry as they are: refs, errors with their own names, and
 * whatever a reason or an event's fields may hold.
 */
import type { Reason } from "../reason.ts";

const MARK = "$otp";
const MAX_DEPTH = 8;
const MAX_ENTRIES = 100;

interface Coded {
  readonly [MARK]: "error" | "ref";
}

/** Turns a ref into data, or undefined when the value is no ref. */
export type RefEncoder = (value: object) => unknown;
/** Makes a ref from what the encoder gave. */
export type RefDecoder = (data: unknown) => unknown;

/** A copy of a reason that always crosses: errors keep name, message, stack, code and cause. */
export function encodeReason(reason: unknown): unknown {
  return plain(reason, 0);
}

/** The reason as the sender had it; its errors are new objects. */
export function decodeReason(coded: unknown): Reason {
  return decode(coded, undefined) as Reason;
}

/** Replaces refs inside a message by data; undefined when it holds none. */
export function encodeRefs(value: unknown, encodeRef: RefEncoder): unknown {
  let found = false;
  const seen = new Map<object, unknown>();
  const copy = (inner: unknown): unknown => {
    if (typeof inner !== "object" || inner === null) return inner;
    const known = seen.get(inner);
    if (known !== undefined) return known;
    const data = encodeRef(inner);
    if (data !== undefined) {
      found = true;
      return { [MARK]: "ref", data };
    }
    if (Array.isArray(inner)) return copyArray(inner, seen, copy);
    return isPlain(inner) ? copyRecord(inner, seen, copy) : inner;
  };
  const copied = copy(value);
  return found ? copied : undefined;
}

/** Puts refs and errors back, in place where it can. */
export function decode(value: unknown, decodeRef: RefDecoder | undefined): unknown {
  if (typeof value !== "object" || value === null) return value;
  const seen = new Set<object>();
  const walk = (inner: unknown): unknown => {
    if (typeof inner !== "object" || inner === null) return inner;
    const mark = (inner as Coded)[MARK];
    if (mark === "error") return decodeError(inner as CodedError, walk);
    if (mark === "ref" && decodeRef !== undefined) {
      return decodeRef((inner as { readonly data: unknown }).data);
    }
    if (seen.has(inner) || !(Array.isArray(inner) || isPlain(inner))) return inner;
    seen.add(inner);
    const record = inner as Record<string, unknown>;
    for (const [key, held] of Object.entries(record)) {
      const decoded = walk(held);
      if (decoded !== held) record[key] = decoded;
    }
    return inner;
  };
  return walk(value);
}

/**
 * Where the first thing lies that structured clone refuses, such as `arg.handlers[0] (function)`;
 * undefined when there is none.
 */
export function offendingPath(value: unknown, path = "arg"): string | undefined {
  const seen = new Set<object>();
  const look = (inner: unknown, at: string): string | undefined => {
    if (typeof inner === "function" || typeof inner === "symbol") return `${at} (${typeof inner})`;
    if (typeof inner !== "object" || inner === null || seen.has(inner)) return undefined;
    seen.add(inner);
    for (const [key, held] of entriesOf(inner)) {
      const found = look(held, Array.isArray(inner) ? `${at}[${key}]` : `${at}.${key}`);
      if (found !== undefined) return found;
    }
    return clones(inner) ? undefined : `${at} (${inner.constructor?.name ?? "object"})`;
  };
  return clones(value) ? undefined : look(value, path);
}

function clones(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

function entriesOf(value: object): [string, unknown][] {
  if (value instanceof Map) {
    return [...value].map(([key, held]) => [String(key), held]);
  }
  if (value instanceof Set) return [...value].map((held, index) => [String(index), held]);
  return ArrayBuffer.isView(value) ? [] : Object.entries(value);
}

interface CodedError extends Coded {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: unknown;
  readonly cause: unknown;
}

function encodeError(error: Error, depth: number): CodedError {
  const { code } = error as { readonly code?: unknown };
  return {
    [MARK]: "error",
    name: error.name,
    message: error.message,
    stack: error.stack,
    code: plain(code, depth + 1),
    cause: plain(error.cause, depth + 1),
  };
}

function decodeError(coded: CodedError, walk: (value: unknown) => unknown): Error {
  const { name, message, stack, code, cause } = coded;
  const error = new Error(message, cause === undefined ? undefined : { cause: walk(cause) });
  if (name !== error.name) error.name = name;
  if (stack !== undefined) error.stack = stack;
  if (code !== undefined) Object.assign(error, { code });
  return error;
}

/** A bounded copy of anything, in which nothing is left that clone refuses. */
function plain(value: unknown, depth: number): unknown {
  if (typeof value === "function") return `[function ${value.name}]`;
  if (typeof value === "symbol") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth > MAX_DEPTH) return "[deep]";
  if (value instanceof Error) return encodeError(value, depth);
  if (Array.isArray(value)) {
    return value.slice(0, MAX_ENTRIES).map((inner) => plain(inner, depth + 1));
  }
  if (isPlain(value)) {
    const entries = Object.entries(value).slice(0, MAX_ENTRIES);
    return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner, depth + 1)]));
  }
  return clones(value) ? value : textOf(value);
}

/** Refs and the like say who they are. */
function textOf(value: object): string {
  const { toJSON } = value as { readonly toJSON?: () => unknown };
  try {
    if (typeof toJSON === "function") return String(toJSON.call(value));
  } catch {
    // Its name must do.
  }
  return `[${value.constructor?.name ?? "object"}]`;
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

type Copy = (value: unknown) => unknown;

function copyArray(value: unknown[], seen: Map<object, unknown>, copy: Copy): unknown[] {
  const copied: unknown[] = [];
  seen.set(value, copied);
  for (const inner of value) copied.push(copy(inner));
  return copied;
}

function copyRecord(value: object, seen: Map<object, unknown>, copy: Copy): object {
  const copied: Record<string, unknown> = {};
  seen.set(value, copied);
  for (const [key, inner] of Object.entries(value)) copied[key] = copy(inner);
  return copied;
}
