/** Processes, signals, links and monitors (otp.md 1.11, 4.2). */
import { describe, expect, it } from "vitest";
import { child, type Ctx, type Info, type VirtualNode } from "../../src/otp/index.ts";
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

async function two(log: string[] = []): Promise<VirtualNode> {
  return startTop([
    child(probe, { name: "a", log }, { register: probeKey("a") }),
    child(probe, { name: "b", log }, { register: probeKey("b") }),
    child(trapper, { name: "t", log }, { register: trapperKey("t") }),
  ]);
}

const as = async (node: VirtualNode, n: string, body: (ctx: Ctx) => void): Promise<void> => {
  probeRef(node, n).cast.act(body);
  await node.settle();
};
const types = (infos: readonly Info[]): string[] => infos.map((info) => info.type);

describe("turns", () => {
  it("handles messages one at a time, in the order in which one sender sent them", async () => {
    const log: string[] = [];
    const node = await two(log);
    const a = probeRef(node, "a");
    a.cast.wait(async (ctx) => {
      log.push("a enters");
      await ctx.sleep(10);
      log.push("a leaves");
    });
    a.cast.note("1");
    a.cast.note("2");
    await node.advance(10);
    expect(log.slice(3)).toEqual(["a enters", "a leaves", "a 1", "a 2"]);
  });

  it("never delivers inside the sender's turn", async () => {
    const log: string[] = [];
    const node = await two(log);
    await as(node, "a", (ctx) => {
      must(ctx.whereis(probeKey("b"))).cast.note("hears");
      log.push("a still runs");
    });
    expect(log.slice(3)).toEqual(["a still runs", "b hears"]);
  });

  it("counts an info that nobody handles and does not crash", async () => {
    const node = await startTop([child(probe, { name: "a" }, { register: probeKey("a") })]);
    probeRef(node, "a").send({ hello: 1 });
    expect(await probeRef(node, "a").call.infos()).toEqual([
      { type: "info", payload: { hello: 1 } },
    ]);
  });

  it("keeps messages behind signals that the same sender sent first", async () => {
    const node = await two();
    await as(node, "a", (ctx) => {
      const t = must(ctx.whereis(trapperKey("t")));
      ctx.exit(t, "first");
      t.send("second");
    });
    const infos = await must(node.whereis(trapperKey("t"))).call.infos();
    expect(types(infos)).toEqual(["exit", "info"]);
  });
});

describe("exit signals", () => {
  it("end a process that does not trap, with their reason, even amid an awaiting handler", async () => {
    const log: string[] = [];
    const node = await two(log);
    const events = recordEvents(node, ["otp.exit"]);
    probeRef(node, "a").cast.wait(async (ctx) => {
      await ctx.sleep(100);
      log.push("resumed");
    });
    await node.settle();
    node.inspector.exit("test/n/a/probe", "boom");
    await node.advance(1000);
    expect(events).toEqual(["exit test/n/a/probe boom"]);
    expect(log).not.toContain("resumed");
  });

  it("become messages for a process that traps; kill does not", async () => {
    const node = await two();
    const pid = node.inspector.resolve("test/n/t/trapper");
    node.inspector.exit("test/n/t/trapper", "boom");
    const t = must(node.whereis(trapperKey("t")));
    expect(await t.call.infos()).toEqual([{ type: "exit", from: "outside", reason: "boom" }]);
    const events = recordEvents(node, ["otp.exit"]);
    node.inspector.exit("test/n/t/trapper", "kill");
    await node.settle();
    expect(events).toEqual(["exit test/n/t/trapper killed"]);
    expect(node.inspector.resolve("test/n/t/trapper")).not.toBe(pid);
  });

  it("with reason normal stop nobody but oneself", async () => {
    const node = await two();
    const b = probeRef(node, "b");
    await as(node, "a", (ctx) => ctx.exit(must(ctx.whereis(probeKey("b"))), "normal"));
    expect(b.isAlive).toBe(true);
    const a = probeRef(node, "a");
    await as(node, "a", (ctx) => ctx.exit(ctx.self, "normal"));
    expect(a.isAlive).toBe(false);
  });
});

