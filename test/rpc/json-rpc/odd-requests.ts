/**
 * Odd requests and their exact answers. The providers behind the table echo the params they get, so
 * a call that reaches one is seen by its result.
 *
 * `anvil` says where a real node answers otherwise, and why we do; rows without it agree with anvil
 * in code and id (geth's own scripts, `rpc/testdata`, agree with the rows that they have).
 */

import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";

/** One odd request. */
export interface OddRequest {
  readonly name: string;
  readonly send: string | Buffer;
  /** HTTP status; a WebSocket sends the same body, or nothing for 204. */
  readonly status: number;
  /** The answer's exact bytes. */
  readonly answer: string;
  /** Why anvil's answer differs; `undefined` when it does not. */
  readonly anvil?: string;
}

/** The id that every request gets in these tests. */
export const REQUEST_ID = "r";

/** One call, with its members as JSON text. */
export const call = (id: string, method = "eth_gasPrice", params = "[]"): string =>
  `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`;

/** A relayed result. */
export const result = (id: string, value = "[]"): string =>
  `{"jsonrpc":"2.0","id":${id},"result":${value}}`;

/** An error of ours. */
export const error = (id: string, code: number, message: string, reason: string): string =>
  `{"jsonrpc":"2.0","id":${id},"error":{"code":${code},"message":"${message}","data":{"reason":"${reason}","request_id":"${REQUEST_ID}"}}}`;

const parse = (message = "not valid JSON"): string =>
  error("null", -32700, `parse error: ${message}`, "parse_error");
const invalid = (id: string, message: string): string =>
  error(id, -32600, message, "invalid_request");

const VERSION = 'jsonrpc must be the string \\"2.0\\"';
const METHOD = "method must be a string of 1 to 128 characters";
const ID = "id must be a string of at most 256 bytes, an integer or null";
const OBJECT = "request is not an object";
const DUPLICATE = "duplicate or ambiguous member";
const PARAMS = "params must be an array or an object";

/** Anvil answers -32600 with status 200 to whatever it cannot read; the specification says -32700. */
const PARSE = "anvil calls it -32600";

const unreadable = (name: string, send: string | Buffer, message?: string): OddRequest => ({
  name,
  send,
  status: 400,
  answer: parse(message),
  anvil: PARSE,
});
const refused = (
  name: string,
  send: string,
  id: string,
  message: string,
  anvil?: string,
): OddRequest => ({
  name,
  send,
  status: 400,
  answer: invalid(id, message),
  ...(anvil === undefined ? {} : { anvil }),
});
const relayed = (
  name: string,
  send: string,
  id: string,
  value?: string,
  anvil?: string,
): OddRequest => ({
  name,
  send,
  status: 200,
  answer: result(id, value),
  ...(anvil === undefined ? {} : { anvil }),
});

const bytes = (hex: string): Buffer => Buffer.from(hex, "hex");
const around = (middle: Buffer): Buffer => {
  const [before = "", after = ""] = call('"?"').split("?");
  return Buffer.concat([Buffer.from(before), middle, Buffer.from(after)]);
};
const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
/** The params of a call stand within one object. */
const DEEPEST_PARAMS = 63;

