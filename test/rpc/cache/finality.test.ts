import { describe, expect, it } from "vitest";
import { answerBlock } from "../../../src/rpc/cache/answer-block.ts";
import type { BlockRef } from "../../../src/rpc/cache/block-ref.ts";
import { placeOf, stillHolds, worthOf, type Place } from "../../../src/rpc/cache/finality.ts";
import { CachePolicies } from "../../../src/rpc/cache/policies.ts";
import { hashOf, sight } from "./support.ts";

const numberRef = (number: number): BlockRef => ({ kind: "number", number });
const placed = (ref: BlockRef, chain = sight()): Place => placeOf(ref, chain) as Place;
const TAG: BlockRef = { kind: "tag" };

describe("where an answer is looked for", () => {
  it("is the number alone once the block is final, and its hash before", () => {
    expect(placed(numberRef(936))).toMatchObject({ finality: "finalized", anchor: "f" });
    expect(placed(numberRef(937))).toMatchObject({
      finality: "unfinalized",
      anchor: hashOf(937),
      hash: hashOf(937),
    });
  });

  it("is nowhere when the block is ahead of the tip, or of unknown hash", () => {
    expect(placeOf(numberRef(1_001), sight())).toBeUndefined();
    expect(placeOf(numberRef(1_002), sight({ hashAt: hashOf }))).toBeUndefined();
    expect(placeOf(numberRef(1_001), sight({ hashAt: hashOf }))).toBeDefined();
    expect(placeOf(numberRef(950), sight({ hashAt: () => undefined }))).toBeUndefined();
  });

  it("is another one as soon as the tip is another one", () => {
    const moved = sight({ tip: 1_001, tipHash: hashOf(1_001) });
    const replaced = sight({ tipHash: hashOf("other") });
    const anchors = [sight(), moved, replaced].map((chain) => placed(TAG, chain).anchor);
    expect(new Set(anchors).size).toBe(3);
    expect(placeOf(TAG, sight({ tip: -1 }))).toBeUndefined();
  });

  it("is nowhere for a call that names no block", () => {
    expect(placeOf({ kind: "none" }, sight())).toBeUndefined();
  });
});

describe("what an answer is worth", () => {
  const worth = (ref: BlockRef, named?: { number: number; hash: string }, later = sight()) =>
    worthOf(placed(ref), named, false, later);

  it("has no end once its block is final, two blocks before, two seconds at the tip", () => {
    expect(worth({ kind: "static" })?.finality).toBe("static");
    expect(worth(numberRef(900))?.finality).toBe("finalized");
    expect(worth(numberRef(999))).toMatchObject({ finality: "unfinalized", hash: hashOf(999) });
    expect(worth(TAG)?.finality).toBe("realtime");
    const policies = new CachePolicies([]);
    expect(policies.ttlMs("eth_call", "static", 12_000)).toBe(Infinity);
    expect(policies.ttlMs("eth_call", "finalized", 12_000)).toBe(Infinity);
    expect(policies.ttlMs("eth_call", "unfinalized", 12_000)).toBe(24_000);
    expect(policies.ttlMs("eth_call", "realtime", 12_000)).toBe(2_000);
    expect(policies.ttlMs("eth_call", "realtime", 250)).toBe(250);
  });

  it("is nothing when the block was replaced while the answer was on its way", () => {
    const other = sight({ hashAt: () => hashOf("other") });
    expect(worth(numberRef(999), undefined, other)).toBeUndefined();
    const gone = sight({ hashAt: () => undefined });
    expect(worth(numberRef(999), undefined, gone)).toBeUndefined();
    expect(worth(TAG, undefined, sight({ tip: 1_001 }))).toBeUndefined();
    expect(worth(TAG, undefined, sight({ tipHash: hashOf("other") }))).toBeUndefined();
  });

  it("is nothing when the answer names a hash that the chain contradicts", () => {
    const lie = { number: 920, hash: hashOf("lie") };
    expect(worth(numberRef(920), lie)).toBeUndefined();
    expect(worth({ kind: "answer" }, lie)).toBeUndefined();
    expect(worth(TAG, { number: 1_000, hash: hashOf("lie") })).toBeUndefined();
    expect(worth(numberRef(920), { number: 920, hash: hashOf(920) })).toBeDefined();
  });

  it("is nothing when a block lookup brought another block", () => {
    const other = { number: 700, hash: hashOf(700) };
    expect(worthOf(placed(numberRef(800)), other, true, sight())).toBeUndefined();
    expect(worthOf(placed(numberRef(800)), other, false, sight())).toBeDefined();
  });

  it("follows the block that the answer names when the call names none", () => {
    const ref: BlockRef = { kind: "answer" };
    expect(worth(ref)).toBeUndefined();
    expect(worth(ref, { number: 800, hash: hashOf(800) })).toMatchObject({ finality: "finalized" });
    expect(worth(ref, { number: 990, hash: hashOf(990) })).toMatchObject({
      finality: "unfinalized",
      hash: hashOf(990),
    });
    expect(worth(ref, { number: 1_001, hash: hashOf(1_001) })).toBeUndefined();
    expect(worth(ref, { number: 1_002, hash: hashOf(1_002) })).toBeUndefined();
  });

  it("follows the hash that the call names", () => {
    const ref: BlockRef = { kind: "hash", hash: hashOf(990) };
    expect(worth(ref)).toMatchObject({ finality: "unfinalized", hash: hashOf(990), number: 990 });
    expect(worth(ref, { number: 990, hash: hashOf(991) })).toBeUndefined();
    const unknown: BlockRef = { kind: "hash", hash: hashOf("side") };
    expect(worth(unknown)).toBeUndefined();
    expect(worth(unknown, { number: 990, hash: hashOf("side") })).toBeUndefined();
    expect(worth(unknown, { number: 100, hash: hashOf("side") })?.finality).toBe("finalized");
  });

  it("ends when the chain names another hash at its height", () => {
    const kept = worth(numberRef(999));
    if (kept === undefined) expect.unreachable();
    expect(stillHolds(kept, sight())).toBe(true);
    expect(stillHolds(kept, sight({ hashAt: () => hashOf("other") }))).toBe(false);
    expect(stillHolds(kept, sight({ hashAt: () => undefined }))).toBe(false);
  });

  it("is nothing, and ends, when the tip itself is in doubt", () => {
    const doubt = sight({ isContradicted: (number) => number === 1_000 });
    expect(worth(TAG, undefined, doubt)).toBeUndefined();
    const kept = worth(TAG);
    if (kept === undefined) expect.unreachable();
    expect(stillHolds(kept, sight())).toBe(true);
    expect(stillHolds(kept, doubt)).toBe(false);
  });

  it("hangs on the block that stands at the tip even where the tip is known by number only", () => {
    const polled = sight({ tipHash: undefined });
    const place = placed(TAG, polled);
    expect(worthOf(place, undefined, false, polled)?.hash).toBe(hashOf(1_000));
    const named = { number: 1_000, hash: hashOf(1_000) };
    expect(worthOf(place, named, true, sight({ ...polled, hashAt: () => undefined }))?.hash).toBe(
      hashOf(1_000),
    );
  });
});

