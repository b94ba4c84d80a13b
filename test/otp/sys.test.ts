/** The sys protocol (otp.md 1.14): answered in mailbox order, between turns, by every process. */
import { describe, expect, it } from "vitest";
import {
  child,
  createVirtualNode,
  defineActor,
  dynamicSupervisor,
  type From,
  keyFor,
  later,
  reply,
  supervisor,
  type SysEvent,
  type VirtualNode,
} from "../../src/otp/index.ts";
import {
  must,
  probe,
  probeKey,
  probeRef,
  recordEvents,
  startTop,
  trapper,
  trapperKey,
} from "./support.ts";

const relay = defineActor({
  name: "test/relay",
  version: 3,
  init: (args: { readonly token: string }) => ({
    ...args,
    seen: 0,
    waiting: [] as From<string>[],
  }),
  calls: {
    echo: (state, text: string) => reply({ ...state, seen: state.seen + 1 }, text),
    wait: (state, _arg: undefined, _ctx, from: From<string>) =>
      later({ ...state, waiting: [...state.waiting, from] }),
  },
  casts: {
    pass: (state, n: number, ctx) => {
      ctx.whereis(probeKey("a"))?.cast.set(n);
      return { ...state, seen: state.seen + 1 };
    },
    answer: (state, text: string) => {
      for (const from of state.waiting) from.reply(text);
      return { ...state, waiting: [] };
    },
    crash: () => {
      throw new Error("crashed");
    },
  },
  formatState: ({ seen }) => ({ seen }),
});
const relayKey = keyFor(relay);
const RELAY = relayKey().name;

const start = (): Promise<VirtualNode> =>
  startTop([
    child(probe, { name: "a" }, { register: probeKey("a") }),
    child(relay, { token: "s3cret" }, { register: relayKey() }),
  ]);

const short = ({ direction, kind, type, peer }: SysEvent): string =>
  [direction, kind, type, peer].join(" ");

describe("get_status", () => {
  it("tells who runs, for whom, and the state as formatState lets it out", async () => {
    const node = await start();
    const { inspector } = node;
    const status = await inspector.getStatus(RELAY);
    expect(status).toEqual({
      status: "running",
      pid: inspector.resolve(RELAY),
      name: RELAY,
      kind: "worker",
      behaviour: "test/relay",
      version: 3,
      parent: "#1",
      debug: { trace: false, statistics: false, log: 0, functions: [], sessions: 0 },
      log: [],
      state: { seen: 0 },
    });
    await inspector.suspend(RELAY);
    expect((await inspector.getStatus(RELAY)).status).toBe("suspended");
  });

  it("shows logged messages without their arguments", async () => {
    const node = await start();
    await node.inspector.log(RELAY, "on");
    await node.via(relayKey()).call.echo("s3cret");
    const status = await node.inspector.getStatus(RELAY);
    expect(status.log).toMatchObject([
      { direction: "in", kind: "call", type: "echo", peer: "outside", bytes: 6 },
      { direction: "out", kind: "reply", type: "echo", peer: "outside", bytes: 6 },
    ]);
    expect(JSON.stringify(status)).not.toContain("s3cret");
  });

  it("answers for supervisors too", async () => {
    const node = await start();
    const status = await node.inspector.getStatus("top");
    expect(status).toMatchObject({
      kind: "supervisor",
      behaviour: "top",
      parent: undefined,
      state: { strategy: "one_for_one", children: 2 },
    });
  });

  it("says so when formatState fails", async () => {
    const broken = defineActor({
      name: "test/broken",
      init: (secret: string) => secret,
      formatState: (secret): string => {
        throw new Error(`cannot show ${secret}`);
      },
    });
    const key = keyFor(broken);
    const node = await startTop([child(broken, "s3cret", { register: key() })]);
    const { state } = await node.inspector.getStatus(key().name);
    expect(state).toEqual({ formatState: "failed" });
  });
});

