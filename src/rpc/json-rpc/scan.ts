/**
 * Reads JSON-RPC request bodies as bytes: finds method, id and params of each call without parsing
 * params, so that the bytes can travel on unchanged (JSON-RPC 2.0 sections 4 to 6).
 *
 * A member whose name an upstream might take for another one (a duplicate, or `Method`, which Go's
 * decoder reads as `method`) is refused: it could pass our allow-list and mean another call there.
 */
import { isUtf8 } from "node:buffer";
import {
  isWordAt,
  MAX_DEPTH,
  skipColon,
  skipSpace,
  skipString,
  skipValue,
  TOO_DEEP,
} from "./json-bytes.ts";

/** Raw bytes of a string id. */
export const MAX_ID_BYTES = 256;
/** UTF-16 units of a method name. */
export const MAX_METHOD_CHARS = 128;

/** Members of one call: the four of the envelope, and what a client adds for itself. */
export const MAX_MEMBERS = 32;

/** Calls a batch may hold at all; what follows is only checked to be JSON. */
export const HARD_BATCH_ITEMS = 1000;

/** What is wrong with one call's envelope. */
export interface EnvelopeFault {
  readonly code: -32600 | -32602;
  readonly message: string;
}

/** One call as found in the body; positions are byte offsets. */
export interface Envelope {
  start: number;
  end: number;
  /** Range of the raw id token, or -1 when the call has no usable id. */
  idStart: number;
  idEnd: number;
  /** The call has an id member, usable or not; without one it is a notification. */
  hasId: boolean;
  method: string;
  /** Range of the params value, or -1 without params. */
  paramsStart: number;
  paramsEnd: number;
  fault: EnvelopeFault | undefined;
  /** Where the name of a `paceline_meta` member stands, if there is one. */
  metaAt?: number | undefined;
}

/** Whether nobody waits for an answer; a call that is no request at all is answered without an id. */
export const isNotification = ({ hasId, fault }: Envelope): boolean =>
  !hasId && fault?.code !== -32600;

/** A request body, told apart. */
export type ScannedBody =
  | { readonly kind: "single"; readonly envelope: Envelope }
  | { readonly kind: "batch"; readonly envelopes: readonly Envelope[] }
  | { readonly kind: "unreadable"; readonly message: string };

/** Reads a whole request body. */
export function scanBody(body: Buffer): ScannedBody {
  const end = body.length;
  let at = skipSpace(body, 0, end);
  if (at >= end) return { kind: "unreadable", message: "parse error: empty body" };
  if (!isUtf8(body)) return { kind: "unreadable", message: "parse error: not valid UTF-8" };
  const isBatch = body[at] === 0x5b;
  const envelopes: Envelope[] = [];
  at = isBatch ? scanBatch(body, at, end, envelopes) : scanItem(body, at, end, 0, envelopes);
  if (at >= 0 && skipSpace(body, at, end) !== end) {
    return { kind: "unreadable", message: "parse error: bytes after the request" };
  }
  if (at < 0) return { kind: "unreadable", message: unreadable(at) };
  return isBatch
    ? { kind: "batch", envelopes }
    : { kind: "single", envelope: envelopes[0] as Envelope };
}

function unreadable(reason: number): string {
  return reason === TOO_DEEP
    ? `parse error: nested deeper than ${MAX_DEPTH} levels`
    : "parse error: not valid JSON";
}

function scanBatch(body: Buffer, from: number, end: number, envelopes: Envelope[]): number {
  let at = skipSpace(body, from + 1, end);
  if (at < end && body[at] === 0x5d) return at + 1;
  for (;;) {
    // One more than the cap, so that the caller sees the excess without 2 million records of it.
    at =
      envelopes.length > HARD_BATCH_ITEMS
        ? skipValue(body, at, end, 1)
        : scanItem(body, at, end, 1, envelopes);
    if (at < 0) return at;
    at = skipSpace(body, at, end);
    if (at >= end) return -1;
    const byte = body[at] as number;
    if (byte === 0x5d) return at + 1;
    if (byte !== 0x2c) return -1;
    at = skipSpace(body, at + 1, end);
  }
}