const UNREADABLE: readonly OddRequest[] = [
  unreadable("an empty body", "", "empty body"),
  unreadable("white space", " \n\t\r ", "empty body"),
  unreadable("half an object", '{"jsonrpc":"2.0","id":1'),
  unreadable("bytes behind the call", `${call("1")} x`, "bytes after the request"),
  unreadable("two calls in a row", `${call("1")}${call("2")}`, "bytes after the request"),
  unreadable("a byte order mark", Buffer.concat([bytes("efbbbf"), Buffer.from(call("1"))])),
  unreadable("UTF-16", Buffer.from(call("1"), "utf16le")),
  unreadable("an overlong slash", around(bytes("c0af")), "not valid UTF-8"),
  unreadable("a surrogate in UTF-8", around(bytes("eda080")), "not valid UTF-8"),
  unreadable("a code point beyond Unicode", around(bytes("f4908080")), "not valid UTF-8"),
  unreadable("half a character", around(bytes("e282")), "not valid UTF-8"),
  unreadable("a control character in a string", around(bytes("01"))),
  unreadable("a line break in a string", around(bytes("0a"))),
  unreadable("an unknown escape", around(Buffer.from("\\x41"))),
  unreadable("half a unicode escape", around(Buffer.from("\\u00"))),
  unreadable("single quotes", call("1").replaceAll('"', "'")),
  unreadable("a comment", `/* hi */${call("1")}`),
  unreadable("a comma too many", call("1").replace(/\}$/, ",}")),
  unreadable("a comma too many in a batch", `[${call("1")},]`),
  unreadable("an open batch", `[${call("1")}`),
  unreadable("a number with a leading zero", call("01")),
  unreadable("a number with a plus", call("+1")),
  unreadable("a number that ends in a point", call("1.")),
  unreadable("NaN", call("NaN")),
  unreadable("a key without quotes", '{jsonrpc:"2.0"}'),
  unreadable(
    "a NUL behind the call",
    Buffer.concat([Buffer.from(call("1")), bytes("00")]),
    "bytes after the request",
  ),
  {
    name: "65 levels",
    send: call("1", "eth_gasPrice", nested(DEEPEST_PARAMS + 1)),
    status: 400,
    answer: parse("nested deeper than 64 levels"),
    anvil: "anvil reads up to 127 levels",
  },
  unreadable("65 levels without a call", nested(65), "nested deeper than 64 levels"),
  unreadable("a megabyte of brackets", "[".repeat(1024 * 1024), "nested deeper than 64 levels"),
];

const LONG = "a".repeat(256);

const IDS: readonly OddRequest[] = [
  relayed("an id of 0", call("0"), "0"),
  relayed("a negative id", call("-1"), "-1"),
  relayed("an id of -0", call("-0"), "-0", undefined, "anvil turns -0 into 0; the token is echoed"),
  relayed("2^53 + 1", call("9007199254740993"), "9007199254740993"),
  relayed(
    "an id beyond 64 bits",
    call("12345678901234567890123"),
    "12345678901234567890123",
    undefined,
    "anvil holds ids in 64 bits",
  ),
  relayed("an empty string", call('""'), '""'),
  relayed("a string of 256 bytes", call(`"${LONG}"`), `"${LONG}"`),
  relayed("a string in other scripts", call('"ключ-鍵-🔑"'), '"ключ-鍵-🔑"'),
  relayed(
    "an escaped string",
    call('"\\u0041\\n\\/"'),
    '"\\u0041\\n\\/"',
    undefined,
    "anvil decodes the string; the token is echoed",
  ),
  relayed(
    "a lone surrogate in an escape",
    call('"\\ud800"'),
    '"\\ud800"',
    undefined,
    "anvil decodes strings and cannot decode this one",
  ),
  relayed("null", call("null"), "null"),
  refused("a string of 257 bytes", call(`"${LONG}a"`), "null", ID, "anvil has no limit"),
  refused("a number of 300 digits", call("1".repeat(300)), "null", ID),
  refused("a fraction", call("1.5"), "null", ID),
  refused("a whole number with a fraction", call("1.0"), "null", ID),
  refused("an exponent", call("1e3"), "null", ID),
  refused("1e400", call("1e400"), "null", ID),
  refused("a boolean", call("true"), "null", ID),
  refused("an array", call("[]"), "null", ID),
  refused("an object", call("{}"), "null", ID),
];

