/** Duplicate keys with values, and who may hold a key at all (otp.md 2.4, 2.5). */
import { describe, expect, it } from "vitest";
import { child, defineActor, groupFor, reply, type VirtualNode } from "../../src/otp/index.ts";
import { as, probe, probeKey, probeRef, startProbes, startTop, trapperKey } from "./support.ts";

const weighted = groupFor<number>()(probe, "chain");
const eth = weighted("eth");

const three = (): Promise<VirtualNode> => startProbes("a", "b", "c");
const held = (node: VirtualNode): unknown[] =>
  node.groups.members(eth).map(({ ref, value }) => [ref.name, value]);

describe("a group", () => {
  it("holds many processes under one key with their values, in the order they joined", async () => {
    const node = await three();
    for (const [n, weight] of [
      ["b", 2],
      ["a", 1],
      ["b", 3],
    ] as const) {
      await as(node, n, (ctx) => ctx.groups.join(eth, weight));
    }
    expect(held(node)).toEqual([
      ["test/n/b/probe", 2],
      ["test/n/a/probe", 1],
      ["test/n/b/probe", 3],
    ]);
    expect(node.groups.members(weighted("bsc"))).toEqual([]);
  });

  it("gives refs that speak the members' protocol, and dispatches to all at once", async () => {
    const node = await three();
    for (const n of ["a", "b"]) await as(node, n, (ctx) => ctx.groups.join(eth, 5));
    const count = await as(node, "c", (ctx) =>
      ctx.groups.dispatch(eth, (members) => {
        for (const { ref, value } of members) ref.cast.set(value * 2);
      }),
    );
    await node.settle();
    expect(count).toBe(2);
    expect(await probeRef(node, "a").call.get()).toBe(10);
    expect(await probeRef(node, "b").call.get()).toBe(10);
    const none = node.groups.dispatch(weighted("bsc"), () => {
      throw new Error("called for nobody");
    });
    expect(none).toBe(0);
  });

  it("lets a process change and take back its own entries only", async () => {
    const node = await three();
    for (const n of ["a", "b", "a"]) await as(node, n, (ctx) => ctx.groups.join(eth, 1));
    expect(await as(node, "a", (ctx) => ctx.groups.update(eth, (value) => value + 1))).toBe(2);
    expect(await as(node, "c", (ctx) => ctx.groups.update(eth, () => 9))).toBe(0);
    expect(held(node).map((entry) => (entry as unknown[])[1])).toEqual([2, 1, 2]);
    expect(await as(node, "c", (ctx) => ctx.groups.leave(eth))).toBe(0);
    expect(await as(node, "a", (ctx) => ctx.groups.leave(eth))).toBe(2);
    expect(held(node)).toEqual([["test/n/b/probe", 1]]);
  });

  it("forgets a member at its death, before anyone hears of it", async () => {
    const node = await three();
    await as(node, "a", (ctx) => ctx.groups.join(eth, 1));
    await as(node, "b", (ctx) => void ctx.monitor(probeKey("a")));
    const seen: number[] = [];
    node.telemetry.attach("exit", "otp.exit", () => seen.push(held(node).length));
    const waiting = probeRef(node, "a").try.never();
    void waiting.then(() => seen.push(held(node).length));
    probeRef(node, "a").cast.stop("boom");
    await node.settle();
    expect(seen).toEqual([0, 0]);
    expect(await probeRef(node, "b").call.infos()).toHaveLength(1);
  });

  it("tells listeners of every join and leave, and drops a listener that throws", async () => {
    const node = await three();
    const changes: string[] = [];
    const failures: unknown[] = [];
    node.telemetry.attach("bad", "otp.registry.listener_failed", ({ fields }) =>
      failures.push(fields["name"]),
    );
    node.groups.listen(() => {
      throw new Error("listener");
    });
    const release = node.groups.listen((change, name, pid) =>
      changes.push(`${change} ${name} ${pid}`),
    );
    const pid = probeRef(node, "a").id;
    await as(node, "a", (ctx) => {
      ctx.groups.join(eth, 1);
      ctx.groups.join(eth, 2);
    });
    node.inspector.exit("test/n/a/probe", "kill");
    await node.settle();
    release();
    await as(node, "b", (ctx) => ctx.groups.join(eth, 1));
    expect(changes).toEqual([
      `register ${eth.name} ${pid}`,
      `register ${eth.name} ${pid}`,
      `unregister ${eth.name} ${pid}`,
      `unregister ${eth.name} ${pid}`,
    ]);
    expect(failures).toEqual([eth.name]);
  });

  it("lets a listener send at a member's death: it is not the code of the dead", async () => {
    const node = await three();
    const b = probeRef(node, "b");
    await as(node, "a", (ctx) => ctx.groups.join(eth, 1));
    node.groups.listen((change) => b.send(change));
    // Its own turn ends it: what runs then runs in the scope of the dying.
    probeRef(node, "a").cast.crash("boom");
    await node.settle();
    expect(await node.drive(b.call.infos())).toEqual([{ type: "info", payload: "unregister" }]);
  });

  it("is found by prefix", async () => {
    const node = await three();
    await as(node, "a", (ctx) => {
      ctx.groups.join(eth, 1);
      ctx.groups.join(weighted("bsc"), 2);
    });
    const prefix = "test/chain/b";
    const pid = probeRef(node, "a").id;
    expect(node.groups.select(prefix)).toEqual([{ name: "test/chain/bsc/probe", pid, value: 2 }]);
  });
});

