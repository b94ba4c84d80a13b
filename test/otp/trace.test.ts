/** Bounded traces for operators (otp.md 6.3): every trace has an end, and hurts nobody. */
import { describe, expect, it } from "vitest";
import {
  child,
  dynamicSupervisor,
  ExitError,
  OtpError,
  supervisor,
  TRACE_LIMITS,
  type TraceRequest,
  type TraceRow,
  type VirtualNode,
} from "../../src/otp/index.ts";
import { must, probe, type ProbeArgs, probeKey, probeRef, startTop } from "./support.ts";

const NAME = probeKey("a").name;

const start = (): Promise<VirtualNode> =>
  startTop([
    child(probe, { name: "a" }, { register: probeKey("a") }),
    supervisor("inner", {
      children: [
        child(probe, { name: "b" }, { register: probeKey("b") }),
        dynamicSupervisor("many", {
          template: (args: ProbeArgs) => child(probe, args, { id: args.name }),
        }),
      ],
    }),
  ]);

const line = ({ process, direction, type }: TraceRow): string => `${process} ${direction} ${type}`;

describe("a request without an end", () => {
  const refusals: [string, Omit<TraceRequest, "target">, string][] = [
    ["neither count nor time", {}, "give maxCount (messages), forMs (milliseconds) or both"],
    ["only a rate", { maxRatePerSec: 5 }, "give maxCount"],
    ["no end in sight", { maxCount: Number.POSITIVE_INFINITY }, `at most ${TRACE_LIMITS.maxCount}`],
    ["too long", { forMs: TRACE_LIMITS.forMs + 1 }, `at most ${TRACE_LIMITS.forMs}`],
    ["too fast", { maxCount: 1, maxRatePerSec: 1e9 }, `at most ${TRACE_LIMITS.maxRatePerSec}`],
    ["nonsense", { maxCount: Number.NaN }, "maxCount is NaN"],
  ];
  it.each(refusals)("is refused: %s", async (_name, bounds, says) => {
    const node = await start();
    const ask = (): unknown => node.inspector.trace({ target: NAME, ...bounds }, () => {});
    expect(ask).toThrow(OtpError);
    expect(ask).toThrow(says);
    expect(ask).toThrow(expect.objectContaining({ code: "OTP_UNBOUNDED_TRACE" }));
  });

  it("is noproc for a target that does not run, before anything is traced", async () => {
    const node = await start();
    const ask = (): unknown => node.inspector.trace({ target: "nobody", maxCount: 1 }, () => {});
    expect(ask).toThrow(ExitError);
    expect(ask).toThrow("noproc");
  });

  it("is refused when too many traces run already", async () => {
    const node = await start();
    const ask = () => node.inspector.trace({ target: NAME, maxCount: 1 }, () => {});
    const traces = Array.from({ length: TRACE_LIMITS.traces }, ask);
    expect(ask).toThrow(expect.objectContaining({ code: "OTP_TOO_MANY_TRACES" }));
    must(traces[0]).stop();
    expect(ask().isRunning).toBe(true);
  });
});