describe("a suspended process", () => {
  it("answers sys in mailbox order and nothing else, until it is resumed", async () => {
    const node = await start();
    const { inspector } = node;
    const order: string[] = [];
    const ref = node.via(relayKey());
    void inspector.suspend(RELAY).then(() => order.push("suspended"));
    void ref.call.echo("x").then(() => order.push("echo"));
    void inspector.getState(RELAY).then(() => order.push("state"));
    await node.settle();
    expect(order).toEqual(["suspended", "state"]);
    await inspector.resume(RELAY);
    await node.settle();
    expect(order).toEqual(["suspended", "state", "echo"]);
  });

  it("still ends with its parent", async () => {
    const log: string[] = [];
    const node = await startTop([
      child(trapper, { name: "t", log }, { register: trapperKey("t") }),
    ]);
    await node.inspector.suspend(trapperKey("t").name);
    await node.stop();
    expect(log).toContain("terminate t shutdown");
  });
});

describe("a suspension with an end", () => {
  it("is over after its time, and a later one counts anew", async () => {
    const node = await start();
    const { inspector } = node;
    const status = async (): Promise<string> => (await inspector.getStatus(RELAY)).status;
    await inspector.suspend(RELAY, { forMs: 1000 });
    await node.advance(999);
    expect(await status()).toBe("suspended");
    await inspector.suspend(RELAY, { forMs: 1000 });
    await node.advance(999);
    expect(await status()).toBe("suspended");
    await node.advance(1);
    expect(await status()).toBe("running");
    await inspector.suspend(RELAY, { forMs: 1000 });
    await inspector.resume(RELAY);
    await inspector.suspend(RELAY);
    await node.advance(5000);
    expect(await status()).toBe("suspended");
  });
});

describe("an operator's restart", () => {
  const trapping = (log: string[], more: object = {}) =>
    child(trapper, { name: "t", log, ...more }, { register: trapperKey("t"), shutdown: 100 });

  it("ends the child in good order and counts against its supervisor's budget", async () => {
    const log: string[] = [];
    const node = await startTop([trapping(log)]);
    const restarted = await node.inspector.restart(trapperKey("t").name);
    expect(restarted).toEqual({ ok: true, from: "#2", pid: "#3" });
    expect(log).toEqual(["init t", 'terminate t ["restart","operator"]', "init t"]);
    expect(node.inspector.tree()?.restarts.count).toBe(1);
  });

  it("kills a child that takes longer than its shutdown time", async () => {
    const node = await startTop([trapping([])]);
    must(node.whereis(trapperKey("t"))).cast.hang();
    await node.settle();
    const restarting = node.inspector.restart(trapperKey("t").name);
    await node.advance(100);
    expect(await restarting).toEqual({ ok: true, from: "#2", pid: "#3" });
    expect(node.inspector.tree()?.children[0]?.last_exit).toBe("killed");
  });

  it("takes the group along, unless it is forgiven: then that child alone, uncounted", async () => {
    const pair = ["a", "b"].map((n) => child(probe, { name: n }, { register: probeKey(n) }));
    const node = await startTop(pair, { strategy: "one_for_all" });
    const forgiven = await node.inspector.restart(probeKey("a").name, { forgive: true });
    expect(forgiven).toEqual({ ok: true, from: "#2", pid: "#4" });
    expect(probeRef(node, "b").id).toBe("#3");
    expect(node.inspector.tree()?.restarts.count).toBe(0);
    await node.inspector.restart(probeKey("a").name);
    expect(probeRef(node, "b").id).toBe("#6");
    expect(node.inspector.tree()?.restarts.count).toBe(1);
  });

  it("is refused where nobody would restart it", async () => {
    const once = child(probe, { name: "a" }, { register: probeKey("a"), restart: "temporary" });
    const node = await startTop([once]);
    const { inspector } = node;
    expect(await inspector.restart("top")).toEqual({ ok: false, reason: "not_supervised" });
    const temporary = { ok: false, reason: "temporary" };
    expect(await inspector.restart(probeKey("a").name)).toEqual(temporary);
    await expect(inspector.restart("nobody")).rejects.toMatchObject({ reason: "noproc" });
  });
});

