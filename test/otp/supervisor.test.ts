/** Supervisors (otp.md 1.2-1.10, 1.17); the stored Erlang traces cover the rest. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  child,
  type ChildSpec,
  createNode,
  createVirtualNode,
  defineActor,
  dynamicSupervisor,
  ExitError,
  ignore,
  keyFor,
  stop,
  supervisor,
  type TreeNode,
  type VirtualNode,
} from "../../src/otp/index.ts";
import { IntensityWindow } from "../../src/otp/supervisor/intensity.ts";
import {
  must,
  probe,
  type ProbeArgs,
  probeKey,
  probeRef,
  recordEvents,
  startTop,
  trapper,
  trapperKey,
} from "./support.ts";

const worker = (name: string, log: string[], more: object = {}): ChildSpec =>
  child(trapper, { name, log }, { register: trapperKey(name), ...more });
const crash = async (node: VirtualNode, name: string): Promise<void> => {
  node.whereis(trapperKey(name))?.cast.stop("boom");
  await node.settle();
};

describe("starting", () => {
  it("goes left to right and waits for each init, async ones too", async () => {
    const log: string[] = [];
    const slow = defineActor({
      name: "test/slow",
      init: async (args: ProbeArgs, ctx) => {
        await ctx.sleep(500);
        log.push(`init ${args.name}`);
        return 0;
      },
    });
    const node = createVirtualNode();
    await startTop(
      [child(slow, { name: "first" }, { id: "first" }), worker("second", log)],
      {},
      node,
    );
    expect(log).toEqual(["init first", "init second"]);
    expect(node.nowMs()).toBe(500);
  });

  it("that fails stops what is up in reverse and rejects with the nested reason", async () => {
    const log: string[] = [];
    const fails = child(
      probe,
      {
        name: "c",
        onInit: () => {
          throw new Error("no");
        },
      },
      { register: probeKey("c") },
    );
    const node = createVirtualNode();
    const spec = supervisor("top", {
      children: [worker("a", log), supervisor("inner", { children: [worker("b", log), fails] })],
    });
    const error: unknown = await node.start(spec).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ExitError);
    expect((error as ExitError).reason).toMatchObject({
      shutdown: [
        "failed_to_start_child",
        "inner",
        { shutdown: ["failed_to_start_child", "test/n/c/probe", {}] },
      ],
    });
    expect(log).toEqual(["init a", "init b", "terminate b shutdown", "terminate a shutdown"]);
    expect(node.inspector.processes()).toEqual([]);
    expect(node.inspector.names()).toEqual([]);
  });

  it("kills an init that hangs beyond startTimeoutMs", async () => {
    const hangs = defineActor({
      name: "test/hangs",
      init: (_args: undefined, ctx) => ctx.sleep(1e9).then(() => 0),
    });
    const node = createVirtualNode();
    const spec = supervisor("top", {
      children: [child(hangs, undefined, { id: "h", startTimeoutMs: 200 })],
    });
    await expect(node.start(spec)).rejects.toMatchObject({
      reason: { shutdown: ["failed_to_start_child", "h", "timeout"] },
    });
    expect(node.nowMs()).toBe(200);
  });

  it("that is stopped half-way rejects, and nothing stays", async () => {
    const log: string[] = [];
    const slow = defineActor({
      name: "test/slow",
      init: (_args: undefined, ctx) => ctx.sleep(10_000).then(() => 0),
    });
    const node = createNode();
    const spec = supervisor("top", {
      children: [worker("a", log), child(slow, undefined, { id: "s" })],
    });
    const started = node.start(spec).catch((error: unknown) => error);
    await node.stop();
    expect(await started).toMatchObject({ reason: "killed" });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(log).toEqual(["init a", "terminate a killed"]);
    expect(node.inspector.processes()).toEqual([]);
  });

  it("refuses a second child with a taken name", async () => {
    const node = createVirtualNode();
    const twice = (id: string): ChildSpec =>
      child(probe, { name: "a" }, { id, register: probeKey("a") });
    await expect(
      node.start(supervisor("top", { children: [twice("x"), twice("y")] })),
    ).rejects.toMatchObject({
      reason: { shutdown: ["failed_to_start_child", "y", ["already_started", "#2"]] },
    });
  });
});

describe("stopping", () => {
  it("goes in reverse start order, depth first", async () => {
    const log: string[] = [];
    const node = await startTop([
      worker("a", log),
      supervisor("inner", { children: [worker("b", log), worker("c", log)] }),
      worker("d", log),
    ]);
    log.length = 0;
    await node.stop();
    expect(log).toEqual(["d", "c", "b", "a"].map((name) => `terminate ${name} shutdown`));
    expect(await node.ended).toBe("shutdown");
  });

  it("kills a child that takes longer than its shutdown time, and reports it", async () => {
    const log: string[] = [];
    const node = await startTop([
      worker("quick", log),
      child(
        trapper,
        { name: "slow", log, terminateMs: 10_000 },
        { register: trapperKey("slow"), shutdown: 300 },
      ),
    ]);
    const events = recordEvents(node, ["otp.exit", "otp.report"]);
    const startMs = node.nowMs();
    await node.stop();
    expect(node.nowMs() - startMs).toBe(300);
    expect(events).toEqual([
      "exit test/n/slow/trapper killed",
      "report top>test/n/slow/trapper shutdown_error",
      "exit test/n/quick/trapper shutdown",
      "exit top shutdown",
    ]);
  });

  it("kills a child that hangs in a handler, and gives shutdown kill no chance to terminate", async () => {
    const log: string[] = [];
    const node = await startTop([
      worker("hung", log, { shutdown: 100 }),
      worker("brutal", log, { shutdown: "kill" }),
    ]);
    must(node.whereis(trapperKey("hung"))).cast.hang();
    await node.settle();
    log.length = 0;
    await node.stop();
    expect(log).toEqual([]);
  });

  it("of a dynamic supervisor is parallel with one shared timer", async () => {
    const spec = dynamicSupervisor("many", {
      template: (name: string) =>
        child(trapper, { name, terminateMs: 400 }, { register: trapperKey(name), shutdown: 1000 }),
    });
    const node = await startTop([spec]);
    const many = must(node.supervisor<string>("many"));
    for (const name of ["a", "b", "c"]) await node.drive(many.startChild(name));
    const startMs = node.nowMs();
    await node.stop();
    expect(node.nowMs() - startMs).toBe(400);
  });

  it("kills what is left at the deadline of the node's stop", async () => {
    const node = await startTop([
      child(
        trapper,
        { name: "slow", terminateMs: 1e6 },
        { register: trapperKey("slow"), shutdown: "infinity" },
      ),
    ]);
    const stopped = node.stop(500);
    await node.advance(500);
    await stopped;
    expect(node.inspector.processes()).toEqual([]);
  });
});

describe("restarting", () => {
  it("restarts later siblings of the child that died, and only those", async () => {
    const log: string[] = [];
    const names = ["a", "b", "c", "d"];
    const node = await startTop(
      names.map((name) => worker(name, log)),
      { strategy: "rest_for_one" },
    );
    log.length = 0;
    await crash(node, "b");
    expect(log).toEqual([
      "terminate b boom",
      "terminate d shutdown",
      "terminate c shutdown",
      "init b",
      "init c",
      "init d",
    ]);
  });

  it("takes a second death of the group into the same restart", async () => {
    const log: string[] = [];
    const names = ["a", "b", "c"];
    const node = await startTop(
      names.map((name) => worker(name, log)),
      { strategy: "one_for_all", intensity: 1 },
    );
    const events = recordEvents(node, ["otp.report", "otp.restart"]);
    await node.inspector.suspend("top");
    await crash(node, "a");
    await crash(node, "c");
    await node.inspector.resume("top");
    await node.settle();
    expect(events).toEqual([
      "report top>test/n/a/trapper child_terminated",
      "report top>test/n/c/trapper shutdown_error",
      "restart top>test/n/a/trapper boom",
    ]);
    expect(names.map((name) => must(node.whereis(trapperKey(name))).isAlive)).toEqual([
      true,
      true,
      true,
    ]);
  });

  it("gives up when the window is full, and its parent restarts the whole subtree", async () => {
    const log: string[] = [];
    const node = await startTop([
      supervisor("inner", { intensity: 2, period: 5, children: [worker("a", log)] }),
    ]);
    const before = node.supervisor("inner")?.id;
    for (let i = 0; i < 2; i += 1) await crash(node, "a");
    expect(node.supervisor("inner")?.id).toBe(before);
    await crash(node, "a");
    expect(node.supervisor("inner")?.id).not.toBe(before);
    expect(node.whereis(trapperKey("a"))?.isAlive).toBe(true);
    expect(node.inspector.tree()).toMatchObject({
      restarts: { count: 1 },
      children: [{ last_exit: "shutdown" }],
    });
  });

  it("ends the node when the root gives up", async () => {
    const node = await startTop([worker("a", [])], { intensity: 0 });
    await crash(node, "a");
    expect(await node.ended).toBe("shutdown");
  });

  it("forgets deaths older than the period in whole seconds", async () => {
    const node = createVirtualNode({ startMs: 100 });
    await startTop([worker("a", [])], { intensity: 1, period: 1 }, node);
    await crash(node, "a");
    await node.advance(1_950);
    await crash(node, "a");
    expect(node.supervisor("top")).toBeDefined();
  });

  it("counts whole seconds: 0.1 and 1.85 collide in a period of 1", async () => {
    const node = createVirtualNode({ startMs: 100 });
    await startTop([worker("a", [])], { intensity: 1, period: 1 }, node);
    await crash(node, "a");
    await node.advance(1_750);
    await crash(node, "a");
    expect(node.supervisor("top")).toBeUndefined();
  });

  it("waits for orphans of a killed supervisor before it starts the replacement", async () => {
    const log: string[] = [];
    const orphan = child(
      trapper,
      { name: "o", log, terminateMs: 200 },
      { register: trapperKey("o"), shutdown: 1000 },
    );
    const node = await startTop([supervisor("inner", { children: [orphan] })]);
    const startMs = node.nowMs();
    node.inspector.exit("inner", "kill");
    await node.settle();
    expect(node.nowMs() - startMs).toBe(200);
    expect(log).toEqual(["init o", "terminate o killed", "init o"]);
  });
});

describe("a restart that fails itself", () => {
  /** Inits that go wrong in the given attempts. */
  const failing = (
    name: string,
    log: string[],
    attempts: readonly number[],
    how: "fail" | "ignore" = "fail",
  ): ChildSpec => {
    let attempt = 0;
    const def = defineActor({
      name: "test/failing",
      init: (_args: undefined) => {
        attempt += 1;
        log.push(`init ${name}${attempt}`);
        if (!attempts.includes(attempt)) return 0;
        if (how === "ignore") return ignore;
        throw new Error("no");
      },
      casts: { stop: (state) => stop(state, "boom") },
    });
    return child(def, undefined, { id: name, register: keyFor(def, "n")(name) });
  };
  const kill = async (node: VirtualNode, name: string): Promise<void> => {
    node.inspector.exit(`test/n/${name}/failing`, "kill");
    await node.settle();
  };

  it("counts each attempt against the budget", async () => {
    const log: string[] = [];
    const node = await startTop([failing("a", log, [2, 3, 4])], { intensity: 2 });
    await kill(node, "a");
    expect(log).toEqual(["init a1", "init a2", "init a3"]);
    expect(await node.ended).toBe("shutdown");
  });

  it("under rest_for_one goes on at the child that failed and keeps those before it", async () => {
    const log: string[] = [];
    const specs = [
      failing("a", log, []),
      failing("b", log, []),
      failing("c", log, [2]),
      failing("d", log, []),
    ];
    const node = await startTop(specs, { strategy: "rest_for_one" });
    log.length = 0;
    await kill(node, "b");
    expect(log).toEqual(["init b2", "init c2", "init c3", "init d2"]);
  });

  it("under one_for_all starts everything anew", async () => {
    const log: string[] = [];
    const node = await startTop([failing("a", log, []), failing("b", log, [2])], {
      strategy: "one_for_all",
    });
    log.length = 0;
    await kill(node, "a");
    expect(log).toEqual(["init a2", "init b2", "init a3", "init b3"]);
  });

  it("by ignore leaves the child undefined, without a retry, until restartChild", async () => {
    const log: string[] = [];
    const node = await startTop([failing("a", log, [2], "ignore")]);
    await kill(node, "a");
    expect(log).toEqual(["init a1", "init a2"]);
    expect(node.inspector.tree()?.children[0]?.status).toBe("undefined");
    expect(await must(node.supervisor("top")).restartChild("a")).toMatchObject({ ok: true });
  });
});

