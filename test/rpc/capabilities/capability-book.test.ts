import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CapabilityBook,
  LIMIT_MS,
  MISSING_METHOD_MS,
  type RefusedAttempt,
} from "../../../src/rpc/capabilities/capability-book.ts";

const refused = (message: string, more: Partial<RefusedAttempt> = {}): RefusedAttempt => ({
  provider: "a",
  method: "eth_getLogs",
  code: -32000,
  message,
  data: "",
  asked: undefined,
  ...more,
});
const range = (blocks: number) => ({
  block: 1000 + blocks,
  fromBlock: 1001,
  isState: false,
  range: blocks,
});
const state = (block: number) => ({ block, fromBlock: block, isState: true, range: 0 });

describe("a learned range", () => {
  it("is the vendor's number", () => {
    const book = new CapabilityBook();
    const lesson = book.learn(
      refused("eth_getLogs is limited to a 2,000 range", { asked: range(5000) }),
      0,
    );
    expect(lesson).toEqual({
      provider: "a",
      kind: "range",
      method: "eth_getLogs",
      limit: 2000,
      untilMs: LIMIT_MS,
    });
    expect(book.limit("range", "a", "eth_getLogs", 0)).toBe(2000);
    expect(book.limit("range", "b", "eth_getLogs", 0)).toBeUndefined();
    expect(book.limit("range", "a", "trace_filter", 0)).toBeUndefined();
  });

  it("is half of what was asked when no number is given, and halves again", () => {
    const book = new CapabilityBook();
    book.learn(refused("block range too large", { asked: range(5000) }), 0);
    expect(book.limit("range", "a", "eth_getLogs", 0)).toBe(2500);
    book.learn(refused("block range too large", { asked: range(2500) }), 1);
    expect(book.limit("range", "a", "eth_getLogs", 1)).toBe(1250);
    // An answer to an older, larger question teaches nothing new.
    expect(book.learn(refused("block range too large", { asked: range(5000) }), 2)).toBeUndefined();
    expect(book.limit("range", "a", "eth_getLogs", 2)).toBe(1250);
  });

  it("lies below what was refused, whatever the words claim", () => {
    const book = new CapabilityBook();
    book.learn(refused("eth_getLogs is limited to a 1000 range", { asked: range(1000) }), 0);
    expect(book.limit("range", "a", "eth_getLogs", 0)).toBe(999);
  });

  it("is forgotten after an hour, and when a longer range is served", () => {
    const book = new CapabilityBook();
    book.learn(refused("eth_getLogs is limited to a 100 range", { asked: range(200) }), 0);
    expect(book.limit("range", "a", "eth_getLogs", LIMIT_MS - 1)).toBe(100);
    expect(book.limit("range", "a", "eth_getLogs", LIMIT_MS)).toBeUndefined();
    book.learn(refused("eth_getLogs is limited to a 100 range", { asked: range(200) }), 0);
    book.served("a", "eth_getLogs", range(100));
    expect(book.limit("range", "a", "eth_getLogs", 1)).toBe(100);
    book.served("a", "eth_getLogs", range(101));
    expect(book.limit("range", "a", "eth_getLogs", 1)).toBeUndefined();
  });

  it("does not come from a cap on results or addresses", () => {
    const book = new CapabilityBook();
    book.learn(refused("query returned more than 10000 results", { asked: range(200) }), 0);
    book.learn(refused("too many addresses, max 500 addresses", { asked: range(200) }), 0);
    expect(book.limit("range", "a", "eth_getLogs", 0)).toBeUndefined();
    expect(book.limit("results", "a", "eth_getLogs", 0)).toBe(10_000);
    expect(book.limit("addresses", "a", "eth_getLogs", 0)).toBe(500);
  });
});

