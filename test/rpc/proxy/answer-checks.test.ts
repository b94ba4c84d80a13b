import { describe, expect, it } from "vitest";
import { BlockRing } from "../../../src/rpc/integrity/block-ring.ts";
import { world } from "./support.ts";

const hash = (digit: string): string => `0x${digit.repeat(64)}`;
const ask = (method: string, params: unknown): string =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });

describe("an answer that cannot be right", () => {
  it("is its provider's failure and never the client's", () => {
    const w = world();
    const [a, b] = w.upstreams;
    if (a === undefined || b === undefined) throw new Error("no upstream");
    a.script = (call) => call.result(JSON.stringify({ hash: hash("b") }));
    b.script = (call) => call.result(JSON.stringify({ hash: hash("a") }));
    const reply = w.post(ask("eth_getTransactionByHash", [hash("a")]));
    expect(reply.json.result.hash).toBe(hash("a"));
    expect(reply.headers["x-paceline-attempts"]).toMatch(/^a=primary:malformed:0;b=failover:ok/);
    expect(w.misbehaved).toEqual(["a"]);
    expect(w.recorded.map(({ provider, errorClass }) => [provider, errorClass])).toEqual([
      ["a", "malformed"],
      ["b", "ok"],
    ]);
    expect(w.reports[0]).toMatchObject({ errorClass: "malformed" });
    expect(w.events.find(({ name }) => name === "provider.misbehaviour")?.fields).toMatchObject({
      provider: "a",
      method: "eth_getTransactionByHash",
      kind: "answer",
    });
  });

  it("contradicts the blocks that others tell of", () => {
    const blocks = new BlockRing();
    blocks.advance(100);
    for (const provider of ["x", "y"]) blocks.note(provider, 80, hash("8"));
    const w = world({ chain: { blocks } });
    const block = (of: string): string => JSON.stringify({ number: "0x50", hash: of });
    const [a, b] = w.upstreams;
    if (a === undefined || b === undefined) throw new Error("no upstream");
    a.script = (call) => call.result(block(hash("9")));
    b.script = (call) => call.result(block(hash("8")));
    expect(w.post(ask("eth_getBlockByNumber", ["0x50", false])).json.result.hash).toBe(hash("8"));
    expect(w.misbehaved).toEqual(["a"]);
    // A reorg that no head announced: the second who tells of it is believed.
    b.script = (call) => call.result(block(hash("9")));
    expect(w.post(ask("eth_getBlockByNumber", ["0x50", false])).json.result.hash).toBe(hash("9"));
  });

  it("shows in the explanation with what was wrong", () => {
    const w = world({ script: (call) => call.result(JSON.stringify({ hash: hash("b") })) });
    const { error } = w.post(ask("eth_getTransactionByHash", [hash("a")])).json;
    expect(error.data.attempts).toHaveLength(3);
    const [last] = w.upstreams.slice(-1);
    if (last !== undefined)
      last.script = (call) => call.result(JSON.stringify({ hash: hash("a") }));
    const { paceline } = w.post(
      ask("eth_getTransactionByHash", [hash("a")]),
      "/rpc/debug/ethereum",
    ).json;
    expect(paceline.integrity.faults).toEqual([
      { provider: "a", reason: "a transaction with another hash was sent" },
      { provider: "b", reason: "a transaction with another hash was sent" },
    ]);
  });

  it("is computed only where the operator asked for it", () => {
    const word = hash("1");
    const header = {
      number: "0x50",
      hash: word,
      parentHash: word,
      sha3Uncles: word,
      miner: `0x${"22".repeat(20)}`,
      stateRoot: word,
      transactionsRoot: word,
      receiptsRoot: word,
      logsBloom: `0x${"00".repeat(256)}`,
      difficulty: "0x0",
      gasLimit: "0x1",
      gasUsed: "0x0",
      timestamp: "0x5",
      extraData: "0x",
      mixHash: word,
      nonce: "0x0000000000000000",
    };
    const question = ask("eth_getBlockByNumber", ["0x50", false]);
    const script = (call: { result(json: string): void }): void =>
      call.result(JSON.stringify(header));
    expect(world({ script }).post(question).json.result.hash).toBe(word);
    const integrity = { headers: true, bloom: false, receipts: false };
    const strict = world({ script, chain: { integrity } });
    expect(strict.post(question).json.error.code).toBe(-32002);
    expect(strict.misbehaved).toEqual(["a", "b", "c"]);
  });
});