describe("a supervisor that ends by itself", () => {
  it("stays down when it is transient, because it ends with shutdown", async () => {
    const node = await startTop([
      supervisor("inner", { intensity: 0, restart: "transient", children: [worker("a", [])] }),
    ]);
    await crash(node, "a");
    expect(node.inspector.tree()?.children[0]).toMatchObject({
      status: "undefined",
      last_exit: "shutdown",
    });
  });

  const significant = (name: string): ChildSpec =>
    worker(name, [], { restart: "transient", significant: true });
  const leave = async (node: VirtualNode, name: string): Promise<void> => {
    must(node.whereis(trapperKey(name))).cast.stop("normal");
    await node.settle();
  };

  it("ends at the first clean end under any_significant, at the last under all_significant", async () => {
    const any = await startTop([significant("a"), significant("b")], {
      autoShutdown: "any_significant",
    });
    await leave(any, "a");
    expect(await any.ended).toBe("shutdown");
    const all = await startTop([significant("a"), significant("b")], {
      autoShutdown: "all_significant",
    });
    await leave(all, "a");
    expect(all.supervisor("top")).toBeDefined();
    await leave(all, "b");
    expect(await all.ended).toBe("shutdown");
  });

  it("does not end when a significant child is terminated or restarted", async () => {
    const node = await startTop([significant("a")], { autoShutdown: "any_significant" });
    await crash(node, "a");
    await node.drive(must(node.supervisor("top")).terminateChild("test/n/a/trapper"));
    expect(node.supervisor("top")).toBeDefined();
  });
});

