/** What a supervisor answers, for every call in every state of a child (otp.md 1.1, 1.10). */
import { describe, expect, it } from "vitest";
import {
  type AdminResult,
  type ChildSpec,
  dynamicSupervisor,
  supervisor,
  type SupervisorOptions,
  type SupervisorRef,
} from "../../../src/otp/index.ts";
import { outcome, Stage, suite } from "./kit.ts";

const FAIL = { refuse: "no" } as const;

/** Answers of the calls that name a child: start, terminate, restart, delete, in this order. */
async function answers(
  stage: Stage,
  top: SupervisorRef,
  id: string,
  ops = "start restart delete terminate",
): Promise<Record<string, unknown>> {
  const { node } = stage;
  const calls: Record<string, () => Promise<unknown>> = {
    start: () => top.startChild(stage.worker(id)).then(outcome),
    restart: () => top.restartChild(id).then(outcome),
    delete: () => top.deleteChild(id).then(outcome),
    terminate: () => top.terminateChild(id).then(outcome),
  };
  const seen: Record<string, unknown> = {};
  for (const op of ops.split(" ")) seen[op] = await node.drive(calls[op]?.() as Promise<unknown>);
  return seen;
}

suite("admin", (claim) => {
  claim("extra_return", "hands what a start gave besides the pid to who asked for it", async () => {
    const stage = new Stage();
    const top = await stage.start([stage.worker("a", { extra: "boot" })]);
    const added = await top.startChild(stage.worker("b", { extra: { port: 1 } }));
    expect(added).toMatchObject({ ok: true, pid: stage.pid("b"), extra: { port: 1 } });
    await stage.node.drive(top.terminateChild("b"));
    expect(await top.restartChild("b")).toMatchObject({ pid: stage.pid("b"), extra: { port: 1 } });
    await stage.end("a");
    expect(await stage.rows()).toEqual(["a up", "b up"]);
    expect(await top.whichChildren()).toEqual([
      { id: "b", pid: stage.pid("b"), type: "worker" },
      { id: "a", pid: stage.pid("a"), type: "worker" },
    ]);
  });

  claim("child_adm", "answers for a child that runs, is stopped, or unknown", async () => {
    const stage = new Stage();
    const top = await stage.start(stage.workers("a"));
    const pid = stage.pid("a");
    expect(await answers(stage, top, "a")).toEqual({
      start: ["already_started", pid],
      restart: "running",
      delete: "running",
      terminate: "ok",
    });
    expect(await answers(stage, top, "a", "start terminate delete")).toEqual({
      start: "already_present",
      terminate: "ok",
      delete: "ok",
    });
    const unknown = { restart: "not_found", delete: "not_found", terminate: "not_found" };
    expect(await answers(stage, top, "a", "restart delete terminate")).toEqual(unknown);
    expect(await answers(stage, top, "a", "start terminate restart")).toEqual({
      start: "ok",
      terminate: "ok",
      restart: "ok",
    });
    expect(await top.getChildSpec("b")).toEqual({ ok: false, reason: "not_found" });
  });

  claim("child_adm_simple", "answers for dynamic children by pid only", async () => {
    const stage = new Stage();
    const top = await stage.startPool("ab");
    const { node } = stage;
    const stranger = new Stage();
    await stranger.start(stranger.workers("s"));
    const a = stage.ref("a");
    expect(outcome(await top.restartChild("a"))).toBe("simple_one_for_one");
    expect(outcome(await top.deleteChild("a"))).toBe("simple_one_for_one");
    expect(outcome(await top.terminateChild("a"))).toBe("simple_one_for_one");
    expect(outcome(await top.terminateChild(top))).toBe("not_found");
    expect(outcome(await top.terminateChild(stranger.ref("s")))).toBe("not_found");
    expect(await top.countChildren()).toEqual({ specs: 1, active: 2, supervisors: 0, workers: 2 });
    expect(await top.whichChildren()).toEqual([
      { id: undefined, pid: stage.pid("b"), type: "worker" },
      { id: undefined, pid: a.id, type: "worker" },
    ]);
    expect(outcome(await node.drive(top.terminateChild(a)))).toBe("ok");
    expect(outcome(await node.drive(top.terminateChild(a)))).toBe("ok");
    expect(outcome(await node.drive(top.terminateChild(a.id)))).toBe("ok");
    expect(await top.countChildren()).toEqual({ specs: 1, active: 1, supervisors: 0, workers: 1 });
  });

  const faulty: readonly [object, unknown][] = [
    [{ id: undefined }, "missing_id"],
    [{ start: undefined }, "missing_start"],
    [{ restart: "often" }, ["invalid_restart_type", "often"]],
    [{ shutdown: "soon" }, ["invalid_shutdown", "soon"]],
    [{ type: "boss" }, ["invalid_child_type", "boss"]],
    [{ significant: 1 }, ["invalid_significant", 1]],
    [
      { significant: true },
      [
        "bad_combination",
        [
          ["auto_shutdown", "never"],
          ["significant", true],
        ],
      ],
    ],
  ];
  claim("child_specs", "refuses faulty specs at run time, bare and by value", async () => {
    const stage = new Stage();
    const top = await stage.start(stage.workers("a"));
    for (const [parts, reason] of faulty) {
      expect(await top.startChild({ ...stage.worker("b"), ...parts })).toEqual({
        ok: false,
        reason,
      });
    }
    for (const nonsense of [null, "b", 7]) {
      expect(await top.startChild(nonsense as never)).toEqual({
        ok: false,
        reason: ["invalid_child_spec", nonsense],
      });
    }
    expect(await stage.rows()).toEqual(["a up"]);
    expect(stage.log).toEqual([]);
  });

  claim("child_specs_map", "takes every valid value, and any id that is a value", async () => {
    const stage = new Stage();
    const top = await stage.start([], { autoShutdown: "all_significant" });
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    const parts: readonly object[] = [
      ...[0, "", null, Symbol("s"), 1n, { deep: 1 }, circular, () => 0].map((id) => ({ id })),
      { id: "s", restart: "transient", significant: true },
      { id: "t", restart: "temporary" },
      ...[0, "infinity", "kill"].map((shutdown) => ({ id: `stops ${shutdown}`, shutdown })),
      { id: "boss", type: "supervisor" },
      { id: "more", unknownKey: 1 },
    ];
    for (const part of parts) {
      // Without a name the id stands in every event and view.
      const spec = { ...stage.worker("any"), name: undefined, ...part };
      expect(outcome(await top.startChild(spec))).toBe("ok");
    }
    expect(stage.node.inspector.tree()?.children).toHaveLength(parts.length);
    await stage.node.stop();
    expect(stage.exits).toHaveLength(parts.length + 1);
  });

  claim("sup_flags", "refuses bad flags by value before any child starts", async () => {
    const refused = async (flags: object): Promise<unknown> => {
      const stage = new Stage();
      const children = stage.workers("a");
      const reason = await stage.refusal(supervisor("top", { ...flags, children }));
      expect(await stage.refusal(stage.pool({}, flags))).toEqual(
        "strategy" in flags ? expect.anything() : reason,
      );
      expect(stage.log).toEqual([]);
      expect(stage.node.inspector.processes()).toEqual([]);
      return reason;
    };
    const bad: readonly [keyof SupervisorOptions, string, readonly unknown[]][] = [
      ["intensity", "invalid_intensity", [-1, 1.5, "1", Number.NaN, Number.POSITIVE_INFINITY]],
      ["period", "invalid_period", [0, -1, 0.5, "5", Number.POSITIVE_INFINITY]],
      ["autoShutdown", "invalid_auto_shutdown", ["sometimes", true]],
    ];
    for (const [flag, tag, values] of bad) {
      for (const value of values) {
        expect(await refused({ [flag]: value })).toEqual(["supervisor_data", [tag, value]]);
      }
    }
    const stage = new Stage();
    const spec = supervisor("top", { children: [], strategy: "none_for_one" as "one_for_one" });
    expect(await stage.refusal(spec)).toEqual([
      "supervisor_data",
      ["invalid_strategy", "none_for_one"],
    ]);
    for (const flags of [{ intensity: 0 }, { period: 1 }, { strategy: "rest_for_one" } as const]) {
      expect((await new Stage().start([], flags)).isAlive).toBe(true);
    }
  });
});

