import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { refOf, spelled } from "./support.ts";

const METHOD = "eth_call";
const isHex = (text: string): boolean => /^0x[0-9a-fA-F]*$/.test(text);

/** What the params mean, found the slow way: parse, lower all hex, add the default block. */
function meaning(params: string): unknown {
  const lower = (value: unknown): unknown => {
    if (typeof value === "string") return isHex(value) ? value.toLowerCase() : value;
    if (Array.isArray(value)) return value.map(lower);
    if (typeof value !== "object" || value === null) return value;
    return Object.entries(value).map(([name, inner]) => [
      isHex(name) ? name.toLowerCase() : name,
      lower(inner),
    ]);
  };
  const list = lower(JSON.parse(params)) as unknown[];
  return list.length === 1 ? [...list, "latest"] : list;
}

const hexDigits = fc.string({
  unit: fc.constantFrom(..."0123456789abcdefABCDEF".split("")),
  maxLength: 12,
});
const hex = hexDigits.map((digits) => `0x${digits}`);
const word = fc.oneof(
  hex,
  fc.constantFrom("latest", "Latest", "0xzz", "0X1", "0x1 ", '0x"', "0x\\", "", "pending"),
  fc.string({ maxLength: 8 }),
);
const leaf = fc.oneof(
  { weight: 4, arbitrary: word },
  { weight: 1, arbitrary: fc.constantFrom(null, true, false, 0, 1, -1, 1.5) },
);
const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(word, tie("value"), { maxKeys: 3 }),
  ),
})).value;
const list = fc.array(value, { maxLength: 3 });

function hasTwins(input: unknown): boolean {
  if (typeof input !== "object" || input === null) return false;
  const inner = Object.values(input);
  if (Array.isArray(input)) return inner.some(hasTwins);
  const names = Object.keys(input).map((name) => (isHex(name) ? name.toLowerCase() : name));
  return new Set(names).size < names.length || inner.some(hasTwins);
}

/** Writes a value with the given white space between tokens and the given case of hex. */
function written(input: unknown, space: () => string, upper: () => boolean): string {
  const text = (one: string): string =>
    JSON.stringify(
      isHex(one)
        ? `0x${one.slice(2).replaceAll(/./g, (c) => (upper() ? c.toUpperCase() : c.toLowerCase()))}`
        : one,
    );
  if (typeof input === "string") return text(input);
  if (Array.isArray(input)) {
    return `[${input.map((one) => `${space()}${written(one, space, upper)}${space()}`).join(",")}]`;
  }
  if (typeof input !== "object" || input === null) return JSON.stringify(input);
  const members = Object.entries(input).map(
    ([name, inner]) =>
      `${space()}${text(name)}${space()}:${space()}${written(inner, space, upper)}${space()}`,
  );
  return `{${members.join(",")}}`;
}

describe("the one spelling of params", () => {
  it("is the same for any white space and any case of hex", () => {
    fc.assert(
      fc.property(list, fc.infiniteStream(fc.nat()), (input, chance) => {
        const next = (): number => chance.next().value as number;
        const space = (): string => ["", " ", "\n", "\t ", "\r\n"][next() % 5] as string;
        const plain = spelled(METHOD, JSON.stringify(input));
        expect(
          spelled(
            METHOD,
            written(input, space, () => next() % 2 === 0),
          ),
        ).toBe(plain);
      }),
      { numRuns: 1_000 },
    );
  });

  it("never merges two calls that mean different things", () => {
    // A small world, so that equal spellings do occur.
    const small = fc.array(
      fc.oneof(
        fc.constantFrom("0xA", "0xa", "0x0a", "0X0a", "latest", "0xg", "a b", "ab"),
        fc.constantFrom<unknown>(1, null, [], {}, [[]], ["0xA"], { a: "0xA" }, { A: "0xa" }),
      ),
      { maxLength: 2 },
    );
    let merged = 0;
    const check = (a: string, b: string): void => {
      if (spelled(METHOD, a) !== spelled(METHOD, b)) return;
      merged++;
      expect(meaning(a)).toEqual(meaning(b));
    };
    fc.assert(
      fc.property(small, small, (a, b) => check(JSON.stringify(a), JSON.stringify(b))),
      { numRuns: 5_000 },
    );
    fc.assert(
      fc.property(list, list, (a, b) => check(JSON.stringify(a), JSON.stringify(b))),
      { numRuns: 1_000 },
    );
    expect(merged).toBeGreaterThan(10);
  });

  it("is JSON that means what the params mean", () => {
    fc.assert(
      fc.property(list, (input) => {
        // Members that differ in the case of hex only are one member to JSON.parse afterwards.
        fc.pre(!hasTwins(input));
        const text = spelled(METHOD, JSON.stringify(input)) as string;
        const utf8 = Buffer.from(text, "latin1").toString("utf8");
        expect(meaning(utf8)).toEqual(meaning(JSON.stringify(input)));
      }),
      { numRuns: 1_000 },
    );
  });

  it("keeps what only looks alike apart", () => {
    const different = [
      '["0x1","0x1"]',
      '["0x01","0x1"]',
      '["0X1","0x1"]',
      '["0x1 ","0x1"]',
      '[" 0x1","0x1"]',
      '["0x1",1]',
      '["0x1",1.0]',
      '["0x1","\\u0030x1"]',
      '[{"to":"0x1","data":"0x2"},"0x1"]',
      '[{"data":"0x2","to":"0x1"},"0x1"]',
      '[{"to":"0x1","to":"0x2"},"0x1"]',
      '[{"to":"0x2","to":"0x1"},"0x1"]',
      '["0x1",null]',
      '["0x1","latest"]',
      '["0x1","Latest"]',
      '[["0x1"],"0x1"]',
      '[["0x1","0x1"]]',
      "[]",
    ];
    const spellings = different.map((params) => spelled(METHOD, params));
    expect(new Set(spellings).size).toBe(different.length);
  });

  it("adds the latest block where every node reads a missing one so, and nowhere else", () => {
    expect(spelled("eth_call", '[{"to":"0xAB"}]')).toBe('[{"to":"0xab"},"latest"]');
    expect(spelled("eth_getStorageAt", '["0xA", "0x0"]')).toBe('["0xa","0x0","latest"]');
    expect(spelled("eth_estimateGas", '[{"to":"0xAB"}]')).toBe('[{"to":"0xab"}]');
    expect(spelled("eth_call", "[]")).toBe("[]");
    expect(spelled("eth_gasPrice", undefined)).toBe("[]");
  });

  it("refuses params that are no list, or too long", () => {
    expect(spelled("eth_call", '{"to":"0x1"}')).toBeUndefined();
    expect(spelled("eth_call", `["0x${"0".repeat(200_000)}"]`)).toBeUndefined();
  });
});

