/** Transactions through the whole gateway, over scripted providers and a hand-driven clock. */
import { keccak256 } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { describe, expect, it } from "vitest";
import type { CallSummary } from "../../../src/rpc/selection/snapshot.ts";
import { TEST_KEY } from "../../support/anvil.ts";
import {
  world,
  type Script,
  type ScriptedCall,
  type World,
  type WorldOptions,
} from "../proxy/support.ts";

const RAW = "0x02c0";
const HASH = keccak256(RAW);
const FOUND = JSON.stringify({ hash: HASH, transactionHash: HASH });
const OTHER = `0x${"77".repeat(32)}`;

const post = (w: World, params: unknown = [RAW], method = "eth_sendRawTransaction", url?: string) =>
  w.post(JSON.stringify({ jsonrpc: "2.0", id: 5, method, params }), url);

const silent: Script = () => undefined;
const takes: Script = (call) => call.result(JSON.stringify(HASH));
const refuses =
  (message: string, code = -32000): Script =>
  (call) =>
    call.error(code, message);

/** Providers by name; look-ups find nothing unless `finds` says so. */
const gateway = (
  scripts: Readonly<Record<string, Script>>,
  options: WorldOptions & { readonly finds?: (call: ScriptedCall) => boolean } = {},
): World => {
  const w = world({ ...options, providers: Object.keys(scripts) });
  Object.values(scripts).forEach((script, index) => {
    (w.upstreams[index] as { script: Script }).script = (call) => {
      if (call.request.method.startsWith("eth_send")) script(call);
      else call.result(options.finds?.(call) === true ? FOUND : "null");
    };
  });
  return w;
};

/** How often each provider got the transaction. */
const copies = (w: World): number[] =>
  w.upstreams.map(
    ({ calls }) => calls.filter(({ request }) => request.method.startsWith("eth_send")).length,
  );

const lookUps = (w: World): string[] =>
  w.upstreams.flatMap(({ calls }) =>
    calls.map(({ request }) => request.method).filter((method) => method.startsWith("eth_get")),
  );

const copyOf = (w: World, provider: number): ScriptedCall =>
  w.upstreams[provider]?.calls[0] as ScriptedCall;

