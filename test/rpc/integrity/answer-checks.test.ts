import { describe, expect, it } from "vitest";
import { answerCheck } from "../../../src/rpc/integrity/answer-checks.ts";
import { BlockRing } from "../../../src/rpc/integrity/block-ring.ts";

const hash = (digit: string): string => `0x${digit.repeat(64)}`;
const quantity = (value: number): string => `0x${value.toString(16)}`;

const ring = new BlockRing();
ring.advance(100);
for (let n = 80; n <= 100; n++) {
  for (const provider of ["p", "q"])
    ring.note(provider, n, `0x${String(n).repeat(32).slice(0, 64)}`);
}
const known = (n: number): string => `0x${String(n).repeat(32).slice(0, 64)}`;

const check = (method: string, params: unknown, result: unknown, provider = "a"): unknown => {
  const body = Buffer.from(`{"method":"${method}","params":${JSON.stringify(params)}}`);
  const bytes = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 1, result }));
  const paramsStart = body.indexOf('"params":') + 9;
  return answerCheck(method)?.({
    body,
    paramsStart,
    paramsEnd: body.length - 1,
    bytes,
    start: bytes.indexOf('"result":') + 9,
    end: bytes.length,
    provider,
    ring,
    blockTimeMs: 12_000,
  });
};

const block = (n: number, of = known(n), parent = known(n - 1)) => ({
  difficulty: "0x0",
  logsBloom: `0x${"0".repeat(512)}`,
  hash: of,
  number: quantity(n),
  parentHash: parent,
});

describe("an answer that is checked always", () => {
  it("speaks of the block that was asked for", () => {
    expect(check("eth_getBlockByNumber", ["0x5a", false], block(90))).toBe(undefined);
    expect(check("eth_getBlockByNumber", ["0x5b", false], block(90))).toMatch(/90 .* 91/);
    expect(check("eth_getBlockByNumber", ["latest", false], block(99))).toBe(undefined);
    expect(check("eth_getBlockByNumber", ["0x5b", false], null)).toBe(undefined);
    expect(
      check("eth_getBlockByHash", [known(90).toUpperCase().replace("X", "x"), false], block(90)),
    ).toBe(undefined);
    expect(check("eth_getBlockByHash", [known(91), false], block(90))).toMatch(/another hash/);
    expect(check("eth_getBlockByHash", [known(90), false], block(91, known(90)))).toMatch(
      /of block 90/,
    );
  });

  it("agrees with the settled blocks that two others tell of", () => {
    expect(check("eth_getBlockByNumber", ["0x55", false], block(85, hash("b")))).toMatch(/85/);
    expect(check("eth_getBlockByNumber", ["0x56", false], block(86, known(86), hash("b")))).toMatch(
      /does not follow/,
    );
    // The newest blocks may be replaced any moment.
    expect(check("eth_getBlockByNumber", ["0x64", false], block(100, hash("c")))).toBe(undefined);
    // What nobody knows cannot be held against anybody.
    expect(check("eth_getBlockByNumber", ["0x1", false], block(1, hash("d")))).toBe(undefined);
    expect(check("eth_getBlockByNumber", ["pending", false], block(87, null as never))).toBe(
      undefined,
    );
  });

  it("is believed when a second provider tells of the same new block", () => {
    expect(check("eth_getBlockByNumber", ["0x57", false], block(87, hash("e")), "x")).toMatch(/87/);
    expect(check("eth_getBlockByNumber", ["0x57", false], block(87, hash("e")), "y")).toBe(
      undefined,
    );
    expect(check("eth_getBlockByNumber", ["0x57", false], block(87, hash("e")), "x")).toBe(
      undefined,
    );
  });

  it("carries the hash, or the place, that was asked for", () => {
    const tx = { blockNumber: "0x5a", blockHash: known(90), hash: hash("a") };
    expect(check("eth_getTransactionByHash", [hash("A")], tx)).toBe(undefined);
    expect(check("eth_getTransactionByHash", [hash("b")], tx)).toMatch(/transaction/);
    expect(check("eth_getTransactionReceipt", [hash("b")], { transactionHash: hash("c") })).toMatch(
      /receipt/,
    );
    expect(check("eth_getTransactionReceipt", [hash("b")], {})).toBe(undefined);
    expect(check("eth_getBlockReceipts", ["0x5a"], [tx])).toBe(undefined);
    expect(check("eth_getBlockReceipts", ["0x5a"], [])).toBe(undefined);
    expect(check("eth_getBlockReceipts", ["0x5b"], [tx])).toMatch(/90/);
    expect(check("eth_getBlockReceipts", [known(91)], [tx])).toMatch(/another block/);
    expect(check("eth_getTransactionByBlockNumberAndIndex", ["0x5b", "0x0"], tx)).toMatch(/90/);
    expect(check("eth_getTransactionByBlockHashAndIndex", [known(90), "0x0"], tx)).toBe(undefined);
  });

  it("has no opinion on other methods", () => {
    expect(answerCheck("eth_call")).toBe(undefined);
    expect(answerCheck("eth_getBalance")).toBe(undefined);
  });
});

