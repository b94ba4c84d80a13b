/** The shape of classification rules: data, so that vendors' quirks stay out of the code. */
import { matchesGlob } from "../../lib/name-globs.ts";
import type { ErrorClass } from "./classes.ts";

/** A provider's own rule (`error_rules`): every condition that is present must hold. */
export interface ErrorRule {
  /** JSON-RPC error code. */
  readonly code?: number | undefined;
  /** A fragment of the message, compared case-folded. */
  readonly messageContains?: string | undefined;
  readonly class: ErrorClass;
}

/** One built-in rule. All that is known of why it stands is in `source`: whose answer, seen where. */
export interface TableRule {
  readonly class: ErrorClass;
  readonly source: string;
  /** Any of these codes. */
  readonly codes?: readonly number[];
  /** Any of these fragments of the message, in lower case. */
  readonly texts?: readonly string[];
  /** Only for these methods: names or globs. */
  readonly methods?: readonly string[];
  /** The class instead, when the call reads within the last 128 blocks. */
  readonly nearHead?: ErrorClass;
  /** Words that say little: what `error.data` says in words stands above them. */
  readonly isWeak?: boolean;
}

/** Methods that ask for logs. */
export const LOGS: readonly string[] = ["eth_getLogs", "eth_newFilter", "eth_getFilterLogs"];
/** Methods that send a transaction. */
export const WRITES: readonly string[] = ["eth_send*"];
/** Methods that trace. */
export const TRACES: readonly string[] = ["trace_*", "debug_*"];

/** Whether a method is among `patterns`; no patterns admit every method. */
export function matchesMethod(patterns: readonly string[] | undefined, method: string): boolean {
  return patterns === undefined || patterns.some((pattern) => matchesGlob(pattern, method));
}