describe("backoff", () => {
  const fragile = (backoff: object): ChildSpec =>
    child(
      trapper,
      { name: "f" },
      { register: trapperKey("f"), backoff: { minMs: 100, maxMs: 1000, jitter: 0, ...backoff } },
    );
  const status = (node: VirtualNode): string | undefined =>
    node.inspector.tree()?.children[0]?.status;

  it("doubles the delay up to its maximum while the child keeps dying, serving admin calls meanwhile", async () => {
    const node = await startTop([fragile({})]);
    const delays: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      await crash(node, "f");
      expect(status(node)).toBe("restarting");
      const rows = await must(node.supervisor("top")).whichChildren();
      expect(rows[0]?.pid).toBe("restarting");
      const startMs = node.nowMs();
      while (status(node) === "restarting") await node.advance(10);
      delays.push(node.nowMs() - startMs);
    }
    expect(delays).toEqual([100, 200, 400, 800, 1000]);
  });

  it("starts over after a life of resetAfterMs", async () => {
    const node = await startTop([fragile({ resetAfterMs: 300 })]);
    await crash(node, "f");
    await node.advance(100);
    await crash(node, "f");
    await node.advance(200 + 300);
    await crash(node, "f");
    await node.advance(100);
    expect(status(node)).toBe("running");
  });

  it("ends when the child is terminated meanwhile", async () => {
    const node = await startTop([fragile({})]);
    await crash(node, "f");
    const top = must(node.supervisor("top"));
    expect(await top.terminateChild("test/n/f/trapper")).toEqual({ ok: true });
    await node.advance(5_000);
    expect(status(node)).toBe("undefined");
    expect(await node.drive(top.restartChild("test/n/f/trapper"))).toMatchObject({ ok: true });
  });
});