describe("links", () => {
  it("take the partner down with the same reason, and not on normal", async () => {
    const node = await two();
    const events = recordEvents(node, ["otp.exit"]);
    await as(node, "a", (ctx) => ctx.link(must(ctx.whereis(probeKey("b")))));
    probeRef(node, "b").cast.stop("boom");
    await node.settle();
    expect(events).toEqual(["exit test/n/b/probe boom", "exit test/n/a/probe boom"]);
  });

  it("are symmetric and tell a trapping partner", async () => {
    const node = await two();
    await as(node, "a", (ctx) => ctx.link(must(ctx.whereis(trapperKey("t")))));
    const pid = probeRef(node, "a").id;
    probeRef(node, "a").cast.stop("normal");
    await node.settle();
    const infos = await must(node.whereis(trapperKey("t"))).call.infos();
    expect(infos).toEqual([{ type: "exit", from: pid, reason: "normal" }]);
  });

  it("to a dead process are its noproc death", async () => {
    const node = await two();
    const dead = probeRef(node, "b");
    dead.cast.stop("normal");
    await node.settle();
    const events = recordEvents(node, ["otp.exit"]);
    await as(node, "a", (ctx) => ctx.link(dead));
    expect(events).toEqual(["exit test/n/a/probe noproc"]);
  });

  it("once dropped carry nothing", async () => {
    const node = await two();
    const a = probeRef(node, "a");
    await as(node, "a", (ctx) => {
      const b = must(ctx.whereis(probeKey("b")));
      ctx.link(b);
      ctx.unlink(b);
    });
    probeRef(node, "b").cast.stop("boom");
    await node.settle();
    expect(a.isAlive).toBe(true);
  });
});

describe("monitors", () => {
  it("give one down each, noproc at once for a dead target", async () => {
    const node = await two();
    const b = probeRef(node, "b");
    await as(node, "a", (ctx) => {
      ctx.monitor(b);
      ctx.monitor(b);
    });
    b.cast.stop("boom");
    await node.settle();
    await as(node, "a", (ctx) => void ctx.monitor(b));
    const infos = await probeRef(node, "a").call.infos();
    expect(infos.map((info) => info.type === "down" && info.reason)).toEqual([
      "boom",
      "boom",
      "noproc",
    ]);
  });

  it("that are dropped take their queued down along", async () => {
    const node = await two();
    const b = probeRef(node, "b");
    probeRef(node, "a").cast.wait(async (ctx) => {
      const monitor = ctx.monitor(b);
      b.cast.stop("boom");
      await ctx.sleep(10);
      ctx.demonitor(monitor);
    });
    await node.advance(20);
    expect(await probeRef(node, "a").call.infos()).toEqual([]);
  });

  it("hear of a death only after its names are free", async () => {
    const node = await startTop([
      child(probe, { name: "a" }, { register: probeKey("a") }),
      child(probe, { name: "b" }, { register: probeKey("b"), restart: "temporary" }),
      child(trapper, { name: "t" }, { register: trapperKey("t") }),
    ]);
    const seen: unknown[] = [];
    node.telemetry.attach("names", "otp.exit", () => seen.push(node.whereis(probeKey("b"))));
    await as(node, "a", (ctx) => void ctx.monitor(probeKey("b")));
    const waiting = probeRef(node, "b").try.never();
    probeRef(node, "b").cast.stop("boom");
    void waiting.then(() => seen.push(node.whereis(probeKey("b"))));
    await node.settle();
    expect(seen).toEqual([undefined, undefined]);
    expect(types(await probeRef(node, "a").call.infos())).toEqual(["down"]);
  });
});

describe("kill", () => {
  it("leaves every promise of the process unsettled: sleep, guard, call and task", async () => {
    const node = await two();
    const settled: string[] = [];
    let release: (value: string) => void = () => {};
    const foreign = new Promise<string>((resolve) => {
      release = resolve;
    });
    const a = probeRef(node, "a");
    a.cast.wait(async (ctx) => {
      const mark = (what: string) => () => void settled.push(what);
      ctx.sleep(10).then(mark("sleep"), mark("sleep failed"));
      ctx.guard(foreign).then(mark("guard"), mark("guard failed"));
      must(ctx.whereis(probeKey("b")))
        .call.never()
        .then(mark("call"), mark("call failed"));
      ctx.task("t", async (signal) => {
        signal.addEventListener("abort", mark("task aborted"));
        await ctx.sleep(50);
        settled.push("task went on");
      });
      try {
        await ctx.sleep(1e6);
      } finally {
        settled.push("finally");
      }
    });
    await node.settle();
    node.inspector.exit(a, "kill");
    await node.settle();
    release("late");
    await node.advance(10_000);
    expect(settled).toEqual(["task aborted"]);
  });

  it("drops and counts what a dead scope still does, and refuses it values", async () => {
    const node = await two();
    let ghost: Ctx | undefined;
    await as(node, "a", (ctx) => {
      ghost = ctx;
    });
    node.inspector.exit("test/n/a/probe", "kill");
    await node.settle();
    const late = must(ghost);
    late.emit("late");
    late.after(1, "late");
    expect(late.broadcast("topic", 1)).toBe(0);
    expect(() => late.sleep(1)).toThrow("after its death");
    expect(node.inspector.counters()["zombieOps"]).toBe(4);
  });
});
