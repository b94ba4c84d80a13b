/** Who goes down with whom, in which order, and what that costs (otp.md 1.4, 1.5, 1.7). */
import { describe, expect, it } from "vitest";
import { type RestartStrategy, supervisor } from "../../../src/otp/index.ts";
import { outcome, Stage, suite } from "./kit.ts";

const FAIL = { refuse: "no" } as const;

/** A stage with these permanent workers under "top". */
async function team(names: string, strategy: RestartStrategy, intensity = 3): Promise<Stage> {
  const stage = new Stage();
  await stage.start(stage.workers(names), { strategy, intensity });
  return stage;
}

/** A supervisor whose budget is used up ends with shutdown, all its children before it. */
async function escalates(strategy: RestartStrategy): Promise<void> {
  const stage = await team("abc", strategy, 0);
  await stage.end("b");
  expect(await stage.node.ended).toBe("shutdown");
  expect(stage.exits).toEqual(["b boom", "c shutdown", "a shutdown", "top shutdown"]);
  expect(stage.reports).toEqual([
    "b child_terminated boom",
    "b shutdown reached_max_restart_intensity",
  ]);
}

suite("strategies", (claim) => {
  claim("multiple_restarts", "lives for ever on one crash each 2.1 s, at 1 per 1 s", async () => {
    const stage = new Stage(100);
    await stage.start(stage.workers("a"), { intensity: 1, period: 1 });
    for (let i = 0; i < 50; i += 1) {
      await stage.end("a");
      await stage.node.advance(2_100);
    }
    expect(await stage.rows()).toEqual(["a up"]);
    expect(stage.reports).toHaveLength(50);
  });

  claim("one_for_one", "restarts the dead child alone, in its place", async () => {
    const stage = await team("abc", "one_for_one");
    const others = [stage.pid("a"), stage.pid("c")];
    await stage.end("b");
    expect(stage.log).toEqual(["terminate b boom", "init b"]);
    expect([stage.pid("a"), stage.pid("c")]).toEqual(others);
    expect(await stage.rows()).toEqual(["a up", "b up", "c up"]);
  });
  claim(
    "one_for_one_escalation",
    "ends all children, then itself, when its budget is used up",
    () => escalates("one_for_one"),
  );

  claim("one_for_all", "stops all others in reverse and starts all in order", async () => {
    const stage = await team("abcd", "one_for_all");
    await stage.end("b");
    expect(stage.log).toEqual([
      "terminate b boom",
      ...Array.from("dca", (name) => `terminate ${name} shutdown`),
      ...Array.from("abcd", (name) => `init ${name}`),
    ]);
  });
  claim(
    "one_for_all_escalation",
    "ends all children, then itself, when its budget is used up",
    () => escalates("one_for_all"),
  );
  claim(
    "one_for_all_other_child_fails_restart",
    "starts everything anew when a sibling fails to come back",
    async () => {
      const stage = new Stage();
      await stage.start([...stage.workers("a"), stage.worker("b", { attempts: ["ok", FAIL] })], {
        strategy: "one_for_all",
        intensity: 2,
      });
      await stage.end("a");
      expect(stage.log).toEqual([
        "terminate a boom",
        "terminate b shutdown",
        "init a",
        "terminate a shutdown",
        "init a",
        "init b",
      ]);
      expect(stage.reports).toEqual(["a child_terminated boom", "b start_error no"]);
      expect(await stage.rows()).toEqual(["a up", "b up"]);
    },
  );

  claim("rest_for_one", "restarts the dead child and those after it, nobody before", async () => {
    const stage = await team("abcd", "rest_for_one");
    const before = stage.pid("a");
    await stage.end("b");
    expect(stage.log).toEqual([
      "terminate b boom",
      "terminate d shutdown",
      "terminate c shutdown",
      "init b",
      "init c",
      "init d",
    ]);
    expect(stage.pid("a")).toBe(before);
  });
  claim(
    "rest_for_one_escalation",
    "ends all children, then itself, when its budget is used up",
    () => escalates("rest_for_one"),
  );
  claim(
    "rest_for_one_other_child_fails_restart",
    "goes on at the sibling that failed and keeps those that are back",
    async () => {
      const stage = new Stage();
      const children = [
        ...stage.workers("ab"),
        stage.worker("c", { attempts: ["ok", FAIL] }),
        stage.worker("d"),
      ];
      await stage.start(children, { strategy: "rest_for_one", intensity: 2 });
      await stage.end("b");
      expect(stage.log.slice(3)).toEqual(["init b", "init c", "init d"]);
      expect(stage.reports).toEqual(["b child_terminated boom", "c start_error no"]);
    },
  );

  claim("order_of_children", "keeps the order of specs through every restart", async () => {
    const inner = (stage: Stage) => {
      const options = { strategy: "rest_for_one", intensity: 10, children: stage.workers("bcd") };
      return supervisor("inner", options as never);
    };
    const stage = new Stage();
    await stage.start([...stage.workers("a"), inner(stage), ...stage.workers("e")], {
      intensity: 10,
    });
    for (const name of "acedb") await stage.end(name);
    expect(await stage.rows()).toEqual(["a up", "inner up", "e up"]);
    expect(await stage.rows("inner")).toEqual(["b up", "c up", "d up"]);
    stage.forget();
    await stage.node.stop();
    expect(stage.log).toEqual(Array.from("edcba", (name) => `terminate ${name} shutdown`));
  });

  claim("simple_one_for_one", "restarts a dynamic child alone", async () => {
    const stage = new Stage();
    const top = await stage.startPool("abc");
    const others = [stage.pid("a"), stage.pid("c")];
    await stage.end("b");
    expect(stage.log).toEqual(["terminate b boom", "init b"]);
    expect([stage.pid("a"), stage.pid("c")]).toEqual(others);
    expect(await top.countChildren()).toMatchObject({ active: 3, workers: 3 });
  });
  claim("simple_one_for_one_shutdown", "stops many in the time of the slowest", async () => {
    const stage = new Stage();
    const top = await stage.startPool("", { terminateMs: 1_000 });
    const names = Array.from({ length: 100 }, (_, i) => `w${i}`);
    for (const name of names) await top.startChild(name);
    const startMs = stage.node.nowMs();
    await stage.node.stop();
    expect(stage.node.nowMs() - startMs).toBe(1_000);
    expect(stage.exits.slice(0, 100)).toEqual(names.map((name) => `${name} shutdown`));
  });
  claim("simple_one_for_one_extra", "hands on what a dynamic child's start gave", async () => {
    const stage = new Stage();
    const top = await stage.startPool("", { extra: "more" });
    const started = await top.startChild("a");
    expect(started).toMatchObject({ ok: true, pid: stage.pid("a"), extra: "more" });
    await stage.end("a");
    expect(stage.log).toEqual(["init a", "terminate a boom", "init a"]);
  });
  claim("simple_one_for_one_escalation", "stops the others and ends, with shutdown", async () => {
    const stage = new Stage();
    await stage.startPool("abc", {}, { intensity: 0 });
    await stage.end("b");
    expect(await stage.node.ended).toBe("shutdown");
    expect(stage.exits).toEqual(["b boom", "a shutdown", "c shutdown", "top shutdown"]);
    expect(stage.reports.at(-1)).toBe("b shutdown reached_max_restart_intensity");
  });
  claim(
    "simple_one_for_one_corruption",
    "restarts each child with its own argument, whatever else was started",
    async () => {
      const stage = new Stage();
      const top = await stage.startPool("ab", {}, { intensity: 10 });
      expect(outcome(await top.startChild("c"))).toBe("ok");
      // Taken names and a failing start leave nothing behind.
      expect(outcome(await top.startChild("a"))).toEqual(["already_started", stage.pid("a")]);
      stage.forget();
      await stage.end("cab");
      expect(stage.log.filter((line) => line.startsWith("init"))).toEqual([
        "init c",
        "init a",
        "init b",
      ]);
      expect(await top.countChildren()).toMatchObject({ active: 3, workers: 3 });
    },
  );
});