const NOT_AN_OBJECT: EnvelopeFault = { code: -32600, message: "request is not an object" };
const BAD_ID: EnvelopeFault = {
  code: -32600,
  message: `id must be a string of at most ${MAX_ID_BYTES} bytes, an integer or null`,
};
const DUPLICATE: EnvelopeFault = { code: -32600, message: "duplicate or ambiguous member" };
const TOO_MANY_MEMBERS: EnvelopeFault = {
  code: -32600,
  message: `a call has at most ${MAX_MEMBERS} members`,
};
const BAD_VERSION: EnvelopeFault = { code: -32600, message: 'jsonrpc must be the string "2.0"' };
const BAD_METHOD: EnvelopeFault = {
  code: -32600,
  message: `method must be a string of 1 to ${MAX_METHOD_CHARS} characters`,
};
const BAD_PARAMS: EnvelopeFault = { code: -32602, message: "params must be an array or an object" };

/** Reads one value of a batch, or the only one; whatever is not an object becomes a faulty envelope. */
function scanItem(
  body: Buffer,
  from: number,
  end: number,
  depth: number,
  envelopes: Envelope[],
): number {
  const envelope: Envelope = {
    start: from,
    end: from,
    idStart: -1,
    idEnd: -1,
    hasId: false,
    method: "",
    paramsStart: -1,
    paramsEnd: -1,
    fault: undefined,
    metaAt: undefined,
  };
  envelopes.push(envelope);
  if (from < end && body[from] === 0x7b) {
    envelope.end = scanEnvelope(body, from, end, depth + 1, envelope);
  } else {
    envelope.fault = NOT_AN_OBJECT;
    envelope.end = skipValue(body, from, end, depth);
  }
  return envelope.end;
}

type Member = 0 | 1 | 2 | 3 | 4 | 5 | 6;
const OTHER: Member = 0;
const VERSION: Member = 1;
const ID: Member = 2;
const METHOD: Member = 3;
const PARAMS: Member = 4;
const AMBIGUOUS: Member = 5;
/** Ours: the client wants an explanation after the answer. */
const META: Member = 6;

/** Reads the members of one call object and judges them. */
function scanEnvelope(
  body: Buffer,
  from: number,
  end: number,
  depth: number,
  envelope: Envelope,
): number {
  let seen = 0;
  let members = 0;
  let isAmbiguous = false;
  let isIdBad = false;
  let isVersionGood = false;
  let isParamsGood = true;
  let at = skipSpace(body, from + 1, end);
  if (at < end && body[at] === 0x7d) {
    envelope.fault = BAD_VERSION;
    return at + 1;
  }
  for (;;) {
    if (at >= end || body[at] !== 0x22) return -1;
    const keyEnd = skipString(body, at, end);
    const valueAt = skipColon(body, keyEnd, end);
    if (valueAt < 0) return valueAt;
    const keyAt = at;
    // Beyond the limit the call is refused: what its members are called matters no more.
    const member = ++members > MAX_MEMBERS ? OTHER : memberAt(body, at + 1, keyEnd - 1);
    at = skipValue(body, valueAt, end, depth);
    if (at < 0) return at;
    if (member !== OTHER) {
      if (member === AMBIGUOUS || (seen & (1 << member)) !== 0) {
        isAmbiguous = true;
        // Two ids: which one the client waits for cannot be known.
        if (member === ID) isIdBad = true;
      }
      seen |= 1 << member;
      if (member === META) envelope.metaAt = keyAt;
      else if (member === VERSION) isVersionGood = isVersion2(body, valueAt, at);
      else if (member === METHOD) envelope.method = methodAt(body, valueAt, at);
      else if (member === PARAMS) {
        const first = body[valueAt];
        isParamsGood = first === 0x5b || first === 0x7b || first === 0x6e;
        envelope.paramsStart = valueAt;
        envelope.paramsEnd = at;
      } else if (member === ID) {
        envelope.hasId = true;
        if (isUsableId(body, valueAt, at)) {
          envelope.idStart = valueAt;
          envelope.idEnd = at;
        } else isIdBad = true;
      }
    }
    at = skipSpace(body, at, end);
    if (at >= end) return -1;
    const byte = body[at] as number;
    if (byte === 0x7d) break;
    if (byte !== 0x2c) return -1;
    at = skipSpace(body, at + 1, end);
  }
  if (isIdBad) {
    envelope.idStart = -1;
    envelope.idEnd = -1;
  }
  envelope.fault = isAmbiguous
    ? DUPLICATE
    : members > MAX_MEMBERS
      ? TOO_MANY_MEMBERS
      : isIdBad
        ? BAD_ID
        : !isVersionGood
          ? BAD_VERSION
          : envelope.method === ""
            ? BAD_METHOD
            : isParamsGood
              ? undefined
              : BAD_PARAMS;
  return at + 1;
}