describe("terminate", () => {
  it("runs terminate with the reason, of a suspended process too, and its supervisor acts", async () => {
    const log: string[] = [];
    const node = await startTop([
      child(trapper, { name: "t", log }, { register: trapperKey("t"), restart: "transient" }),
    ]);
    const name = trapperKey("t").name;
    await node.inspector.suspend(name);
    await node.inspector.terminate(name, "boom");
    await node.settle();
    expect(log).toEqual(["init t", "terminate t boom", "init t"]);
    await node.inspector.terminate(name);
    await node.settle();
    expect(log.slice(3)).toEqual(["terminate t normal"]);
    expect(node.whereis(trapperKey("t"))).toBeUndefined();
  });

  it("stops a supervisor's children in reverse before it ends", async () => {
    const log: string[] = [];
    const node = await startTop([
      supervisor("inner", {
        restart: "temporary",
        children: ["a", "b"].map((name) =>
          child(trapper, { name, log }, { register: trapperKey(name) }),
        ),
      }),
    ]);
    log.length = 0;
    await node.inspector.terminate("inner", "shutdown");
    await node.settle();
    expect(log).toEqual(["terminate b shutdown", "terminate a shutdown"]);
    expect(node.inspector.info("inner")).toBeUndefined();
  });
});

describe("replace_state", () => {
  it("leaves the state as it was when the function throws", async () => {
    const node = await start();
    const before = await node.inspector.getState(RELAY);
    const failing = node.inspector.replaceState(RELAY, () => {
      throw new Error("no");
    });
    await expect(failing).rejects.toMatchObject({ reason: "callback_failed" });
    expect(await node.inspector.getState(RELAY)).toBe(before);
  });
});

describe("statistics", () => {
  it("count turns and messages since they were switched on", async () => {
    const node = await start();
    const { inspector } = node;
    const ref = node.via(relayKey());
    await ref.call.echo("before");
    await node.advance(100);
    await inspector.statistics(RELAY, "on");
    await node.advance(50);
    await ref.call.echo("x");
    ref.cast.pass(1);
    await node.settle();
    const counts = await inspector.statistics(RELAY, "get");
    // The question itself is a turn, but no message.
    expect(counts).toEqual({
      startedAtMs: 100,
      nowMs: 150,
      turns: 3,
      messagesIn: 2,
      messagesOut: 2,
    });
    await inspector.statistics(RELAY, "off");
    expect(await inspector.statistics(RELAY, "get")).toBeUndefined();
  });
});

describe("the log", () => {
  it("keeps the last ten messages with direction and peer, oldest first", async () => {
    const node = await start();
    await node.inspector.log(RELAY, "on");
    const ref = node.via(relayKey());
    for (let n = 0; n < 6; n += 1) ref.cast.pass(n);
    await node.settle();
    const events = await node.inspector.log(RELAY, "get");
    const probePid = node.inspector.resolve(probeKey("a").name);
    expect(events).toHaveLength(10);
    expect(events.slice(-2).map(short)).toEqual([
      "in cast pass outside",
      `out cast set ${probePid}`,
    ]);
    expect(events.map(({ arg }) => arg)).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    expect(await node.inspector.log(RELAY, "off")).toEqual([]);
  });

  it("sees a reply that comes in a later turn, and who sent a cast", async () => {
    const node = await start();
    const probeName = probeKey("a").name;
    await node.inspector.log(RELAY, 3);
    await node.inspector.log(probeName, 1);
    const ref = node.via(relayKey());
    const waiting = ref.call.wait();
    ref.cast.answer("done");
    expect(await waiting).toBe("done");
    expect((await node.inspector.log(RELAY, "get")).map(short)).toEqual([
      "in call wait outside",
      "in cast answer outside",
      "out reply wait outside",
    ]);
    ref.cast.pass(1);
    await node.settle();
    expect((await node.inspector.log(probeName, "get")).map(short)).toEqual([
      `in cast set ${node.inspector.resolve(RELAY)}`,
    ]);
  });

  it("goes into the crash report, without arguments", async () => {
    const node = await start();
    const crashes: unknown[] = [];
    node.telemetry.attach("crashes", "otp.crash", ({ fields }) => crashes.push(fields));
    await node.inspector.log(RELAY, "on");
    node.via(relayKey()).cast.pass(7);
    node.via(relayKey()).cast.crash();
    node.via(relayKey()).cast.pass(8);
    await node.settle();
    expect(crashes).toHaveLength(1);
    expect(crashes[0]).toMatchObject({
      reason: "Error: crashed",
      stack: expect.stringContaining("sys.test"),
      handler: "crash",
      mailbox: 1,
      state: { seen: 1 },
      log: [{ type: "pass" }, { type: "set" }, { type: "crash" }],
    });
    expect(JSON.stringify(crashes)).not.toContain("s3cret");
    expect(JSON.stringify(crashes)).not.toContain('"arg"');
  });
});