describe("deaths before the supervisor runs", () => {
  const together = async (
    names: string,
    strategy: RestartStrategy,
    intensity: number,
  ): Promise<Stage> => {
    const stage = await team("abc", strategy, intensity);
    await stage.endAndAsk(names, () => Promise.resolve());
    return stage;
  };

  it("count each under one_for_one", async () => {
    expect((await together("ac", "one_for_one", 2)).isUp("c")).toBe(true);
    expect(await (await together("ac", "one_for_one", 1)).node.ended).toBe("shutdown");
  });

  it("count once under one_for_all, the second told as shutdown_error with its true reason", async () => {
    const stage = await together("ac", "one_for_all", 1);
    expect(await stage.rows()).toEqual(["a up", "b up", "c up"]);
    expect(stage.reports).toEqual(["a child_terminated boom", "c shutdown_error boom"]);
  });

  it("count once under rest_for_one when the first comes first, else twice", async () => {
    const inOrder = await together("ac", "rest_for_one", 1);
    expect(inOrder.reports).toEqual(["a child_terminated boom", "c shutdown_error boom"]);
    expect(await inOrder.rows()).toEqual(["a up", "b up", "c up"]);
    const reversed = await together("ca", "rest_for_one", 1);
    expect(await reversed.node.ended).toBe("shutdown");
    expect((await together("ca", "rest_for_one", 2)).isUp("c")).toBe(true);
  });
});