describe("a raw transaction", () => {
  it("goes to two providers at once; the first to take it answers, the other is heard out", () => {
    const w = gateway({ a: silent, b: silent, c: silent });
    const reply = post(w);
    expect(copies(w)).toEqual([1, 1, 0]);
    copyOf(w, 1).result(JSON.stringify(HASH));
    expect(reply.json).toEqual({ jsonrpc: "2.0", id: 5, result: HASH });
    expect(reply.headers["x-paceline-provider"]).toBe("b");
    expect(copyOf(w, 0).isAborted).toBe(false);
    copyOf(w, 0).error(-32000, "already known");
    expect(w.recorded.map(({ provider, errorClass }) => [provider, errorClass])).toEqual([
      ["b", "ok"],
      ["a", "tx_known"],
    ]);
    expect(w.gateway.inFlight).toBe(0);
    expect(w.rows.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0]);
  });

  it("prefers providers of distinct vendors", () => {
    const w = gateway(
      { a: takes, b: takes, c: takes },
      { vendors: { a: "one", b: "one", c: "two" } },
    );
    post(w);
    expect(copies(w)).toEqual([1, 0, 1]);
    const same = gateway({ a: takes, b: takes }, { vendors: { a: "one", b: "one" } });
    post(same);
    expect(copies(same)).toEqual([1, 1]);
  });

  it("goes on when its client leaves", () => {
    const w = gateway({ a: silent, b: silent, c: silent });
    const reply = post(w);
    reply.isOpen = false;
    reply.onGone?.();
    expect([copyOf(w, 0).isAborted, copyOf(w, 1).isAborted]).toEqual([false, false]);
    expect(w.records).toMatchObject([{ outcome: "gone", method: "eth_sendRawTransaction" }]);
    copyOf(w, 0).result(JSON.stringify(HASH));
    copyOf(w, 1).result(JSON.stringify(HASH));
    expect(w.gateway.inFlight).toBe(0);
    expect(w.recorded).toHaveLength(2);
  });

  it("is sent when a provider knows it already", () => {
    const w = gateway({ a: refuses("already known"), b: refuses("nonce too low") });
    expect(post(w).json.result).toBe(HASH);
    expect(w.events.filter(({ name }) => name === "write.known")).toHaveLength(1);
  });

  it("keeps its own hash when a provider calls it otherwise, which is held against that one", () => {
    const w = gateway({ a: (call) => call.result(JSON.stringify(OTHER)), b: silent });
    expect(post(w).json.result).toBe(HASH);
    expect(w.events.find(({ name }) => name === "provider.misbehaviour")?.fields).toMatchObject({
      chain: "ethereum",
      provider: "a",
    });
  });

  it("is of unknown fate when the answer is long and broken in the middle", () => {
    const broken: Script = (call) =>
      call.answer(`{"jsonrpc":"2.0","id":$ID,"result":{"a":"${"x".repeat(600)}",,}}`);
    const hash = gateway({ a: broken });
    expect(post(hash).json.error.data).toMatchObject({ reason: "unknown_fate" });
    const receipt = gateway({ a: broken });
    expect(post(receipt, [RAW], "eth_sendRawTransactionSync").json.error.data).toMatchObject({
      reason: "unknown_fate",
    });
  });

  it("of a type of its chain's own is called what the chain calls it", () => {
    const w = gateway({ a: (call) => call.result(JSON.stringify(OTHER)), b: silent });
    expect(post(w, ["0x71c0"]).json.result).toBe(OTHER);
    expect(w.events.some(({ name }) => name === "provider.misbehaviour")).toBe(false);
  });

  it("counts as sent when its nonce is used and a provider has it", () => {
    const stale = refuses("nonce too low: next nonce 5, tx nonce 4");
    const found = gateway(
      { a: stale, b: stale, c: stale },
      { finds: ({ request }) => request.method === "eth_getTransactionByHash" },
    );
    expect(post(found).json.result).toBe(HASH);
    expect(copies(found)).toEqual([1, 1, 0]);
    const mined = gateway(
      { a: stale, b: stale, c: stale },
      { finds: ({ request }) => request.method === "eth_getTransactionReceipt" },
    );
    expect(post(mined).json.result).toBe(HASH);
    expect(lookUps(mined)).toHaveLength(6);
  });

  it("keeps the provider's error when its nonce is used and nobody has it", () => {
    const stale = refuses("nonce too low: next nonce 5, tx nonce 4");
    const w = gateway({ a: stale, b: stale, c: stale });
    expect(post(w).json.error).toEqual({
      code: -32000,
      message: "nonce too low: next nonce 5, tx nonce 4",
    });
    expect(copies(w)).toEqual([1, 1, 0]);
  });

  it("is refused once two providers agree, and not before", () => {
    const poor = refuses("insufficient funds for gas * price + value");
    const agreed = gateway({ a: poor, b: poor, c: takes });
    expect(post(agreed).json.error.message).toMatch(/^insufficient funds/u);
    expect(copies(agreed)).toEqual([1, 1, 0]);
    const torn = gateway({ a: poor, b: refuses("transaction underpriced"), c: takes });
    expect(post(torn).json.result).toBe(HASH);
    const outvoted = gateway({ a: refuses("transaction underpriced"), b: poor, c: poor });
    expect(post(outvoted).json.error.message).toMatch(/^insufficient funds/u);
  });

  it("is not tried again when the chain limits its sender", () => {
    const w = gateway({ a: refuses("sender is over rate limit", -32005), b: silent, c: takes });
    const reply = post(w);
    copyOf(w, 1).fail("refused");
    expect(reply.json.error).toEqual({ code: -32005, message: "sender is over rate limit" });
    expect(copies(w)).toEqual([1, 1, 0]);
  });

  it.each([
    ["throttled", (call) => call.answer("slow down", 429)],
    ["unreachable", (call) => call.fail("refused")],
    ["locked", (call) => call.answer("no", 401)],
    ["without the method", refuses("the method does not exist/is not available", -32601)],
  ] satisfies [string, Script][])("passes a provider that is %s", (_what, script) => {
    const w = gateway({ a: script, b: script, c: takes });
    expect(post(w).json.result).toBe(HASH);
    expect(copies(w)).toEqual([1, 1, 1]);
  });

  it("that got nowhere has failed, with every attempt named, and may be sent again", () => {
    const w = gateway({ a: (c) => c.fail("refused"), b: (c) => c.fail("dns") });
    const { error } = post(w).json;
    expect(error).toMatchObject({ code: -32002, data: { reason: "exhausted" } });
    expect(error.data.attempts).toHaveLength(2);
    post(w);
    expect(copies(w)).toEqual([2, 2]);
  });

  it("is never called failed while its fate is unknown", () => {
    const w = gateway({ a: silent, b: silent, c: silent });
    const reply = post(w);
    w.advance(16_000);
    expect(reply.json.error).toMatchObject({
      code: -32002,
      data: { reason: "unknown_fate", transactionHash: HASH },
    });
    expect(copies(w)).toEqual([1, 1, 1]);
    expect(w.events.filter(({ name }) => name === "write.unknown_fate")).toHaveLength(1);
    expect(w.gateway.inFlight).toBe(0);
  });

  it("is not called failed when one refuses it and one is silent", () => {
    const w = gateway({ a: refuses("insufficient funds"), b: silent });
    const reply = post(w);
    w.advance(16_000);
    expect(reply.json.error.data).toMatchObject({ reason: "unknown_fate" });
  });

  it("counts as sent when whoever kept silent has it all the same", () => {
    const w = gateway({ a: silent, b: silent }, { finds: () => true });
    const reply = post(w);
    w.advance(10_100);
    expect(reply.json.result).toBe(HASH);
  });

  it("goes to a third provider while two keep silent, and waits for all of them", () => {
    const w = gateway({ a: silent, b: silent, c: silent });
    const reply = post(w);
    w.advance(700);
    expect(copies(w)).toEqual([1, 1, 0]);
    w.advance(200);
    expect(copies(w)).toEqual([1, 1, 1]);
    copyOf(w, 0).result(JSON.stringify(HASH));
    expect(reply.json.result).toBe(HASH);
  });

  it("goes to a third provider when the first is silent for longer than its answers take", () => {
    // Attempts that ran out of time say nothing of how long an answer takes.
    const usual = { q99Ms: 9_000, answeredQ99Ms: 400, samples: 100, n: 100 } as CallSummary;
    const w = gateway({ a: silent, b: silent, c: silent }, { calls: { get: () => usual } });
    post(w);
    w.advance(1_500);
    expect(copies(w)).toEqual([1, 1, 0]);
    w.advance(200);
    expect(copies(w)).toEqual([1, 1, 1]);
  });

  it("answers within the client's own time", () => {
    const w = gateway({ a: silent, b: silent });
    const reply = post(w, [RAW], undefined, "/rpc/ethereum?timeout=2000");
    w.advance(2_010);
    expect(reply.json.error.data).toMatchObject({ reason: "unknown_fate" });
  });

  it.each([
    [[]],
    [["0x"]],
    [["02c0"]],
    [["0x02c"]],
    [["0xzz"]],
    [[7]],
    [[`0x02${"00".repeat(300_000)}`]],
  ])("that is none is refused without asking anybody", (params) => {
    const w = gateway({ a: takes, b: takes });
    expect(post(w, params).json.error).toMatchObject({
      code: -32602,
      data: { reason: "invalid_transaction" },
    });
    expect(copies(w)).toEqual([0, 0]);
  });
});