/** Which member a key names; the common spellings are compared in place. */
function memberAt(body: Buffer, start: number, end: number): Member {
  switch (end - start) {
    case 2:
      if (body[start] === 0x69 && body[start + 1] === 0x64) return ID;
      break;
    case 6:
      if (isWordAt(body, start, KEY_METHOD)) return METHOD;
      if (isWordAt(body, start, KEY_PARAMS)) return PARAMS;
      break;
    case 7:
      if (isWordAt(body, start, KEY_VERSION)) return VERSION;
      break;
    case 13:
      if (isWordAt(body, start, KEY_META)) return META;
      break;
    default:
  }
  return oddMember(body, start, end);
}

const KEY_METHOD = Buffer.from("method");
const KEY_PARAMS = Buffer.from("params");
const KEY_VERSION = Buffer.from("jsonrpc");
const KEY_META = Buffer.from("paceline_meta");

const MEMBERS: ReadonlyMap<string, Member> = new Map([
  ["jsonrpc", VERSION],
  ["id", ID],
  ["method", METHOD],
  ["params", PARAMS],
]);
/** No spelling of an envelope member is longer: 7 letters, each at most a 6-byte escape. */
const MAX_ODD_KEY_BYTES = 42;

/** Keys with escapes or another case: the same name after decoding counts, a folded one is refused. */
function oddMember(body: Buffer, start: number, end: number): Member {
  if (end - start > MAX_ODD_KEY_BYTES || !mayBeMember(body, start, end)) return OTHER;
  const key = JSON.parse(body.toString("utf8", start - 1, end + 1)) as string;
  const exact = MEMBERS.get(key);
  if (exact !== undefined) return exact;
  return MEMBERS.has(key.toUpperCase().toLowerCase()) ? AMBIGUOUS : OTHER;
}

/** Without escapes and foreign letters only keys as long as a member's name can be another case of it. */
function mayBeMember(body: Buffer, start: number, end: number): boolean {
  const length = end - start;
  if (length === 2 || length === 6 || length === 7) return true;
  for (let at = start; at < end; at++) {
    const byte = body[at] as number;
    if (byte === 0x5c || byte > 0x7e) return true;
  }
  return false;
}

function isVersion2(body: Buffer, start: number, end: number): boolean {
  if (body[start] !== 0x22) return false;
  if (end - start === 5) {
    return body[start + 1] === 0x32 && body[start + 2] === 0x2e && body[start + 3] === 0x30;
  }
  return end - start <= 20 && JSON.parse(body.toString("latin1", start, end)) === "2.0";
}

/** The decoded method name, or "" when it is none. */
function methodAt(body: Buffer, start: number, end: number): string {
  if (body[start] !== 0x22 || end - start > 6 * MAX_METHOD_CHARS + 2) return "";
  for (let at = start + 1; at < end - 1; at++) {
    const byte = body[at] as number;
    if (byte === 0x5c || byte > 0x7e) {
      const decoded = JSON.parse(body.toString("utf8", start, end)) as string;
      return decoded.length <= MAX_METHOD_CHARS ? decoded : "";
    }
  }
  return end - start - 2 <= MAX_METHOD_CHARS ? body.toString("latin1", start + 1, end - 1) : "";
}

/** Strings, integers and null; the token stays as it is, whatever its size. */
function isUsableId(body: Buffer, start: number, end: number): boolean {
  const first = body[start] as number;
  if (end - start > MAX_ID_BYTES + 2) return false;
  if (first === 0x22) return true;
  if (first === 0x6e) return true;
  if (first !== 0x2d && (first < 0x30 || first > 0x39)) return false;
  for (let at = start + 1; at < end; at++) {
    const byte = body[at] as number;
    if (byte < 0x30 || byte > 0x39) return false;
  }
  return true;
}