describe("logs", () => {
  const address = `0x${"ab".repeat(20)}`;
  const log = (n: number, index: number, more: object = {}) => ({
    address,
    topics: [hash("1"), hash("2")],
    data: "0x",
    blockNumber: quantity(n),
    transactionHash: hash("3"),
    blockHash: known(n),
    logIndex: quantity(index),
    removed: false,
    ...more,
  });
  const ask = (filter: object, logs: unknown) => check("eth_getLogs", [filter], logs);

  it("lie in the asked range, in order", () => {
    const range = { fromBlock: "0x50", toBlock: "0x5a" };
    expect(ask(range, [])).toBe(undefined);
    expect(ask(range, null)).toBe(undefined);
    expect(ask(range, [log(80, 0), log(80, 3), log(90, 0)])).toBe(undefined);
    expect(ask(range, [log(79, 0)])).toMatch(/79/);
    expect(ask(range, [log(91, 0)])).toMatch(/91/);
    expect(ask({ fromBlock: "0x50", toBlock: "latest" }, [log(200, 0)])).toBe(undefined);
    expect(ask({ fromBlock: "latest" }, [log(3, 0)])).toBe(undefined);
    expect(ask(range, [log(85, 1), log(84, 2)])).toMatch(/84 follow/);
    expect(ask(range, [log(85, 1), log(85, 1)])).toMatch(/log 1/);
    expect(ask({ blockHash: known(85) }, [log(85, 1)])).toBe(undefined);
    expect(ask({ blockHash: known(86) }, [log(85, 1)])).toMatch(/another block/);
    expect(ask(range, { logs: [] })).toBe(undefined);
    expect(ask(range, ["0x"])).toMatch(/no object/);
  });

  it("are those that were asked for", () => {
    const other = `0x${"cd".repeat(20)}`;
    expect(ask({ address: address.toUpperCase().replace("X", "x") }, [log(1, 0)])).toBe(undefined);
    expect(ask({ address: [other, address] }, [log(1, 0)])).toBe(undefined);
    expect(ask({ address: [] }, [log(1, 0)])).toBe(undefined);
    expect(ask({ address: other }, [log(1, 0)])).toMatch(/address/);
    expect(ask({ topics: [null, [hash("9"), hash("2")]] }, [log(1, 0)])).toBe(undefined);
    expect(ask({ topics: [hash("2")] }, [log(1, 0)])).toMatch(/topic/);
    expect(ask({ topics: [null, null, null] }, [log(1, 0)])).toMatch(/too few/);
    expect(ask({ topics: [] }, [log(1, 0, { topics: [] })])).toBe(undefined);
  });
});
