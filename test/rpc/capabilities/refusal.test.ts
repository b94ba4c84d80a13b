import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRefusal, suggestedRange } from "../../../src/rpc/capabilities/refusal.ts";

const said = (message: string, data = "") => ({ message, data });
const logs = (message: string, data = "", code = -32000) => ({
  method: "eth_getLogs",
  code,
  message,
  data,
});

describe("the range that a vendor suggests", () => {
  it.each<[string, string, number]>([
    ["Alchemy", "You can make eth_getLogs requests with up to a 500 block range.", 500],
    ["Alchemy, thousands", "requests with up to a 2K block range and no limit", 2000],
    ["QuickNode", "eth_getLogs is limited to a 10,000 range", 10_000],
    ["QuickNode, free", "eth_getLogs is limited to a 5 range", 5],
    ["1RPC", "eth_getLogs is limited to 0 - 50 blocks range", 50],
    ["1RPC, larger", "eth_getLogs is limited to a 10000 blocks range", 10_000],
    ["BlockPi", "eth_getLogs is limited to 1024 block range. Please check the parameter", 1024],
    ["Avalanche", "requested too many blocks from 5033 to 5138, maximum is set to 2048", 2048],
    ["Cloudflare", "Invalid params. Max range: 800", 800],
    ["Polygon zkEVM", "block range too large, max range: 10000", 10_000],
    ["Immutable", "exceeded maximum block range: 5000", 5000],
    ["PublicNode", "exceed maximum block range: 50000", 50_000],
    ["Cronos", "maximum [from, to] blocks distance: 2000", 2000],
    ["thirdweb", "Maximum allowed number of requested blocks is 3500", 3500],
    ["Coinbase", "please limit the query to at most 1,000 blocks", 1000],
    ["Hyperliquid", "query exceeds max block range 1000", 1000],
    ["Swell", "block range greater than 100000 max", 100_000],
    ["Somnia", "block range exceeds 1000", 1000],
    ["Merkle", "eth_getLogs range is too large, max is 10k blocks", 10_000],
    ["Harmony", "query must be smaller than size 1024", 1024],
    ["Moonriver", "block range is too wide (maximum 1024)", 1024],
    ["Aurora", "You can make eth_getLogs requests with up to a 2000 block range.", 2000],
    ["Blast", "block range exceeds the range allowed for your plan (10001 > 5000).", 5000],
    ["Infura", "range 25887126 - 25897126 exceeds limit of 10000", 10_000],
    ["dRPC", "ranges over 10000 blocks are not supported on freetier", 10_000],
  ])("%s", (_who, message, blocks) => {
    expect(suggestedRange(said(message))).toEqual({ blocks });
  });

  it("is read from the data where the message says nothing", () => {
    const data =
      "requested block range 16777217 exceeds the limit of 200; narrow your fromBlock/toBlock";
    expect(suggestedRange(said("Invalid params", data))).toEqual({ blocks: 200 });
  });

  it.each<[string, string, string, number, number]>([
    [
      "Infura",
      "query returned more than 10000 results. Try with this block range [0xBDE5F8, 0x102DBCC].",
      "",
      0xbde5f8,
      0x102dbcc,
    ],
    [
      "Infura, in data",
      "query returned more than 10000 results",
      '{"from":"0xBDE5F8","limit":10000,"to":"0x102DBCC"}',
      0xbde5f8,
      0x102dbcc,
    ],
    [
      "Nethermind, in data",
      "invalid params",
      "Query returned more than 50000 results. Try with this block range [0x1000000, 0x1080000].",
      0x1000000,
      0x1080000,
    ],
    [
      "Alchemy",
      "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size, or you can request any block range with a cap of 10K logs in the response. Based on your parameters and the response size limit, this block range should work: [0x0, 0xd043b8]",
      "",
      0,
      0xd043b8,
    ],
    [
      "Ankr",
      "query exceeds max results 20000, retry with the range 24383075-24383096",
      "",
      24_383_075,
      24_383_096,
    ],
  ])("%s names both ends", (_who, message, data, fromBlock, toBlock) => {
    expect(suggestedRange(said(message, data))).toEqual({
      fromBlock,
      toBlock,
      blocks: toBlock - fromBlock + 1,
    });
  });

  it.each([
    "limit exceeded",
    "header not found",
    "query returned more than 10000 results",
    "logs matched by query exceeds limit of 10000",
    "backend response too large",
    "Archive requests require a personal token. Get one at: https://www.allnodes.com/publicnode",
    "invalid argument 0: expected one of [0x1, 0x2]",
    "this block range should work: [0x10, 0x1]",
  ])("is unknown for %s", (message) => {
    expect(suggestedRange(said(message))).toBeUndefined();
  });

  it("is a whole positive number of blocks whatever the text", () => {
    const words = fc.constantFrom(
      "block range",
      "[0x5,",
      "0x1]",
      "up to a",
      "limited to",
      "0 - ",
      "10k",
      "1,0,",
      "(5 > 0)",
      "blocks",
      "99999999999999999999",
      "exceeds",
      "limit of",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words).map((list) => list.join(" ")),
        ),
        (text) => {
          const hint = suggestedRange(said(text, text));
          if (hint === undefined) return;
          expect(Number.isSafeInteger(hint.blocks) && hint.blocks > 0).toBe(true);
          if (hint.fromBlock !== undefined && hint.toBlock !== undefined) {
            expect(hint.toBlock - hint.fromBlock + 1).toBe(hint.blocks);
          }
        },
      ),
    );
  });
});

