/** The rest of the suite: unlinked children, trees, counts, memory, scale, names, log lines. */
import { describe, expect, it } from "vitest";
import {
  child,
  createVirtualNode,
  defineActor,
  dynamicSupervisor,
  type ProcessRef,
  reportText,
  supervisor,
  type SupervisorRef,
} from "../../../src/otp/index.ts";
import { must } from "../support.ts";
import { outcome, Stage, suite, workerKey } from "./kit.ts";

const idle = defineActor({ name: "suite/idle", init: (_args: unknown) => 0 });

/** A dynamic "top" of idle children with nothing bounded. */
async function crowd(restart: "permanent" | "temporary") {
  const node = createVirtualNode({ profile: "otp" });
  const spec = dynamicSupervisor<unknown>("top", {
    template: (args) => child(idle, args, { id: "idle", restart }),
  });
  return { node, top: await node.start(spec) };
}

/** Starts `count` children at once. */
async function fill(top: SupervisorRef<unknown>, count: number): Promise<ProcessRef[]> {
  const started = await Promise.all(Array.from({ length: count }, (_, i) => top.startChild({ i })));
  return started.map((result) => must(result.ok ? result.ref : undefined));
}

/** What `runs` runs of `work` cost together, ms of the host. */
async function totalMs(runs: number, work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  for (let run = 0; run < runs; run += 1) await work();
  return performance.now() - startMs;
}

