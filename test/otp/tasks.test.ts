/** Task supervisors and task streams (otp.md 2.3). */
import { describe, expect, it } from "vitest";
import {
  child,
  createVirtualNode,
  type Ctx,
  type Info,
  supervisor,
  task,
  type TaskOptions,
  type TaskResult,
  type TaskSpec,
  type TaskStreamOptions,
  taskSupervisor,
  type TreeNode,
  type VirtualNode,
} from "../../src/otp/index.ts";
import { must, probe, probeKey, probeRef, startTop, trapper } from "./support.ts";

const JOBS = "jobs";

async function startJobs(options: Parameters<typeof taskSupervisor>[1] = {}): Promise<VirtualNode> {
  return startTop([
    taskSupervisor(JOBS, { intensity: 10, ...options }),
    child(probe, { name: "a" }, { register: probeKey("a") }),
    child(probe, { name: "b" }, { register: probeKey("b") }),
  ]);
}
const act = async (node: VirtualNode, body: (ctx: Ctx) => void): Promise<void> => {
  probeRef(node, "a").cast.act(body);
  await node.settle();
};
const jobs = (node: VirtualNode) => must(node.supervisor<TaskSpec>(JOBS));
const shown = (node: VirtualNode): readonly TreeNode[] =>
  must(node.inspector.tree()?.children.find(({ name }) => name === JOBS)).children;
const never = (): Promise<never> => new Promise(() => {});
const infos = (node: VirtualNode): Promise<readonly Info[]> => probeRef(node, "a").call.infos();
const under = (more: Omit<TaskOptions, "supervisor"> = {}): TaskOptions => ({
  supervisor: JOBS,
  ...more,
});

