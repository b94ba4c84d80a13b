/**
 * Finds the block tags in the params of a call, in bytes: where `latest`, `safe` or `finalized`
 * stands, or where nothing stands and `latest` is meant. `pending` and `earliest` are none of them.
 */
import { blockParam, takesFilter } from "../json-rpc/block-params.ts";
import { skipColon, skipSpace, skipString, skipValue } from "../json-rpc/json-bytes.ts";

/** A tag that stands for another block from time to time. */
export type MovingTag = "latest" | "safe" | "finalized";

/** A place in the body at which a block number can stand instead. */
export interface TagSpot {
  readonly tag: MovingTag;
  /** What is replaced; nothing when both are equal. */
  readonly start: number;
  readonly end: number;
  /** What an inserted number needs around it. */
  readonly before: string;
  readonly after: string;
}

const TAGS: ReadonlySet<string> = new Set<MovingTag>(["latest", "safe", "finalized"]);

/** No spelling of a tag or of a key looked for is longer: eleven letters, each a 6-byte escape. */
const MAX_WORD_BYTES = 68;

/** The tags of a call of `method` whose params stand at `start..end`, in the order of their places. */
export function tagSpots(
  method: string,
  body: Buffer,
  start: number,
  end: number,
): readonly TagSpot[] {
  if (start < 0 || body[start] !== 0x5b) return NONE;
  if (takesFilter(method)) return filterSpots(method, body, start, end);
  const param = blockParam(method);
  if (param === undefined) return NONE;
  let at = skipSpace(body, start + 1, end);
  for (let index = 0; ; index++) {
    if (at >= end) return NONE;
    if (body[at] === 0x5d) {
      // The list ends where the block would have come.
      return index === param.position && param.defaultsToLatest
        ? [spot("latest", at, at, index === 0 ? "" : ",", "")]
        : NONE;
    }
    const valueEnd = skipValue(body, at, end, 1);
    if (valueEnd < 0) return NONE;
    if (index === param.position) return valueSpots(body, at, valueEnd, param.defaultsToLatest);
    at = skipSpace(body, valueEnd, end);
    if (body[at] === 0x2c) at = skipSpace(body, at + 1, end);
    else if (body[at] !== 0x5d) return NONE;
  }
}

const NONE: readonly TagSpot[] = [];

function spot(tag: MovingTag, start: number, end: number, before = "", after = ""): TagSpot {
  return { tag, start, end, before, after };
}

/** The tag in a block parameter: a string, null, or an object that names a block (EIP-1898). */
function valueSpots(
  body: Buffer,
  at: number,
  end: number,
  defaultsToLatest: boolean,
): readonly TagSpot[] {
  const first = body[at];
  if (first === 0x6e) return defaultsToLatest ? [spot("latest", at, end)] : NONE;
  if (first === 0x22) {
    const tag = tagAt(body, at, end);
    return tag === undefined ? NONE : [spot(tag, at, end)];
  }
  if (first !== 0x7b) return NONE;
  const spots: TagSpot[] = [];
  eachMember(body, at, end, (key, valueAt, valueEnd) => {
    if (key !== "blockNumber") return;
    const tag = tagAt(body, valueAt, valueEnd);
    if (tag !== undefined) spots.push(spot(tag, valueAt, valueEnd));
  });
  return spots;
}

/** The tags of a filter: a missing or null end of `eth_getLogs` means `latest`; a hash means neither. */
function filterSpots(method: string, body: Buffer, start: number, end: number): readonly TagSpot[] {
  const at = skipSpace(body, start + 1, end);
  if (body[at] !== 0x7b) return NONE;
  const defaultsToLatest = method === "eth_getLogs";
  const spots: TagSpot[] = [];
  const missing = new Set(["fromBlock", "toBlock"]);
  let isByHash = false;
  let isEmpty = true;
  eachMember(body, at, end, (key, valueAt, valueEnd) => {
    isEmpty = false;
    if (key === "blockHash" && body[valueAt] !== 0x6e) isByHash = true;
    if (key !== "fromBlock" && key !== "toBlock") return;
    missing.delete(key);
    if (body[valueAt] === 0x6e) {
      if (defaultsToLatest) spots.push(spot("latest", valueAt, valueEnd));
      return;
    }
    const tag = tagAt(body, valueAt, valueEnd);
    if (tag !== undefined) spots.push(spot(tag, valueAt, valueEnd));
  });
  if (isByHash) return NONE;
  if (!defaultsToLatest || missing.size === 0) return spots;
  const names = [...missing];
  const inserted = names.map((name, index) =>
    spot("latest", at + 1, at + 1, `"${name}":`, isEmpty && index === names.length - 1 ? "" : ","),
  );
  return [...inserted, ...spots];
}

/** Members of a filter or of an object that names a block; one with more is nothing of the kind. */
const MAX_MEMBERS = 64;

/** Visits the members of the object at `at`; a key is decoded when it is short enough to matter. */
function eachMember(
  body: Buffer,
  at: number,
  end: number,
  visit: (key: string, valueAt: number, valueEnd: number) => void,
): void {
  let next = skipSpace(body, at + 1, end);
  for (let count = 0; count < MAX_MEMBERS && next < end && body[next] === 0x22; count++) {
    const keyEnd = skipString(body, next, end);
    const valueAt = skipColon(body, keyEnd, end);
    if (valueAt < 0) return;
    const valueEnd = skipValue(body, valueAt, end, 2);
    if (valueEnd < 0) return;
    visit(wordAt(body, next, keyEnd) ?? "", valueAt, valueEnd);
    next = skipSpace(body, valueEnd, end);
    if (body[next] !== 0x2c) return;
    next = skipSpace(body, next + 1, end);
  }
}

function tagAt(body: Buffer, at: number, end: number): MovingTag | undefined {
  const word = body[at] === 0x22 ? wordAt(body, at, end) : undefined;
  return word !== undefined && TAGS.has(word) ? (word as MovingTag) : undefined;
}

/** A short string, decoded. */
function wordAt(body: Buffer, at: number, end: number): string | undefined {
  if (end - at > MAX_WORD_BYTES) return undefined;
  const text = body.toString("utf8", at, end);
  return text.includes("\\") ? (JSON.parse(text) as string) : text.slice(1, -1);
}