describe("children at run time", () => {
  it("are started, counted, stopped and deleted by a typed ref, from a worker too", async () => {
    const node = await startTop([child(probe, { name: "boss" }, { register: probeKey("boss") })]);
    const answer = await node.drive(
      probeRef(node, "boss").call.run((ctx) =>
        must(ctx.supervisor("top")).startChild(
          child(probe, { name: "new" }, { register: probeKey("new") }),
        ),
      ),
    );
    expect(answer).toMatchObject({ ok: true });
    const top = must(node.supervisor("top"));
    expect(await top.countChildren()).toEqual({ specs: 2, active: 2, supervisors: 0, workers: 2 });
    const id = "test/n/new/probe";
    expect(await top.deleteChild(id)).toEqual({ ok: false, reason: "running" });
    expect(await node.drive(top.terminateChild(id))).toEqual({ ok: true });
    expect(await top.deleteChild(id)).toEqual({ ok: true });
    expect(await top.terminateChild(id)).toEqual({ ok: false, reason: "not_found" });
  });

  it("stop growing at maxChildren", async () => {
    const spec = dynamicSupervisor("many", {
      maxChildren: 2,
      template: (name: string) => child(probe, { name }, { register: probeKey(name) }),
    });
    const node = await startTop([spec]);
    const many = must(node.supervisor<string>("top/many"));
    await many.startChild("a");
    await many.startChild("b");
    expect(await many.startChild("c")).toEqual({ ok: false, reason: "max_children" });
  });

  it("answer noproc when the supervisor is gone", async () => {
    const node = await startTop([]);
    const top = must(node.supervisor("top"));
    await node.stop();
    expect(await top.startChild(worker("x", []))).toEqual({ ok: false, reason: "noproc" });
  });
});

