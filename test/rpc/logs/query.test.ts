import { describe, expect, it } from "vitest";
import { readLogsQuery, sliceParams } from "../../../src/rpc/logs/query.ts";
import { ADDRESSES, TOPICS } from "./chain.ts";

const read = (params: unknown) => {
  const body = Buffer.from(typeof params === "string" ? params : JSON.stringify(params));
  return readLogsQuery(body, 0, body.length);
};

const RANGE = { fromBlock: "0x1", toBlock: "0xff" };

describe("the filter of eth_getLogs", () => {
  it.each([
    [{}, "latest", "latest"],
    [{ fromBlock: null, toBlock: "latest" }, "latest", "latest"],
    [{ fromBlock: "earliest", toBlock: "finalized" }, "earliest", "finalized"],
    [{ fromBlock: "0x0", toBlock: "safe" }, 0, "safe"],
    [{ fromBlock: "0x1fffffffffffe" }, 0x1fffffffffffe, "latest"],
    [{ toBlock: "0xFFFFFFFFFFFFF" }, "latest", 4503599627370495],
  ])("%j asks from %s to %s", (filter, fromBlock, toBlock) => {
    expect(read([filter])).toMatchObject({ fromBlock, toBlock });
  });

  it.each([
    ["a filter by hash", [{ blockHash: `0x${"1".repeat(64)}` }]],
    ["pending logs", [{ fromBlock: "0x1", toBlock: "pending" }]],
    ["a number with leading zeros", [{ fromBlock: "0x01" }]],
    ["a decimal number", [{ fromBlock: 1 }]],
    ["a number beyond 52 bits", [{ fromBlock: "0x20000000000000" }]],
    ["a member that only some decoders know", [{ FromBlock: "0x1" }]],
    ["an escaped member", '[{"from\\u0042lock":"0x1"}]'],
    ["a member that comes twice", '[{"fromBlock":"0x1","fromBlock":"0x2"}]'],
    ["a second parameter", [RANGE, "latest"]],
    ["no parameter", []],
    ["an object for params", RANGE],
    ["a string for the filter", ["0x1"]],
  ])("is left alone for %s", (_what, params) => {
    expect(read(params)).toBeUndefined();
  });

  it("asks for a slice with everything else as it stood", () => {
    const text = `[ {"topics" : [ null , "${TOPICS[0]}" ],"address":"0xAbC", "toBlock":"0xFF","fromBlock":"0x1"} ]`;
    const query = read(text);
    const slice = { fromBlock: 16, toBlock: 31, addresses: undefined, topics: undefined };
    expect(sliceParams(query as never, slice)).toBe(
      `[{"fromBlock":"0x10","toBlock":"0x1f","address":"0xAbC","topics":[ null , "${TOPICS[0]}" ]}]`,
    );
  });

  it("asks for parts of the lists and keeps the other topics", () => {
    const query = read([
      { ...RANGE, address: ADDRESSES, topics: [[TOPICS[0], TOPICS[1]], null, [TOPICS[2]]] },
    ]);
    expect(query?.addresses).toHaveLength(5);
    expect(query?.topics).toEqual([`"${TOPICS[0]}"`, `"${TOPICS[1]}"`]);
    const slice = {
      fromBlock: 1,
      toBlock: 1,
      addresses: query?.addresses.slice(0, 1),
      topics: query?.topics.slice(1),
    };
    expect(JSON.parse(sliceParams(query as never, slice))).toEqual([
      {
        fromBlock: "0x1",
        toBlock: "0x1",
        address: [ADDRESSES[0]],
        topics: [[TOPICS[1]], null, [TOPICS[2]]],
      },
    ]);
  });

  it("names an address once that the list names twice, so that halves share no log", () => {
    const upper = (ADDRESSES[0] as string).toUpperCase().replace("0X", "0x");
    const mixed = `0x${"aB".repeat(20)}`;
    const query = read([{ ...RANGE, address: [mixed, mixed.toLowerCase(), upper] }]);
    expect(query?.addresses).toEqual([`"${mixed}"`, `"${upper}"`]);
    expect(read([{ ...RANGE, address: [mixed, mixed.toLowerCase()] }])?.addresses).toEqual([]);
  });

  it.each([
    [{ address: [] }],
    [{ address: ADDRESSES[0] }],
    [{ address: [ADDRESSES[0], "0x1"] }],
    [{ address: [ADDRESSES[0], null] }],
    [{ topics: [] }],
    [{ topics: [[TOPICS[0], null]] }],
    [{ topics: [null, [TOPICS[0], TOPICS[1]]] }],
  ])("does not cut the lists of %j", (filter) => {
    expect(read([{ ...RANGE, ...filter }])).toMatchObject({ addresses: [], topics: [] });
  });
});
