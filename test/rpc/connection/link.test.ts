import { describe, expect, it } from "vitest";
import { wsConnectionKey } from "../../../actors/rpc/ws-connection.ts";
import { FakeClient, header, startChain } from "../streams/chain-kit.ts";

type Chain = Awaited<ReturnType<typeof startChain>>;

const NAME = "rpc/chain/ethereum/provider/p1/ws-connection";
const LONG_MS = 600_000;

const inspect = (chain: Chain) =>
  chain.node.inspector.info(NAME)?.state as Readonly<Record<string, any>>;
const named = (chain: Chain, name: string) =>
  chain.emitted.filter((event) => event.name === name).map(({ fields }) => fields);
const classes = (chain: Chain) => chain.outcomes.map(({ errorClass }) => errorClass);
const subscribes = (chain: Chain) =>
  chain.sockets
    .get("p1")!
    .map(({ sent }) =>
      sent.flatMap(({ method, params }) => (method === "eth_subscribe" ? [params[0]] : [])),
    );

/** Tells `count` heads, a second apart. */
const live = async (chain: Chain, from: number, count: number): Promise<void> => {
  for (let n = from; n < from + count; n++) {
    chain.socketOf("p1").event("newHeads", header(`a${n}`, n, `a${n - 1}`));
    await chain.node.advance(1_000);
  }
};

describe("a link whose peer is gone without a word", () => {
  it("takes it out of the calls' way within 5 s and gives it up within 8 s", async () => {
    const chain = await startChain(1);
    const { ws } = chain.state.rows("p1");
    chain.socketOf("p1").isMute = true;
    await chain.node.advance(4_999);
    expect(ws.suspect).toBe(false);
    await chain.node.advance(1);
    expect(ws.suspect).toBe(true);
    expect(named(chain, "websocket.suspect")).toHaveLength(1);
    await chain.node.advance(2_999);
    expect(inspect(chain)["state"]).toBe("live");
    await chain.node.advance(1);
    expect(inspect(chain)).toMatchObject({
      state: "backing_off",
      lastClose: { code: 1006, reason: "timeout: pong" },
    });
    expect(classes(chain)).toContain("timeout");
    await chain.node.advance(1_000);
    expect(inspect(chain)).toMatchObject({ state: "live", reconnects: 1 });
    expect(ws.suspect).toBe(false);
    await chain.node.stop();
  });

  it("has it back with the next byte", async () => {
    const chain = await startChain(1);
    const socket = chain.socketOf("p1");
    socket.isMute = true;
    await chain.node.advance(5_000);
    expect(chain.state.rows("p1").ws.suspect).toBe(true);
    await chain.node.advance(1_500);
    socket.event("newHeads", header("a1", 1, "a0"));
    await chain.node.advance(1_500);
    expect(chain.state.rows("p1").ws.suspect).toBe(false);
    expect(inspect(chain)["state"]).toBe("live");
    expect(socket.isOpen).toBe(true);
    await chain.node.stop();
  });
});

