/**
 * Reads what a refusal says of a provider's limits: a method it lacks, the most blocks, results or
 * addresses it takes, old state it dropped; and the range it suggests instead.
 *
 * Only errors of class `capability` are read here, so the words need not tell them from others.
 */
import { blocksIn, countOf, suggestionIn } from "./range-words.ts";

/** The error as it came. */
export interface RefusedCall {
  readonly method: string;
  readonly code: number | undefined;
  readonly message: string;
  /** `error.data` as text: a string, or JSON; empty when there is none. */
  readonly data: string;
}

/** A range of logs that the vendor says would work. */
export interface RangeHint {
  /** Most blocks in one call, both ends counted. */
  readonly blocks: number;
  /** The ends, where the vendor named them. */
  readonly fromBlock?: number;
  readonly toBlock?: number;
}

/** What a refusal is about; `limit` only where the vendor gave a number. */
export interface Refusal {
  readonly kind: "method" | "range" | "results" | "addresses" | "archive";
  readonly limit: number | undefined;
}

/** What the vendor says would work instead: the range it names, else the most blocks it takes. */
export function suggestedRange(
  error: Pick<RefusedCall, "message" | "data">,
): RangeHint | undefined {
  const text = wordsOf(error);
  const named = suggestionIn(text);
  if (named !== undefined) return named;
  const blocks = blocksIn(text);
  return blocks === undefined ? undefined : { blocks };
}

/** What the refusal is about; `undefined` when nothing can be learned from it. */
export function readRefusal(error: RefusedCall): Refusal | undefined {
  const text = wordsOf(error);
  if (error.method === "eth_getLogs") {
    const ofLogs = readLogsRefusal(text);
    if (ofLogs !== undefined) return ofLogs;
  }
  if (ARCHIVE.test(text)) return { kind: "archive", limit: undefined };
  if (error.code === -32601 || METHOD.test(text)) return { kind: "method", limit: undefined };
  return undefined;
}

function readLogsRefusal(text: string): Refusal | undefined {
  // "too many addresses" may name blocks as well, and a cap on results may mention the range.
  if (ADDRESSES.test(text)) return { kind: "addresses", limit: countIn(ADDRESS_COUNTS, text) };
  if (RESULTS.test(text)) return { kind: "results", limit: countIn(RESULT_COUNTS, text) };
  if (RANGE.test(text)) return { kind: "range", limit: blocksIn(text) };
  return undefined;
}

/** Message and data, case-folded: some clients say "invalid params" and put the words into the data. */
function wordsOf({ message, data }: Pick<RefusedCall, "message" | "data">): string {
  return `${message} ${data}`.slice(0, MAX_WORDS).toLowerCase();
}

/** Longest text that is searched for words, in chars. */
const MAX_WORDS = 2048;

const ADDRESSES = /too many address|number of address|max(imum)? addresses|addresses or topics/;
const ADDRESS_COUNTS = [
  /max(?:imum)? (?:of )?(\d+) addresses/,
  /addresses[^\d]{0,24}(?:max|limit|maximum|allowed|most)[^\d]{0,12}(\d+)/,
  /number of addresses[^\d]{0,24}(\d+)/,
];

const RESULTS =
  /more than [\d,]+k? (?:results|logs)|(?:max|maximum|too many) (?:results|logs)|results limit|logs matched by query|response size|response too large|response is too (?:big|large)|allowed number of logs/;
const RESULT_COUNTS = [
  /(?:more than|max results|exceeds limit of|cap of) ([\d,]+k?)(?: results| logs)?/,
];

const RANGE =
  /range|too many blocks|blocks? distance|limit exceeded|number of requested blocks|smaller than size|at most [\d,]+ blocks|exceeds? [\d,]+ blocks/;

/** Old state or history that the node does not keep. */
const ARCHIVE =
  /archiv|prun|missing trie node|historical|histories|(?:no )?state (?:is )?(?:not |un)?available|state already discarded|state not found|state at block|proof window|history/;

const METHOD =
  /method|not whitelisted|not supported|unsupported|not (?:available|enabled|included|allowed)|disabled|not implemented/;

function countIn(patterns: readonly RegExp[], text: string): number | undefined {
  for (const pattern of patterns) {
    const count = countOf(pattern.exec(text)?.[1]);
    if (count !== undefined) return count;
  }
  return undefined;
}
