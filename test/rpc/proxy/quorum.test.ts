import { describe, expect, it } from "vitest";
import type { QuorumRuleConfig } from "../../../config/schema.ts";
import { type Script, world, type World, type WorldOptions } from "./support.ts";

const rule = (more: Partial<QuorumRuleConfig> = {}): QuorumRuleConfig => ({
  methods: ["eth_get*", "eth_call"],
  agree: 2,
  of: 3,
  ignoreFields: ["noise"],
  prefer: "non_empty",
  ...more,
});

/** Providers that answer as told, by name. */
const answering = (
  scripts: Readonly<Record<string, Script>>,
  options: WorldOptions = {},
  more: Partial<QuorumRuleConfig> = {},
): World => {
  const w = world({
    providers: Object.keys(scripts),
    ...options,
    chain: { quorum: [rule(more)], ...options.chain },
  });
  for (const [index, script] of Object.values(scripts).entries()) {
    const upstream = w.upstreams[index];
    if (upstream !== undefined) upstream.script = script;
  }
  return w;
};

const says =
  (json: string): Script =>
  (call) =>
    call.result(json);
const silent: Script = () => undefined;
const asked = (w: World): readonly number[] => w.upstreams.map(({ calls }) => calls.length);
const names = (w: World): readonly string[] => w.events.map(({ name }) => name);

const BALANCE = '{"jsonrpc":"2.0","id":"my id","method":"eth_getBalance","params":["0xab","0x10"]}';