describe("the same bytes again", () => {
  it("join the flight that is on its way", () => {
    const w = gateway({ a: silent, b: silent });
    const [first, second] = [post(w), post(w)];
    expect(copies(w)).toEqual([1, 1]);
    copyOf(w, 0).result(JSON.stringify(HASH));
    expect([first.json.result, second.json.result]).toEqual([HASH, HASH]);
    expect(second.headers["x-paceline-cache"]).toBe("COALESCED");
    expect(w.records).toHaveLength(2);
  });

  it("hear within a minute what became of them, and are sent again after it", () => {
    const w = gateway({ a: takes, b: takes });
    post(w);
    w.advance(59_000);
    expect(post(w).json.result).toBe(HASH);
    expect(copies(w)).toEqual([1, 1]);
    w.advance(1_000);
    expect(post(w).json.result).toBe(HASH);
    expect(copies(w)).toEqual([2, 2]);
  });

  it("are sent to a chain of another id that took the name of the first", () => {
    const w = gateway({ a: takes, b: takes });
    post(w);
    Object.assign(w.chain, { chainId: 2 });
    expect(post(w).json.result).toBe(HASH);
    expect(copies(w)).toEqual([2, 2]);
  });

  it("are judged anew once there is a new block", () => {
    const w = gateway({ a: refuses("insufficient funds"), b: refuses("insufficient funds") });
    post(w);
    expect(post(w).json.error.message).toBe("insufficient funds");
    expect(copies(w)).toEqual([1, 1]);
    (w.chain.snapshot as { tip: number }).tip++;
    for (const upstream of w.upstreams) upstream.script = takes;
    expect(post(w).json.result).toBe(HASH);
  });

  it("are looked for when nobody could say what became of them, not sent again", () => {
    let isKnown = false;
    const w = gateway({ a: silent, b: silent }, { finds: () => isKnown });
    post(w);
    w.advance(16_000);
    expect(post(w).json.error.data).toMatchObject({ reason: "unknown_fate" });
    isKnown = true;
    expect(post(w).json.result).toBe(HASH);
    isKnown = false;
    expect(post(w).json.result).toBe(HASH);
    expect(copies(w)).toEqual([1, 1]);
  });

  it("hear of a yes that came too late for the first", () => {
    const w = gateway({ a: silent, b: silent });
    const first = post(w, [RAW], undefined, "/rpc/ethereum?timeout=1000");
    w.advance(1_005);
    expect(first.json.error.data).toMatchObject({ reason: "unknown_fate" });
    expect(w.gateway.inFlight).toBe(1);
    copyOf(w, 1).result(JSON.stringify(HASH));
    copyOf(w, 0).fail("reset");
    expect(post(w).json.result).toBe(HASH);
    expect(copies(w)).toEqual([1, 1]);
    expect(w.gateway.inFlight).toBe(0);
  });

  it("to another provider of the client's choice are another sending", () => {
    const w = gateway({ a: takes, b: takes });
    post(w, [RAW], undefined, "/rpc/ethereum/a");
    expect(copies(w)).toEqual([1, 0]);
    post(w, [RAW], undefined, "/rpc/ethereum/b");
    expect(copies(w)).toEqual([1, 1]);
  });
});