describe("a key promises a protocol", () => {
  it("so that a process of another definition can neither register it nor join", async () => {
    const node = await three();
    const codes = await as(node, "a", (ctx) =>
      [() => ctx.register(trapperKey("t")), () => ctx.groups.join(groupFor()(other)())].map(
        (attempt) => {
          try {
            attempt();
            return "done";
          } catch (error) {
            return (error as { code?: string }).code;
          }
        },
      ),
    );
    expect(codes).toEqual(["OTP_KEY_PROTOCOL", "OTP_KEY_PROTOCOL"]);
  });
});

const other = defineActor({
  name: "test/other",
  init: (_args: undefined) => 0,
  calls: { get: (state) => reply(state, state) },
});

describe("pub/sub", () => {
  it("goes on past a subscriber whose mailbox is full, and one whose mailbox kills it", async () => {
    const bounded = (overflow: "reject" | "exit") =>
      defineActor({
        name: `test/bounded-${overflow}`,
        mailbox: { max: 1, overflow },
        init: (_args: undefined, ctx) => {
          ctx.subscribe("t");
          return [] as unknown[];
        },
        calls: { seen: (state) => reply(state, state) },
        on: (state, info) => [...state, info.type === "info" && info.payload],
      });
    const exits: unknown[] = [];
    const node = await startTop([
      child(bounded("reject"), undefined, { id: "reject" }),
      child(bounded("exit"), undefined, { id: "exit", restart: "temporary" }),
      child(probe, { name: "a" }, { register: probeKey("a") }),
    ]);
    node.telemetry.attach("exits", "otp.exit", ({ process }) => exits.push(process));
    await as(node, "a", (ctx) => ctx.subscribe("t"));
    expect(node.broadcast("t", 1)).toBe(3);
    expect(node.broadcast("t", 2)).toBe(3);
    await node.settle();
    expect(exits).toEqual(["exit"]);
    expect(node.inspector.info("top/reject")?.dropped).toBe(1);
    expect(await probeRef(node, "a").call.infos()).toHaveLength(2);
    expect(node.broadcast("t", 3)).toBe(2);
  });

  it("takes back all subscriptions of the caller to one topic, and no others", async () => {
    const node = await three();
    await as(node, "a", (ctx) => {
      ctx.subscribe("t");
      ctx.subscribe("u");
      ctx.subscribe("t");
    });
    await as(node, "b", (ctx) => ctx.subscribe("t"));
    await as(node, "a", (ctx) => ctx.unsubscribe("t"));
    expect([node.broadcast("t", 1), node.broadcast("u", 1)]).toEqual([1, 1]);
    expect(node.inspector.info("test/n/a/probe")?.topics).toEqual(["u"]);
  });
});