describe("a link whose heads have stopped", () => {
  it("subscribes anew after a long life, then reconnects, and the breaker hears of it until a head comes", async () => {
    const chain = await startChain(2);
    await chain.subscribe(new FakeClient(1), "logs");
    await live(chain, 1, 3);
    await chain.node.advance(LONG_MS);
    const before = chain.sockets.get("p1")!.length;
    await live(chain, 4, 3);
    chain.outcomes.splice(0);
    const socket = chain.socketOf("p1");
    // The other provider shows that the chain goes on.
    for (let n = 7; n < 23; n++) {
      chain.socketOf("p2").event("newHeads", header(`a${n}`, n, `a${n - 1}`));
      await chain.node.advance(1_000);
    }
    expect(inspect(chain)["state"]).toBe("stale");
    expect(chain.socketOf("p1")).toBe(socket);
    expect([...socket.subscriptions.keys()].toSorted()).toEqual(["logs", "newHeads"]);
    expect(inspect(chain)).toMatchObject({ open: ["newHeads", "logs"], ending: 0 });
    for (let n = 23; n < 60; n++) {
      chain.socketOf("p2").event("newHeads", header(`a${n}`, n, `a${n - 1}`));
      await chain.node.advance(1_000);
    }
    expect(chain.sockets.get("p1")!.length).toBeGreaterThan(before);
    const told = classes(chain);
    expect(told).toContain("timeout");
    expect(told).not.toContain("ok");
    chain.socketOf("p1").event("newHeads", header("a60", 60, "a59"));
    await chain.node.settle();
    expect(classes(chain).at(-1)).toBe("ok");
    await chain.node.stop();
  });

  it("notices it also when the provider does not even answer the question for its height", async () => {
    const chain = await startChain(1);
    await live(chain, 1, 3);
    chain.socketOf("p1").unanswered.add("eth_blockNumber");
    await chain.node.advance(18_000);
    expect(named(chain, "websocket.suspect")).toEqual([
      expect.objectContaining({ reason: "its heads have stopped" }),
    ]);
    expect(inspect(chain)["state"]).toBe("stale");
    await chain.node.stop();
  });

  it("leaves a chain alone that stands still", async () => {
    const chain = await startChain(1);
    await live(chain, 1, 3);
    await chain.node.advance(LONG_MS);
    expect(chain.sockets.get("p1")).toHaveLength(1);
    expect(named(chain, "websocket.suspect")).toEqual([]);
    await chain.node.stop();
  });
});

describe("a provider that serves some streams only", () => {
  it("stays up without logs, and is asked for them again later", async () => {
    const chain = await startChain(1);
    chain.socketOf("p1").refused.add("logs");
    await chain.subscribe(new FakeClient(1), "logs");
    expect(inspect(chain)).toMatchObject({
      state: "live",
      wanted: ["newHeads", "logs"],
      open: ["newHeads"],
      refused: ["logs"],
    });
    chain.socketOf("p1").refused.clear();
    await chain.node.advance(31_000);
    expect(inspect(chain)).toMatchObject({ open: ["newHeads", "logs"], refused: [] });
    expect(chain.sockets.get("p1")).toHaveLength(1);
    await chain.node.stop();
  });

  it("stays up without heads: calls and logs go on", async () => {
    const chain = await startChain(1);
    chain.latest.onConnect = (_provider, socket) => socket.refused.add("newHeads");
    chain.socketOf("p1").break();
    await chain.subscribe(new FakeClient(1), "logs");
    await chain.node.advance(5_000);
    expect(inspect(chain)).toMatchObject({
      state: "live",
      open: ["logs"],
      refused: ["newHeads"],
      lastError: expect.stringContaining("eth_subscribe newHeads"),
    });
    expect(chain.state.upstream(chain.state.rows("p1").ws)).toBeDefined();
    await chain.node.stop();
  });
});