describe("the ways of writing", () => {
  const signed = async (key: string, nonce: number): Promise<string> =>
    privateKeyToAccount(key as `0x${string}`).signTransaction({
      type: "eip1559",
      chainId: 1,
      nonce,
      maxFeePerGas: 1n,
    });

  it("sticky: one sender meets one provider, senders are spread", async () => {
    const w = gateway(
      { a: silent, b: silent, c: silent, d: silent },
      { writes: { mode: "sticky" } },
    );
    for (let nonce = 0; nonce < 4; nonce++) post(w, [await signed(TEST_KEY, nonce)]);
    expect(copies(w).filter((count) => count > 0)).toEqual([4]);
    for (let n = 1; n <= 20; n++) post(w, [await signed(`0x${"0".repeat(62)}${n + 10}`, 0)]);
    expect(Math.max(...copies(w))).toBeLessThan(20);
  });

  it("sticky: goes on after a sure no, never after a silence", () => {
    const down = gateway(
      { a: (c) => c.fail("refused"), b: (c) => c.fail("refused"), c: takes },
      { writes: { mode: "sticky" } },
    );
    expect(post(down).json.result).toBe(HASH);
    const mute = gateway({ a: silent, b: silent, c: silent }, { writes: { mode: "sticky" } });
    const reply = post(mute);
    mute.advance(16_000);
    expect(reply.json.error.data).toMatchObject({ reason: "unknown_fate" });
    expect(copies(mute).reduce((sum, count) => sum + count)).toBe(1);
  });

  it("private: only to those who are tagged so", () => {
    const w = gateway(
      { a: takes, b: takes, c: (call) => call.fail("refused") },
      { writes: { mode: "private" }, tags: { b: ["private"], c: ["eu", "private"] } },
    );
    expect(post(w).json.result).toBe(HASH);
    expect(copies(w)).toEqual([0, 1, 1]);
    const nobody = gateway({ a: takes }, { writes: { mode: "private" } });
    expect(post(nobody).json.error).toMatchObject({
      code: -32002,
      message: "no provider of ethereum is tagged private",
    });
    expect(copies(nobody)).toEqual([0]);
  });

  it("off: not at all", () => {
    const w = gateway({ a: takes }, { writes: { mode: "off" } });
    expect(post(w).json.error).toMatchObject({ code: -32004, data: { reason: "method_denied" } });
    expect(copies(w)).toEqual([0]);
  });

  it("as many copies as the chain asks for", () => {
    const three = gateway({ a: takes, b: takes, c: takes, d: takes }, { writes: { providers: 3 } });
    post(three);
    expect(copies(three)).toEqual([1, 1, 1, 0]);
    const one = gateway({ a: takes, b: takes }, { writes: { providers: 1 } });
    post(one);
    expect(copies(one)).toEqual([1, 0]);
  });

  it("one copy where the client wants no failover", () => {
    const w = gateway({ a: (c) => c.fail("refused"), b: takes });
    expect(post(w, [RAW], undefined, "/rpc/no-failover/ethereum").json.error.code).toBe(-32002);
    expect(copies(w)).toEqual([1, 0]);
  });

  it("a named provider first, then the others, when the client asks for that", () => {
    const w = gateway({ a: takes, b: takes, c: (call) => call.fail("refused") });
    expect(post(w, [RAW], undefined, "/rpc/ethereum/c?failover=on").json.result).toBe(HASH);
    expect(copies(w)[2]).toBe(1);
  });
});

