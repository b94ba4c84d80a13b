/** How supervisors stop their children (otp.md 1.8). */
import { describe, expect, it } from "vitest";
import type { Reason } from "../../../src/otp/index.ts";
import { Stage, suite, type WorkerOptions } from "./kit.ts";

/** Virtual ms that a stop of the whole tree takes. */
async function stopMs(stage: Stage): Promise<number> {
  const startMs = stage.node.nowMs();
  await stage.node.stop();
  expect(stage.node.inspector.processes()).toEqual([]);
  return stage.node.nowMs() - startMs;
}

suite("stop", (claim) => {
  claim("sup_stop_infinity", "waits for a child with shutdown infinity, however slow", async () => {
    const stage = new Stage();
    await stage.start([
      stage.worker("a"),
      stage.worker("slow", { shutdown: "infinity", terminateMs: 3_600_000 }),
    ]);
    expect(await stopMs(stage)).toBe(3_600_000);
    expect(stage.exits).toEqual(["slow shutdown", "a shutdown", "top shutdown"]);
    expect(stage.reports).toEqual([]);
  });

  claim("sup_stop_timeout", "kills a child at its deadline and goes on", async () => {
    const stage = new Stage();
    await stage.start([
      stage.worker("a", { shutdown: 1000, terminateMs: 999 }),
      stage.worker("slow", { shutdown: 1000, terminateMs: 1001 }),
    ]);
    expect(await stopMs(stage)).toBe(1999);
    expect(stage.exits).toEqual(["slow killed", "a shutdown", "top shutdown"]);
    expect(stage.reports).toEqual(["slow shutdown_error killed"]);
  });

  /** A pool whose worker "slow" alone takes too long. */
  const mixedPool = async (options: WorkerOptions): Promise<Stage> => {
    const stage = new Stage();
    const top = await stage.startPool("ab", options);
    await stage.node.drive(top.startChild("slow"));
    await stage.node.inspector.replaceState(stage.ref("slow"), (role) => ({
      ...(role as object),
      terminateMs: 1e6,
    }));
    stage.forget();
    return stage;
  };
  claim("sup_stop_timeout_dynamic", "kills only the slow one of many at the deadline", async () => {
    const stage = await mixedPool({ shutdown: 1000, terminateMs: 300 });
    expect(await stopMs(stage)).toBe(1000);
    expect(stage.exits).toEqual(["a shutdown", "b shutdown", "slow killed", "top shutdown"]);
    expect(stage.reports).toEqual(["slow shutdown_error killed x1"]);
  });

  claim("sup_stop_brutal_kill", "kills at once and silently where the spec says so", async () => {
    const stage = new Stage();
    await stage.start([
      stage.worker("a"),
      stage.worker("brutal", { shutdown: "kill", terminateMs: 1e6 }),
    ]);
    expect(await stopMs(stage)).toBe(0);
    expect(stage.log).toEqual(["terminate a shutdown"]);
    expect(stage.exits).toEqual(["brutal killed", "a shutdown", "top shutdown"]);
    expect(stage.reports).toEqual([]);
  });

  claim("sup_stop_brutal_kill_dynamic", "kills all dynamic children at once", async () => {
    const stage = await mixedPool({ shutdown: "kill" });
    expect(await stopMs(stage)).toBe(0);
    expect(stage.log).toEqual([]);
    expect(stage.exits).toEqual(["a killed", "b killed", "slow killed", "top shutdown"]);
    expect(stage.reports).toEqual([]);
  });

  claim("sup_stop_race", "takes children that end by themselves meanwhile", async () => {
    for (const dynamic of [false, true]) {
      const stage = new Stage();
      if (dynamic) await stage.startPool("abc");
      else await stage.start(stage.workers("abc"));
      // The stop is under way when these end: their EXIT lies unread in the mailbox.
      await stage.node.inspector.suspend("top");
      await stage.end("ac", "shutdown");
      await stopMs(stage);
      expect(stage.exits).toEqual(["a shutdown", "c shutdown", "b shutdown", "top shutdown"]);
      expect(stage.reports).toEqual([]);
    }
  });

  const REASONS: readonly Reason[] = ["normal", "shutdown", { shutdown: "told" }, "other"];
  claim(
    "sup_stop_non_shutdown_exit_dynamic",
    "ends with shutdown however children end, and reports what is not fine for their type",
    async () => {
      const reported: string[] = [];
      for (const restart of ["permanent", "transient", "temporary"] as const) {
        for (const lastReason of REASONS) {
          const stage = new Stage();
          await stage.startPool("ab", { restart, lastReason });
          await stopMs(stage);
          expect(stage.exits.at(-1)).toBe("top shutdown");
          reported.push(...stage.reports.map((report) => `${restart} ${report}`));
        }
      }
      expect(reported).toEqual([
        "permanent a shutdown_error normal x2",
        'permanent a shutdown_error {"shutdown":"told"} x2',
        "permanent a shutdown_error other x2",
        "transient a shutdown_error other x2",
        "temporary a shutdown_error other x2",
      ]);
    },
  );
});

describe("stopping a child", () => {
  it("that traps nothing ends it at once, without its terminate", async () => {
    const stage = new Stage();
    await stage.start([stage.worker("a", { trapExit: false, terminateMs: 1e6 })]);
    expect(await stopMs(stage)).toBe(0);
    expect(stage.log).toEqual([]);
    expect(stage.exits).toEqual(["a shutdown", "top shutdown"]);
  });

  it("one by one takes the sum of their times, dynamic ones the longest", async () => {
    const slow = { terminateMs: 400 };
    const one = new Stage();
    await one.start(one.workers("abc", slow));
    expect(await stopMs(one)).toBe(1200);
    const many = new Stage();
    await many.startPool("abc", slow);
    expect(await stopMs(many)).toBe(400);
  });

  it("that crashed in its terminate reports the true reason and stops the others", async () => {
    const stage = new Stage();
    await stage.start([stage.worker("a"), stage.worker("b", { lastReason: "late" })]);
    await stopMs(stage);
    expect(stage.reports).toEqual(["b shutdown_error late"]);
    expect(stage.exits).toEqual(["b late", "a shutdown", "top shutdown"]);
  });

  it("of several kinds of failure reports each once, with how many", async () => {
    const stage = new Stage();
    const top = await stage.startPool("abc", { lastReason: "x" });
    await stage.node.drive(top.startChild("d"));
    await stage.node.inspector.replaceState(stage.ref("d"), (role) => ({
      ...(role as object),
      lastReason: "y",
    }));
    await stopMs(stage);
    expect(stage.reports).toEqual(["a shutdown_error x x3", "d shutdown_error y x1"]);
  });

  it("happens for the parent's order, not for a stranger's", async () => {
    const stage = new Stage();
    await stage.start(stage.workers("a"));
    stage.node.inspector.exit("top", "shutdown");
    await stage.node.settle();
    expect(stage.isUp("a")).toBe(true);
    await stage.node.stop(Number.POSITIVE_INFINITY, "moving out");
    expect(await stage.node.ended).toBe("moving out");
    expect(stage.exits).toEqual(["a shutdown", "top moving out"]);
  });
});