describe("a trace", () => {
  it("tells messages in and out, with kind, peer and size, and never an argument", async () => {
    const node = await start();
    const rows: TraceRow[] = [];
    node.inspector.trace({ target: NAME, maxCount: 10 }, (row) => rows.push(row));
    await node.advance(7);
    probeRef(node, "a").cast.note("hello");
    await probeRef(node, "a").call.get();
    const pid = node.inspector.resolve(NAME);
    const common = { atMs: 7, pid, process: NAME, peer: "outside" };
    expect(rows).toEqual([
      { ...common, direction: "in", kind: "cast", type: "note", bytes: 5 },
      { ...common, direction: "in", kind: "call", type: "get" },
      { ...common, direction: "out", kind: "reply", type: "get" },
    ]);
  });

  it("ends by count", async () => {
    const node = await start();
    const rows: TraceRow[] = [];
    const trace = node.inspector.trace({ target: NAME, maxCount: 3 }, (row) => rows.push(row));
    for (let n = 0; n < 5; n += 1) probeRef(node, "a").cast.set(n);
    await node.settle();
    expect(rows).toHaveLength(3);
    expect(trace).toMatchObject({ traced: 3, skipped: 0, isRunning: false });
    expect(await trace.ended).toBe("count");
  });

  it("ends by time", async () => {
    const node = await start();
    const trace = node.inspector.trace({ target: NAME, forMs: 1000 }, () => {});
    await node.advance(999);
    probeRef(node, "a").cast.set(1);
    await node.advance(1);
    probeRef(node, "a").cast.set(2);
    await node.settle();
    expect(trace.traced).toBe(1);
    expect(await trace.ended).toBe("time");
  });

  it("ends when it is told to, and when the one process that it follows is dead", async () => {
    const node = await start();
    const stopped = node.inspector.trace({ target: NAME, forMs: 1000 }, () => {});
    stopped.stop();
    stopped.stop();
    expect(await stopped.ended).toBe("stopped");
    const ref = probeRef(node, "a");
    const gone = node.inspector.trace({ target: ref.id, forMs: 1000 }, () => {});
    ref.cast.crash("bye");
    await node.settle();
    expect(await gone.ended).toBe("gone");
  });

  it("leaves out and counts what is above the rate, second by second", async () => {
    const node = await start();
    const request = { target: NAME, maxCount: 100, maxRatePerSec: 2 };
    const trace = node.inspector.trace(request, () => {});
    for (let n = 0; n < 5; n += 1) probeRef(node, "a").cast.set(n);
    await node.advance(1000);
    probeRef(node, "a").cast.set(6);
    await node.settle();
    expect(trace).toMatchObject({ traced: 3, skipped: 3, isRunning: true });
  });

  it("trips at the rate when it is asked to", async () => {
    const node = await start();
    const request: TraceRequest = { target: NAME, maxCount: 9, maxRatePerSec: 2, onRate: "stop" };
    const trace = node.inspector.trace(request, () => {});
    for (let n = 0; n < 5; n += 1) probeRef(node, "a").cast.set(n);
    await node.settle();
    expect(trace).toMatchObject({ traced: 2, isRunning: false });
    expect(await trace.ended).toBe("rate");
  });

  it("takes only what its pattern matches", async () => {
    const node = await start();
    const seen = async (pattern: TraceRequest["pattern"]): Promise<string[]> => {
      const lines: string[] = [];
      const request = { target: NAME, maxCount: 50, ...(pattern && { pattern }) };
      const trace = node.inspector.trace(request, (row) =>
        lines.push(`${row.direction} ${row.type}`),
      );
      probeRef(node, "a").cast.set(1);
      probeRef(node, "a").cast.note("x");
      await probeRef(node, "a").call.get();
      trace.stop();
      return lines;
    };
    expect(await seen({ type: "*et" })).toEqual(["in set", "in get", "out get"]);
    expect(await seen({ type: "n*t*e" })).toEqual(["in note"]);
    expect(await seen({ type: "no*ote" })).toEqual([]);
    expect(await seen({ type: "not" })).toEqual([]);
    expect(await seen({ direction: "out" })).toEqual(["out get"]);
    expect(await seen({ kinds: ["reply", "call"] })).toEqual(["in get", "out get"]);
  });

  it("follows a name over restarts", async () => {
    const node = await start();
    const lines: string[] = [];
    node.inspector.trace({ target: NAME, maxCount: 50 }, (row) =>
      lines.push(`${row.pid} ${row.type}`),
    );
    const first = probeRef(node, "a").id;
    probeRef(node, "a").cast.crash("x");
    await node.settle();
    probeRef(node, "a").cast.set(1);
    await node.settle();
    expect(lines).toEqual([`${first} crash`, `${probeRef(node, "a").id} set`]);
  });

  it("covers a subtree, with what starts in it later, and nothing beside it", async () => {
    const node = await start();
    const lines: string[] = [];
    const target = { subtree: "inner" };
    node.inspector.trace({ target, maxCount: 50, pattern: { type: "note" } }, (row) =>
      lines.push(line(row)),
    );
    const many = must(node.supervisor<ProbeArgs>("many"));
    const late = await many.startChild({ name: "late" });
    if (!late.ok) throw new Error("not started");
    (late.ref as ReturnType<typeof probeRef>).cast.note("x");
    probeRef(node, "a").cast.note("x");
    probeRef(node, "b").cast.note("x");
    await node.settle();
    expect(lines).toEqual(["late in note", `${probeKey("b").name} in note`]);
    lines.length = 0;
    node.inspector.exit("inner", "kill");
    await node.settle();
    probeRef(node, "b").cast.note("y");
    await node.settle();
    expect(lines).toEqual([`${probeKey("b").name} in note`]);
  });

  it("sees what a process sends in its init", async () => {
    const node = await start();
    const lines: string[] = [];
    node.inspector.trace({ target: { subtree: "inner" }, maxCount: 9 }, (row) =>
      lines.push(`${row.direction} ${row.type} ${row.peer}`),
    );
    const many = must(node.supervisor<ProbeArgs>("many"));
    const a = probeRef(node, "a");
    const started = await many.startChild({ name: "n", onInit: () => a.cast.set(9) });
    expect(lines).toEqual(["in start outside", `out set ${a.id}`, "out start outside"]);
    expect(started.ok).toBe(true);
  });

  it("ends when its sink throws, and the process goes on", async () => {
    const node = await start();
    const trace = node.inspector.trace({ target: NAME, maxCount: 9 }, () => {
      throw new Error("sink");
    });
    expect(await probeRef(node, "a").call.get()).toBe(0);
    expect(await trace.ended).toBe("sink");
  });

  it("owes nothing to the process for what its sink does", async () => {
    const node = await start();
    const answers: unknown[] = [];
    node.inspector.trace({ target: NAME, maxCount: 1 }, () => {
      // By the process itself this would be a call to oneself.
      void probeRef(node, "a")
        .try.get()
        .then((answer) => answers.push(answer));
    });
    probeRef(node, "a").cast.set(3);
    await node.settle();
    expect(answers).toEqual([{ ok: true, value: 3 }]);
  });

  it("does not trace what its sink sends", async () => {
    const node = await start();
    const trace = node.inspector.trace({ target: NAME, maxCount: 9 }, () => {
      probeRef(node, "b").cast.set(1);
    });
    probeRef(node, "a").cast.set(1);
    await node.settle();
    expect(trace.traced).toBe(1);
  });
});