describe("the ledger of a link", () => {
  it("ignores the answer to a subscribe that comes after its connection has closed", async () => {
    const chain = await startChain(1);
    const old = chain.socketOf("p1");
    old.unanswered.add("eth_subscribe");
    await chain.subscribe(new FakeClient(1), "logs");
    const asked = old.sent.findLast(({ method }) => method === "eth_subscribe")!;
    old.break();
    old.say({ jsonrpc: "2.0", id: asked.id, result: "0xlate" });
    await chain.node.advance(1_000);
    const fresh = chain.socketOf("p1");
    expect(fresh).not.toBe(old);
    // Even on the new connection the old question has no answer.
    fresh.say({ jsonrpc: "2.0", id: asked.id, result: "0xlate" });
    await chain.node.settle();
    expect(inspect(chain)).toMatchObject({ open: ["newHeads", "logs"], ending: 0, unread: 1 });
    expect([...fresh.subscriptions.keys()]).toEqual(["newHeads", "logs"]);
    await chain.node.stop();
  });

  it("tells of a subscribe without an answer, and asks again", async () => {
    const chain = await startChain(1);
    chain.socketOf("p1").unanswered.add("eth_subscribe");
    await chain.subscribe(new FakeClient(1), "logs");
    await chain.node.advance(11_000);
    expect(named(chain, "subs.ledger_mismatch")).toEqual([
      {
        chain: "ethereum",
        provider: "p1",
        wanted: 2,
        open: 1,
        kind: "logs",
        reason: "the provider does not answer a subscribe",
      },
    ]);
    chain.socketOf("p1").unanswered.clear();
    await chain.node.advance(31_000);
    expect(inspect(chain)).toMatchObject({ open: ["newHeads", "logs"], mismatches: 1 });
    expect(chain.sockets.get("p1")).toHaveLength(1);
    await chain.node.stop();
  });

  it("ends the connection where a subscription cannot be ended otherwise", async () => {
    const chain = await startChain(1);
    const client = new FakeClient(1);
    await chain.subscribe(client, "logs");
    const socket = chain.socketOf("p1");
    socket.refused.add("eth_unsubscribe");
    chain.hub().cast.drop(client.id);
    await chain.node.advance(63_000);
    expect(named(chain, "subs.ledger_mismatch")).toEqual([
      expect.objectContaining({ wanted: 1, open: 2, subscription: "0xup2" }),
    ]);
    expect(socket.isOpen).toBe(false);
    await chain.node.advance(2_000);
    expect([...chain.socketOf("p1").subscriptions.keys()]).toEqual(["newHeads"]);
    expect(inspect(chain)).toMatchObject({ state: "live", open: ["newHeads"], ending: 0 });
    await chain.node.stop();
  });

  it("counts events of foreign subscriptions, tells of them once a second, gives each back once", async () => {
    const chain = await startChain(1);
    const socket = chain.socketOf("p1");
    for (let i = 0; i < 500; i++) {
      const params = { subscription: "0xforeign", result: header("a1", 1, "a0") };
      socket.say({ jsonrpc: "2.0", method: "eth_subscription", params });
    }
    await chain.node.advance(3_000);
    expect(named(chain, "websocket.orphan_event")).toEqual([
      { chain: "ethereum", provider: "p1", subscription: "0xforeign", count: 500 },
    ]);
    expect(inspect(chain)["orphans"]).toBe(500);
    const unsubscribes = socket.sent.filter(({ method }) => method === "eth_unsubscribe");
    expect(unsubscribes.map(({ params }) => params)).toEqual([["0xforeign"]]);
    expect(chain.state.head).toBeUndefined();
    await chain.node.stop();
  });

  it("takes what is no JSON-RPC for noise", async () => {
    const chain = await startChain(1);
    const socket = chain.socketOf("p1");
    for (const junk of ["", "{", "[]", "null", '{"method":"eth_subscription"}', "\u0000\u0001"]) {
      const bytes = Buffer.from(junk);
      socket.handlers.onMessages({ bytes, bounds: [0, bytes.length] }, 1);
    }
    await live(chain, 1, 1);
    expect(inspect(chain)).toMatchObject({ state: "live", unread: 6 });
    expect(chain.state.head?.number).toBe(1);
    await chain.node.stop();
  });
});