describe("a missing method", () => {
  const missing = (method = "eth_x") =>
    refused("the method does not exist", { method, code: -32601 });

  it("is believed at the second sighting, for ten minutes", () => {
    const book = new CapabilityBook();
    expect(book.learn(missing(), 0)).toBeUndefined();
    expect(book.lessons("a", 0)).toEqual([]);
    expect(book.learn(missing(), 1000)).toMatchObject({ kind: "method", method: "eth_x" });
    expect(book.lessons("a", 1000)).toHaveLength(1);
    // A third is no news.
    expect(book.learn(missing(), 2000)).toBeUndefined();
    expect(book.lessons("a", 2000 + MISSING_METHOD_MS - 1)).toHaveLength(1);
    expect(book.lessons("a", 2000 + MISSING_METHOD_MS)).toEqual([]);
  });

  it("needs both sightings within its memory, and no success between them", () => {
    const book = new CapabilityBook();
    book.learn(missing(), 0);
    expect(book.learn(missing(), MISSING_METHOD_MS)).toBeUndefined();
    book.served("a", "eth_x", undefined);
    expect(book.learn(missing(), MISSING_METHOD_MS + 1)).toBeUndefined();
  });

  it("keeps a bounded number of names, which clients choose", () => {
    const book = new CapabilityBook();
    for (let n = 0; n < 5000; n++) {
      book.learn(missing(`eth_x${n}`), n);
      book.learn(missing(`eth_x${n}`), n);
    }
    expect(book.lessons("a", 5000).length).toBe(256);
  });
});

describe("old state", () => {
  it("is served above the highest block that was missing", () => {
    const book = new CapabilityBook();
    const pruned = (block: number) =>
      refused("missing trie node", { method: "eth_getBalance", asked: state(block) });
    expect(book.learn(pruned(500), 0)).toMatchObject({
      kind: "state",
      limit: 501,
      method: undefined,
    });
    expect(book.learn(pruned(300), 1)).toBeUndefined();
    expect(book.floor("state", "a", 1)).toBe(501);
    expect(book.floor("history", "a", 1)).toBeUndefined();
    book.served("a", "eth_call", state(501));
    expect(book.floor("state", "a", 1)).toBe(501);
    book.served("a", "eth_call", state(500));
    expect(book.floor("state", "a", 1)).toBeUndefined();
  });

  it("is told apart from old logs, and teaches nothing without a block", () => {
    const book = new CapabilityBook();
    book.learn(refused("pruned history unavailable", { asked: range(10) }), 0);
    expect(book.floor("history", "a", 0)).toBe(1002);
    expect(book.floor("state", "a", 0)).toBeUndefined();
    expect(book.learn(refused("missing trie node", { method: "eth_call" }), 0)).toBeUndefined();
  });
});

describe("any history of answers", () => {
  const event = fc.record({
    isServed: fc.boolean(),
    words: fc.constantFrom(
      "block range too large",
      "eth_getLogs is limited to a 64 range",
      "query returned more than 10000 results",
      "nothing of the kind",
    ),
    blocks: fc.integer({ min: 1, max: 4096 }),
    afterMs: fc.integer({ min: 0, max: LIMIT_MS }),
  });

  it("leaves a range that is positive, below the last refusal, and not below a later success", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const book = new CapabilityBook();
        let nowMs = 0;
        for (const { isServed, words, blocks, afterMs } of events) {
          nowMs += afterMs;
          if (isServed) {
            book.served("a", "eth_getLogs", range(blocks));
            const limit = book.limit("range", "a", "eth_getLogs", nowMs);
            expect(limit === undefined || limit >= blocks).toBe(true);
          } else {
            book.learn(refused(words, { asked: range(blocks) }), nowMs);
            const limit = book.limit("range", "a", "eth_getLogs", nowMs);
            expect(limit === undefined || limit >= 1).toBe(true);
            if (words.includes("range") && blocks > 1) expect(limit).toBeLessThan(blocks);
          }
        }
      }),
    );
  });

  it("is forgotten with its provider", () => {
    const book = new CapabilityBook();
    expect(book.isEmpty).toBe(true);
    book.learn(refused("eth_getLogs is limited to a 64 range"), 0);
    expect(book.isEmpty).toBe(false);
    book.forget("a");
    expect(book.isEmpty).toBe(true);
  });
});
