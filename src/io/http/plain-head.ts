/**
 * Recognises the head of a plain POST: HTTP/1.1, a body of a stated length, nothing that changes how
 * the connection is used. Whatever is not beyond doubt is not plain, and node:http judges it.
 *
 * Clients repeat their heads: but for the content-length each is equal to the one before on its
 * connection, which is then a comparison of bytes and no reading.
 */

/** What a plain head says. */
export interface PlainHead {
  /** Path and query as they stood in the request line. */
  readonly url: string;
  readonly host: string;
  /** Names and values in turn, as they came; without the content-length, which is the framing's own. */
  readonly rawHeaders: readonly string[];
  readonly acceptEncoding: string | undefined;
  /** The head's own bytes, and where in them the digits of the content-length are. */
  readonly bytes: Buffer;
  readonly digitsStart: number;
  readonly digitsEnd: number;
}

/** A head, the place where its body begins, and the length of the body, bytes. */
export interface FoundHead {
  head: PlainHead;
  bodyStart: number;
  bodyBytes: number;
}

const MAX_HEAD_BYTES = 8192;
const MAX_HEADERS = 64;
/** Digits of a content-length; more is no plain request. */
const MAX_DIGITS = 9;

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const COLON = 0x3a;

/** Characters of a field name (RFC 9110 5.6.2), and of a request target that needs no second look. */
const TOKEN = tableOf("!#$%&'*+-.^_`|~");
const TARGET = tableOf("/?&=%._~:@,+!*();$-");

function tableOf(marks: string): Uint8Array {
  const table = new Uint8Array(256);
  const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (const char of alphanumeric + marks) table[char.charCodeAt(0)] = 1;
  return table;
}

const METHOD = Buffer.from("POST /");
const VERSION = Buffer.from(" HTTP/1.1\r\n");

/**
 * Finds the head of a plain POST at the start of `bytes`; undefined when it is not all there or not
 * beyond doubt. `known` is the head before it on the connection.
 */
export function findHead(bytes: Buffer, known: PlainHead | undefined): FoundHead | undefined {
  return (known === undefined ? undefined : repeated(bytes, known)) ?? readHead(bytes);
}

/** The same head again, with a content-length of its own. */
function repeated(bytes: Buffer, known: PlainHead): FoundHead | undefined {
  const { bytes: before, digitsStart, digitsEnd } = known;
  if (bytes.length < before.length - digitsEnd + digitsStart + 1) return undefined;
  if (bytes.compare(before, 0, digitsStart, 0, digitsStart) !== 0) return undefined;
  let at = digitsStart;
  let length = 0;
  for (; at - digitsStart <= MAX_DIGITS; at++) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    length = length * 10 + digit;
  }
  const digits = at - digitsStart;
  const bodyStart = at + before.length - digitsEnd;
  if (digits === 0 || digits > MAX_DIGITS || bodyStart > bytes.length) return undefined;
  if (bytes.compare(before, digitsEnd, before.length, at, bodyStart) !== 0) return undefined;
  return { head: known, bodyStart, bodyBytes: length };
}

/** Where reading is, and what the lines so far said. */
interface Reading {
  readonly bytes: Buffer;
  at: number;
  readonly rawHeaders: string[];
  host: string | undefined;
  acceptEncoding: string | undefined;
  digitsStart: number;
  digitsEnd: number;
}

function readHead(bytes: Buffer): FoundHead | undefined {
  const end = Math.min(bytes.length, MAX_HEAD_BYTES);
  if (!isAt(bytes, METHOD, 0)) return undefined;
  let at = METHOD.length;
  while (at < end && TARGET[bytes[at] as number] === 1) at++;
  if (!isAt(bytes, VERSION, at)) return undefined;
  const url = bytes.toString("latin1", METHOD.length - 1, at);
  const reading: Reading = {
    bytes,
    at: at + VERSION.length,
    rawHeaders: [],
    host: undefined,
    acceptEncoding: undefined,
    digitsStart: -1,
    digitsEnd: -1,
  };
  while (reading.at + 1 < end && bytes[reading.at] !== CR) {
    if (!readLine(reading, end)) return undefined;
  }
  const { at: last, host, rawHeaders, acceptEncoding, digitsStart, digitsEnd } = reading;
  if (last + 1 >= end || bytes[last + 1] !== LF) return undefined;
  if (host === undefined || digitsStart < 0) return undefined;
  const bodyStart = last + 2;
  const head: PlainHead = {
    url,
    host,
    rawHeaders,
    acceptEncoding,
    bytes: Buffer.from(bytes.subarray(0, bodyStart)),
    digitsStart,
    digitsEnd,
  };
  const bodyBytes = Number(bytes.toString("latin1", digitsStart, digitsEnd));
  return { head, bodyStart, bodyBytes };
}

function isAt(bytes: Buffer, wanted: Buffer, at: number): boolean {
  const end = at + wanted.length;
  return end <= bytes.length && bytes.compare(wanted, 0, wanted.length, at, end) === 0;
}

/** One field line; false when it is not plain. */
function readLine(reading: Reading, end: number): boolean {
  const { bytes, at: nameStart } = reading;
  let at = nameStart;
  while (at < end && TOKEN[bytes[at] as number] === 1) at++;
  const nameEnd = at;
  if (nameEnd === nameStart || bytes[at] !== COLON) return false;
  at++;
  while (at < end && bytes[at] === SPACE) at++;
  const valueStart = at;
  while (at < end && (bytes[at] as number) >= SPACE && (bytes[at] as number) <= 0x7e) at++;
  if (at + 1 >= end || bytes[at] !== CR || bytes[at + 1] !== LF) return false;
  if (at === valueStart || bytes[at - 1] === SPACE) return false;
  reading.at = at + 2;
  const name = bytes.toString("latin1", nameStart, nameEnd);
  return takeField(reading, name, valueStart, at);
}

/** Notes a field; false when it is one that makes the request less than plain. */
function takeField(reading: Reading, name: string, valueStart: number, valueEnd: number): boolean {
  const { bytes, rawHeaders } = reading;
  const lower = name.toLowerCase();
  if (lower === "content-length") {
    if (reading.digitsStart >= 0 || valueEnd - valueStart > MAX_DIGITS) return false;
    for (let at = valueStart; at < valueEnd; at++) {
      const byte = bytes[at] as number;
      if (byte < 0x30 || byte > 0x39) return false;
    }
    reading.digitsStart = valueStart;
    reading.digitsEnd = valueEnd;
    return true;
  }
  if (rawHeaders.length === 2 * MAX_HEADERS) return false;
  const value = bytes.toString("latin1", valueStart, valueEnd);
  switch (lower) {
    case "host":
      if (reading.host !== undefined) return false;
      reading.host = value;
      break;
    case "accept-encoding":
      if (reading.acceptEncoding !== undefined) return false;
      reading.acceptEncoding = value;
      break;
    case "connection":
      if (value.toLowerCase() !== "keep-alive") return false;
      break;
    case "transfer-encoding":
    case "content-encoding":
    case "expect":
    case "upgrade":
    case "trailer":
    case "te":
    case "http2-settings":
    case "proxy-connection":
      return false;
    default:
  }
  rawHeaders.push(name, value);
  return true;
}
