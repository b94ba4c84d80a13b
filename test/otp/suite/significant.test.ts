/** Supervisors that end because significant children did (otp.md 1.9, 1.15). */
import { describe, expect, it } from "vitest";
import {
  type ChildSpec,
  type Reason,
  supervisor,
  type SupervisorOptions,
} from "../../../src/otp/index.ts";
import { Stage, suite, type WorkerOptions } from "./kit.ts";

type AutoShutdown = NonNullable<SupervisorOptions["autoShutdown"]>;
const MODES = ["any_significant", "all_significant"] as const;
const STRATEGIES = ["one_for_one", "one_for_all", "rest_for_one"] as const;
const CLEAN: readonly Reason[] = ["normal", "shutdown", { shutdown: "told" }];

/** "top" with "s" and "u" of these options and a plain "p". */
async function trio(autoShutdown: AutoShutdown, options: WorkerOptions): Promise<Stage> {
  const stage = new Stage();
  const children = [...stage.workers("su", options), stage.worker("p")];
  await stage.start(children, { autoShutdown, intensity: 100 });
  return stage;
}

const isUp = (stage: Stage): boolean => stage.node.supervisor("top") !== undefined;

/** How "top" ended: shutdown, all its children before it. */
async function expectShutdown(stage: Stage): Promise<void> {
  expect(await stage.node.ended).toBe("shutdown");
  expect(stage.node.inspector.processes()).toEqual([]);
}

/** Ends of "s", then of "u", by themselves and for good: which of them takes "top" along. */
async function endBoth(options: WorkerOptions, reason: Reason): Promise<void> {
  const any = await trio("any_significant", options);
  await any.end("s", reason);
  await expectShutdown(any);
  const all = await trio("all_significant", options);
  await all.end("s", reason);
  expect(isUp(all)).toBe(true);
  await all.end("u", reason);
  await expectShutdown(all);
}

suite("significant", (claim) => {
  for (const restart of ["temporary", "transient"] as const) {
    claim(`nonsignificant_${restart}`, `a plain ${restart} child's end ends nobody`, async () => {
      for (const mode of MODES) {
        for (const reason of [...CLEAN, "boom"]) {
          const stage = await trio(mode, { restart });
          await stage.end("su", reason);
          expect(isUp(stage)).toBe(true);
        }
      }
    });
  }

  claim("significant_temporary", "any end of a significant temporary child counts", async () => {
    for (const reason of [...CLEAN, "boom", "killed"]) {
      await endBoth({ restart: "temporary", significant: true }, reason);
    }
  });

  claim("significant_transient", "a clean end counts, a restart does not", async () => {
    const options = { restart: "transient", significant: true } as const;
    for (const reason of CLEAN) await endBoth(options, reason);
    for (const mode of MODES) {
      const stage = await trio(mode, options);
      await stage.end("su", "boom");
      expect(await stage.rows()).toEqual(["s up", "u up", "p up"]);
    }
  });

  claim("significant_simple", "dynamic: at the first end, or when no child is left", async () => {
    for (const [restart, reason] of [
      ["temporary", "boom"],
      ["transient", "normal"],
    ] as const) {
      const pool = async (autoShutdown: AutoShutdown): Promise<Stage> => {
        const stage = new Stage();
        await stage.startPool("abc", { restart, significant: true }, { autoShutdown });
        return stage;
      };
      const any = await pool("any_significant");
      await any.end("b", reason);
      await expectShutdown(any);
      const all = await pool("all_significant");
      await all.end("ab", reason);
      expect(isUp(all)).toBe(true);
      await all.end("c", reason);
      await expectShutdown(all);
    }
  });

  claim("significant_bystander", "one that goes down with a sibling does not count", async () => {
    for (const mode of MODES) {
      for (const strategy of STRATEGIES) {
        for (const restart of ["temporary", "transient"] as const) {
          const stage = new Stage();
          const bystander = stage.worker("s", { restart, significant: true });
          await stage.start([stage.worker("a"), bystander], { autoShutdown: mode, strategy });
          await stage.end("a");
          const isGone = strategy !== "one_for_one" && restart === "temporary";
          expect(await stage.rows()).toEqual(isGone ? ["a up"] : ["a up", "s up"]);
        }
      }
    }
  });

  claim(
    "significant_escalation",
    "the end of a significant supervisor counts above it",
    async () => {
      for (const mode of MODES) {
        const stage = new Stage();
        const leaf = stage.worker("s", { restart: "transient", significant: true });
        const inner = supervisor("inner", {
          autoShutdown: mode,
          restart: "transient",
          significant: true,
          children: [leaf, stage.worker("p")],
        });
        await stage.start([inner, stage.worker("q")], { autoShutdown: mode });
        await stage.end("s", "normal");
        await expectShutdown(stage);
        expect(stage.exits).toEqual([
          "s normal",
          "p shutdown",
          "inner shutdown",
          "q shutdown",
          "top shutdown",
        ]);
      }
    },
  );
});

describe("auto_shutdown", () => {
  const options = { restart: "transient", significant: true } as const;

  it("is not set off by terminateChild", async () => {
    for (const mode of MODES) {
      const stage = await trio(mode, options);
      const top = stage.node.supervisor("top");
      for (const id of ["s", "u"])
        await stage.node.drive(top?.terminateChild(id) as Promise<object>);
      expect(await stage.rows()).toEqual(["s undefined", "u undefined", "p up"]);
    }
  });

  it("all_significant counts a child that restarts as alive", async () => {
    const stage = new Stage();
    const { inspector } = stage.node;
    const failing = stage.worker("s", { ...options, again: { refuse: "no" } });
    const top = await stage.start([failing, stage.worker("u", options)], {
      autoShutdown: "all_significant",
      intensity: 1e6,
    });
    await inspector.suspend("top");
    await stage.end("s", "boom");
    await stage.end("u", "normal");
    const calls = Promise.all([stage.rows(), top.terminateChild("s")]);
    await inspector.resume("top");
    const [rows] = await stage.node.drive(calls);
    expect(rows).toEqual(["s restarting", "u undefined"]);
    expect(await stage.rows()).toEqual(["s undefined", "u undefined"]);
  });

  it("refuses significant children where they could not count", async () => {
    const stage = new Stage();
    const spec = (autoShutdown: AutoShutdown, child: ChildSpec) =>
      supervisor("top", { autoShutdown, children: [child] });
    const clash = (flag: string, value: string) => [
      "start_spec",
      [
        "bad_combination",
        [
          [flag, value],
          ["significant", true],
        ],
      ],
    ];
    expect(await stage.refusal(spec("never", stage.worker("s", options)))).toEqual(
      clash("auto_shutdown", "never"),
    );
    const permanent = stage.worker("s", { significant: true });
    for (const mode of MODES) {
      expect(await stage.refusal(spec(mode, permanent))).toEqual(clash("restart", "permanent"));
    }
  });
});