describe("a read under a quorum", () => {
  it("is answered with the winner's own bytes and books who said otherwise", () => {
    const w = answering({
      a: says('{"x" : "0xAB","noise":1}'),
      b: says('{"x":"0xac"}'),
      c: says('{"noise":2,"x":"0xab"}'),
    });
    const reply = w.post(BALANCE);
    expect(reply.text).toBe('{"jsonrpc":"2.0","id":"my id","result":{"x" : "0xAB","noise":1}}');
    expect(reply.headers["x-paceline-provider"]).toBe("a");
    expect(w.misbehaved).toEqual(["b"]);
    expect(names(w)).toEqual(["quorum.agree", "quorum.dispute", "provider.misbehaviour"]);
    expect(w.records).toMatchObject([{ outcome: "ok", attemptCount: 3 }]);
  });

  it("ends as soon as enough agree; the rest has a moment to be compared", () => {
    const w = answering({ a: says('"0x1"'), b: silent, c: says('"0x1"'), d: says('"0x1"') });
    expect(w.post(BALANCE).json.result).toBe("0x1");
    expect(asked(w)).toEqual([1, 1, 1, 0]);
    w.upstreams[1]?.calls[0]?.result('"0x2"');
    expect(w.misbehaved).toEqual(["b"]);
    expect(w.gateway.inFlight).toBe(0);
  });

  it("gives up waiting for the rest after that moment", () => {
    const w = answering({ a: says('"0x1"'), b: silent, c: says('"0x1"') });
    expect(w.post(BALANCE).isEnded).toBe(true);
    expect(w.gateway.inFlight).toBe(1);
    w.advance(600);
    expect(w.upstreams[1]?.calls[0]?.isAborted).toBe(true);
    expect(w.gateway.inFlight).toBe(0);
    expect(w.misbehaved).toEqual([]);
    expect(w.records).toHaveLength(1);
  });

  it("asks another provider for each that fails", () => {
    const w = answering({
      a: (call) => call.error(-32603, "internal", undefined, 500),
      b: says('"0x1"'),
      c: (call) => call.fail("refused"),
      d: says('"0x1"'),
    });
    expect(w.post(BALANCE).json.result).toBe("0x1");
    expect(asked(w)).toEqual([1, 1, 1, 1]);
    expect(w.misbehaved).toEqual([]);
  });

  it("asks another one when a provider hangs and its word is needed", () => {
    const w = answering({ a: says('"0x1"'), b: silent, c: says('"0x2"'), d: says('"0x2"') });
    const reply = w.post(BALANCE);
    expect(reply.isEnded).toBe(false);
    w.advance(4_500);
    expect(reply.json.result).toBe("0x2");
    expect(w.misbehaved).toEqual(["a"]);
  });

  it("prefers different vendors", () => {
    const w = answering(
      { a: says('"0x1"'), b: says('"0x1"'), c: says('"0x1"'), d: says('"0x1"') },
      { vendors: { a: "v", b: "v", c: "w", d: "x" } },
    );
    w.post(BALANCE);
    expect(asked(w)).toEqual([1, 0, 1, 1]);
  });

  it("says who answered alike when too few agree, and blames nobody", () => {
    const w = answering({ a: says('"0x1"'), b: says('"0x2"'), c: says('"0x3"'), d: says('"0x1"') });
    const { error } = w.post(BALANCE).json;
    expect(error.code).toBe(-32002);
    expect(error.data.reason).toBe("quorum_failed");
    const groups = error.data.groups as { hash: string; providers: string[] }[];
    expect(groups.map(({ providers }) => providers)).toEqual([["a"], ["b"], ["c"]]);
    expect(new Set(groups.map(({ hash }) => hash)).size).toBe(3);
    expect(asked(w)).toEqual([1, 1, 1, 0]);
    expect(w.misbehaved).toEqual([]);
    expect(names(w)).toContain("quorum.dispute");
  });

  it("fails at once when there are too few providers", () => {
    const w = answering({ a: says('"0x1"') });
    expect(w.post(BALANCE).json.error.data).toMatchObject({ reason: "quorum_failed", groups: [] });
    expect(asked(w)).toEqual([0]);
  });

  it("lets an answer beat empty ones, which are nobody's fault", () => {
    const receipt =
      '{"jsonrpc":"2.0","id":1,"method":"eth_getTransactionReceipt","params":["0xab"]}';
    const found = says('{"transactionHash":"0xab"}');
    const w = answering({ a: says("null"), b: says("null"), c: found, d: found });
    expect(w.post(receipt).json.result).toEqual({ transactionHash: "0xab" });
    expect(w.misbehaved).toEqual([]);
    const none = answering({ a: says("null"), b: says("null"), c: says("null") });
    expect(none.post(receipt).json.result).toBe(null);
  });

  it("takes reverts with the same data as one answer", () => {
    const call = '{"jsonrpc":"2.0","id":7,"method":"eth_call","params":[{"to":"0xab"},"0x10"]}';
    const reverts =
      (message: string, data: string): Script =>
      (c) =>
        c.error(3, message, data);
    const w = answering({
      a: says('"0x1"'),
      b: reverts("execution reverted: no", "0x08C379A0ff"),
      c: reverts("VM: revert", "Reverted 0x08c379a0FF"),
    });
    expect(w.post(call).json).toEqual({
      jsonrpc: "2.0",
      id: 7,
      error: { code: 3, message: "execution reverted: no", data: "0x08C379A0ff" },
    });
    expect(w.misbehaved).toEqual(["a"]);
    const two = answering({
      a: says('"0x1"'),
      b: reverts("execution reverted", "0x08c379a001"),
      c: reverts("execution reverted", "0x08c379a002"),
    });
    expect(two.post(call).json.error.data.reason).toBe("quorum_failed");
  });

  it("relays the most telling error when nobody has an answer", () => {
    const w = answering({
      a: (c) => c.error(-32000, "header not found"),
      b: (c) => c.error(-32000, "header not found"),
      c: (c) => c.fail("refused"),
    });
    expect(w.post(BALANCE).json.error.message).toContain("header not found");
  });

  it("is about one block, the newest that all legs have", () => {
    const w = answering({ a: says('"0x1"'), b: says('"0x1"'), c: says('"0x1"'), d: says('"0x1"') });
    w.head = { number: 100, hash: undefined, atMs: w.nowMs, blockTimeMs: 12_000 };
    const [a, b, c, d] = w.rows;
    if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error();
    for (const row of [...w.rows, ...w.wsRows]) row.head = 99;
    b.head = 100;
    d.head = 90;
    for (const row of w.wsRows) row.head = -1;
    const latest = BALANCE.replace("0x10", "latest");
    expect(w.post(latest).json.result).toBe("0x1");
    const params = w.upstreams.map(({ calls }) => calls[0]?.request.params);
    const pinnedParams = ["0xab", "0x63"];
    expect(params).toEqual([pinnedParams, pinnedParams, pinnedParams, undefined]);
  });

  it("takes the caller's figures", () => {
    const w = answering({ a: says('"0x1"'), b: says('"0x2"'), c: says('"0x1"') });
    expect(w.post(BALANCE, "/rpc/ethereum?quorum=1/1").json.result).toBe("0x1");
    expect(asked(w)).toEqual([1, 0, 0]);
    const plain = answering({ a: says('"0x1"'), b: says('"0x2"') }, {}, { methods: ["eth_call"] });
    expect(plain.post(BALANCE, "/rpc/ethereum?quorum=2/2").json.error.data.reason).toBe(
      "quorum_failed",
    );
  });

  it("does not hold for what honest nodes never agree on", () => {
    const w = answering({ a: says('"0x1"'), b: says('"0x2"') }, {}, { methods: ["eth_*"] });
    const price = '{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice","params":[]}';
    expect(w.post(price).json.result).toBe("0x1");
    expect(asked(w)).toEqual([1, 0]);
  });

  it("is refused for writes", () => {
    const w = answering({ a: says('"0x1"'), b: says('"0x2"') });
    const write = '{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0xab"]}';
    const reply = w.post(write, "/rpc/ethereum", [
      "Content-Type",
      "application/json",
      "X-Paceline-Quorum",
      "2/3",
    ]);
    expect(reply.json.error.data.reason).toBe("bad_directive");
    expect(asked(w)).toEqual([0, 0]);
  });

  it("refuses answers that are too large to compare", () => {
    const large = says(`"0x${"00".repeat(1_100_000)}"`);
    const w = answering({ a: large, b: large, c: large });
    expect(w.post(BALANCE).json.error.code).toBe(-32008);
    expect(w.gateway.inFlight).toBe(0);
  });

  it("lets go of everything when the client leaves", () => {
    const w = answering({ a: silent, b: silent, c: silent });
    const reply = w.post(BALANCE);
    reply.onGone?.();
    expect(w.gateway.inFlight).toBe(0);
    expect(w.records).toMatchObject([{ outcome: "gone" }]);
  });
});
