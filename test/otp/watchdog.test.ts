/** The watchdog (otp.md 4.5), on real hosts whose main loop is really blocked. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const program = fileURLToPath(new URL("watchdog-host.ts", import.meta.url));

interface Run {
  /** Lines on stdout: what the host told, the event among it. */
  readonly told: readonly Record<string, unknown>[];
  /** Lines on stderr: what the watchdog's thread wrote. */
  readonly alarms: readonly Record<string, unknown>[];
  readonly code: number | null;
  readonly signal: string | null;
}

async function run(
  way: string,
  { forMs = 1_600, exitAfterMs = 0, flags = [] as readonly string[] } = {},
  meanwhile: (host: ChildProcess, line: string) => void = () => {},
): Promise<Run> {
  const args = [...flags, program, way, String(forMs), String(exitAfterMs)];
  const host = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  host.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    meanwhile(host, chunk.toString());
  });
  host.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    host.on("close", (...ended) => resolve(ended));
  });
  const lines = (text: string): Record<string, unknown>[] =>
    text.split("\n").flatMap((line) => {
      return line.startsWith("{") ? [JSON.parse(line) as Record<string, unknown>] : [];
    });
  return { told: lines(out), alarms: lines(err), code, signal };
}

const one = ({ told }: Run, field: string): Record<string, unknown> => {
  const found = told.filter((record) => field in record);
  expect(found, `lines with ${field}`).toHaveLength(1);
  return found[0] as Record<string, unknown>;
};

const busy = { process: "test/n/busy/blocker", pid: "#3" };
const nobody = { process: "(none)" };

describe("a blocked main loop", () => {
  it.each([
    ["handler", busy, "blockAtOnce"],
    ["deep recursion", busy, "blockAtOnce"],
    ["after an await", busy, "block"],
    ["timer of a process", busy, "blockAtOnce"],
    ["timer of nobody", nobody, undefined],
  ])("is told while it lasts and once it is over: %s", async (way, owner, handler) => {
    const seen = await run(way);
    const [beginMs, endMs] = [one(seen, "beginMs")["beginMs"], one(seen, "endMs")["endMs"]];
    expect(seen.alarms).toMatchObject([
      {
        level: "error",
        region: "test",
        event: "otp.turn.long",
        function: "spinTheWheel",
        ...owner,
      },
    ]);
    const atMs = Date.parse(String(seen.alarms[0]?.["time"]));
    expect(atMs).toBeGreaterThanOrEqual(Number(beginMs));
    expect(atMs).toBeLessThan(Number(endMs));
    expect(String(seen.alarms[0]?.["stack"])).toMatch(
      /^spinTheWheel \(.*watchdog-host\.ts:\d+:\d+\)/m,
    );
    const event = one(seen, "event");
    expect(event).toMatchObject({ event: owner.process, alarm: true, function: "spinTheWheel" });
    expect(event["handler"]).toBe(handler);
    expect(event["durationMs"]).toBeGreaterThan(1_000);
    expect(one(seen, "isStopped")).toBeTruthy();
  });
});

describe.concurrent("the watchdog", () => {
  it("charges even a native call, whose stack nobody can read, to its process", async () => {
    const seen = await run("native call", { forMs: 3_000 });
    expect(seen.alarms).toMatchObject([{ pid: "#3", function: "(unknown)" }]);
    expect(one(seen, "event")).toMatchObject({ event: busy.process, function: "(unknown)" });
  });

  it("ends a host whose loop does not come back, and its last line says why", async () => {
    const seen = await run("handler", { forMs: 60_000, exitAfterMs: 2_000 });
    expect([seen.code, seen.signal]).toEqual([null, "SIGKILL"]);
    expect(seen.alarms).toMatchObject([
      { level: "error", ...busy },
      { level: "fatal", function: "spinTheWheel", ...busy },
    ]);
    expect(seen.alarms[1]?.["msg"]).toContain("ending the host process by SIGKILL");
  });

  it("is silent, and ends nobody, while an inspector port is open", async () => {
    const seen = await run("handler", { exitAfterMs: 300, flags: ["--inspect=127.0.0.1:0"] });
    expect([seen.code, seen.alarms]).toEqual([0, []]);
  });

  it("takes a stopped and continued host for no block", async () => {
    let isStopped = false;
    const seen = await run("nothing", { forMs: 900, exitAfterMs: 300 }, (host, text) => {
      if (isStopped || !text.includes("isReady")) return;
      isStopped = true;
      host.kill("SIGSTOP");
      setTimeout(() => host.kill("SIGCONT"), 700);
    });
    expect([isStopped, seen.code, seen.alarms]).toEqual([true, 0, []]);
    expect(seen.told.filter((record) => "event" in record)).toEqual([]);
  });
});
