import { decodeErrorResult, isAddressEqual, keccak256 as viemKeccak, parseAbi } from "viem";
import { describe, expect, it } from "vitest";
import { keccak256 } from "../../../src/lib/keccak256.ts";
import { answerCall, type NodeView } from "../../../src/rpc/fake/answers.ts";
import { bloomOf } from "../../../src/rpc/fake/blocks.ts";
import { FakeChain } from "../../../src/rpc/fake/chain.ts";
import { REVERTER_ADDRESS, TOPIC_TRANSFER } from "../../../src/rpc/fake/ledger.ts";

const START_MS = 1_700_000_000_000;
const HEAD = 10_040;

function view(over: Partial<NodeView> = {}): NodeView {
  const chain = new FakeChain({ seed: 42, chainId: 31_001, blockTimeMs: 1_000, startMs: START_MS });
  const base = { chain, head: HEAD, nowMs: START_MS + 40_000, isArchival: false };
  return { ...base, maxLogBlocks: 2_000, chainId: 31_001, ...over };
}

function result(node: NodeView, method: string, ...params: unknown[]): any {
  const answer = answerCall(node, method, params);
  if ("error" in answer) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}

function error(node: NodeView, method: string, ...params: unknown[]) {
  const answer = answerCall(node, method, params);
  return "error" in answer ? answer.error : undefined;
}

describe("the answers of a fake node", () => {
  it("tells one consistent story of block, transaction, receipt and logs", () => {
    const node = view();
    for (let number = HEAD - 40; number <= HEAD; number++) {
      const tag = `0x${number.toString(16)}`;
      const block = result(node, "eth_getBlockByNumber", tag, true);
      expect(result(node, "eth_getBlockByHash", block.hash, true)).toEqual(block);
      expect(result(node, "eth_getBlockByNumber", tag, false).transactions).toEqual(
        block.transactions.map((t: any) => t.hash),
      );
      const parent = result(node, "eth_getBlockByNumber", `0x${(number - 1).toString(16)}`, false);
      expect(block.parentHash).toBe(parent.hash);
      expect(Number(block.timestamp)).toBe(START_MS / 1000 + number - 10_000);
      const receipts = result(node, "eth_getBlockReceipts", tag);
      const logs = result(node, "eth_getLogs", { blockHash: block.hash });
      expect(receipts.flatMap((r: any) => r.logs)).toEqual(logs);
      expect(logs.map((l: any) => Number(l.logIndex))).toEqual(logs.map((_: any, i: number) => i));
      expect(bloomOf(logs)).toBe(block.logsBloom);
      for (const transaction of block.transactions) {
        expect(result(node, "eth_getTransactionByHash", transaction.hash)).toEqual(transaction);
        const receipt = result(node, "eth_getTransactionReceipt", transaction.hash);
        expect(receipts).toContainEqual(receipt);
        expect(receipt.blockHash).toBe(block.hash);
      }
    }
  });

  it("counts nonces as the transactions say", () => {
    const node = view();
    const sender = node.chain.ledger.accounts[0] ?? "";
    for (let number = HEAD - 8; number < HEAD; number++) {
      const tag = `0x${number.toString(16)}`;
      const block = result(node, "eth_getBlockByNumber", tag, true);
      const own = block.transactions.find((t: any) => isAddressEqual(t.from, sender as any));
      const before = result(
        node,
        "eth_getTransactionCount",
        sender,
        `0x${(number - 1).toString(16)}`,
      );
      expect(own.nonce).toBe(before);
    }
  });

  it("filters logs by address and topic positions with null and alternatives", () => {
    const node = view();
    const range = { fromBlock: `0x${(HEAD - 40).toString(16)}`, toBlock: "latest" };
    const all = result(node, "eth_getLogs", range);
    const { tokenA, tokenB, accounts } = node.chain.ledger;
    const transfers = result(node, "eth_getLogs", { ...range, topics: [TOPIC_TRANSFER] });
    expect(transfers).toEqual(all.filter((l: any) => l.topics[0] === TOPIC_TRANSFER));
    const ofA = result(node, "eth_getLogs", {
      ...range,
      address: tokenA.toUpperCase().replace("0X", "0x"),
    });
    expect(ofA).toEqual(all.filter((l: any) => l.address === tokenA));
    const both = result(node, "eth_getLogs", { ...range, address: [tokenA, tokenB] });
    expect(both.length).toBeGreaterThan(ofA.length);
    const word = `0x${(accounts[1] ?? "").slice(2).padStart(64, "0")}`;
    const fromOne = result(node, "eth_getLogs", { ...range, topics: [null, [word]] });
    expect(fromOne).toEqual(all.filter((l: any) => l.topics[1] === word));
    expect(fromOne.length).toBeGreaterThan(0);
    expect(error(node, "eth_getLogs", { fromBlock: "0x0", toBlock: "latest" })?.code).toBe(-32005);
  });

  it("reverts with data that decodes, for calls and estimates", () => {
    const revert = error(view(), "eth_call", { to: REVERTER_ADDRESS, data: "0x" }, "latest");
    expect(revert?.code).toBe(3);
    const decoded = decodeErrorResult({
      abi: parseAbi(["error Error(string)"]),
      data: revert?.data as `0x${string}`,
    });
    expect(decoded.args).toEqual(["paceline fake: always reverts"]);
    expect(error(view(), "eth_estimateGas", { to: REVERTER_ADDRESS })?.data).toBe(revert?.data);
  });

  it("answers null above its head and refuses state it has pruned or not reached", () => {
    const node = view();
    expect(result(node, "eth_getBlockByNumber", `0x${(HEAD + 1).toString(16)}`, false)).toBeNull();
    const who = node.chain.ledger.accounts[0] ?? "";
    expect(error(node, "eth_getBalance", who, "0x1")?.message).toContain("missing trie node");
    expect(error(view({ isArchival: true }), "eth_getBalance", who, "0x1")).toBeUndefined();
    expect(error(node, "eth_getBalance", who, "0xffffff")?.message).toBe("header not found");
    expect(error(node, "eth_nonsense")?.code).toBe(-32601);
  });

  it("takes a raw transaction once, shows it pending and then mined", () => {
    const raw = `0x${"f8".repeat(80)}`;
    const node = view();
    const hash = result(node, "eth_sendRawTransaction", raw);
    expect(hash).toBe(viemKeccak(raw as `0x${string}`));
    expect(error(node, "eth_sendRawTransaction", raw)).toEqual({
      code: -32000,
      message: "already known",
    });
    expect(result(node, "eth_getTransactionReceipt", hash)).toBeNull();
    expect(result(node, "eth_getTransactionByHash", hash).blockNumber).toBeNull();
    const later = { ...node, head: HEAD + 1 };
    expect(Number(result(later, "eth_getTransactionReceipt", hash).blockNumber)).toBe(HEAD + 1);
    expect(result(later, "eth_getBlockByNumber", "latest", false).transactions).toContain(hash);
  });
});

describe("keccak256", () => {
  it("equals viem's for every length around the block size", () => {
    for (let size = 0; size < 300; size++) {
      const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 7 + size) & 255);
      expect(`0x${Buffer.from(keccak256(bytes)).toString("hex")}`).toBe(viemKeccak(bytes));
    }
  });
});
