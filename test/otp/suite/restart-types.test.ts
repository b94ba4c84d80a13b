/** Who is restarted after which end: permanent, transient, temporary (otp.md 1.3). */
import { expect } from "vitest";
import type { Reason } from "../../../src/otp/index.ts";
import { type CaseOf } from "./cases.ts";
import { Stage, suite } from "./kit.ts";

type Restart = "permanent" | "transient" | "temporary";
type Fate = "is restarted" | "stays undefined" | "is forgotten";

/** The whole table: type, kind of end, what becomes of the child, and whether it is reported. */
const TABLE: readonly [Restart, "normal" | "shutdown" | "abnormal", Fate, boolean][] = [
  ["permanent", "normal", "is restarted", true],
  ["permanent", "shutdown", "is restarted", true],
  ["permanent", "abnormal", "is restarted", true],
  ["transient", "normal", "stays undefined", false],
  ["transient", "shutdown", "stays undefined", false],
  ["transient", "abnormal", "is restarted", true],
  ["temporary", "normal", "is forgotten", false],
  ["temporary", "shutdown", "is forgotten", false],
  ["temporary", "abnormal", "is forgotten", true],
];
const REASONS: Readonly<Record<string, readonly Reason[]>> = {
  normal: ["normal"],
  shutdown: ["shutdown", { shutdown: "told" }],
  abnormal: ["boom", "killed", "noproc", ["tagged", 1], { error: new Error("thrown") }],
};

suite("restart-types", (claim) => {
  for (const [restart, kind, fate, isReported] of TABLE) {
    const name: CaseOf<"restart-types"> = `${restart}_${kind}`;
    claim(name, `a ${restart} child that ends ${kind} ${fate}`, async () => {
      for (const reason of REASONS[kind] ?? []) {
        const stage = new Stage();
        // A temporary or cleanly ended child may end beyond any budget.
        const intensity = fate === "is restarted" ? 1 : 0;
        await stage.start([stage.worker("a", { restart }), stage.worker("b")], { intensity });
        const before = stage.pid("a");
        await stage.end("a", reason);
        const rows = {
          "is restarted": ["a up", "b up"],
          "stays undefined": ["a undefined", "b up"],
          "is forgotten": ["b up"],
        };
        expect(await stage.rows()).toEqual(rows[fate]);
        expect(stage.pid("a") === before).toBe(false);
        expect(stage.reports).toHaveLength(isReported ? 1 : 0);
        if (isReported) expect(stage.reports[0]).toMatch(/^a child_terminated /);
      }
    });
  }

  claim(
    "temporary_bystander",
    "a temporary child that goes down with its group is gone, and the supervisor goes on",
    async () => {
      for (const strategy of ["one_for_all", "rest_for_one"] as const) {
        const stage = new Stage();
        const top = await stage.start(
          [stage.worker("a"), stage.worker("t", { restart: "temporary" }), stage.worker("b")],
          { strategy },
        );
        await stage.end("a");
        expect(await stage.rows()).toEqual(["a up", "b up"]);
        expect(top.isAlive).toBe(true);
        expect(stage.log.slice(1)).toEqual([
          "terminate b shutdown",
          "terminate t shutdown",
          "init a",
          "init b",
        ]);
        // Its own death touches nobody.
        await stage.node.drive(top.startChild(stage.worker("u", { restart: "temporary" })));
        stage.forget();
        await stage.end("u");
        expect(stage.log).toEqual(["terminate u boom"]);
        expect(await stage.rows()).toEqual(["a up", "b up"]);
      }
    },
  );
});