describe("a child whose restart is retried", () => {
  it("is restarting to every call, until terminate ends the retries", async () => {
    const stage = new Stage();
    const top = await stage.start([stage.worker("a", { again: FAIL })], { intensity: 1e6 });
    const answers = await stage.endAndAsk("a", () =>
      Promise.all([
        stage.rows(),
        top.countChildren(),
        ...[
          top.startChild(stage.worker("a")),
          top.restartChild("a"),
          top.deleteChild("a"),
          top.getChildSpec("a"),
          top.terminateChild("a"),
        ].map((call) => call.then((result) => outcome(result as AdminResult))),
      ]),
    );
    expect(answers).toEqual([
      ["a restarting"],
      { specs: 1, active: 0, supervisors: 0, workers: 1 },
      "already_present",
      "restarting",
      "restarting",
      "ok",
      "ok",
    ]);
    expect(stage.attemptsOf("a")).toBe(2);
    expect(await stage.rows()).toEqual(["a undefined"]);
    expect(outcome(await top.deleteChild("a"))).toBe("ok");
  });
});

describe("a child that ignored", () => {
  it("is there, starts when asked, and can be deleted", async () => {
    const stage = new Stage();
    const top = await stage.start([stage.worker("a", { attempts: ["ignore"], again: "ignore" })]);
    expect(await answers(stage, top, "a", "start terminate restart delete")).toEqual({
      start: "already_present",
      terminate: "ok",
      restart: "ok undefined",
      delete: "ok",
    });
  });
});