const MEMBERS: readonly OddRequest[] = [
  refused("an empty object", "{}", "null", VERSION),
  refused("nothing but an id", '{"id":1}', "1", VERSION),
  refused("an id and the version", '{"jsonrpc":"2.0","id":1}', "1", METHOD),
  refused("no version", '{"id":1,"method":"eth_gasPrice"}', "1", VERSION),
  refused("version 2.1", '{"jsonrpc":"2.1","id":1,"method":"eth_gasPrice"}', "1", VERSION),
  refused(
    "another protocol",
    '{"jsonrpc":"go-ethereum","id":1,"method":"eth_gasPrice"}',
    "1",
    VERSION,
  ),
  refused(
    "a whole number as version",
    '{"jsonrpc":1,"id":1,"method":"eth_gasPrice"}',
    "1",
    VERSION,
  ),
  refused("a number as version", '{"jsonrpc":2.0,"id":1,"method":"eth_gasPrice"}', "1", VERSION),
  refused(
    "no version and no id",
    '{"method":"eth_gasPrice"}',
    "null",
    VERSION,
    "anvil takes it for a notification; geth does not",
  ),
  refused("a number", "1", "null", OBJECT),
  refused("null", "null", "null", OBJECT),
  refused("a string", '"eth_gasPrice"', "null", OBJECT),
  refused("true", "true", "null", OBJECT),
  refused("a method that is a number", '{"jsonrpc":"2.0","id":1,"method":1}', "1", METHOD),
  refused("a method that is null", '{"jsonrpc":"2.0","id":1,"method":null}', "1", METHOD),
  refused("an empty method", call("1", ""), "1", METHOD, "anvil looks for a method of this name"),
  refused(
    "a method of 129 characters",
    call("1", "a".repeat(129)),
    "1",
    METHOD,
    "anvil has no limit",
  ),
  refused(
    "two ids",
    '{"jsonrpc":"2.0","id":1,"id":2,"method":"eth_gasPrice"}',
    "null",
    DUPLICATE,
    "anvil echoes neither, and neither do we",
  ),
  refused(
    "two methods",
    '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","method":"eth_gasPrice"}',
    "1",
    DUPLICATE,
  ),
  refused(
    "a second method in another case",
    '{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice","Method":"eth_sign"}',
    "1",
    DUPLICATE,
  ),
  refused(
    "a second method behind an escape",
    '{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice","m\\u0065thod":"eth_sign"}',
    "1",
    DUPLICATE,
  ),
  refused(
    "two params",
    '{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice","params":[],"params":[1]}',
    "1",
    DUPLICATE,
  ),
  refused(
    "two versions",
    '{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"eth_gasPrice"}',
    "1",
    DUPLICATE,
  ),
  relayed(
    "a member of its own",
    '{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice","params":[],"trace":{"a":[1]}}',
    "1",
    undefined,
    "anvil refuses members that it does not know",
  ),
  refused(
    "33 members",
    `{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice",${Array.from({ length: 30 }, (_, i) => `"x${i}":1`).join(",")}}`,
    "1",
    "a call has at most 32 members",
  ),
  relayed("the id last", '{"method":"eth_gasPrice","params":[],"jsonrpc":"2.0","id":1}', "1"),
  relayed("the id first", '{"id":1,"method":"eth_gasPrice","params":[],"jsonrpc":"2.0"}', "1"),
  relayed(
    "the version behind an escape",
    '{"jsonrp\\u0063":"2\\u002e0","id":1,"method":"eth_gasPrice","params":[]}',
    "1",
  ),
  relayed(
    "the method behind an escape",
    '{"jsonrpc":"2.0","id":1,"method":"eth_gas\\u0050rice","params":[]}',
    "1",
  ),
  relayed(
    "white space everywhere",
    '\r\n { "jsonrpc" : "2.0" ,\t"id" : 1 , "method" : "eth_gasPrice" , "params" : [ ] } \n',
    "1",
  ),
];

const PARAM_ROWS: readonly OddRequest[] = [
  relayed("no params", '{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice"}', "1", "null"),
  relayed("null as params", call("1", "eth_gasPrice", "null"), "1", "null"),
  relayed(
    "an object as params",
    call("1", "eth_gasPrice", '{"a":1}'),
    "1",
    '{"a":1}',
    "anvil has no params by name; a provider may",
  ),
  relayed(
    "64 levels",
    call("1", "eth_gasPrice", nested(DEEPEST_PARAMS)),
    "1",
    nested(DEEPEST_PARAMS),
    "anvil knows how many params the method takes",
  ),
  ...["1", "true", '"x"'].map(
    (params): OddRequest => ({
      name: `${params} as params`,
      send: call("1", "eth_gasPrice", params),
      status: 400,
      answer: error("1", -32602, PARAMS, "invalid_params"),
      anvil: "anvil calls it -32600",
    }),
  ),
  {
    name: "a denied method",
    send: call("1", "personal_sign"),
    status: 200,
    answer: error("1", -32004, "personal_sign is not served", "method_denied"),
    anvil: "anvil is no gateway",
  },
  {
    name: "a method of the reserved namespace",
    send: call("1", "rpc.nonsense"),
    status: 200,
    answer: error("1", -32601, "rpc.nonsense does not exist", "unknown_method"),
  },
];

const NOTHING = { status: 204, answer: "" } as const;

