/** Restarts that fail, again and again: retried through the mailbox, counted, stoppable (otp.md 1.6). */
import { describe, expect, it } from "vitest";
import {
  type AdminResult,
  type ChildSpec,
  type RestartStrategy,
  supervisor,
  type SupervisorRef,
} from "../../../src/otp/index.ts";
import { must } from "../support.ts";
import { outcome, Stage, suite } from "./kit.ts";

const FAIL = { refuse: "no" } as const;
const ENDLESS = { intensity: 1_000_000, period: 1_000 };

const outcomes = (calls: readonly Promise<AdminResult>[]): Promise<unknown[]> =>
  Promise.all(calls.map((call) => call.then(outcome)));

/** A static "top" whose child "b" can never come back, once it has ended. */
async function looping(strategy: RestartStrategy): Promise<[Stage, SupervisorRef]> {
  const stage = new Stage();
  const children = [stage.worker("a"), stage.worker("b", { again: FAIL }), stage.worker("c")];
  return [stage, await stage.start(children, { ...ENDLESS, strategy })];
}

/** A parent stops "top" in the middle of its loop; nothing outlives that. */
async function stopsInLoop(top: (stage: Stage) => ChildSpec, names: string): Promise<void> {
  const stage = new Stage();
  const outer = await stage.node.start(supervisor("outer", { children: [top(stage)] }));
  for (const name of names) {
    const pool = stage.node.supervisor<string>("top");
    if (!stage.isUp(name)) await pool?.startChild(name);
  }
  // The parent is told in the same moment; its order reaches "top" between two attempts.
  const result = await stage.endAndAsk("b", async () => outer.terminateChild("top"));
  expect(outcome(result)).toBe("ok");
  expect(stage.node.supervisor("top")).toBeUndefined();
  expect(stage.node.inspector.processes()).toHaveLength(1);
}

suite("loops", (claim) => {
  claim("hanging_restart_loop", "answers between attempts and can be stopped in them", async () => {
    const [stage, top] = await looping("one_for_one");
    const [rows, ...answers] = await stage.endAndAsk("b", () =>
      Promise.all([
        stage.rows(),
        outcomes([
          top.startChild(stage.worker("b")),
          top.startChild(stage.worker("d")),
          top.restartChild("b"),
          top.deleteChild("b"),
          top.terminateChild("b"),
        ]),
      ]),
    );
    expect(rows).toEqual(["a up", "b restarting", "c up"]);
    expect(answers).toEqual([["already_present", "ok", "restarting", "restarting", "ok"]]);
    expect(await stage.rows()).toEqual(["a up", "b undefined", "c up", "d up"]);

    const top2 = (inner: Stage): ChildSpec =>
      supervisor("top", { ...ENDLESS, children: [inner.worker("b", { again: FAIL })] });
    await stopsInLoop(top2, "b");
  });

  claim(
    "hanging_restart_loop_rest_for_one",
    "leaves later siblings undefined until they are restarted by hand",
    async () => {
      const [stage, top] = await looping("rest_for_one");
      const a = stage.pid("a");
      const [rows, answers] = await stage.endAndAsk("b", () =>
        Promise.all([
          stage.rows(),
          outcomes([
            top.startChild(stage.worker("c")),
            top.restartChild("b"),
            top.deleteChild("b"),
            top.terminateChild("b"),
          ]),
        ]),
      );
      expect(rows).toEqual(["a up", "b restarting", "c undefined"]);
      expect(answers).toEqual(["already_present", "restarting", "restarting", "ok"]);
      expect(await stage.rows()).toEqual(["a up", "b undefined", "c undefined"]);
      expect(outcome(await top.restartChild("c"))).toBe("ok");
      expect(await stage.rows()).toEqual(["a up", "b undefined", "c up"]);
      expect(stage.pid("a")).toBe(a);
      const children = (inner: Stage): ChildSpec[] => [
        inner.worker("b", { again: FAIL }),
        inner.worker("c"),
      ];
      await stopsInLoop(
        (inner) =>
          supervisor("top", { ...ENDLESS, strategy: "rest_for_one", children: children(inner) }),
        "bc",
      );
    },
  );

  claim("hanging_restart_loop_simple", "the same for dynamic children", async () => {
    const stage = new Stage();
    const top = await stage.startPool("ab", { again: FAIL }, ENDLESS);
    const dead = stage.ref("b");
    const [rows, answers] = await stage.endAndAsk("b", () =>
      Promise.all([
        top.whichChildren(),
        outcomes([top.startChild("c"), top.restartChild("b"), top.terminateChild(dead)]),
      ]),
    );
    expect(rows.map((row) => row.pid)).toContain("restarting");
    expect(answers).toEqual(["ok", "simple_one_for_one", "ok"]);
    expect(await top.countChildren()).toEqual({ specs: 1, active: 2, supervisors: 0, workers: 2 });
    await stopsInLoop((inner) => inner.pool({ again: FAIL }, ENDLESS), "ab");
  });

  claim("count_restarting_children", "counts those that restart, but not as active", async () => {
    const stage = new Stage();
    const top = await stage.startPool("abc", { attempts: ["ok", FAIL, FAIL] }, ENDLESS);
    const counts = await stage.endAndAsk("ab", () => top.countChildren());
    expect(counts).toEqual({ specs: 1, active: 1, supervisors: 0, workers: 3 });
    expect(await top.countChildren()).toEqual({ specs: 1, active: 3, supervisors: 0, workers: 3 });
  });
});

describe("a restart that fails", () => {
  it("is counted each time and reported each time", async () => {
    const stage = new Stage();
    // Were it not counted, it would be back after ten failures.
    const failures = Array.from({ length: 10 }, () => FAIL);
    await stage.start([stage.worker("a", { attempts: ["ok", ...failures] })], { intensity: 3 });
    await stage.end("a");
    expect(await stage.node.ended).toBe("shutdown");
    expect(stage.attemptsOf("a")).toBe(1 + 3);
    expect(stage.reports).toEqual([
      "a child_terminated boom",
      "a start_error no",
      "a start_error no",
      "a start_error no",
      "a shutdown reached_max_restart_intensity",
    ]);
  });

  it("and is slow lets the window pass: attempts outside it are forgiven", async () => {
    const stage = new Stage();
    const slow = { sleepMs: 3_000 };
    const again = stage.worker("a", { attempts: ["ok", FAIL, slow] });
    const top = await stage.start([again], { intensity: 2, period: 1 });
    await stage.end("a");
    expect(stage.node.nowMs()).toBe(3_000);
    await stage.end("a");
    expect(await stage.rows()).toEqual(["a up"]);
    expect(top.isAlive).toBe(true);
  });

  it("blocks its supervisor as long as an init lasts", async () => {
    const stage = new Stage();
    const slow = stage.worker("a", { again: { sleepMs: 700 } });
    const top = await stage.start([slow, stage.worker("b")]);
    const answered = await stage.endAndAsk("a", async () => {
      await top.countChildren();
      return stage.node.nowMs();
    });
    expect(answered).toBe(700);
  });

  it("under a stopped group retries only what is left of it", async () => {
    const stage = new Stage();
    const top = await stage.start(
      [stage.worker("a", { again: FAIL }), stage.worker("t", { restart: "temporary" })],
      { ...ENDLESS, strategy: "one_for_all" },
    );
    const [rows] = await stage.endAndAsk("a", () =>
      Promise.all([stage.rows(), top.terminateChild("a")]),
    );
    expect(rows).toEqual(["a restarting"]);
    expect(await must(stage.node.supervisor("top")).countChildren()).toMatchObject({ specs: 1 });
  });
});