describe("the restart window", () => {
  it("agrees with OTP's list of seconds for any sequence of crashes", () => {
    const crashes = fc.array(fc.nat(3_000), { maxLength: 60 });
    fc.assert(
      fc.property(crashes, fc.nat(5), fc.integer({ min: 1, max: 4 }), (gaps, intensity, period) => {
        const window = new IntensityWindow(intensity, period);
        let stamps: number[] = [];
        let nowMs = 0;
        for (const gapMs of gaps) {
          nowMs += gapMs;
          const second = Math.floor(nowMs / 1000);
          stamps = [...stamps.filter((at) => at >= second - period), second];
          expect(window.add(nowMs)).toBe(stamps.length <= intensity);
          expect(window.count(nowMs)).toBe(stamps.length);
        }
      }),
    );
  });
});

describe("any storm of deaths and admin calls", () => {
  it("leaves a tree without strays: every process has a live parent and every name a live holder", async () => {
    const name = fc.constantFrom("a", "b", "c", "d");
    const op = fc.oneof(
      fc.record({ kind: fc.constantFrom("stop", "kill", "terminate", "restart", "delete"), name }),
      fc.record({ kind: fc.constant("advance"), ms: fc.nat(2_000) }),
    );
    const strategy = fc.constantFrom(
      "one_for_one" as const,
      "one_for_all" as const,
      "rest_for_one" as const,
    );
    await fc.assert(
      fc.asyncProperty(strategy, fc.array(op, { maxLength: 25 }), async (kind, ops) => {
        const node = createVirtualNode();
        const inner = supervisor("inner", {
          strategy: kind,
          intensity: 3,
          children: [
            worker("a", []),
            worker("b", [], { restart: "transient" }),
            worker("c", [], { backoff: { minMs: 50, maxMs: 500 } }),
          ],
        });
        await startTop([inner, worker("d", [], { restart: "temporary" })], { intensity: 50 }, node);
        for (const step of ops) await apply(node, step);
        await node.advance(10_000);
        const pids = new Set(node.inspector.processes().map((row) => row.pid));
        const seen = pidsOf(must(node.inspector.tree()));
        expect(new Set(seen)).toEqual(pids);
        for (const held of node.inspector.names()) expect(pids.has(held.pid)).toBe(true);
        await node.stop();
        expect(node.inspector.processes()).toEqual([]);
        expect(node.inspector.counters()).toMatchObject({ names: 0, timers: 0 });
      }),
      { numRuns: 60 },
    );
  });
});

type Op = { kind: string; name: "a" | "b" | "c" | "d" } | { kind: string; ms: number };

async function apply(node: VirtualNode, step: Op): Promise<void> {
  if ("ms" in step) return node.advance(step.ms);
  const id = `test/n/${step.name}/trapper`;
  const owner = node.supervisor(step.name === "d" ? "top" : "inner");
  if (owner === undefined) return undefined;
  if (step.kind === "stop") return crash(node, step.name);
  if (step.kind === "kill") {
    node.inspector.exit(id, "kill");
    return node.settle();
  }
  if (step.kind === "terminate") await node.drive(owner.terminateChild(id));
  if (step.kind === "restart") await node.drive(owner.restartChild(id));
  if (step.kind === "delete") await node.drive(owner.deleteChild(id));
  return undefined;
}

function pidsOf(tree: TreeNode): string[] {
  return [...(tree.pid === null ? [] : [tree.pid]), ...tree.children.flatMap(pidsOf)];
}

describe("names", () => {
  it("build keys from the definition's domain, the parts and its base name", () => {
    const connection = defineActor({ name: "rpc/ws-connection", init: (_args: undefined) => 0 });
    const key = keyFor(connection, "chain", "provider");
    expect(key("ethereum", "alchemy").name).toBe(
      "rpc/chain/ethereum/provider/alchemy/ws-connection",
    );
    expect(keyFor(connection)().name).toBe("rpc/ws-connection");
  });
});