describe("a task under a task supervisor", () => {
  it("shows in the tree and mails its owner one outcome", async () => {
    const node = await startJobs();
    await act(node, (ctx) => {
      ctx.task("good", () => ctx.sleep(50).then(() => 42), under());
      ctx.task("bad", () => Promise.reject(new Error("no")), under());
      ctx.task("slow", never, under({ timeoutMs: 80 }));
    });
    expect(shown(node).map(({ name, status }) => [name, status])).toEqual([
      ["test/n/a/probe/task/good", "running"],
      ["test/n/a/probe/task/slow", "running"],
    ]);
    await node.advance(100);
    expect(shown(node)).toEqual([]);
    expect(await infos(node)).toEqual([
      { type: "task", key: "bad", result: { ok: false, reason: { error: new Error("no") } } },
      { type: "task", key: "good", result: { ok: true, value: 42 } },
      { type: "task", key: "slow", result: { ok: false, reason: "timeout" } },
    ]);
  });

  it("is killed when its owner dies, even before it began", async () => {
    const node = await startJobs();
    const begun: string[] = [];
    const aborted: string[] = [];
    const run = (name: string) => (signal: AbortSignal) => {
      begun.push(name);
      signal.addEventListener("abort", () => aborted.push(name));
      return never();
    };
    await act(node, (ctx) => ctx.task("early", run("early"), under()));
    await node.drive(node.inspector.suspend(JOBS));
    await act(node, (ctx) => ctx.task("late", run("late"), under()));
    node.inspector.exit("test/n/a/probe", "boom");
    await node.settle();
    await node.drive(node.inspector.resume(JOBS));
    await node.settle();
    expect({ begun, aborted, left: shown(node) }).toEqual({
      begun: ["early"],
      aborted: ["early"],
      left: [],
    });
  });

  it("drops the older result when its key is taken again", async () => {
    const node = await startJobs();
    await act(node, (ctx) => {
      ctx.task("k", () => "old", under());
      ctx.task("k", () => "new", under());
    });
    await act(node, (ctx) => ctx.task("k", never, under()));
    await act(node, (ctx) => ctx.task("k", () => "newest"));
    const values = (await infos(node)).map(
      (info) => info.type === "task" && info.result.ok && info.result.value,
    );
    expect(values).toEqual(["new", "newest"]);
    expect(shown(node)).toEqual([]);
  });

  it("exits its owner with its reason when linked and failed", async () => {
    const node = await startJobs();
    const a = probeRef(node, "a");
    await act(node, (ctx) => ctx.task("fine", () => 1, under({ link: true })));
    expect(a.isAlive).toBe(true);
    await act(node, (ctx) => ctx.task("hang", never, under({ link: true, timeoutMs: 10 })));
    await node.advance(10);
    expect(a.isAlive).toBe(false);
    expect(node.inspector.info("test/n/a/probe")?.lastExit).toBe("timeout");
  });

  it("counts among the 64 of its owner, and those of its supervisor", async () => {
    const node = await startJobs({ maxChildren: 2 });
    await act(node, (ctx) => {
      for (let n = 0; n < 3; n += 1) ctx.task(`t${n}`, never, under());
      for (let n = 3; n < 64; n += 1) ctx.task(`t${n}`, never);
      ctx.task("t64", never, under());
    });
    expect(await infos(node)).toEqual([
      { type: "task", key: "t64", result: { ok: false, reason: "overloaded" } },
      { type: "task", key: "t2", result: { ok: false, reason: "max_children" } },
    ]);
  });

  it("fails by value when there is no such supervisor, or it holds no tasks", async () => {
    const node = await startJobs();
    await act(node, (ctx) => {
      ctx.task("nobody", () => 1, { supervisor: "nobody" });
      ctx.task("other", () => 1, { supervisor: "top" });
    });
    expect(await infos(node)).toEqual([
      { type: "task", key: "nobody", result: { ok: false, reason: "noproc" } },
      { type: "task", key: "other", result: { ok: false, reason: ["no_task_supervisor", "top"] } },
    ]);
  });

  it("is stopped with its supervisor, which is told to its owner", async () => {
    const node = await startJobs();
    let isAborted = false;
    await act(node, (ctx) =>
      ctx.task(
        "k",
        (signal) => {
          signal.addEventListener("abort", () => {
            isAborted = true;
          });
          return never();
        },
        { supervisor: jobs(node) },
      ),
    );
    await node.drive(must(node.supervisor("top")).terminateChild(JOBS));
    expect(isAborted).toBe(true);
    expect(await infos(node)).toEqual([
      { type: "task", key: "k", result: { ok: false, reason: "shutdown" } },
    ]);
  });
});

describe("a task that nobody waits for", () => {
  it("runs once when temporary, again after a failure when transient", async () => {
    const node = await startJobs();
    const runs: string[] = [];
    const failing = (name: string, failures: number) => () => {
      runs.push(name);
      if (runs.filter((run) => run === name).length <= failures) throw new Error(name);
    };
    await jobs(node).startChild(task(failing("once", 9)));
    await jobs(node).startChild(task(failing("thrice", 2), { restart: "transient" }));
    await node.settle();
    expect(runs.sort()).toEqual(["once", "thrice", "thrice", "thrice"]);
    expect(shown(node)).toEqual([]);
  });

  it("outlives who started it, and ends at its own deadline", async () => {
    const node = await startJobs();
    await act(node, (ctx) => {
      void ctx.supervisor<TaskSpec>(JOBS)?.startChild(task(never, { id: "warm", timeoutMs: 500 }));
    });
    node.inspector.exit("test/n/a/probe", "kill");
    await node.advance(499);
    expect(shown(node).map(({ name }) => name)).toEqual(["warm"]);
    await node.advance(1);
    expect(shown(node)).toEqual([]);
  });

  it("is refused where its value is not what `task` made", async () => {
    const node = await startJobs();
    const bad = await jobs(node).startChild(5 as never);
    expect(bad).toEqual({ ok: false, reason: ["invalid_child_spec", 5] });
  });
});