describe("a temporary child", () => {
  it("is unknown as soon as it ends or is terminated", async () => {
    const stage = new Stage();
    const top = await stage.start(stage.workers("ab", { restart: "temporary" }));
    await stage.end("a", "normal");
    expect(outcome(await stage.node.drive(top.terminateChild("b")))).toBe("ok");
    for (const id of ["a", "b"]) {
      expect(await answers(stage, top, id, "restart delete terminate")).toEqual({
        restart: "not_found",
        delete: "not_found",
        terminate: "not_found",
      });
    }
  });
});

describe("a child added at run time", () => {
  it("is lost when its supervisor restarts", async () => {
    const stage = new Stage();
    await stage.start([supervisor("inner", { intensity: 0, children: stage.workers("a") })]);
    const inner = stage.node.supervisor("inner");
    expect(outcome((await inner?.startChild(stage.worker("b"))) as never)).toBe("ok");
    await stage.end("a");
    expect(await stage.rows("inner")).toEqual(["a up"]);
  });
});

describe("a dead supervisor", () => {
  it("answers noproc to every call", async () => {
    for (const spec of [
      (stage: Stage): ChildSpec => supervisor("inner", { children: stage.workers("a") }),
      (stage: Stage): ChildSpec => stage.pool({}, {}, "inner"),
    ]) {
      const stage = new Stage();
      const top = await stage.start([spec(stage)]);
      const inner = stage.node.supervisor("inner") as SupervisorRef;
      await stage.node.drive(top.terminateChild("inner"));
      expect(await answers(stage, inner, "a")).toEqual({
        start: "noproc",
        restart: "noproc",
        delete: "noproc",
        terminate: "noproc",
      });
      expect(await inner.getChildSpec("a")).toEqual({ ok: false, reason: "noproc" });
      await expect(inner.whichChildren()).rejects.toMatchObject({ code: "OTP_NO_PROCESS" });
      await expect(inner.countChildren()).rejects.toMatchObject({ reason: "noproc" });
    }
  });
});

describe("a supervisor that starts another child", () => {
  it("answers nobody until that init is done", async () => {
    const stage = new Stage();
    const top = await stage.start([]);
    const order: string[] = [];
    const slow = stage.worker("slow", { attempts: [{ sleepMs: 500 }] });
    const done = (name: string) => () => order.push(`${name} ${stage.node.nowMs()}`);
    const calls = [
      top.startChild(slow).then(done("start")),
      top.countChildren().then(done("count")),
    ];
    await stage.node.drive(Promise.all(calls));
    expect(order).toEqual(["start 500", "count 500"]);
  });
});

describe("a dynamic supervisor", () => {
  it("takes full specs from its template, each with its own policy", async () => {
    const stage = new Stage();
    const spec = dynamicSupervisor<"worker" | "inner">("top", {
      template: (kind) =>
        kind === "worker"
          ? stage.worker("w", { restart: "temporary" })
          : supervisor("inner", { children: [] }),
    });
    const top = await stage.node.start(spec);
    await top.startChild("worker");
    await top.startChild("inner");
    expect(await top.countChildren()).toEqual({ specs: 1, active: 2, supervisors: 1, workers: 1 });
    await stage.end("w");
    stage.node.inspector.exit("inner", "kill");
    await stage.node.settle();
    expect(await top.countChildren()).toEqual({ specs: 1, active: 1, supervisors: 1, workers: 0 });
  });
});