const NOTIFICATIONS: readonly OddRequest[] = [
  {
    name: "a notification",
    send: '{"jsonrpc":"2.0","method":"eth_gasPrice","params":[]}',
    ...NOTHING,
  },
  {
    name: "a notification of a local method",
    send: '{"jsonrpc":"2.0","method":"eth_chainId"}',
    ...NOTHING,
  },
  {
    name: "a notification that is denied",
    send: '{"jsonrpc":"2.0","method":"personal_sign"}',
    ...NOTHING,
  },
  {
    name: "a notification with bad params",
    send: '{"jsonrpc":"2.0","method":"eth_gasPrice","params":1}',
    ...NOTHING,
    anvil: "anvil calls the call invalid",
  },
  {
    name: "a batch of notifications",
    send: '[{"jsonrpc":"2.0","method":"eth_gasPrice"},{"jsonrpc":"2.0","method":"eth_call"}]',
    ...NOTHING,
  },
];

const JUNK = "anvil gives up the whole batch for one bad item; geth does not";
const notObject = invalid("null", OBJECT);
const TOO_MANY = (id: string): string =>
  `[{"jsonrpc":"2.0","id":${id},"error":{"code":-32600,"message":"a batch holds at most 100 calls","data":{"reason":"batch_too_large","request_id":"${REQUEST_ID}","limit":100}}}]`;
const times = (count: number, text: string): string => `[${Array(count).fill(text).join(",")}]`;

const batch = (
  name: string,
  send: string,
  answers: readonly string[] | string,
  anvil?: string,
): OddRequest => ({
  name,
  send,
  status: 200,
  answer: typeof answers === "string" ? answers : `[${answers.join(",")}]`,
  ...(anvil === undefined ? {} : { anvil }),
});

const BATCHES: readonly OddRequest[] = [
  batch("an empty batch", "[]", error("null", -32600, "empty batch", "empty_batch")),
  batch(
    "an empty batch with white space",
    " [ \n] ",
    error("null", -32600, "empty batch", "empty_batch"),
  ),
  batch("a batch of numbers", "[1,2]", [notObject, notObject], JUNK),
  batch("a batch of null", "[null]", [notObject], JUNK),
  batch("a batch in a batch", `[[${call("1")}]]`, [notObject], JUNK),
  batch(
    "a batch of all sorts",
    `[${call("1")},55,{"foo":"bar"},${call("2", "eth_gasPrice", "7")},{"jsonrpc":"2.0","method":"eth_call"},${call("1.5")},${call('"z"')}]`,
    [
      result("1"),
      notObject,
      invalid("null", VERSION),
      error("2", -32602, PARAMS, "invalid_params"),
      invalid("null", ID),
      result('"z"'),
    ],
    JUNK,
  ),
  batch(
    "equal ids",
    `[${call("1")},${call("1", "eth_gasPrice", "[2]")},${call("1")}]`,
    [result("1"), result("1", "[2]"), result("1")],
    "anvil knows how many params the method takes",
  ),
  batch("a batch of one", `[${call("1")}]`, [result("1")]),
  batch("a call among notifications", `[{"jsonrpc":"2.0","method":"eth_gasPrice"},${call("1")}]`, [
    result("1"),
  ]),
  batch(
    "100 calls",
    times(100, call("1")),
    Array.from({ length: 100 }, () => result("1")),
  ),
  batch("101 calls", times(101, call("7")), TOO_MANY("7"), "anvil has no limit; geth answers so"),
  batch(
    "101 notifications",
    times(101, '{"jsonrpc":"2.0","method":"eth_gasPrice"}'),
    TOO_MANY("null"),
    "anvil has no limit; geth answers so",
  ),
  batch(
    "far too many calls, the first of them a notification",
    `[{"jsonrpc":"2.0","method":"eth_call"},${times(20_000, call("8")).slice(1)}`,
    TOO_MANY("8"),
    "anvil has no limit; geth answers so",
  ),
];

/** The table by topic. */
export const ODD_REQUESTS: Readonly<Record<string, readonly OddRequest[]>> = {
  "bodies that are not JSON": UNREADABLE,
  ids: IDS,
  "members of the envelope": MEMBERS,
  "params and methods": PARAM_ROWS,
  notifications: NOTIFICATIONS,
  batches: BATCHES,
};