describe("other methods that send a transaction", () => {
  it("with a condition: to one provider after the other, by its own hash", () => {
    const w = gateway({
      a: refuses("the method does not exist/is not available", -32601),
      b: takes,
      c: takes,
    });
    const method = "eth_sendRawTransactionConditional";
    expect(post(w, [RAW, { blockNumberMax: "0x9" }], method).json.result).toBe(HASH);
    expect(copies(w)).toEqual([1, 1, 0]);
    // Another condition is another request.
    post(w, [RAW, { blockNumberMax: "0xa" }], method);
    expect(copies(w)).toEqual([2, 2, 0]);
    const failed = gateway({ a: refuses("next block base fee too high", -32003), b: takes });
    expect(post(failed, [RAW, {}], method).json.result).toBe(HASH);
  });

  it("and wait for its receipt: the receipt passes as it is, a known one is an error", () => {
    const method = "eth_sendRawTransactionSync";
    const w = gateway({ a: (call) => call.result('{"status":"0x1"}'), b: takes });
    expect(post(w, [RAW], method).json.result).toEqual({ status: "0x1" });
    expect(copies(w)).toEqual([1, 0]);
    const known = gateway({ a: refuses("already known"), b: takes });
    expect(post(known, [RAW], method).json.error.message).toBe("already known");
    expect(copies(known)).toEqual([1, 0]);
  });

  it("in private: to providers tagged so, whatever the chain's mode is", () => {
    const options = { tags: { b: ["private"] } };
    const method = "eth_sendPrivateTransaction";
    const w = gateway({ a: takes, b: takes }, options);
    expect(post(w, [{ tx: RAW, maxBlockNumber: "0x9" }], method).json.result).toBe(HASH);
    expect(copies(w)).toEqual([0, 1]);
    const none = gateway({ a: takes, b: takes });
    expect(post(none, [{ tx: RAW }], method).json.error.code).toBe(-32002);
    expect(copies(none)).toEqual([0, 0]);
  });
});
