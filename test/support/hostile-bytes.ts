/** Bodies of at most a megabyte that are made, or damaged at random, to keep their reader busy. */
import { seededRandom } from "../../src/lib/random.ts";

/** Largest body that is made. */
export const HOSTILE_BYTES = 1 << 20;

/** A named body. */
export type Hostile = readonly [name: string, body: Buffer];

const filled = (before: string, piece: string, after: string): Buffer => {
  const room = HOSTILE_BYTES - before.length - after.length;
  return Buffer.from(before + piece.repeat(Math.floor(room / piece.length)) + after, "utf8");
};

const call = (method: string, params: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`;
const around = (method: string, before: string, piece: string, after: string): Buffer => {
  const [head = "", tail = ""] = call(method, "?").split("?");
  return filled(head + before, piece, after + tail);
};

/** Requests that are large in every way a request can be. */
export const HOSTILE_REQUESTS: readonly Hostile[] = [
  ["brackets", filled("", "[", "")],
  ["open objects", filled("", '{"a":', "")],
  ["white space", filled("", " ", "")],
  ["a call behind white space", filled("", " ", call("eth_gasPrice", "[]"))],
  ["quotes", filled("", '"', "")],
  ["a long id", filled('{"jsonrpc":"2.0","id":', "1", ',"method":"eth_gasPrice"}')],
  ["a long method", filled('{"jsonrpc":"2.0","id":1,"method":"', "a", '"}')],
  ["a method of escapes", filled('{"jsonrpc":"2.0","id":1,"method":"', "\\u0061", '"}')],
  ["members", filled("{", '"a":1,', '"b":1}')],
  ["members of two letters", filled("{", '"ID":1,', '"b":1}')],
  ["escaped members", filled("{", '"\\u0061":1,', '"b":1}')],
  ["members in other scripts", filled("{", '"ſ":1,', '"b":1}')],
  ["a batch of numbers", filled("[", "1,", "1]")],
  ["a batch of empty objects", filled("[", "{},", "{}]")],
  ["a batch of escaped members", filled("[", `{${'"\\u0061":1,'.repeat(80)}"b":1},`, "1]")],
  [
    "a batch of calls for latest",
    filled("[", `${call("eth_call", '[{"to":"0xaa"},"latest"]')},`, "1]"),
  ],
  ["numbers", around("eth_call", "[", "1,", "1]")],
  ["levels that open and close", around("eth_call", "[", "[[[[]]]],", "1]")],
  ["a long string", around("eth_call", '["', "a", '"]')],
  ["escapes", around("eth_call", '["', "\\n", '"]')],
  ["emoji", around("eth_call", '["', "🔑", '"]')],
  ["a filter of members", around("eth_getLogs", "[{", '"a":1,', '"fromBlock":"latest"}]')],
  ["a filter of escaped members", around("eth_getLogs", "[{", '"\\u0061":1,', '"b":1}]')],
  [
    "a filter of addresses",
    around("eth_getLogs", '[{"address":[', `"0x${"ab".repeat(20)}",`, '"0x"]}]'),
  ],
  [
    "a filter of ends",
    around("eth_getLogs", "[{", '"toBlock":"latest",', '"fromBlock":"latest"}]'),
  ],
  ["a block object of members", around("eth_call", "[{},{", '"blockNumber":"latest",', '"a":1}]')],
  ["a raw transaction", around("eth_sendRawTransaction", '["0x', "ab", '"]')],
  ["a lookup of white space", around("eth_getTransactionReceipt", "[", " ", '"0x1"]')],
  [
    "broken UTF-8 at its end",
    Buffer.concat([filled("", "a", "").subarray(0, HOSTILE_BYTES - 1), Buffer.from([0xff])]),
  ],
];

const reply = (before: string, piece: string, after: string): Buffer =>
  filled(`{"jsonrpc":"2.0","id":$ID,${before}`, piece, after);

/** Answers that are large in every way an answer can be; `$ID` stands for the id asked with. */
export const HOSTILE_ANSWERS: readonly Hostile[] = [
  ["a long result", reply('"result":"', "a", '"}')],
  ["a result of arrays", reply('"result":[', "[],", "1]}")],
  ["a result without bottom", reply('"result":', "[", "")],
  ["objects without bottom", reply('"result":', '{"a":', "")],
  ["a result full of errors", reply('"result":[', '{"error":"x"},', "1]}")],
  ["two results", reply('"result":"', "a", '","result":1}')],
  ["members before the result", reply("", '"a":1,', '"result":1}')],
  ["escaped members", reply("", '"\\u0061":1,', '"result":1}')],
  ["white space before the id", filled('{"jsonrpc":"2.0","result":"0x1",', " ", '"id":$ID}')],
  ["white space behind it", reply('"result":"0x1"}', " ", "")],
  ["a long message", reply('"error":{"code":-32000,"message":"', "a", '"}}')],
  [
    "a message of beginnings",
    reply('"error":{"code":-32000,"message":"', "rate limi execution rever ", '"}}'),
  ],
  ["a message of digits", reply('"error":{"code":-32000,"message":"block range ', "9", '"}}')],
  [
    "a message of ranges",
    reply('"error":{"code":-32005,"message":"try with this block range ', "[0x1, 0x2] ", '"}}'),
  ],
  ["a message of white space", reply('"error":{"code":-32000,"message":"limit', " ", '"}}')],
  [
    "long data",
    reply('"error":{"code":3,"message":"execution reverted","data":"0x', "08c379a0", '"}}'),
  ],
  ["an error of members", reply('"error":{"code":-32000,', '"a":1,', '"message":"x"}}')],
  ["an error without bottom", reply('"error":{"code":-32000,"data":', "[", "")],
  ["a page", filled("<html>", "<p>rate limit exceeded 429 </p>", "</html>")],
  ["nothing but white space", filled("", " ", "")],
  ["another id at the end", filled('{"jsonrpc":"2.0","result":"', "a", '","id":1}')],
  [
    "broken UTF-8",
    Buffer.concat([
      reply('"result":"', "a", "").subarray(0, HOSTILE_BYTES - 4),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ]),
  ],
];

/** Random whole numbers below `below`, the same for the same seed. */
export const randomFrom = (seed: number): ((below: number) => number) => {
  const random = seededRandom(seed);
  return (below) => Math.floor(random() * below);
};

const TOKENS = [
  '"',
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "\\",
  "\\u00",
  '"result":',
  '"error":{',
  '"id":1,',
  '"latest"',
  "null",
  " ",
  "\u0000",
  "é",
  "e9",
];

/** A copy of `body` with bytes replaced, pieces moved and tokens strewn in. */
export const damaged = (body: Buffer, random: (below: number) => number): Buffer => {
  const bytes = Buffer.from(body);
  const count = 1 + random(64);
  for (let i = 0; i < count; i++) {
    const at = random(bytes.length);
    const kind = random(3);
    if (kind === 0) bytes[at] = random(256);
    else if (kind === 1) bytes.write(TOKENS[random(TOKENS.length)] as string, at);
    else bytes.copy(bytes, at, random(bytes.length), random(bytes.length));
  }
  return bytes;
};
