/** How supervisors start, and what a start that goes wrong leaves behind (otp.md 1.1, 1.2). */
import { describe, expect, it } from "vitest";
import {
  type ChildSpec,
  dynamicSupervisor,
  supervisor,
  type SupervisorOptions,
  type SupervisorSpec,
} from "../../../src/otp/index.ts";
import { outcome, Stage, suite } from "./kit.ts";

/** The same spec with parts that its types forbid. */
const bent = <T extends ChildSpec>(spec: T, parts: object): T => ({ ...spec, ...parts });
const ignored = { ok: false, ignored: true } as const;
const FAIL = { refuse: "no" } as const;

suite("start", (claim) => {
  claim("sup_start_normal", "is up when its start resolves, and gone after a stop", async () => {
    const stage = new Stage();
    const top = await stage.start([]);
    expect(top.isAlive).toBe(true);
    await stage.node.stop();
    expect(top.isAlive).toBe(false);
    expect(await stage.node.ended).toBe("shutdown");
    expect(stage.exits).toEqual(["top shutdown"]);
  });

  claim("sup_start_ignore_init", "may say ignore: no failure, and nothing runs", async () => {
    const stage = new Stage();
    const shy = (spec: SupervisorSpec): SupervisorSpec => ({
      ...spec,
      start: { ...spec.start, before: () => ignored },
    });
    expect(await stage.refusal(shy(supervisor("top", { children: stage.workers("a") })))).toBe(
      "ignore",
    );
    expect(stage.node.inspector.processes()).toEqual([]);
    await stage.start([shy(supervisor("inner", { children: stage.workers("a") }))]);
    expect(await stage.rows()).toEqual(["inner undefined"]);
    expect(stage.isUp("a")).toBe(false);
  });

  claim("sup_start_ignore_child", "keeps the spec of a child that ignores", async () => {
    const stage = new Stage();
    const top = await stage.node.start(
      supervisor("top", {
        children: [stage.worker("a", { attempts: ["ignore"] }), stage.worker("b")],
      }),
    );
    expect(stage.exits).toEqual(["a normal"]);
    expect(await stage.rows()).toEqual(["a undefined", "b up"]);
    expect(await top.countChildren()).toEqual({ specs: 2, active: 1, supervisors: 0, workers: 2 });
    expect(outcome(await top.restartChild("a"))).toBe("ok");
  });

  claim("sup_start_ignore_temporary_child", "forgets a temporary one that ignores", async () => {
    const stage = new Stage();
    const shy = stage.worker("a", { attempts: ["ignore"], restart: "temporary" });
    const top = await stage.start([shy, stage.worker("b")]);
    expect(await stage.rows()).toEqual(["b up"]);
    expect(await top.countChildren()).toEqual({ specs: 1, active: 1, supervisors: 0, workers: 1 });
  });

  claim(
    "sup_start_ignore_temporary_child_start_child",
    "keeps an ignoring child that startChild adds, unless it is temporary",
    async () => {
      const stage = new Stage();
      const top = await stage.start(stage.workers("a"));
      const add = (name: string, restart: "temporary" | "permanent"): Promise<unknown> =>
        top.startChild(stage.worker(name, { attempts: ["ignore"], restart })).then(outcome);
      expect(await add("t", "temporary")).toBe("ok undefined");
      expect(await stage.rows()).toEqual(["a up"]);
      expect(await add("p", "permanent")).toBe("ok undefined");
      expect(await stage.rows()).toEqual(["a up", "p undefined"]);
    },
  );

  const dynamicIgnore = async (restart: "temporary" | "permanent"): Promise<void> => {
    const stage = new Stage();
    const top = await stage.startPool("", { restart, attempts: ["ignore"] });
    expect(outcome(await top.startChild("a"))).toBe("ok undefined");
    expect(await top.whichChildren()).toEqual([]);
    expect(await top.countChildren()).toEqual({ specs: 1, active: 0, supervisors: 0, workers: 0 });
    await stage.node.stop();
    expect(stage.exits).toEqual(["a normal", "top shutdown"]);
  };
  claim(
    "sup_start_ignore_temporary_child_start_child_simple",
    "does not keep a temporary dynamic child that ignores",
    () => dynamicIgnore("temporary"),
  );
  claim(
    "sup_start_ignore_permanent_child_start_child_simple",
    "does not keep a permanent dynamic child that ignores, and stops cleanly",
    () => dynamicIgnore("permanent"),
  );

  claim("sup_start_error_return", "ends with the error that its starter gets", async () => {
    const stage = new Stage();
    const spec = supervisor("top", { children: [], strategy: "nonsense" as "one_for_one" });
    const error = ["supervisor_data", ["invalid_strategy", "nonsense"]];
    expect(await stage.refusal(spec)).toEqual(error);
    expect(stage.exits).toEqual([`top ${JSON.stringify(error)}`]);
  });

  claim("sup_start_fail", "fails with its child's error, and stops what was up", async () => {
    const stage = new Stage();
    const spec = supervisor("top", {
      children: [
        ...stage.workers("ab"),
        stage.worker("c", { attempts: [FAIL] }),
        stage.worker("d"),
      ],
    });
    expect(await stage.refusal(spec)).toEqual({ shutdown: ["failed_to_start_child", "c", "no"] });
    expect(stage.log).toEqual(["init a", "init b", "terminate b shutdown", "terminate a shutdown"]);
    expect(stage.reports).toEqual(["c start_error no"]);
    expect(stage.exits.at(-1)).toBe('top {"shutdown":["failed_to_start_child","c","no"]}');
    expect(stage.node.inspector.processes()).toEqual([]);
  });

  claim(
    "sup_start_restart_child_returns_error",
    "gives restartChild the bare error, and the child stays undefined",
    async () => {
      const stage = new Stage();
      const top = await stage.start([stage.worker("a", { again: FAIL })]);
      await stage.node.drive(top.terminateChild("a"));
      expect(await top.restartChild("a")).toEqual({ ok: false, reason: "no" });
      expect(await stage.rows()).toEqual(["a undefined"]);
      expect(stage.reports).toEqual([]);
    },
  );

  claim(
    "sup_start_child_returns_error",
    "gives startChild the error with the child, and adds nothing",
    async () => {
      const stage = new Stage();
      const top = await stage.start(stage.workers("a"));
      const broken = stage.worker("b", { attempts: [FAIL] });
      const result = await top.startChild(broken);
      expect(outcome(result)).toBe("no");
      expect("child" in result && result.child === broken).toBe(true);
      expect(await stage.rows()).toEqual(["a up"]);
      expect(stage.reports).toEqual([]);
    },
  );

  claim(
    "sup_start_child_returns_error_simple",
    "gives a dynamic startChild the bare error, and adds nothing",
    async () => {
      const stage = new Stage();
      const top = await stage.startPool("", { attempts: [FAIL] });
      const result = await top.startChild("a");
      expect(outcome(result)).toBe("no");
      expect("child" in result).toBe(false);
      expect(await top.whichChildren()).toEqual([]);
      expect(stage.reports).toEqual([]);
    },
  );

  const defaults = { restart: "permanent", shutdown: 5000, type: "worker", significant: false };
  claim("sup_start_map", "fills in what a spec leaves out", async () => {
    const stage = new Stage();
    const top = await stage.start([
      stage.worker("a"),
      supervisor("inner", { children: [] }),
      stage.worker("b", { restart: "transient", shutdown: "kill" }),
    ]);
    const spec = async (id: string): Promise<unknown> => top.getChildSpec(id);
    expect(await spec("a")).toMatchObject({ ok: true, spec: { id: "a", ...defaults } });
    expect(await spec("inner")).toMatchObject({
      spec: { ...defaults, shutdown: "infinity", type: "supervisor" },
    });
    expect(await spec("b")).toMatchObject({
      spec: { ...defaults, restart: "transient", shutdown: "kill" },
    });
    expect(await spec("z")).toEqual({ ok: false, reason: "not_found" });
  });

  claim("sup_start_map_simple", "fills in what a dynamic child's spec leaves out", async () => {
    const stage = new Stage();
    const top = await stage.startPool("a");
    const filledIn = { ok: true, spec: { id: "a", ...defaults } };
    expect(await top.getChildSpec("a")).toMatchObject(filledIn);
    expect(await top.getChildSpec(stage.ref("a"))).toMatchObject(filledIn);
    expect(await top.getChildSpec("z")).toEqual({ ok: false, reason: "not_found" });
  });

  claim("sup_start_map_faulty_specs", "refuses each faulty spec by value", async () => {
    const combination = (flag: unknown) => ["bad_combination", [flag, ["significant", true]]];
    const refused = async (
      parts: object,
      more: readonly ChildSpec[] = [],
      flags: Omit<SupervisorOptions, "children"> = {},
    ): Promise<unknown> => {
      const stage = new Stage();
      const children = [stage.worker("a"), bent(stage.worker("b"), parts), ...more];
      const reason = await stage.refusal(supervisor("top", { ...flags, children }));
      expect(stage.log).toEqual([]);
      return reason;
    };
    const spec = (error: unknown): unknown => ["start_spec", error];
    expect(await refused({ id: undefined })).toEqual(spec("missing_id"));
    expect(await refused({ start: undefined })).toEqual(spec("missing_start"));
    expect(await refused({ restart: "often" })).toEqual(spec(["invalid_restart_type", "often"]));
    expect(await refused({ shutdown: -1 })).toEqual(spec(["invalid_shutdown", -1]));
    expect(await refused({ shutdown: "soon" })).toEqual(spec(["invalid_shutdown", "soon"]));
    expect(await refused({ type: "boss" })).toEqual(spec(["invalid_child_type", "boss"]));
    expect(await refused({ shutdown: 0.5 })).toEqual(spec(["invalid_shutdown", 0.5]));
    expect(await refused({ significant: 1 })).toEqual(spec(["invalid_significant", 1]));
    expect(await refused({ significant: true })).toEqual(
      spec(combination(["auto_shutdown", "never"])),
    );
    const any = { autoShutdown: "any_significant" } as const;
    expect(await refused({ significant: true }, [], any)).toEqual(
      spec(combination(["restart", "permanent"])),
    );
    // Of several faults the first in OTP's order is told.
    const faults = { shutdown: "soon", type: "boss", significant: 1 };
    expect(await refused(faults)).toEqual(spec(["invalid_significant", 1]));
    expect(await refused({ shutdown: "soon", type: "boss" })).toEqual(
      spec(["invalid_child_type", "boss"]),
    );
    expect(await refused({ id: "a" })).toEqual(spec(["duplicate_child_name", "a"]));
    expect(await refused({}, [null as never])).toEqual(spec(["invalid_child_spec", null]));

    const stage = new Stage();
    await stage.start([bent(stage.worker("a"), { colour: "red" })]);
    expect(await stage.rows()).toEqual(["a up"]);
  });
});

describe("a dynamic supervisor's template", () => {
  it("that throws or returns no spec is an error by value, and adds nothing", async () => {
    const stage = new Stage();
    const spec = dynamicSupervisor<string>("top", {
      template: (name) => {
        if (name === "throws") throw new Error("no template");
        return name as never;
      },
    });
    const top = await stage.node.start(spec);
    expect(await top.startChild("throws")).toMatchObject({
      ok: false,
      reason: { error: { message: "no template" } },
    });
    expect(await top.startChild("text")).toEqual({
      ok: false,
      reason: ["invalid_child_spec", "text"],
    });
    expect(await top.whichChildren()).toEqual([]);
  });
});