/** A request whose oddity lies in HTTP: it has no counterpart over a WebSocket. */
export interface OddHttp {
  readonly name: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly send: string | Buffer;
  readonly status: number;
  readonly answer: string;
}

/** Largest body in these tests, bytes. */
export const BODY_LIMIT = 2_000_000;

const JSON_TYPE = { "content-type": "application/json" };
const NOT_JSON = "the content type must be application/json";
const ENCODING = "the body cannot be decoded; send it plain, or as gzip, deflate, br or zstd";
const typed = (name: string, type: string, isTaken: boolean): OddHttp => ({
  name,
  headers: { "content-type": type },
  send: call("1"),
  status: isTaken ? 200 : 415,
  answer: isTaken ? result("1") : error("1", -32600, NOT_JSON, "not_json"),
});
const encoded = (
  name: string,
  encoding: string,
  send: Buffer,
  reason?: "too_large" | "bad",
): OddHttp => ({
  name,
  headers: { ...JSON_TYPE, "content-encoding": encoding },
  send,
  ...(reason === undefined
    ? { status: 200, answer: result("1") }
    : reason === "bad"
      ? { status: 415, answer: error("null", -32600, ENCODING, "bad_encoding") }
      : {
          status: 413,
          answer: error("null", -32600, `the body is over ${BODY_LIMIT} bytes`, "body_too_large"),
        }),
});
const plain = Buffer.from(call("1"));
const bomb = Buffer.alloc(20_000_000, 0x20);

/** The table of what only HTTP can get wrong. */
export const ODD_HTTP: readonly OddHttp[] = [
  typed("text/plain", "text/plain", false),
  typed("a form", "application/x-www-form-urlencoded", false),
  typed("a type that only begins like JSON", "application/jsonp", false),
  typed("JSON in UTF-16", "application/json; charset=utf-16", false),
  typed("JSON in Latin-1", 'application/json; charset="iso-8859-1"', false),
  typed("JSON in UTF-8", "application/json; charset=utf-8", true),
  typed("JSON in quoted, upper-case UTF-8", 'Application/JSON;Charset="UTF-8"', true),
  typed("JSON-RPC's own type", "application/json-rpc", true),
  { name: "no content type", headers: {}, send: call("1"), status: 200, answer: result("1") },
  {
    name: "a PUT",
    method: "PUT",
    headers: JSON_TYPE,
    send: call("1"),
    status: 405,
    answer:
      '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"PUT is not served here; send a POST","data":{"reason":"method_not_post"}}}',
  },
  {
    name: "an unknown chain",
    path: "/rpc/nowhere",
    headers: JSON_TYPE,
    send: call("7"),
    status: 404,
    answer: error("7", -32001, "unknown chain nowhere", "unknown_chain"),
  },
  {
    name: "an unknown provider",
    path: "/rpc/provider/z/ethereum",
    headers: JSON_TYPE,
    send: call("7"),
    status: 404,
    answer: error("7", -32001, "chain ethereum has no provider z", "unknown_provider"),
  },
  {
    name: "a body as large as the limit",
    headers: JSON_TYPE,
    send: call("1") + " ".repeat(BODY_LIMIT - call("1").length),
    status: 200,
    answer: result("1"),
  },
  {
    name: "a body over the limit",
    headers: JSON_TYPE,
    send: call("1") + " ".repeat(BODY_LIMIT),
    status: 413,
    answer: error("null", -32600, `the body is over ${BODY_LIMIT} bytes`, "body_too_large"),
  },
  encoded("gzip", "gzip", gzipSync(plain)),
  encoded("deflate", "deflate", deflateSync(plain)),
  encoded("brotli", "br", brotliCompressSync(plain)),
  encoded("zstd", "zstd", zstdCompressSync(plain)),
  encoded("identity", "identity", plain),
  encoded("a gzip that expands to 20 MB", "gzip", gzipSync(bomb), "too_large"),
  encoded("a zstd that expands to 20 MB", "zstd", zstdCompressSync(bomb), "too_large"),
  encoded("a broken gzip", "gzip", plain, "bad"),
  encoded("half a gzip", "gzip", gzipSync(plain).subarray(0, 20), "bad"),
  encoded("gzip within gzip", "gzip, gzip", gzipSync(gzipSync(plain)), "bad"),
  encoded("an unknown encoding", "compress", plain, "bad"),
];
