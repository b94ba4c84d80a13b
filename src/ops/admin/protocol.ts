/**
 * The lines of the admin socket: newline-delimited JSON, both ways, nothing else.
 *
 * ```
 * server {"hello":{"product":"paceline","version":"…","protocol":1,"region":"…","role":"viewer"}}
 * client {"id":1,"cmd":"tree","args":{}}  or  {"id":1,"cmd":"tree","args":{},"region":"us"}
 * server {"id":1,"ok":{…}}  or  {"id":1,"error":{"code","message","hint"?}}
 * server {"sub":"s1","seq":1,"event":{…}}  {"sub":"s1","dropped":12}  {"sub":"s1","end":"closed"}
 * ```
 * A reply of more than 1 MiB comes as pages: `ok` is then `{cursor, page, pages, text}`, and the
 * texts of all pages joined are the JSON of the reply.
 */

/** Version of this protocol, sent in the greeting. */
export const PROTOCOL_VERSION = 1;

/** Bounds of the socket. */
export const ADMIN_LIMITS = {
  requestLineBytes: 64 * 1024,
  replyLineBytes: 1024 * 1024,
  connections: 16,
  subscriptionsPerConnection: 8,
  /** Commands of one connection that run at the same time. */
  inFlightPerConnection: 16,
  commandMs: 5_000,
  /** Unsent bytes beyond which events are dropped and counted. */
  unsentBytes: 1024 * 1024,
} as const;

/** What can be wrong with a command. */
export type AdminErrorCode =
  | "OPS_BAD_JSON"
  | "OPS_UNKNOWN_COMMAND"
  | "OPS_BAD_ARGS"
  | "OPS_FORBIDDEN"
  | "OPS_TIMEOUT"
  | "OPS_LIMIT"
  | "OPS_BUSY"
  | "OPS_FAILED"
  | "OPS_NO_REGION"
  | "OPS_REGION_LOST"
  | "OTP_NO_PROCESS";

/** Who may do what: each role may do all that the ones before it may. */
export const ROLES = ["viewer", "operator", "admin"] as const;

/** The rights of a connection. */
export type Role = (typeof ROLES)[number];

/** Whether `role` includes the rights of `needed`. */
export function mayAct(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** The server's first line. */
export interface Hello {
  readonly product: "paceline";
  readonly version: string;
  readonly protocol: number;
  readonly region: string;
  readonly role: Role;
}

/** A well-formed request. */
export interface AdminRequest {
  readonly id: string | number;
  readonly cmd: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Where it is to be carried out; undefined here. */
  readonly region: string | undefined;
}

/** An error as the client gets it. */
export interface AdminErrorBody {
  readonly code: AdminErrorCode;
  readonly message: string;
  readonly hint?: string;
}

/** An expected refusal of a command. */
export class AdminError extends Error {
  readonly code: AdminErrorCode;
  readonly hint: string | undefined;

  constructor(code: AdminErrorCode, message: string, hint?: string) {
    super(message);
    this.name = "AdminError";
    this.code = code;
    this.hint = hint;
  }

  get body(): AdminErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint !== undefined && { hint: this.hint }),
    };
  }
}

/** A parsed line, or why it is none; after `OPS_BAD_JSON` the connection is closed. */
export type ParsedRequest =
  | { readonly ok: true; readonly request: AdminRequest }
  | { readonly ok: false; readonly id: string | number | null; readonly error: AdminError };

/** Reads one request line. */
export function parseRequest(line: string): ParsedRequest {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return { ok: false, id: null, error: new AdminError("OPS_BAD_JSON", "the line is no JSON") };
  }
  if (!isRecord(message)) {
    return { ok: false, id: null, error: new AdminError("OPS_BAD_JSON", "not a JSON object") };
  }
  const { id, cmd, args = {}, region, ...rest } = message;
  const isId = typeof id === "number" || (typeof id === "string" && id.length <= 256);
  const refuse = (text: string): ParsedRequest => ({
    ok: false,
    id: isId ? id : null,
    error: new AdminError("OPS_BAD_ARGS", text),
  });
  if (!isId) return refuse("id must be a number or a text of at most 256 characters");
  if (typeof cmd !== "string") return refuse("cmd must be a text");
  if (!isRecord(args)) return refuse("args must be an object");
  if (region !== undefined && !isRegion(region)) {
    return refuse(`region must be a text of at most ${MAX_REGION_CHARS} characters`);
  }
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return refuse(`unknown member "${unknown}"`);
  return { ok: true, request: { id, cmd, args, region } };
}

const MAX_REGION_CHARS = 128;

const isRegion = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && value.length <= MAX_REGION_CHARS;

/** One line of a stream of bytes, or the end of it because a line is too long. */
export class LineSplitter {
  readonly #maxBytes: number;
  #rest: Buffer = EMPTY;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Complete lines in `chunk` and what came before; undefined when one exceeds the bound. */
  push(chunk: Buffer): readonly string[] | undefined {
    const lines: string[] = [];
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE)) {
      if (end > this.#maxBytes) return undefined;
      const line = bytes.toString("utf8", 0, end).trim();
      if (line !== "") lines.push(line);
      bytes = bytes.subarray(end + 1);
    }
    if (bytes.length > this.#maxBytes) return undefined;
    this.#rest = Buffer.from(bytes);
    return lines;
  }
}

const EMPTY: Buffer = Buffer.alloc(0);
const NEWLINE = 0x0a;

/** Writes one message as a line. */
export function encodeLine(message: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(message)}\n`;
}

/** The reply as one line when it fits, else the pages of its JSON. */
export function pagesOf(reply: unknown): readonly string[] | undefined {
  const text = JSON.stringify(reply ?? null);
  if (Buffer.byteLength(text) <= ADMIN_LIMITS.replyLineBytes - ENVELOPE_BYTES) return undefined;
  const pages: string[] = [];
  for (let at = 0; at < text.length; at += PAGE_CHARS) pages.push(text.slice(at, at + PAGE_CHARS));
  return pages;
}

/** Room for the id and the member names around a reply. */
const ENVELOPE_BYTES = 2_048;
/** A character grows to at most 3 bytes in UTF-8, quotes and backslashes to 2 by escaping. */
const PAGE_CHARS = 256 * 1024;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