describe("the block of a call", () => {
  const hash = `0x${"ab".repeat(32)}`;
  it.each([
    ["eth_call", '[{},"latest"]', { kind: "tag" }],
    ["eth_call", "[{}]", { kind: "tag" }],
    ["eth_call", '[{},"0x10"]', { kind: "number", number: 16 }],
    ["eth_call", '[{},"earliest"]', { kind: "number", number: 0 }],
    ["eth_call", '[{},"pending"]', { kind: "none" }],
    ["eth_call", '[{},"0x010"]', { kind: "none" }],
    ["eth_call", '[{},"16"]', { kind: "none" }],
    ["eth_call", "[{},16]", { kind: "none" }],
    ["eth_call", "[{},null]", { kind: "none" }],
    [
      "eth_call",
      `[{},{"blockHash":"${hash.toUpperCase().replace("X", "x")}"}]`,
      { kind: "hash", hash },
    ],
    ["eth_call", `[{},{"blockHash":"${hash}","requireCanonical":true}]`, { kind: "hash", hash }],
    ["eth_call", `[{},{"blockHash":"${hash}","blockNumber":"0x1"}]`, { kind: "none" }],
    ["eth_call", '[{},{"blockNumber":"0x1"}]', { kind: "number", number: 1 }],
    ["eth_call", '[{},{"blockNumber":"latest"}]', { kind: "none" }],
    ["eth_call", "[{},{}]", { kind: "none" }],
    ["eth_call", '[{},"0x1",{"0xAB":{}}]', { kind: "number", number: 1 }],
    ["eth_getBlockByNumber", '["0x5",false]', { kind: "number", number: 5 }],
    ["eth_getBlockByHash", `["${hash}",true]`, { kind: "hash", hash }],
    ["eth_getBlockReceipts", '["finalized"]', { kind: "tag" }],
    ["eth_getTransactionReceipt", `["${hash}"]`, { kind: "answer" }],
    ["eth_getTransactionReceipt", "[]", { kind: "none" }],
    ["eth_gasPrice", undefined, { kind: "tag" }],
    ["web3_sha3", '["0x"]', { kind: "static" }],
    ["eth_getLogs", '[{"fromBlock":"0x1","toBlock":"0x2"}]', { kind: "number", number: 2 }],
    ["eth_getLogs", '[{"fromBlock":"0x3","toBlock":"0x2"}]', { kind: "none" }],
    ["eth_getLogs", '[{"fromBlock":"0x1","toBlock":"latest","topics":[null]}]', { kind: "tag" }],
    ["eth_getLogs", '[{"fromBlock":"0x1"}]', { kind: "tag" }],
    ["eth_getLogs", '[{"toBlock":"0x1"}]', { kind: "none" }],
    ["eth_getLogs", `[{"blockHash":"${hash}","address":"0xA"}]`, { kind: "hash", hash }],
    ["eth_getLogs", `[{"blockHash":"${hash}","toBlock":"0x1"}]`, { kind: "none" }],
    ["eth_getLogs", '[{"fromBlock":"0x1","toBlock":"0x2","toBlock":"0x3"}]', { kind: "none" }],
    [
      "eth_getLogs",
      '[{"fromBlock":"0x1","toBlock":"0x2","to\\u0042lock":"0x3"}]',
      { kind: "none" },
    ],
    ["eth_getLogs", "[]", { kind: "none" }],
    ["eth_blockNumber", undefined, undefined],
    ["eth_sendRawTransaction", '["0x1"]', undefined],
    ["eth_getFilterChanges", '["0x1"]', undefined],
    ["eth_syncing", undefined, undefined],
  ])("of %s %s is %o", (method, params, ref) => {
    expect(refOf(method, params)).toEqual(ref);
  });
});