describe("a task stream", () => {
  /** Results of a stream over delays in ms; what ran at once at most. */
  async function stream(delays: readonly number[], options: TaskStreamOptions, take = 1e9) {
    const node = await startJobs();
    const results: TaskResult<number>[] = [];
    let running = 0;
    let peak = 0;
    let isOver = false;
    probeRef(node, "a").cast.wait(async (ctx) => {
      const work = async (ms: number, signal: AbortSignal): Promise<number> => {
        running += 1;
        peak = Math.max(peak, running);
        signal.addEventListener("abort", () => {
          running -= 1;
        });
        if (ms < 0) throw new Error("negative");
        await ctx.sleep(ms);
        return ms;
      };
      for await (const result of ctx.taskStream(delays, work, options)) {
        results.push(result);
        if (results.length === take) break;
      }
      isOver = true;
    });
    await node.advance(10_000);
    const tasks = node.inspector.processes().filter(({ kind }) => kind === "task");
    return { node, results, peak, isOver, running, tasks };
  }
  const values = (results: readonly TaskResult<number>[]): unknown[] =>
    results.map((result) => (result.ok ? result.value : result.reason));

  it("gives results in the order of the items, never more at once than it may", async () => {
    const delays = [30, 10, 20, 5, 50, 1, 2, 3];
    const { results, peak, isOver } = await stream(delays, { maxConcurrency: 3 });
    expect(values(results)).toEqual(delays);
    expect([peak, isOver]).toEqual([3, true]);
  });

  it("gives them as they come when order does not matter", async () => {
    const { results } = await stream([30, 10, 20], { isOrdered: false });
    expect(values(results)).toEqual([10, 20, 30]);
  });

  it("makes failures and timeouts values of their item, and goes on", async () => {
    const { results } = await stream([10, -1, 900, 20], { timeoutMs: 100, maxConcurrency: 2 });
    expect(values(results)).toEqual([10, { error: new Error("negative") }, "timeout", 20]);
  });

  it("kills what still runs when it is left early", async () => {
    const { results, tasks, isOver, running } = await stream([10, 5_000, 5_000], {}, 1);
    expect(values(results)).toEqual([10]);
    expect([tasks, isOver, running]).toEqual([[], true, 0]);
  });

  it("runs under a task supervisor when told so, and dies with its owner", async () => {
    const node = await startJobs();
    probeRef(node, "a").cast.wait(async (ctx) => {
      for await (const _ of ctx.taskStream([1, 2, 3], never, { supervisor: JOBS })) continue;
    });
    await node.settle();
    expect(shown(node)).toHaveLength(3);
    node.inspector.exit("test/n/a/probe", "kill");
    await node.settle();
    expect(shown(node)).toEqual([]);
  });

  it("of nothing ends at once, and refuses a bound that is none", async () => {
    expect(await stream([], {})).toMatchObject({ results: [], isOver: true });
    const node = await startJobs();
    const errors: unknown[] = [];
    await act(node, (ctx) => {
      for (const maxConcurrency of [0, 65, 1.5]) {
        try {
          ctx.taskStream([1], never, { maxConcurrency });
        } catch (error) {
          errors.push((error as { code?: string }).code);
        }
      }
    });
    expect(errors).toEqual(["OTP_BAD_OPTION", "OTP_BAD_OPTION", "OTP_BAD_OPTION"]);
  });
});

describe("a task below its owner", () => {
  it("leaves no deadline behind when it is killed", async () => {
    const node = createVirtualNode();
    await node.start(supervisor("top", { children: [child(trapper, { name: "t" }, { id: "t" })] }));
    const before = node.inspector.counters()["timers"];
    const top = must(node.supervisor("top"));
    await top.startChild(child(probe, { name: "a" }, { register: probeKey("a") }));
    await act(node, (ctx) => ctx.task("k", never, { timeoutMs: 1e6 }));
    await node.drive(top.terminateChild("test/n/a/probe"));
    expect(node.inspector.counters()["timers"]).toBe(before);
  });
});