suite("misc", (claim) => {
  claim("child_unlink", "stops a child that unlinked itself, alive or dead", async () => {
    for (const isDynamic of [false, true]) {
      const stage = new Stage();
      if (isDynamic) await stage.startPool("ab");
      else await stage.start(stage.workers("ab"));
      const top = must(stage.node.supervisor<unknown>("top"));
      const terminate = async (ref: ProcessRef, id: string): Promise<unknown> =>
        outcome(await stage.node.drive(top.terminateChild(isDynamic ? ref : id)));
      const [a, b] = [stage.ref("a"), stage.ref("b")];
      for (const ref of [a, b]) ref.cast.unlink();
      // Nobody tells the supervisor of this end: it still believes in the child.
      await stage.end("b");
      expect(stage.reports).toEqual([]);
      expect((await top.whichChildren()).map((row) => row.pid)).toEqual([b.id, a.id]);
      expect(await terminate(a, "a")).toBe("ok");
      expect(await terminate(b, "b")).toBe("ok");
      expect(stage.exits).toEqual(["b boom", "a shutdown"]);
      expect(stage.reports).toEqual(["b shutdown_error noproc"]);
      expect((await top.whichChildren()).map((row) => row.pid)).toEqual(
        isDynamic ? [] : [undefined, undefined],
      );
      await stage.node.stop();
      expect(stage.node.inspector.processes()).toEqual([]);
    }
  });

  claim("tree", "supervisors under supervisors restart and stop as one", async () => {
    const stage = new Stage();
    const bottom = (id: string, names: string) =>
      supervisor(id, { intensity: 1, period: 1, children: stage.workers(names) });
    const middle = supervisor("middle", {
      strategy: "one_for_all",
      intensity: 0,
      children: [bottom("left", "ab"), bottom("right", "cd")],
    });
    const top = await stage.start([middle, ...stage.workers("e")], { intensity: 1 });
    expect(await top.countChildren()).toEqual({ specs: 2, active: 2, supervisors: 1, workers: 1 });
    // One level bears one death; the second takes "middle" along, which "top" starts again.
    await stage.end("a");
    expect(stage.log).toEqual(["terminate a boom", "init a"]);
    stage.forget();
    await stage.end("a");
    expect(stage.exits).toEqual([
      "a boom",
      "b shutdown",
      "left shutdown",
      "d shutdown",
      "c shutdown",
      "right shutdown",
      "middle shutdown",
    ]);
    expect(stage.log.slice(-4)).toEqual(["init a", "init b", "init c", "init d"]);
    expect(await stage.rows()).toEqual(["middle up", "e up"]);
    expect(await stage.rows("middle")).toEqual(["left up", "right up"]);
    await stage.node.stop();
    expect(stage.node.inspector.processes()).toEqual([]);
  });

  claim("count_children", "counts 1,000 dynamic workers, as they come and go", async () => {
    const { node, top } = await crowd("temporary");
    const refs = await fill(top, 1_000);
    const counts = (active: number) => ({ specs: 1, active, supervisors: 0, workers: active });
    expect(await top.countChildren()).toEqual(counts(1_000));
    for (const ref of refs.slice(0, 400)) node.inspector.exit(ref, "kill");
    await node.settle();
    expect(await top.countChildren()).toEqual(counts(600));
    for (const ref of refs) await node.drive(top.terminateChild(ref));
    expect(await top.countChildren()).toEqual(counts(0));
  });

  claim("count_children_supervisor", "counts 1,000 supervisors and their workers", async () => {
    const node = createVirtualNode({ profile: "otp" });
    const spec = dynamicSupervisor<string>("top", {
      template: (id) => supervisor(id, { children: [child(idle, 0, { id: "w" })] }),
    });
    const top = await node.start(spec);
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => top.startChild(`s${i}`)));
    const counts = { specs: 1, active: 1_000, supervisors: 1_000, workers: 0 };
    expect(await top.countChildren()).toEqual(counts);
    expect(node.inspector.processes()).toHaveLength(2_001);
    expect(await must(node.supervisor("s7")).countChildren()).toEqual({
      specs: 1,
      active: 1,
      supervisors: 0,
      workers: 1,
    });
  });

  claim(
    "do_not_save_start_parameters_for_temporary_children",
    "keeps the arguments of children that may come back, and only those",
    async () => {
      const args = async (top: SupervisorRef, id: string): Promise<unknown> => {
        const result = await top.getChildSpec(id);
        return result.ok && result.spec.start.args;
      };
      for (const restart of ["permanent", "transient", "temporary"] as const) {
        const stage = new Stage();
        const top = await stage.start([]);
        await top.startChild(stage.worker("a", { restart }));
        const pool = await new Stage().startPool("a", { restart });
        const pid = (await pool.whichChildren())[0]?.pid as string;
        for (const kept of [await args(top, "a"), await args(pool as never, pid)]) {
          if (restart === "temporary") expect(kept).toBeUndefined();
          else expect(kept).toMatchObject({ name: "a" });
        }
      }
    },
  );

  claim(
    "do_not_save_child_specs_for_temporary_children",
    "forgets a temporary child's spec however it ends",
    async () => {
      const stage = new Stage();
      const top = await stage.start([]);
      const before = await top.countChildren();
      for (const end of ["normal", "boom", "terminate"]) {
        await top.startChild(stage.worker("t", { restart: "temporary" }));
        if (end === "terminate") await stage.node.drive(top.terminateChild("t"));
        else await stage.end("t", end);
        expect(await top.countChildren()).toEqual(before);
        expect(await top.getChildSpec("t")).toEqual({ ok: false, reason: "not_found" });
      }
    },
  );

  claim(
    "simple_one_for_one_scale_many_temporary_children",
    "ends ten times as many temporary children in about ten times the time",
    async () => {
      const terminateAll = async (count: number): Promise<void> => {
        const { top } = await crowd("temporary");
        const refs = await fill(top, count);
        // Oldest last, so that each is the last of all that a search would find.
        await Promise.all(refs.reverse().map((ref) => top.terminateChild(ref)));
        expect(await top.whichChildren()).toEqual([]);
      };
      await terminateAll(2_000);
      const fewMs = await totalMs(5, () => terminateAll(2_000));
      const manyMs = await totalMs(2, () => terminateAll(20_000));
      // Linear is 10 times, square growth would be 100 times.
      expect(manyMs / 2 / (fewMs / 5)).toBeLessThan(50);
    },
  );

  claim(
    "scale_start_stop_many_children",
    "starts and stops 100,000 children within ten times of linear",
    async () => {
      const startAndStop = async (count: number): Promise<void> => {
        const { node, top } = await crowd("permanent");
        await fill(top, count);
        expect(await top.countChildren()).toMatchObject({ active: count });
        await node.stop();
        expect(node.inspector.processes()).toEqual([]);
      };
      await startAndStop(5_000);
      // The mean, not the best: collecting garbage is part of both.
      const fewMs = await totalMs(4, () => startAndStop(5_000));
      const manyMs = await totalMs(1, () => startAndStop(100_000));
      // Linear is 20 times, square growth would be 400 times.
      expect(manyMs / (fewMs / 4)).toBeLessThan(10 * 20);
    },
  );

  claim(
    "simple_global_supervisor",
    "the name moves on to whoever replaces its holder",
    async () => {
      const stage = new Stage();
      const top = await stage.startPool("", { restart: "transient" });
      await top.startChild("a");
      const first = stage.ref("a");
      const taken = outcome(await top.startChild("a"));
      expect(taken).toEqual(["already_started", first.id]);
      // Whatever ends the holder, its successor has the name, and a ref by key finds it.
      const byKey = stage.node.via(workerKey("a"));
      await stage.kill("a");
      expect(byKey.id).toBe(stage.pid("a"));
      expect(byKey.id).not.toBe(first.id);
      await stage.end("a", "normal");
      expect(byKey.isAlive).toBe(false);
      expect(outcome(await top.startChild("a"))).toBe("ok");
      expect(byKey.isAlive).toBe(true);
    },
  );

  /** The line of a report about a child that ended with `reason`. */
  const lineOf = async (reason: unknown, options: object = {}): Promise<string> => {
    const stage = new Stage();
    const lines: string[] = [];
    stage.node.telemetry.attach("lines", "otp.report", (event) => {
      lines.push(reportText(event, options));
    });
    await stage.start(stage.workers("a"));
    await stage.end("a", reason as string);
    return must(lines[0]).replace(/#\d+/, "#N");
  };

  claim("format_log_1", "prints a report on one line, whatever is in it", async () => {
    const front = "top: child a (#N) child_terminated: ";
    expect(await lineOf("boom")).toBe(`${front}boom`);
    expect(await lineOf(["bad_frame", { at: 3, text: "a\nb" }, null])).toBe(
      `${front}[bad_frame, {at: 3, text: "a\\nb"}, null]`,
    );
    expect(await lineOf({ error: new TypeError("first\nsecond\u001B[2J") })).toBe(
      `${front}{error: TypeError: "first\\nsecond\\u001b[2J"}`,
    );
    expect(await lineOf({ shutdown: Symbol("s") })).toBe(`${front}{shutdown: Symbol(s)}`);
    const hostile = {
      get trap() {
        throw new Error("no");
      },
    };
    expect(await lineOf(["x", hostile])).toBe(`${front}(unprintable)`);

    const stage = new Stage();
    const many: string[] = [];
    stage.node.telemetry.attach("lines", "otp.report", (event) => many.push(reportText(event)));
    await stage.startPool("abc", { lastReason: "late" });
    await stage.node.stop();
    expect(many).toEqual(["top: 3 children like a shutdown_error: late"]);
  });

  claim(
    "format_log_2",
    "cuts what is nested deeper than `depth` or longer than asked",
    async () => {
      const nested = ["l1", ["l2", ["l3", ["l4"]]]];
      const at = (depth: number): Promise<string> =>
        lineOf(nested, { depth }).then((line) => must(line.split("child_terminated: ")[1]));
      expect(await at(0)).toBe("…");
      expect(await at(1)).toBe("[l1, …]");
      expect(await at(3)).toBe("[l1, [l2, [l3, …]]]");
      expect(await at(9)).toBe("[l1, [l2, [l3, [l4]]]]");
      const circular: Record<string, unknown> = {};
      circular["self"] = circular;
      expect(await lineOf(["x", circular], { depth: 3 })).toMatch(/\[x, \{self: \{self: …\}\}\]$/);

      const long = await lineOf(["x", "y".repeat(5_000_000)], { maxChars: 100 });
      expect(long.length).toBeLessThanOrEqual(100);
      expect(long.endsWith("…")).toBe(true);
      const wide = await lineOf(["x", ...Array.from({ length: 1e6 }, () => [])], { maxChars: 100 });
      expect(wide.length).toBeLessThanOrEqual(100);
      expect((await lineOf(["x", "y".repeat(5_000)])).length).toBe(1_000);
    },
  );
});

describe("a dynamic child whose death is not read yet", () => {
  it("is stopped for good by terminateChild, not restarted", async () => {
    const stage = new Stage();
    const top = await stage.startPool("ab");
    const [byRef, byPid] = [stage.ref("a"), stage.ref("b").id];
    await stage.node.inspector.suspend("top");
    const calls = [top.terminateChild(byRef), top.terminateChild(byPid)];
    await stage.end("ab");
    await stage.node.inspector.resume("top");
    expect((await stage.node.drive(Promise.all(calls))).map(outcome)).toEqual(["ok", "ok"]);
    expect(stage.reports).toEqual(["a shutdown_error boom", "b shutdown_error boom"]);
    expect(await top.countChildren()).toMatchObject({ active: 0, workers: 0 });
  });
});
