/** Traps of supervised runtimes, and what users of others reported (otp.md 10): none of it here. */
import { describe, expect, it } from "vitest";
import {
  child,
  type ChildSpec,
  type Ctx,
  createVirtualNode,
  defineActor,
  ExitError,
  keyFor,
  type Reason,
  supervisor,
  Table,
} from "../../../src/otp/index.ts";
import { must, probe, probeKey, probeRef, trapper, trapperKey } from "../support.ts";
import { Stage } from "./kit.ts";

const stageWith = async (children: readonly ChildSpec[], flags: object = {}) => {
  const node = createVirtualNode();
  await node.start(supervisor("top", { ...flags, children }));
  return node;
};
const probeSpec = (name: string, log: string[] = []): ChildSpec =>
  child(probe, { name, log }, { id: name, register: probeKey(name) });

describe("a crash with a full mailbox", () => {
  it("fails the calls in it with its reason, and tells how much went with it", async () => {
    const node = await stageWith([probeSpec("a")]);
    const lost: unknown[] = [];
    node.telemetry.attach("crash", "otp.crash", ({ fields }) => lost.push(fields["mailbox"]));
    const ref = probeRef(node, "a");
    ref.cast.crash("first");
    ref.cast.set(1);
    const calls = [ref.try.get(), ref.try.get()];
    const failed = { ok: false, reason: { error: { message: "first" } } };
    expect(await node.drive(Promise.all(calls))).toMatchObject([failed, failed]);
    expect(lost).toEqual([3]);
  });

  it("loses none of what is sent to its key afterwards", async () => {
    const node = await stageWith([probeSpec("a")]);
    const byKey = node.via(probeKey("a"));
    byKey.cast.crash("first");
    await node.settle();
    byKey.cast.set(7);
    expect(await node.drive(byKey.call.get())).toBe(7);
  });
});

describe("a crash loop", () => {
  it("is never silent: each crash, report and restart is told, and the end of the tree too", async () => {
    const stage = new Stage();
    const told: Record<string, number> = {};
    stage.node.telemetry.attach("count", "*", ({ name }) => {
      told[name] = (told[name] ?? 0) + 1;
    });
    await stage.start(stage.workers("a"), { intensity: 3 });
    for (let i = 0; i < 4; i += 1) await stage.end("a", { error: new Error("again") });
    expect(told).toMatchObject({ "otp.crash": 4, "otp.report": 5, "otp.restart": 3 });
    expect(stage.reports.at(-1)).toBe("a shutdown reached_max_restart_intensity");
    expect(await stage.node.ended).toBe("shutdown");
  });
});

describe("the restart budget", () => {
  it("of a flat supervisor is one for all its children; a subtree has its own", async () => {
    const flat = new Stage();
    await flat.start(flat.workers("abcd"), { intensity: 3 });
    for (const name of "abcd") await flat.end(name);
    expect(await flat.node.ended).toBe("shutdown");

    const nested = new Stage();
    const group = (names: string) =>
      supervisor(names, {
        strategy: "rest_for_one",
        intensity: 3,
        children: nested.workers(names),
      });
    await nested.start([group("ab"), group("cd")]);
    for (const name of "abcd") await nested.end(name);
    expect(await nested.rows("ab")).toEqual(["a up", "b up"]);
  });
});

describe("an init that throws", () => {
  /** Takes whatever a process can hold, then fails. */
  const greedy = defineActor({
    name: "suite/greedy",
    trapExit: true,
    init: (partner: string, ctx): number => {
      ctx.register(keyFor(greedy, "more")("1"));
      ctx.after(1_000, "later");
      ctx.every(10, "often");
      ctx.subscribe("topic");
      ctx.task("job", () => new Promise(() => {}));
      Table.open(ctx, "rows");
      ctx.link(probeKey(partner));
      ctx.monitor(probeKey(partner));
      throw new Error("constructor");
    },
  });

  it("leaves nothing: no process, name, timer, task, table, subscription, link or monitor", async () => {
    const node = await stageWith([probeSpec("a")]);
    const before = node.inspector.counters();
    const partner = node.inspector.info("test/n/a/probe");
    const top = must(node.supervisor("top"));
    const result = await node.drive(
      top.startChild(child(greedy, "a", { id: "g", register: keyFor(greedy)() })),
    );
    expect(result).toMatchObject({ ok: false, reason: { error: { message: "constructor" } } });
    const after = node.inspector.counters();
    for (const what of ["processes", "names", "timers"]) expect(after[what]).toBe(before[what]);
    expect(node.inspector.tables()).toEqual([]);
    expect(node.broadcast("topic", 1)).toBe(0);
    expect(await top.countChildren()).toEqual({ specs: 1, active: 1, supervisors: 0, workers: 1 });
    // The partner it linked to heard of the death and went with it, as a link has it.
    expect(node.inspector.info("test/n/a/probe")?.pid).not.toBe(partner?.pid);
    expect(node.inspector.info("test/n/a/probe")).toMatchObject({ monitoredBy: 0 });
  });
});

