import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keccak256 } from "../../../src/lib/keccak256.ts";
import {
  bloomMayMatch,
  isEmptyBloom,
  matchesLog,
  parseFilter,
  type LogFilter,
} from "../../../src/rpc/subscription/delivery/filter.ts";

const filterOf = (input: unknown): LogFilter => {
  const result = parseFilter(input);
  if (!result.ok) throw new Error(result.message);
  return result.filter;
};

const address = (n: number) => `0x${n.toString(16).padStart(40, "0")}`;
const topic = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;

describe("a log filter", () => {
  it("takes every log when absent, null or empty", () => {
    for (const input of [undefined, null, {}, { address: [], topics: [] }]) {
      const filter = filterOf(input);
      expect(filter.key).toBe("*");
      expect(matchesLog(filter, address(1), [])).toBe(true);
    }
  });

  it("compares addresses without case, one or a list of them", () => {
    const mixed = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48";
    expect(matchesLog(filterOf({ address: mixed }), mixed.toLowerCase(), [])).toBe(true);
    expect(matchesLog(filterOf({ address: [address(1), mixed] }), address(1), [])).toBe(true);
    expect(matchesLog(filterOf({ address: mixed }), address(2), [])).toBe(false);
  });

  it("matches topics by position: null is anything, a list is alternatives, too few never match", () => {
    const filter = filterOf({ topics: [null, [topic(1), topic(2)]] });
    expect(matchesLog(filter, address(1), [topic(9), topic(2)])).toBe(true);
    expect(matchesLog(filter, address(1), [topic(9), topic(3)])).toBe(false);
    expect(matchesLog(filter, address(1), [topic(9)])).toBe(false);
    expect(matchesLog(filterOf({ topics: [null] }), address(1), [])).toBe(false);
  });

  it("has the same key for the same meaning", () => {
    const one = filterOf({ address: [address(2), address(1)], topics: [topic(5)] });
    const other = filterOf({ topics: [[topic(5)]], address: [address(1), address(2)] });
    expect(one.key).toBe(other.key);
    expect(filterOf({ address: address(1) }).key).not.toBe(one.key);
  });

  it("takes a null among the alternatives of a topic for anything", () => {
    expect(filterOf({ topics: [[topic(1), null]] }).key).toBe(filterOf({ topics: [null] }).key);
  });

  it("refuses what it cannot honour, in go-ethereum's words where it has some", () => {
    const many = Array.from({ length: 1_001 }, (_, i) => i);
    const cases: [unknown, string][] = [
      ["logs", "filter is not an object"],
      [[], "filter is not an object"],
      [{ address: 7 }, "invalid addresses in query"],
      [{ address: "" }, "invalid address: empty hex string"],
      [{ address: "a0".repeat(20) }, "invalid address: hex string without 0x prefix"],
      [{ address: "0x1" }, "invalid address: hex string of odd length"],
      [
        { address: [address(1), "0x12"] },
        "invalid address at index 1: hex has invalid length 1 after decoding; expected 20 for address",
      ],
      [{ address: [`0x${"g".repeat(40)}`] }, "invalid address at index 0: invalid hex string"],
      [{ address: [null] }, "non-string address at index 0"],
      [{ address: many.map(address) }, "exceed max addresses or topics per search position"],
      [{ topics: topic(1) }, "topics is not an array"],
      [{ topics: [null, null, null, null, null] }, "exceed max topics"],
      [{ topics: [{}] }, "invalid topic(s) (topics[0])"],
      [{ topics: [null, [1]] }, "invalid topic(s) (topics[1])"],
      [
        { topics: ["0x12"] },
        "hex has invalid length 1 after decoding; expected 32 for topic (topics[0])",
      ],
      [
        { topics: [many.map(topic)] },
        "exceed max addresses or topics per search position (topics[0])",
      ],
      [{ fromBlock: "0x1" }, "a subscription starts now: fromBlock and toBlock may only be latest"],
      [{ blockHash: topic(1) }, "a subscription takes no blockHash"],
    ];
    for (const [input, message] of cases) {
      const result = parseFilter(input);
      expect(result.ok ? "accepted" : result.message).toBe(message);
    }
  });
});

describe("the bloom pre-check", () => {
  /** The bloom of a block as the yellow paper makes it, by an independent way: bytes from the end. */
  const bloomOf = (items: readonly string[]): string => {
    const bytes = new Uint8Array(256);
    for (const item of items) {
      const digest = keccak256(Buffer.from(item.slice(2), "hex"));
      for (const at of [0, 2, 4]) {
        const bit = (((digest[at] ?? 0) << 8) | (digest[at + 1] ?? 0)) % 2_048;
        const index = 255 - Math.floor(bit / 8);
        bytes[index] = (bytes[index] ?? 0) | (1 << (bit % 8));
      }
    }
    return `0x${Buffer.from(bytes).toString("hex")}`;
  };

  it("knows the bloom of one real topic", () => {
    // keccak256("Transfer(address,address,uint256)"), bits 1172, 1184 and 1939 by hand.
    const transfer = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
    expect(bloomMayMatch(filterOf({ topics: [transfer] }), bloomOf([transfer]))).toBe(true);
    expect(bloomMayMatch(filterOf({ topics: [topic(1)] }), bloomOf([transfer]))).toBe(false);
  });

  it("rules out an empty block and trusts no bloom that it cannot read", () => {
    const filter = filterOf({ address: address(1) });
    expect(bloomMayMatch(filter, `0x${"0".repeat(512)}`)).toBe(false);
    expect(isEmptyBloom(`0x${"0".repeat(512)}`)).toBe(true);
    expect(bloomMayMatch(filter, undefined)).toBe(true);
    expect(bloomMayMatch(filter, "0x")).toBe(true);
  });

  it("never rules out a block that has a matching log", () => {
    const number = fc.integer({ min: 1, max: 40 });
    const log = fc.record({ address: number, topics: fc.array(number, { maxLength: 4 }) });
    fc.assert(
      fc.property(
        fc.array(log, { minLength: 1, maxLength: 5 }),
        fc.array(number, { maxLength: 3 }),
        fc.array(fc.option(fc.array(number, { maxLength: 3 })), { maxLength: 4 }),
        (logs, addresses, topics) => {
          const filter = filterOf({
            address: addresses.map(address),
            topics: topics.map((choice) => choice?.map(topic) ?? null),
          });
          const bloom = bloomOf(
            logs.flatMap((one) => [address(one.address), ...one.topics.map(topic)]),
          );
          const isMatched = logs.some((one) =>
            matchesLog(filter, address(one.address), one.topics.map(topic)),
          );
          if (isMatched) expect(bloomMayMatch(filter, bloom)).toBe(true);
        },
      ),
    );
  });
});
