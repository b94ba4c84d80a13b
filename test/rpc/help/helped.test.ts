/** Calls that no provider here may be asked for, and another region that is asked instead. */
import { describe, expect, it } from "vitest";
import { helperCandidate, helperId } from "../../../src/rpc/help/helping-regions.ts";
import type { ScriptedCall, Script, World, WorldOptions } from "../proxy/support.ts";
import { ScriptedUpstream, world } from "../proxy/support.ts";
import { rowOf } from "../rows.ts";

const call = (method = "eth_call", params: unknown = []): string =>
  JSON.stringify({ jsonrpc: "2.0", id: 7, method, params });

const WELL: Script = (asked) => asked.result('"0xhelp"');
const DEAD: Script = (asked) => asked.fail("refused");

interface Helped extends World {
  readonly regions: readonly ScriptedUpstream[];
}

/** A world with regions that help, nearest first. */
const helped = (
  { script = WELL, names = ["us"], maxInFlight = 4 } = {},
  options: WorldOptions = {},
): Helped => {
  const rows = names.map((name, at) => rowOf(helperId(name), 20 + at, { region: name, head: -1 }));
  const helpers = { candidates: rows.map(helperCandidate), maxInFlight };
  const made = world({ ...options, chain: { helpers, ...options.chain } });
  const regions = rows.map((row) => {
    const upstream = new ScriptedUpstream(script);
    made.live.set(row, upstream);
    return upstream;
  });
  return Object.assign(made, { regions });
};

const openAll = ({ rows, wsRows }: World): void => {
  for (const row of [...rows, ...wsRows]) row.state = "open";
};

const explained = (w: World, id = "req1") => w.gateway.explainer.request(id);

