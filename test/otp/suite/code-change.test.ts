/** Code change of a running supervisor: flags and specs merge, nothing starts or stops (otp.md 1.15). */
import { describe, expect, it } from "vitest";
import {
  type ChildSpec,
  ExitError,
  supervisor,
  type SupervisorOptions,
  type SupervisorSpec,
} from "../../../src/otp/index.ts";
import { outcome, Stage, suite, type WorkerOptions } from "./kit.ts";

type AutoShutdown = NonNullable<SupervisorOptions["autoShutdown"]>;
type Flags = Omit<SupervisorOptions, "children">;

/** "ok", or why "top" refused to become `next`. */
async function upgrade<A>(stage: Stage, next: SupervisorSpec<A>): Promise<unknown> {
  try {
    await stage.node.drive(stage.node.inspector.upgrade("top", next));
    return "ok";
  } catch (error) {
    expect(error).toBeInstanceOf(ExitError);
    const reason = (error as ExitError).reason as readonly unknown[];
    expect(reason[0]).toBe("upgrade_failed");
    return reason[1];
  }
}

/** The same for a static supervisor with these children. */
const change = (stage: Stage, children: readonly ChildSpec[], flags: Flags = {}) =>
  upgrade(stage, supervisor("top", { ...flags, children }));

const PLAIN: WorkerOptions = { restart: "transient" };
const SIGNIFICANT: WorkerOptions = { restart: "transient", significant: true };
const isUp = (stage: Stage): boolean => stage.node.supervisor("top") !== undefined;

/** "top" with transient "a" and "b", significant where it may be. */
async function pair(autoShutdown: AutoShutdown): Promise<Stage> {
  const stage = new Stage();
  const options = autoShutdown === "never" ? PLAIN : SIGNIFICANT;
  await stage.start(stage.workers("ab", options), { autoShutdown });
  return stage;
}

/** After the change "top" heeds the end of its significant children as `to` says. */
async function acts(from: AutoShutdown, to: AutoShutdown): Promise<void> {
  const stage = await pair(from);
  const options = to === "never" ? PLAIN : SIGNIFICANT;
  expect(await change(stage, stage.workers("ab", options), { autoShutdown: to })).toBe("ok");
  expect(await stage.rows()).toEqual(["a up", "b up"]);
  await stage.end("a", "normal");
  expect(isUp(stage)).toBe(to !== "any_significant");
  if (to === "any_significant") return;
  await stage.end("b", "normal");
  expect(isUp(stage)).toBe(to === "never");
}

/** A change that leaves significant children to a supervisor that never heeds them is refused. */
async function refusesNever(from: AutoShutdown): Promise<void> {
  const stage = await pair(from);
  const significant = stage.workers("ab", SIGNIFICANT);
  expect(await change(stage, significant, { autoShutdown: "never" })).toEqual(
    clash(["auto_shutdown", "never"]),
  );
  await stage.end(from === "any_significant" ? "a" : "ab", "normal");
  expect(isUp(stage)).toBe(false);
}

const clash = (flag: readonly string[]): unknown => [
  "bad_combination",
  [flag, ["significant", true]],
];

