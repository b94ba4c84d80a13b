import { describe, expect, it } from "vitest";
import type { Script, ScriptedUpstream } from "./support.ts";
import { world } from "./support.ts";

const call = (method: string, params: unknown): string =>
  JSON.stringify({ jsonrpc: "2.0", id: 7, method, params });
const logs = (fromBlock: number, toBlock: number): string =>
  call("eth_getLogs", [{ fromBlock: hex(fromBlock), toBlock: hex(toBlock) }]);
const hex = (block: number): string => `0x${block.toString(16)}`;

const scripted = (w: ReturnType<typeof world>, index: number, script: Script): void => {
  (w.upstreams[index] as ScriptedUpstream).script = script;
};
/** Refuses more than it says, and nothing else: what is refused is asked for again in parts. */
const upTo50: Script = (c) => {
  const [{ fromBlock, toBlock }] = c.request.params as [{ fromBlock: string; toBlock: string }];
  if (Number(toBlock) - Number(fromBlock) < 50) c.result("[]");
  else c.error(-32614, "eth_getLogs is limited to a 50 range");
};
const bookOf = (w: ReturnType<typeof world>) => {
  if (w.chain.capabilities === undefined) throw new Error("no book");
  return w.chain.capabilities;
};

describe("the request path", () => {
  it("learns the range a provider allows, and says so once", () => {
    const w = world();
    scripted(w, 0, upTo50);
    w.post(logs(1, 100));
    w.post(logs(1, 100));
    expect(bookOf(w).limit("range", "a", "eth_getLogs", w.nowMs)).toBe(50);
    const told = w.events.filter(({ name }) => name === "provider.capability_learned");
    expect(told.map(({ fields }) => fields)).toEqual([
      {
        chain: "ethereum",
        provider: "a",
        kind: "range",
        method: "eth_getLogs",
        limit: 50,
        ttlMs: 3_600_000,
      },
    ]);
  });

  it("reads the words in the data when the message has none", () => {
    const w = world();
    const data = "Query returned more than 20000 results. Try with this block range [0x1, 0x9].";
    scripted(w, 0, (c) => c.error(-32602, "invalid params", data));
    w.post(logs(1, 100));
    expect(w.upstreams[1]?.calls).toHaveLength(1);
    expect(bookOf(w).limit("results", "a", "eth_getLogs", w.nowMs)).toBe(20_000);
  });

  it("forgets a range when a longer one is served", () => {
    const w = world();
    let isMended = false;
    scripted(w, 0, (c) => (isMended ? c.result("[]") : upTo50(c)));
    w.post(logs(1, 100));
    isMended = true;
    w.post(logs(1, 40));
    expect(bookOf(w).limit("range", "a", "eth_getLogs", w.nowMs)).toBe(50);
    w.post(logs(1, 100));
    expect(bookOf(w).limit("range", "a", "eth_getLogs", w.nowMs)).toBeUndefined();
  });

  it("learns from which block on state is served", () => {
    const w = world({ tip: 10_000 });
    scripted(w, 0, (c) => c.error(-32000, "missing trie node 5ae (path ) <nil>"));
    w.post(call("eth_getBalance", ["0xabc", hex(500)]));
    expect(bookOf(w).floor("state", "a", w.nowMs)).toBe(501);
    expect(w.reports[0]).toMatchObject({ errorClass: "capability" });
  });

  it.each<[string, unknown, string, string]>([
    ["a recent block", hex(9950), "block_unavailable", "lags"],
    ["latest", "latest", "block_unavailable", "lags"],
    ["an old block", hex(500), "capability", "prunes"],
    ["a block by its hash", { blockHash: "0xabc" }, "capability", "may prune"],
  ])("a state that is missing at %s: the provider %s", (_what, block, errorClass) => {
    const w = world({ tip: 10_000 });
    scripted(w, 0, (c) => c.error(-32000, "missing trie node 5ae (path ) <nil>"));
    w.post(call("eth_getBalance", ["0xabc", block]));
    expect(w.reports[0]).toMatchObject({ errorClass });
    expect(bookOf(w).floor("state", "a", w.nowMs)).toBe(block === hex(500) ? 501 : undefined);
  });
});