describe("a chain whose providers may not be asked", () => {
  it("passes a read on to the nearest region, and says so", () => {
    const w = helped({ names: ["us", "ap"] });
    openAll(w);
    const reply = w.post(call());
    expect(reply.json).toEqual({ jsonrpc: "2.0", id: 7, result: "0xhelp" });
    expect(reply.headers).toMatchObject({
      "x-paceline-provider": "region:us",
      "x-paceline-helped-by": "us",
      "x-paceline-attempts": "region:us=help:ok:0:won",
    });
    expect(w.regions.map(({ calls }) => calls.length)).toEqual([1, 0]);
    expect(explained(w)?.help).toEqual({ by: "us", because: "no_provider", for: null });
    expect(w.recorded).toEqual([]);
  });

  it.each([
    ["open", { state: "open" }],
    ["cooling down", { cooldownUntilMs: 9_000 }],
    ["stalled", { suspect: true }],
    ["unusable", { isUsable: false }],
    ["at its rate", { budget: { admits: () => false, spent: () => undefined } }],
  ] as const)("does so when they are %s, and asks them again once they are not", (_, state) => {
    const w = helped();
    const before = w.rows.map((row) => ({ ...row }));
    for (const row of [...w.rows, ...w.wsRows]) Object.assign(row, state);
    expect(w.post(call()).headers["x-paceline-provider"]).toBe("region:us");
    w.rows.forEach((row, at) => Object.assign(row, before[at]));
    for (const row of w.rows) row.budget = undefined;
    w.chain.snapshot?.cache.clear();
    expect(w.post(call("eth_call", [1])).headers["x-paceline-provider"]).toBe("a");
  });

  it("asks its own providers while one of them is well, however often calls come", () => {
    const w = helped();
    for (const row of w.rows.slice(1)) row.state = "open";
    for (let n = 0; n < 50; n++) w.post(call("eth_call", [n]));
    expect(w.regions[0]?.calls).toEqual([]);
  });

  it("turns to a region after its own providers have failed, as many as may be tried", () => {
    const w = helped({}, { providers: ["a", "b", "c", "d"], script: DEAD });
    const reply = w.post(call());
    expect(reply.json.result).toBe("0xhelp");
    expect(reply.headers["x-paceline-attempts"]).toBe(
      "a=primary:transport:0;b=failover:transport:0;c=failover:transport:0;region:us=help:ok:0:won",
    );
    expect(explained(w)?.help).toMatchObject({ by: "us", because: "exhausted" });
  });

  it("leaves an attempt of its own in time, so that a region has its share of it", () => {
    const w = helped({}, { providers: ["a"], script: () => undefined });
    const reply = w.post(call());
    w.advance(3_000);
    expect(reply.json.result).toBe("0xhelp");
  });

  it("tells the region how long anybody waits for the answer", () => {
    const w = helped({ script: () => undefined });
    openAll(w);
    w.post(call(), "/rpc/ethereum?timeout=2s");
    expect(w.regions[0]?.calls[0]?.handler.expiresAtMs).toBe(w.nowMs + 2_000);
  });

  it("asks the next region when the first one fails, and no third", () => {
    const w = helped({ script: DEAD, names: ["us", "ap", "sa"] });
    for (const row of w.rows) row.isUsable = false;
    const { error } = w.post(call()).json;
    expect(w.regions.map(({ calls }) => calls.length)).toEqual([1, 1, 0]);
    expect(error.code).toBe(-32002);
    expect(error.message).toContain("1 transport at region us");
    expect(error.message).toContain("1 transport at region ap");
  });

  it("words its own error when the region has trouble, and relays what a node there said", () => {
    const trouble = helped({
      script: (asked) =>
        asked.error(
          -32002,
          "no provider for eth_call on eth: 2 open",
          { reason: "no_provider" },
          503,
        ),
    });
    for (const row of trouble.rows) row.isUsable = false;
    const { error } = trouble.post(call()).json;
    expect(error.message).toBe("no provider answered eth_call on ethereum: 1 server at region us");
    const reverted = helped({ script: (asked) => asked.error(3, "execution reverted", "0x") });
    openAll(reverted);
    expect(reverted.post(call()).json.error).toMatchObject({
      code: 3,
      message: "execution reverted",
    });
  });

  it("says that nobody else can help when nobody does", () => {
    const w = helped({ names: [] });
    for (const row of w.rows) row.isUsable = false;
    const reply = w.post(call());
    expect(reply.status).toBe(503);
    expect(reply.json.error.message).toMatch(/; no other region can help$/);
  });

  it("passes on no more calls at once than it may, and asks the next region then", () => {
    const waiting: ScriptedCall[] = [];
    const w = helped({
      names: ["us", "ap"],
      maxInFlight: 2,
      script: (asked) => void waiting.push(asked),
    });
    openAll(w);
    for (let n = 0; n < 5; n++) w.post(call("eth_call", [n]));
    expect(w.regions.map(({ calls }) => calls.length)).toEqual([2, 2]);
    for (const asked of waiting) asked.result('"0x1"');
    w.post(call("eth_call", [9]));
    expect(w.regions.map(({ calls }) => calls.length)).toEqual([3, 2]);
  });

  it("tells breaker and pool of a region's failures, and of its successes only after one", () => {
    const w = helped({ script: (asked) => asked.answer("slow down", 429, "3") });
    openAll(w);
    w.post(call());
    expect(w.reports.at(-1)).toMatchObject({
      row: { provider: "region:us" },
      errorClass: "rate_limit",
      retryAfterMs: 3_000,
    });
    const well = helped();
    openAll(well);
    well.post(call());
    expect(well.reports).toEqual([]);
  });

  it.each([
    ["a transaction", "eth_sendRawTransaction", "/rpc/ethereum", ["0x00"]],
    ["a call for one provider", "eth_call", "/rpc/provider/a/ethereum", []],
    ["a call without failover", "eth_call", "/rpc/no-failover/ethereum", []],
    ["a call with a highest price", "eth_call", "/rpc/ethereum?max_cost=5", []],
    ["a call for a quorum", "eth_call", "/rpc/ethereum?quorum=2/3", []],
    ["a call for WebSockets", "eth_call", "/rpc/ethereum?transport=ws", []],
  ])("does not pass on %s", (_, method, url, params) => {
    const w = helped();
    for (const row of [...w.rows, ...w.wsRows]) row.isUsable = false;
    w.post(call(method, params), url);
    expect(w.regions[0]?.calls).toEqual([]);
  });

  it("passes on no answer that a node has given: an empty one, or one about the call", () => {
    const empty = helped({}, { providers: ["a"], script: (asked) => asked.result("null") });
    expect(empty.post(call("eth_getTransactionReceipt", ["0x1"])).json.result).toBeNull();
    const unknown = helped(
      {},
      { providers: ["a"], script: (asked) => asked.error(-32601, "no such method") },
    );
    unknown.post(call("eth_foo"));
    expect([...(empty.regions[0]?.calls ?? []), ...(unknown.regions[0]?.calls ?? [])]).toEqual([]);
  });

  it("asks a region even when it stalls, for want of a better one", () => {
    const w = helped();
    openAll(w);
    const [us] = w.chain.helpers?.candidates ?? [];
    if (us !== undefined) us.row.suspect = true;
    expect(w.post(call()).json.result).toBe("0xhelp");
  });

  it("keeps what a provider that is well cannot serve: nobody is asked for old state elsewhere", () => {
    const w = helped({}, { archival: ["b"], tip: 10_000 });
    for (const row of [w.rows[1], w.wsRows[1]]) if (row !== undefined) row.isUsable = false;
    w.post(call("eth_getBalance", [`0x${"1".repeat(40)}`, "0x1"]));
    expect(w.regions[0]?.calls).toEqual([]);
  });

  it("passes a range of logs on in one piece", () => {
    const w = helped({ script: (asked) => asked.result("[]") });
    openAll(w);
    const params = [{ fromBlock: "0x0", toBlock: "0x60" }];
    expect(w.post(call("eth_getLogs", params)).json.result).toEqual([]);
    expect(w.regions[0]?.calls.map(({ request }) => request.params)).toEqual([params]);
  });

  it("serves logs as ever where nobody may help: up to the tip only, from those who rest", () => {
    const asksLogs = (w: World, url?: string) => {
      for (const row of [...w.rows, ...w.wsRows]) row.cooldownUntilMs = 1_500;
      w.post(call("eth_getLogs", [{ fromBlock: "0x60", toBlock: "0xffff" }]), url);
      return w.upstreams.flatMap(({ calls }) => calls.map(({ request }) => request.params));
    };
    const upToTip = [[{ fromBlock: "0x60", toBlock: "0x64" }]];
    const own: Script = (asked) => asked.result("[]");
    expect(asksLogs(helped({ names: [] }, { script: own }))).toEqual(upToTip);
    const without = helped({}, { script: own });
    expect(asksLogs(without, "/rpc/no-failover/ethereum")).toEqual(upToTip);
    expect(without.regions[0]?.calls).toEqual([]);
  });

  /** The connection is reset under a call, and its way is gone when it would be asked again. */
  const lose = (w: Helped, upstream: ScriptedUpstream | undefined): void => {
    if (upstream === undefined) throw new Error("nobody to lose");
    upstream.script = (asked) => {
      for (const [row, one] of w.live) if (one === upstream) w.live.delete(row);
      asked.fail("reset", true);
    };
  };

  it.each([
    ["without failover", "/rpc/no-failover/ethereum"],
    ["for one provider", "/rpc/provider/a/ethereum"],
  ])("does not pass on a call %s whose provider goes under it", (_, url) => {
    const w = helped({}, { providers: ["a"] });
    lose(w, w.upstreams[0]);
    expect(w.post(call(), url).json.error.code).toBe(-32002);
    expect(w.regions[0]?.calls).toEqual([]);
  });

  it("does not pass on what another region has, whose last provider goes under it", () => {
    const counter = { inFlight: 0 };
    const admit = () => ({ ok: true, region: "eu", timeoutMs: 9_000, counter }) as const;
    const deps = { helpDoor: { admit } };
    const limits = { maxAttempts: 2 };
    const w = helped({}, { providers: ["a", "b"], script: DEAD, limits, deps });
    lose(w, w.upstreams[1]);
    const headers = ["Content-Type", "application/json", "X-Paceline-Help", "ticket"];
    expect(w.post(call(), "/rpc/ethereum", headers).json.error.code).toBe(-32002);
    expect(w.upstreams.map(({ calls }) => calls.length)).toEqual([1, 1]);
    expect(w.regions[0]?.calls).toEqual([]);
  });

  it("asks no third region when the second one's way goes under the call", () => {
    const names = ["us", "ap", "sa"];
    const limits = { maxAttempts: 2 };
    const w = helped({ script: DEAD, names }, { providers: ["a", "b"], script: DEAD, limits });
    lose(w, w.regions[1]);
    w.post(call());
    expect(w.regions.map(({ calls }) => calls.length)).toEqual([1, 1, 0]);
  });
});