suite("code-change", (claim) => {
  claim("code_change", "new flags act from the next restart on; bad ones are refused", async () => {
    const stage = new Stage();
    const children = stage.workers("ab");
    const top = await stage.start(children, { intensity: 1 });
    expect(await change(stage, children, { strategy: "one_for_all", intensity: 2 })).toBe("ok");
    await stage.end("a");
    expect(stage.log).toEqual(["terminate a boom", "terminate b shutdown", "init a", "init b"]);
    await stage.end("a");
    expect(top.isAlive).toBe(true);
    for (const [flags, error] of [
      [{ intensity: -1 }, ["invalid_intensity", -1]],
      [{ period: 0 }, ["invalid_period", 0]],
      [{ strategy: "none" as "one_for_one" }, ["invalid_strategy", "none"]],
      [{ autoShutdown: "no" as "never" }, ["invalid_auto_shutdown", "no"]],
    ] as const) {
      expect(await change(stage, children, { intensity: 100, ...flags })).toEqual(error);
    }
    // What was refused changed nothing: the budget of 2 is used up by now.
    await stage.end("b");
    expect(await stage.node.ended).toBe("shutdown");
  });

  claim(
    "code_change_map",
    "specs merge by id: processes stay, new children do not start, removed ones run on",
    async () => {
      const stage = new Stage();
      const top = await stage.start(stage.workers("abd"));
      const pids = ["a", "b", "d"].map((name) => stage.pid(name));
      const merged = [
        stage.worker("d"),
        stage.worker("n"),
        stage.worker("a", { restart: "temporary", shutdown: 7 }),
      ];
      expect(await change(stage, merged)).toBe("ok");
      expect(await stage.rows()).toEqual(["d up", "n undefined", "a up", "b up"]);
      expect(["a", "b", "d"].map((name) => stage.pid(name))).toEqual(pids);
      expect(stage.log).toEqual([]);
      expect(await top.getChildSpec("a")).toMatchObject({
        spec: { restart: "temporary", shutdown: 7 },
      });

      for (const [children, error] of [
        [
          [stage.worker("x"), stage.worker("x")],
          ["duplicate_child_name", "x"],
        ],
        [[{ ...stage.worker("x"), restart: "often" }], ["invalid_restart_type", "often"]],
        [[stage.worker("x", { significant: true })], clash(["auto_shutdown", "never"])],
      ] as const) {
        expect(
          await change(stage, children as readonly unknown[] as ChildSpec[], { intensity: 0 }),
        ).toEqual(error);
      }
      expect(await stage.rows()).toEqual(["d up", "n undefined", "a up", "b up"]);
      await stage.end("a");
      await stage.end("b");
      expect(outcome(await top.restartChild("n"))).toBe("ok");
      expect(await stage.rows()).toEqual(["d up", "n up", "b up"]);
    },
  );

  claim(
    "code_change_simple",
    "new flags of a dynamic supervisor act, a bad one is refused",
    async () => {
      const stage = new Stage();
      const top = await stage.startPool("ab", {}, { intensity: 0 });
      expect(await upgrade(stage, stage.pool({}, { intensity: 1 }))).toBe("ok");
      await stage.end("a");
      expect(top.isAlive).toBe(true);
      expect(await upgrade(stage, stage.pool({}, { intensity: 9, period: 0 }))).toEqual([
        "invalid_period",
        0,
      ]);
      await stage.end("b");
      expect(await stage.node.ended).toBe("shutdown");
    },
  );

  claim(
    "code_change_simple_map",
    "a new template says how its children restart and stop; one template stays one",
    async () => {
      const stage = new Stage();
      const top = await stage.startPool("ab", { restart: "permanent" });
      const pids = [stage.pid("a"), stage.pid("b")];
      expect(await upgrade(stage, stage.pool({ restart: "transient", shutdown: 9 }))).toBe("ok");
      expect([stage.pid("a"), stage.pid("b")]).toEqual(pids);
      await stage.end("a", "normal");
      expect(await top.countChildren()).toMatchObject({ active: 1, workers: 1 });
      await top.startChild("c");
      for (const name of ["b", "c"]) {
        expect(await top.getChildSpec(stage.ref(name))).toMatchObject({
          spec: { restart: "transient", shutdown: 9 },
        });
      }
      expect(await upgrade(stage, stage.pool({ shutdown: "soon" as "kill" }))).toEqual([
        "invalid_shutdown",
        "soon",
      ]);
      expect(await upgrade(stage, supervisor("top", { children: stage.workers("a") }))).toEqual([
        "invalid_strategy",
        "one_for_one",
      ]);
      expect(await top.getChildSpec(stage.ref("b"))).toMatchObject({ spec: { shutdown: 9 } });
    },
  );

  claim("significant_upgrade_never_any", "starts to heed the first end", () =>
    acts("never", "any_significant"),
  );
  claim("significant_upgrade_never_all", "starts to heed the last end", () =>
    acts("never", "all_significant"),
  );
  claim(
    "significant_upgrade_any_never",
    "stops heeding ends, and keeps no significant child",
    async () => {
      await acts("any_significant", "never");
      await refusesNever("any_significant");
    },
  );
  claim("significant_upgrade_any_all", "waits for the last end instead of the first", () =>
    acts("any_significant", "all_significant"),
  );
  claim(
    "significant_upgrade_all_never",
    "stops heeding ends, and keeps no significant child",
    async () => {
      await acts("all_significant", "never");
      await refusesNever("all_significant");
    },
  );
  claim("significant_upgrade_all_any", "goes at the first end instead of the last", () =>
    acts("all_significant", "any_significant"),
  );

  claim(
    "significant_upgrade_child",
    "a child becomes significant or plain under the same flags, permanent ones may not",
    async () => {
      const flags: Flags = { autoShutdown: "any_significant" };
      const start = async (options: WorkerOptions): Promise<Stage> => {
        const stage = new Stage();
        await stage.start(stage.workers("ab", options), flags);
        return stage;
      };
      const risen = await start(PLAIN);
      expect(
        await change(risen, [risen.worker("a", PLAIN), risen.worker("b", SIGNIFICANT)], flags),
      ).toBe("ok");
      await risen.end("a", "normal");
      expect(isUp(risen)).toBe(true);
      await risen.end("b", "normal");
      expect(isUp(risen)).toBe(false);

      const fallen = await start(SIGNIFICANT);
      expect(await change(fallen, fallen.workers("ab", PLAIN), flags)).toBe("ok");
      await fallen.end("ab", "normal");
      expect(isUp(fallen)).toBe(true);

      const refused = await start(SIGNIFICANT);
      const permanent = refused.workers("ab", { restart: "permanent", significant: true });
      expect(await change(refused, permanent, flags)).toEqual(clash(["restart", "permanent"]));
      await refused.end("a", "normal");
      expect(isUp(refused)).toBe(false);
    },
  );
});

describe("a code change", () => {
  it("ends nobody by itself, even when all that counts has ended before", async () => {
    const stage = await pair("never");
    await stage.end("a", "normal");
    const flags = { autoShutdown: "all_significant" } as const;
    expect(await change(stage, stage.workers("ab", SIGNIFICANT), flags)).toBe("ok");
    expect(isUp(stage)).toBe(true);
    await stage.end("b", "normal");
    expect(isUp(stage)).toBe(false);
  });

  it("outlives a restart of the supervisor by its parent", async () => {
    const stage = new Stage();
    const inner = (flags: Flags, names: string): SupervisorSpec =>
      supervisor("inner", { ...flags, children: stage.workers(names) });
    await stage.start([inner({ intensity: 0 }, "a")]);
    const next = inner({ intensity: 0, strategy: "one_for_all" }, "ab");
    await stage.node.drive(stage.node.inspector.upgrade("inner", next));
    await stage.end("a");
    expect(await stage.rows("inner")).toEqual(["a up", "b up"]);
  });
});