describe("the block that an answer names", () => {
  const named = (result: unknown) => {
    const bytes = Buffer.from(typeof result === "string" ? result : JSON.stringify(result));
    return answerBlock(bytes, 0, bytes.length);
  };
  const hash = hashOf("b");

  it.each([
    ["a block", { extraData: "0x", hash, nonce: "0x0", number: "0x10", transactions: [] }],
    ["a transaction", { blockHash: hash, blockNumber: "0x10", hash: hashOf("t"), number: "0x1" }],
    ["a list of receipts", [{ blockHash: hash, blockNumber: "0x10" }, { blockHash: "0x1" }]],
    ["upper case", { blockNumber: "0x10", blockHash: hash.toUpperCase().replace("X", "x") }],
  ])("is found in %s", (_what, result) => {
    expect(named(result)).toEqual({ number: 16, hash });
  });

  it("is not looked for inside of inner values", () => {
    expect(named({ transactions: [{ blockHash: hash, blockNumber: "0x10" }] })).toBeUndefined();
    expect(named({ a: { hash, number: "0x10" }, b: '{"hash":"' })).toBeUndefined();
  });

  it("is nothing where there is none", () => {
    for (const result of ["null", '"0x"', "[]", "{}", "[1]", "7", '{"hash":']) {
      expect(named(result)).toBeUndefined();
    }
    expect(named({ blockHash: null, blockNumber: null, hash: hashOf("t") })).toBeUndefined();
    expect(named({ hash, number: "16" })).toBeUndefined();
  });
});

describe("policies", () => {
  const policies = new CachePolicies([
    { methods: ["eth_getBlock*"], finality: "finalized", ttlMs: 5_000 },
    { methods: ["eth_call", "*Price"], finality: "realtime", ttlMs: 0 },
    { methods: ["*"], finality: "realtime", ttlMs: 700 },
  ]);

  it("count in order, each for its own finality", () => {
    expect(policies.ttlMs("eth_getBlockByNumber", "finalized", 12_000)).toBe(5_000);
    expect(policies.ttlMs("eth_getBlockByNumber", "unfinalized", 12_000)).toBe(24_000);
    expect(policies.ttlMs("eth_call", "realtime", 12_000)).toBe(0);
    expect(policies.ttlMs("eth_gasPrice", "realtime", 12_000)).toBe(0);
    expect(policies.ttlMs("eth_getBalance", "realtime", 12_000)).toBe(700);
    expect(policies.ttlMs("eth_call", "finalized", 12_000)).toBe(Infinity);
  });

  it("take a star for any run of characters", () => {
    const fits = (glob: string, method: string): boolean =>
      new CachePolicies([{ methods: [glob], finality: "static", ttlMs: 1 }]).ttlMs(
        method,
        "static",
        1,
      ) === 1;
    expect(fits("eth_*By*", "eth_getBlockByHash")).toBe(true);
    expect(fits("eth_*By*Hash", "eth_getBlockByHash")).toBe(true);
    expect(fits("eth_*By*Number", "eth_getBlockByHash")).toBe(false);
    expect(fits("eth_call*eth_call", "eth_call")).toBe(false);
    expect(fits("eth_call", "eth_callMany")).toBe(false);
    expect(fits("*", "")).toBe(true);
  });
});
