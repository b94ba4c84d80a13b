import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockDemand } from "../../../src/rpc/json-rpc/block-demand.ts";
import { world } from "../proxy/support.ts";

const demandOf = (method: string, params: unknown, indent?: number) => {
  const text = `xx${JSON.stringify(params, null, indent)}yy`;
  return blockDemand(method, Buffer.from(text), 2, text.length - 2);
};
const tx = { to: "0xabc", data: "0x1234", note: '"latest"]' };

describe("the blocks a call asks for", () => {
  it("are read from the method's own parameter", () => {
    const state = { block: 16, fromBlock: 16, isState: true, range: 0 };
    expect(demandOf("eth_call", [tx, "0x10"])).toEqual(state);
    expect(demandOf("eth_call", [tx, "0x10", { "0xabc": {} }])).toEqual(state);
    expect(demandOf("eth_call", [tx, { blockNumber: "0x10" }])).toEqual(state);
    expect(demandOf("eth_getStorageAt", ["0xabc", "0x0", "0x10"])).toEqual(state);
    expect(demandOf("eth_getBalance", ["0xabc", "earliest"])).toEqual({
      ...state,
      block: 0,
      fromBlock: 0,
    });
    const block = { ...state, isState: false };
    expect(demandOf("eth_getBlockByNumber", ["0x10", false])).toEqual(block);
    expect(demandOf("eth_getLogs", [{ fromBlock: "0x1", toBlock: "0x10" }])).toEqual({
      block: 16,
      fromBlock: 1,
      isState: false,
      range: 16,
    });
    expect(demandOf("eth_getLogs", [{ fromBlock: "0x10", toBlock: "latest" }])).toEqual(block);
  });

  it("are none for tags that everybody serves, missing parameters and anything unusual", () => {
    const none: readonly [string, unknown][] = [
      ["eth_call", [tx, "latest"]],
      ["eth_call", [tx, "pending"]],
      ["eth_call", [tx]],
      ["eth_call", [tx, { blockHash: "0x10" }]],
      ["eth_getStorageAt", ["0xabc", "0x0"]],
      ["eth_getBalance", []],
      ["eth_getBalance", ["0xabc", 16]],
      ["eth_getBalance", ["0xabc", "0xzz"]],
      ["eth_getBalance", ["0xabc", `0x${"f".repeat(30)}`]],
      ["eth_getBalance", { address: "0xabc" }],
      ["eth_getBlockByHash", ["0x10", false]],
      ["eth_getLogs", [{ blockHash: "0x10" }]],
      ["eth_chainId", []],
    ];
    for (const [method, params] of none) {
      expect(demandOf(method, params), `${method} ${JSON.stringify(params)}`).toBeUndefined();
    }
    expect(blockDemand("eth_call", Buffer.from("[]"), -1, -1)).toBeUndefined();
  });

  it("do not depend on white space nor on what stands before them", () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.nat(1e9),
        fc.constantFrom(undefined, 1, 2),
        (first, n, indent) => {
          const demand = demandOf("eth_call", [first, `0x${n.toString(16)}`], indent);
          expect(demand?.block).toBe(n);
        },
      ),
    );
  });

  it("never throw on cut or garbled params", () => {
    const bytes = fc.uint8Array({ maxLength: 60 });
    fc.assert(
      fc.property(bytes, fc.constantFrom("eth_call", "eth_getLogs"), (list, method) => {
        const body = Buffer.concat([Buffer.from("["), list]);
        blockDemand(method, body, 0, body.length);
      }),
    );
  });
});

describe("a call for a certain block", () => {
  const call = (tag: string): string =>
    JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_getBalance", params: ["0xabc", tag] });
  const servedBy = (w: ReturnType<typeof world>, tag: string): string | undefined =>
    w.post(call(tag)).headers["x-paceline-provider"];

  it("goes to a provider that has reached it, and to anybody when it is nobody's yet", () => {
    const w = world();
    for (const row of [w.rows[0], w.wsRows[0]]) if (row !== undefined) row.head = 90;
    expect(servedBy(w, "0x5a")).toBe("a");
    expect(servedBy(w, "0x5b")).toBe("b");
    expect(servedBy(w, "0xffff")).toBe("a");
    expect(servedBy(w, "latest")).toBe("a");
  });

  it("still gets an answer when all who are left are behind it", () => {
    const w = world();
    for (const row of [...w.rows, ...w.wsRows]) row.head = 50;
    expect(servedBy(w, "0x60")).toBe("a");
  });

  it("goes to archival providers when it is old state, as long as any are named", () => {
    expect(servedBy(world({ archival: ["c"] }), "0x5a")).toBe("a");
    const late = { tip: 1_000, archival: ["c"] };
    expect(servedBy(world(late), "0x5a")).toBe("c");
    expect(servedBy(world({ ...late, archival: [] }), "0x5a")).toBe("a");
  });
});
