/**
 * Reads the filter of an `eth_getLogs` call from its bytes, so far that it can be asked for in
 * pieces: both ends of the range, the addresses, the alternatives of the first topic.
 *
 * Values stay as the client wrote them. Whatever is unusual (other members, a spelling that only
 * some nodes take, a filter by hash) is not read at all: such a call goes to a provider as it is.
 */
import { skipColon, skipSpace, skipString, skipValue } from "../json-rpc/json-bytes.ts";
import { hexQuantity } from "../json-rpc/quantity.ts";

/** A block as the filter names it. */
export type BlockRef = number | "earliest" | "latest" | "safe" | "finalized";

/** A filter that can be asked for in pieces. Texts are latin1: one char per byte of UTF-8. */
export interface LogsQuery {
  readonly fromBlock: BlockRef;
  readonly toBlock: BlockRef;
  /** The addresses, when there are several and no two are the same; tokens as they stood. */
  readonly addresses: readonly string[];
  /** The alternatives of the first topic, on the same terms. */
  readonly topics: readonly string[];
  /** The member `address` as it stood; empty when there is none. */
  readonly addressText: string;
  /** The value of `topics` as it stood; empty when there is none. */
  readonly topicsText: string;
  /** Range of the first element within `topicsText`. */
  readonly topicStart: number;
  readonly topicEnd: number;
}

/** A piece of a query: a range, and the part of each list that is asked for. */
export interface LogsSlice {
  readonly fromBlock: number;
  readonly toBlock: number;
  /** `undefined` stands for all that the query names. */
  readonly addresses: readonly string[] | undefined;
  readonly topics: readonly string[] | undefined;
}

/** Reads the params at `start..end` of `body`; `undefined` when the call cannot be cut. */
export function readLogsQuery(body: Buffer, start: number, end: number): LogsQuery | undefined {
  if (start < 0 || body[start] !== 0x5b) return undefined;
  const at = skipSpace(body, start + 1, end);
  if (body[at] !== 0x7b) return undefined;
  const members = readMembers(body, at, end);
  if (members === undefined) return undefined;
  const after = skipSpace(body, members.end, end);
  // A second parameter means something to somebody, but not to us.
  if (body[after] !== 0x5d || after + 1 !== end) return undefined;
  const { values } = members;
  const fromBlock = blockRef(values.get("fromBlock"));
  const toBlock = blockRef(values.get("toBlock"));
  if (fromBlock === undefined || toBlock === undefined) return undefined;
  const addressText = values.get("address") ?? "";
  const topicsText = values.get("topics") ?? "";
  const first = firstElement(topicsText);
  return {
    fromBlock,
    toBlock,
    addresses: distinct(addressText, ADDRESS),
    topics: first === undefined ? [] : distinct(topicsText.slice(first.start, first.end), TOPIC),
    addressText,
    topicsText,
    topicStart: first?.start ?? 0,
    topicEnd: first?.end ?? 0,
  };
}

/** The params of the call that asks for a slice of the query. */
export function sliceParams(query: LogsQuery, slice: LogsSlice): string {
  const { addressText, topicsText, topicStart, topicEnd } = query;
  const address = slice.addresses === undefined ? addressText : listText(slice.addresses);
  const topics =
    slice.topics === undefined
      ? topicsText
      : topicsText.slice(0, topicStart) + listText(slice.topics) + topicsText.slice(topicEnd);
  return (
    `[{"fromBlock":"${hexQuantity(slice.fromBlock)}","toBlock":"${hexQuantity(slice.toBlock)}"` +
    (address === "" ? "" : `,"address":${address}`) +
    (topics === "" ? "" : `,"topics":${topics}`) +
    "}]"
  );
}

const listText = (tokens: readonly string[]): string => `[${tokens.join(",")}]`;

const MEMBERS: ReadonlySet<string> = new Set(["fromBlock", "toBlock", "address", "topics"]);

/** The members of the object at `from`; `undefined` for a member that is unknown or comes twice. */
function readMembers(
  body: Buffer,
  from: number,
  end: number,
): { readonly values: ReadonlyMap<string, string>; readonly end: number } | undefined {
  const values = new Map<string, string>();
  let at = skipSpace(body, from + 1, end);
  if (body[at] === 0x7d) return { values, end: at + 1 };
  for (;;) {
    if (body[at] !== 0x22) return undefined;
    const keyEnd = skipString(body, at, end);
    const valueAt = skipColon(body, keyEnd, end);
    if (valueAt < 0) return undefined;
    const key = body.toString("latin1", at + 1, keyEnd - 1);
    if (!MEMBERS.has(key) || values.has(key)) return undefined;
    const valueEnd = skipValue(body, valueAt, end, 2);
    if (valueEnd < 0) return undefined;
    values.set(key, body.toString("latin1", valueAt, valueEnd));
    at = skipSpace(body, valueEnd, end);
    if (body[at] === 0x7d) return { values, end: at + 1 };
    if (body[at] !== 0x2c) return undefined;
    at = skipSpace(body, at + 1, end);
  }
}

/** Canonical quantities of up to 52 bits: exact as a number, and read alike by every node. */
const QUANTITY = /^"0x(?:0|[1-9a-f][0-9a-f]{0,12})"$/i;

function blockRef(token: string | undefined): BlockRef | undefined {
  switch (token) {
    case undefined:
    case "null":
    case '"latest"':
      return "latest";
    case '"earliest"':
      return "earliest";
    case '"safe"':
      return "safe";
    case '"finalized"':
      return "finalized";
    default:
      return QUANTITY.test(token) ? Number(token.slice(1, -1)) : undefined;
  }
}

const ADDRESS = /^"0x[0-9a-f]{40}"$/i;
const TOPIC = /^"0x[0-9a-f]{64}"$/i;

/**
 * The elements of a list of two or more; empty when it is no such list. Halves of a list that names
 * the same thing twice would both bring its logs, so each is kept once, whatever its case.
 */
function distinct(list: string, shape: RegExp): readonly string[] {
  if (!list.startsWith("[")) return [];
  const tokens = list.slice(1, -1).split(",");
  const kept = new Map<string, string>();
  for (const spaced of tokens) {
    const token = spaced.trim();
    if (!shape.test(token)) return [];
    const folded = token.toLowerCase();
    if (!kept.has(folded)) kept.set(folded, token);
  }
  return kept.size < 2 ? [] : [...kept.values()];
}

/** Where the first element of an array stands in its text. */
function firstElement(array: string): { readonly start: number; readonly end: number } | undefined {
  if (!array.startsWith("[")) return undefined;
  const bytes = Buffer.from(array, "latin1");
  const start = skipSpace(bytes, 1, bytes.length);
  if (bytes[start] === 0x5d) return undefined;
  const end = skipValue(bytes, start, bytes.length, 1);
  return end < 0 ? undefined : { start, end };
}