describe("a connection that the provider ends", () => {
  it.each([1000, 1001, 1012])("in good order (%i) is no failure and comes back", async (code) => {
    const chain = await startChain(1);
    chain.outcomes.splice(0);
    chain.socketOf("p1").break(code, { reason: "deploying" });
    await chain.node.advance(1_000);
    expect(classes(chain)).toEqual([]);
    expect(named(chain, "websocket.disconnected")).toEqual([
      expect.objectContaining({ closeCode: code, reason: `${code} deploying` }),
    ]);
    expect(inspect(chain)).toMatchObject({
      state: "live",
      reconnects: 1,
      lastClose: { code, reason: `${code} deploying` },
    });
    await chain.node.stop();
  });

  it("for lack of capacity is left alone for as long as it says, without a fault of its own", async () => {
    const chain = await startChain(1);
    chain.latest.onConnect = (_provider, socket) =>
      socket.break(1006, { status: 429, reason: "upgrade refused", retryAfter: "40" });
    chain.socketOf("p1").break(1013, { reason: "busy" });
    await chain.node.advance(4_999);
    expect(chain.sockets.get("p1")).toHaveLength(1);
    await chain.node.advance(1_000);
    expect(chain.sockets.get("p1")).toHaveLength(2);
    chain.latest.onConnect = () => {};
    await chain.node.advance(39_000);
    expect(chain.sockets.get("p1")).toHaveLength(2);
    await chain.node.advance(2_000);
    expect(inspect(chain)["state"]).toBe("live");
    expect(chain.outcomes).toEqual(
      [
        expect.objectContaining({ errorClass: "ok" }),
        expect.objectContaining({ errorClass: "rate_limit", retryAfterMs: 5_000 }),
        expect.objectContaining({ errorClass: "rate_limit", retryAfterMs: 40_000 }),
        expect.objectContaining({ errorClass: "ok" }),
      ].slice(chain.outcomes.length === 3 ? 1 : 0),
    );
    await chain.node.stop();
  });

  it("for our key is suspended, tried every five minutes and when the provider is seen to live", async () => {
    const chain = await startChain(1);
    chain.latest.onConnect = (_provider, socket) =>
      socket.break(1006, { status: 401, reason: "upgrade refused for canary" });
    chain.socketOf("p1").break();
    await chain.node.advance(60_000);
    expect(inspect(chain)).toMatchObject({
      state: "suspended",
      lastError: "401 upgrade refused for ***",
    });
    expect(chain.sockets.get("p1")).toHaveLength(2);
    expect(named(chain, "websocket.suspended")).toHaveLength(1);
    expect(classes(chain).at(-1)).toBe("auth");
    await chain.node.advance(300_000);
    expect(chain.sockets.get("p1")).toHaveLength(3);
    chain.latest.onConnect = () => {};
    chain.node.whereis(wsConnectionKey("ethereum", "p1"))?.cast.resume();
    await chain.node.settle();
    expect(inspect(chain)["state"]).toBe("live");
    await chain.node.stop();
  });

  it("is suspended after the attempts of the configuration", async () => {
    const chain = await startChain(1, "    connection: { max_reconnect_attempts: 3 }");
    chain.latest.onConnect = (_provider, socket) => socket.break();
    chain.socketOf("p1").break();
    await chain.node.advance(60_000);
    expect(chain.sockets.get("p1")).toHaveLength(4);
    expect(named(chain, "websocket.suspended")).toEqual([
      {
        chain: "ethereum",
        provider: "p1",
        attempt: 3,
        maxAttempts: 3,
        delayMs: 300_000,
        reason: "1006",
      },
    ]);
    await chain.node.stop();
  });
});

describe("a link that ends", () => {
  it("says 1001 to the provider and takes back its streams", async () => {
    const chain = await startChain(1);
    await live(chain, 1, 1);
    const socket = chain.socketOf("p1");
    await chain.node.stop();
    expect(socket.closedBy).toBe("1001 going away");
    expect(named(chain, "websocket.disconnected")).toEqual([
      expect.objectContaining({ closeCode: 1001, reason: "going away" }),
    ]);
    expect(chain.state.upstream(chain.state.rows("p1").ws)).toBeUndefined();
  });

  it("shows its whole state to whoever inspects it", async () => {
    const chain = await startChain(1);
    await chain.subscribe(new FakeClient(1), "newPendingTransactions");
    expect(inspect(chain)).toEqual({
      provider: "p1",
      state: "live",
      since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      attempts: 0,
      reconnects: 0,
      wanted: ["newHeads", "newPendingTransactions"],
      open: ["newHeads", "newPendingTransactions"],
      asked: [],
      refused: [],
      ending: 0,
      lastClose: undefined,
      lastError: undefined,
      orphans: 0,
      unread: 0,
      mismatches: 0,
    });
    expect(subscribes(chain)).toEqual([["newHeads", "newPendingTransactions"]]);
    await chain.node.stop();
  });
});