describe("what a refusal is about", () => {
  it.each<[string, ReturnType<typeof logs>, ReturnType<typeof readRefusal>]>([
    ["results", logs("query returned more than 10000 results"), { kind: "results", limit: 10_000 }],
    [
      "results, though a range is named",
      logs(
        "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size, or you can request any block range with a cap of 10K logs in the response.",
      ),
      { kind: "results", limit: 10_000 },
    ],
    [
      "results of Arbitrum",
      logs("logs matched by query exceeds limit of 10000"),
      { kind: "results", limit: 10_000 },
    ],
    [
      "results without a number",
      logs("backend response too large"),
      { kind: "results", limit: undefined },
    ],
    ["range", logs("eth_getLogs is limited to a 10,000 range"), { kind: "range", limit: 10_000 }],
    [
      "range without a number",
      logs("Block range is too large"),
      { kind: "range", limit: undefined },
    ],
    ["BSC", logs("limit exceeded", "", -32005), { kind: "range", limit: undefined }],
    [
      "addresses",
      logs("too many addresses, max 1000 addresses allowed"),
      { kind: "addresses", limit: 1000 },
    ],
    [
      "addresses without a number",
      logs("please specify less number of addresses"),
      { kind: "addresses", limit: undefined },
    ],
    [
      "archive of logs",
      logs("Archive requests require a personal token", "", -32701),
      { kind: "archive", limit: undefined },
    ],
  ])("%s", (_what, error, expected) => {
    expect(readRefusal(error)).toEqual(expected);
  });

  it.each<[string, string, number, string]>([
    ["method", "the method debug_x does not exist/is not available", -32601, "method"],
    ["method without words", "", -32601, "method"],
    ["plan", "trace_block is not available on the Free tier - upgrade", -32603, "method"],
    ["whitelist", "rpc method is not whitelisted", -32601, "method"],
    ["geth", "missing trie node 5a3 (path ) state 0x5a3 is not available", -32000, "archive"],
    ["erigon", "history has been pruned for this block", -32000, "archive"],
    ["nethermind", "No state available for block 0x1", -32002, "archive"],
  ])("%s", (_what, message, code, kind) => {
    expect(readRefusal({ method: "eth_getBalance", code, message, data: "" })?.kind).toBe(kind);
  });

  it("is nothing where the words say nothing of limits", () => {
    expect(
      readRefusal({ method: "eth_call", code: -32000, message: "upgrade", data: "" }),
    ).toBeUndefined();
  });
});