describe("trace to telemetry", () => {
  it("tells every message in and out while it is on, and none of sys", async () => {
    const node = await start();
    const lines: string[] = [];
    node.telemetry.attach("trace", "otp.trace", ({ process, fields }) =>
      lines.push([process, fields["direction"], fields["kind"], fields["type"]].join(" ")),
    );
    await node.inspector.traceEvents(RELAY, true);
    await node.via(relayKey()).call.echo("x");
    await node.inspector.getState(RELAY);
    await node.inspector.traceEvents(RELAY, false);
    await node.via(relayKey()).call.echo("y");
    expect(lines).toEqual([`${RELAY} in call echo`, `${RELAY} out reply echo`]);
  });
});

describe("debug functions", () => {
  it("fold over the messages with a state of their own, until they say done", async () => {
    const node = await start();
    const states: number[] = [];
    const ref = node.via(relayKey());
    await node.inspector.installDebug(RELAY, "count", 0, (count, event) => {
      if (event.direction === "in") states.push(count + 1);
      return count >= 1 ? "done" : count + Number(event.direction === "in");
    });
    for (let n = 0; n < 4; n += 1) ref.cast.answer("x");
    await node.settle();
    expect(states).toEqual([1, 2]);
    expect((await node.inspector.getStatus(RELAY)).debug.functions).toEqual([]);
  });

  it("are removed when they throw, and the process does not notice", async () => {
    const node = await start();
    await node.inspector.installDebug(RELAY, "bad", 0, () => {
      throw new Error("bad");
    });
    expect(await node.via(relayKey()).call.echo("x")).toBe("x");
    expect((await node.inspector.getStatus(RELAY)).debug.functions).toEqual([]);
  });

  it("have one name each, and can be removed", async () => {
    const node = await start();
    const { inspector } = node;
    await inspector.installDebug(RELAY, "f", 0, (n) => n);
    const again = inspector.installDebug(RELAY, "f", 0, (n) => n);
    await expect(again).rejects.toMatchObject({ reason: "already_installed" });
    await inspector.removeDebug(RELAY, "f");
    await inspector.removeDebug(RELAY, "f");
    await inspector.installDebug(RELAY, "f", 0, (n) => n);
    await inspector.log(RELAY, "on");
    await inspector.noDebug(RELAY);
    expect((await inspector.getStatus(RELAY)).debug).toMatchObject({ log: 0, functions: [] });
  });

  it("do not see what they send themselves", async () => {
    const node = await start();
    let calls = 0;
    await node.inspector.installDebug(RELAY, "sender", 0, (n) => {
      calls += 1;
      node.whereis(probeKey("a"))?.cast.set(n);
      return n;
    });
    node.via(relayKey()).cast.answer("x");
    await node.settle();
    expect(calls).toBe(1);
  });
});

describe("a sys call to nobody", () => {
  it("is noproc, and to a process that hangs a timeout after five seconds", async () => {
    const node = await start();
    const { inspector } = node;
    const nobody = { code: "OTP_NO_PROCESS", reason: "noproc", target: "nobody" };
    await expect(inspector.getStatus("nobody")).rejects.toMatchObject(nobody);
    await expect(inspector.terminate("nobody")).rejects.toMatchObject(nobody);
    await expect(inspector.upgrade("nobody", probe)).rejects.toMatchObject(nobody);
    await expect(
      inspector.reconcile("nobody", supervisor("x", { children: [] })),
    ).rejects.toMatchObject(nobody);
    probeRef(node, "a").cast.wait((ctx) => ctx.sleep(1e6));
    await node.settle();
    const asked = inspector.getStatus(probeKey("a").name);
    asked.catch(() => {});
    await node.advance(5000);
    await expect(asked).rejects.toMatchObject({ code: "OTP_TIMEOUT" });
  });
});