describe("the end of a supervisor", () => {
  const family = (log: string[]): ChildSpec[] => [
    probeSpec("plain", log),
    child(trapper, { name: "traps", log }, { id: "traps", register: trapperKey("traps") }),
    supervisor("deep", { children: [probeSpec("leaf", log)] }),
  ];
  const alone = { processes: 1, names: 0, timers: 0 };

  it("leaks no child, however it comes", async () => {
    const ends: Readonly<Record<string, (node: Awaited<ReturnType<typeof stageWith>>) => unknown>> =
      {
        "a parent's order": (node) => must(node.supervisor("top")).terminateChild("inner"),
        "a kill": (node) => node.inspector.exit("inner", "kill"),
        "a kill below": (node) => node.inspector.exit("deep", "kill"),
        "a used-up budget": (node) => probeRef(node, "plain").cast.crash("boom"),
      };
    for (const [how, end] of Object.entries(ends)) {
      const log: string[] = [];
      const inner = supervisor("inner", {
        intensity: 0,
        restart: "temporary",
        children: family(log),
      });
      const node = await stageWith([inner]);
      await end(node);
      await node.settle();
      expect([how, node.inspector.counters()]).toMatchObject([how, alone]);
      expect(node.inspector.names()).toEqual([]);
      expect(log.filter((line) => line.startsWith("terminate traps"))).toHaveLength(1);
      await node.stop();
    }
  });

  it("half-way through its start leaks none either", async () => {
    const log: string[] = [];
    const hangs = defineActor({
      name: "suite/hangs",
      init: (_args: undefined, ctx) => ctx.sleep(1e9).then(() => 0),
    });
    const late = child(hangs, undefined, { id: "late", startTimeoutMs: 50 });
    const node = await stageWith([]);
    const inner = supervisor("inner", { children: [...family(log), late] });
    const result = await node.drive(must(node.supervisor("top")).startChild(inner));
    expect(result).toMatchObject({
      ok: false,
      reason: { shutdown: ["failed_to_start_child", "late", "timeout"] },
    });
    expect(node.inspector.counters()).toMatchObject(alone);
  });
});

describe("the reason of an end", () => {
  const REASONS: readonly Reason[] = [
    "normal",
    "shutdown",
    { shutdown: { by: "test" } },
    "boom",
    ["tagged", 1],
    { error: new Error("thrown") },
  ];

  it.each(REASONS)(
    "is the true one for links, monitors, callers, reports and events: %j",
    async (reason) => {
      const log: string[] = [];
      const node = await stageWith([
        probeSpec("dies"),
        probeSpec("watches"),
        child(trapper, { name: "linked", log }, { id: "linked", register: trapperKey("linked") }),
      ]);
      const seen: unknown[] = [];
      node.telemetry.attach("seen", ["otp.exit", "otp.report"], ({ fields }) => {
        seen.push(fields["reason"]);
      });
      const dies = probeRef(node, "dies");
      probeRef(node, "watches").cast.act((ctx) => void ctx.monitor(dies));
      dies.cast.act((ctx) => ctx.link(trapperKey("linked")));
      const caller = dies.try.never();
      dies.cast.stop(reason);
      expect(await node.drive(caller)).toEqual({ ok: false, reason });
      const downs = await node.drive(probeRef(node, "watches").call.infos());
      expect(downs).toMatchObject([{ type: "down", reason }]);
      const exits = await node.drive(must(node.whereis(trapperKey("linked"))).call.infos());
      expect(exits).toMatchObject([{ type: "exit", reason }]);
      expect(seen).toEqual([reason, reason]);
      const late = await node.drive(dies.call.get().catch((error: unknown) => error));
      expect((late as ExitError).reason).toBe("noproc");
    },
  );
});

describe("order", () => {
  it("holds over all signals of a pair: an exit never overtakes the sender's last cast", async () => {
    for (const how of ["crash", "exit"] as const) {
      const log: string[] = [];
      const node = await stageWith([
        probeSpec("a"),
        child(trapper, { name: "t", log }, { id: "t", register: trapperKey("t") }),
      ]);
      const mail = (ctx: Ctx): void => {
        const peer = must(ctx.whereis(trapperKey("t")));
        ctx.link(peer);
        for (let i = 0; i < 200; i += 1) peer.send(i);
        if (how === "crash") throw new Error("now");
        ctx.exit(peer, "leave");
      };
      probeRef(node, "a").cast.act(mail);
      await node.settle();
      const infos = await node.drive(must(node.whereis(trapperKey("t"))).call.infos());
      expect(infos.map((info) => info.type)).toEqual([
        ...Array.from({ length: 200 }, () => "info"),
        "exit",
      ]);
    }
  });
});

describe("a timed-out call", () => {
  it("still runs, and its late answer goes nowhere", async () => {
    const node = await stageWith([probeSpec("a"), probeSpec("b")]);
    const ran: string[] = [];
    const slow = probeRef(node, "a").try.run(
      async (ctx) => {
        await ctx.sleep(100);
        ran.push("done");
        return "late";
      },
      { timeoutMs: 50 },
    );
    await node.advance(200);
    expect(await slow).toEqual({ ok: false, reason: "timeout" });
    expect(ran).toEqual(["done"]);
    expect(node.inspector.counters()).toMatchObject({ deadLetters: 0 });
  });
});

describe("trapping", () => {
  it("turns the end of a partner into a message, but not the end of the parent", async () => {
    const log: string[] = [];
    const node = await stageWith([
      probeSpec("a"),
      child(trapper, { name: "t", log }, { id: "t", register: trapperKey("t") }),
    ]);
    const pid = node.inspector.resolve("test/n/t/trapper");
    probeRef(node, "a").cast.act((ctx) => ctx.link(trapperKey("t")));
    await node.settle();
    probeRef(node, "a").cast.crash("boom");
    await node.settle();
    expect(node.inspector.resolve("test/n/t/trapper")).toBe(pid);
    await node.stop();
    expect(log).toEqual(["init t", "terminate t shutdown"]);
  });
});