describe("the budget", () => {
  /** Whether a supervisor with 1 restart per `period` survives two crashes `gapMs` apart. */
  const survives = async (startMs: number, gapMs: number, period: number): Promise<boolean> => {
    const stage = new Stage(startMs);
    const top = await stage.start(stage.workers("a"), { intensity: 1, period });
    await stage.end("a");
    await stage.node.advance(gapMs);
    await stage.end("a");
    return top.isAlive;
  };

  it("forgets a restart after period to period + 1 seconds, by whole seconds", async () => {
    for (const period of [1, 2, 5]) {
      const ms = period * 1_000;
      expect(await survives(0, ms + 999, period)).toBe(false);
      expect(await survives(0, ms + 1_000, period)).toBe(true);
      expect(await survives(999, ms, period)).toBe(false);
      expect(await survives(999, ms + 1, period)).toBe(true);
    }
  });

  it("is the supervisor's, not the child's, and levels multiply", async () => {
    const stage = new Stage();
    const inner = supervisor("inner", { intensity: 1, children: stage.workers("ab") });
    await stage.start([inner], { intensity: 1 });
    const ids = (): unknown[] => [stage.node.supervisor("inner")?.id];
    const first = ids();
    await stage.end("a");
    expect(ids()).toEqual(first);
    await stage.end("b");
    expect(ids()).not.toEqual(first);
    await stage.end("a");
    await stage.end("b");
    expect(await stage.node.ended).toBe("shutdown");
  });

  it("used up ends a permanent inner supervisor for a moment, a transient one for good", async () => {
    for (const restart of ["permanent", "transient"] as const) {
      const stage = new Stage();
      const inner = supervisor("inner", { intensity: 0, restart, children: stage.workers("a") });
      await stage.start([inner]);
      await stage.end("a");
      expect(await stage.rows()).toEqual([
        restart === "permanent" ? "inner up" : "inner undefined",
      ]);
      expect(stage.isUp("a")).toBe(restart === "permanent");
    }
  });

  it("at intensity 0 is used up by the first restart", async () => {
    const stage = await team("a", "one_for_one", 0);
    await stage.end("a");
    expect(await stage.node.ended).toBe("shutdown");
  });

  it("loses nothing at an intensity of a billion", async () => {
    const stage = await team("a", "one_for_one", 1_000_000_000);
    for (let i = 0; i < 300; i += 1) await stage.end("a");
    expect(stage.node.inspector.tree()?.restarts.count).toBe(300);
  });
});