describe("sys events", () => {
  it("tell what was ordered", async () => {
    const node = await start();
    const lines: unknown[] = [];
    node.telemetry.attach("sys", "otp.sys", ({ fields }) => lines.push(fields["command"]));
    await node.inspector.suspend(RELAY);
    await node.inspector.replaceState(RELAY, (state) => state);
    await node.inspector.resume(RELAY);
    await node.inspector.getState(RELAY);
    expect(lines).toEqual(["suspend", "replace_state", "resume"]);
  });
});

describe("mailbox and dump", () => {
  it("peek shows the oldest waiting messages, kinds and types, nothing secret", async () => {
    const node = await start();
    const { inspector } = node;
    await inspector.suspend(RELAY);
    const ref = node.via(relayKey());
    ref.send({ password: "s3cret", n: 1 });
    void ref.try.echo("x");
    ref.cast.pass(2);
    await node.settle();
    expect(inspector.mailbox(RELAY, 2)).toEqual([
      { kind: "info", type: "info", arg: { type: "info", payload: { password: "***", n: 1 } } },
      { kind: "call", type: "echo", from: "outside", arg: "x" },
    ]);
    expect(inspector.mailbox(RELAY)).toHaveLength(3);
    expect(inspector.mailbox("nobody")).toBeUndefined();
  });

  it("dump is JSON with tree, states, timers and mailboxes, and says what it left out", async () => {
    const node = await start();
    probeRef(node, "a").cast.act((ctx) => ctx.after(500, "tick"));
    await node.advance(100);
    await node.inspector.suspend(RELAY);
    node.via(relayKey()).cast.pass(1);
    await node.settle();
    const dump = node.inspector.dump();
    expect(JSON.parse(JSON.stringify(dump))).toEqual(JSON.parse(JSON.stringify(dump)));
    expect(dump).toMatchObject({ atMs: 100, tree: { name: "top" }, omitted: 0 });
    const rows = new Map(dump.processes.map((row) => [row.name, row]));
    expect(must(rows.get(RELAY))).toMatchObject({
      status: "suspended",
      state: { seen: 0 },
      messages: [{ kind: "cast", type: "pass", arg: 1 }],
    });
    expect(must(rows.get(probeKey("a").name)).timers).toEqual([{ key: "tick", inMs: 400 }]);
    expect(node.inspector.dump({ maxProcesses: 1 })).toMatchObject({ omitted: 2 });
    expect(JSON.stringify(dump)).not.toContain("s3cret");
  });

  it("dump survives a state that has no JSON or too much of it", async () => {
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = cyclic;
    const odd = defineActor({
      name: "test/odd",
      init: (value: unknown) => ({ value }),
      formatState: ({ value }) => value,
    });
    const node = createVirtualNode();
    const spec = dynamicSupervisor("many", {
      template: (value: unknown) => child(odd, value, { id: "odd" }),
    });
    const top = await node.start(spec);
    for (const value of [cyclic, "x".repeat(20_000), 5n, undefined]) await top.startChild(value);
    const states = node.inspector
      .dump()
      .processes.slice(1)
      .map(({ state }) => state);
    expect(states).toEqual(["[no JSON]", "[20002 characters]", "5n", undefined]);
  });
});

describe("debugging that is off", () => {
  it("leaves a process on the fast way, and the node without taps", async () => {
    const node = await start();
    const { kernel } = node as unknown as { readonly kernel: { readonly taps: unknown } };
    await node.inspector.log(RELAY, "on");
    expect(kernel.taps).toBeDefined();
    await node.inspector.log(RELAY, "off");
    expect(kernel.taps).toBeUndefined();
    await node.inspector.log(RELAY, "on");
    node.via(relayKey()).cast.crash();
    await node.settle();
    expect(kernel.taps).toBeUndefined();
    expect(recordEvents(node, ["otp.trace"])).toEqual([]);
  });
});
