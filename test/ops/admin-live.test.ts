/** The commands about processes over a real tree on virtual time: nothing in between is made of cardboard. */
import { describe, expect, it } from "vitest";
import { AdminSession } from "../../src/ops/admin/session.ts";
import {
  child,
  defineActor,
  keyFor,
  reply,
  createVirtualNode,
  supervisor,
  type VirtualNode,
} from "../../src/otp/index.ts";
import { REPORT_EVENTS } from "../../src/ops/admin/reports.ts";
import { bookAt, cardboard } from "./admin-support.ts";

const counter = defineActor({
  name: "test/counter",
  init: (_args: undefined) => ({ count: 0, apiKey: "CANARY" }),
  calls: { get: (state) => reply(state, state.count) },
  casts: {
    fail: (_state, text: string) => {
      throw new Error(text);
    },
    add: (state, by: number) => ({ ...state, count: state.count + by }),
    hang: async (state, _arg: undefined, ctx) => {
      await ctx.sleep(1e9);
      return state;
    },
  },
});
const key = keyFor(counter, "name");
const A = key("a").name;

async function connect(): Promise<{
  readonly node: VirtualNode;
  readonly ask: (cmd: string, args?: object) => Promise<any>;
  readonly sent: any[];
}> {
  const node = createVirtualNode();
  const reports = bookAt(() => node.nowMs());
  node.telemetry.attach("reports", REPORT_EVENTS, reports.take);
  const counters = ["a", "b"].map((name) => child(counter, undefined, { register: key(name) }));
  await node.start(
    supervisor("top", { children: [supervisor("counters", { intensity: 2, children: counters })] }),
  );
  const sent: any[] = [];
  const session = new AdminSession(
    { send: (line) => sent.push(JSON.parse(line)), unsentBytes: 0, close: () => {} },
    {
      deps: { ...cardboard().deps, inspector: node.inspector, reports },
      roleOf: () => ({ role: "admin", id: "t1" }),
      audit: () => {},
      after: () => () => {},
    },
  );
  let id = 0;
  const ask = async (cmd: string, args: object = {}): Promise<any> => {
    const mine = ++id;
    session.data(Buffer.from(`${JSON.stringify({ id: mine, cmd, args })}\n`));
    await node.settle();
    return sent.find((line) => line.id === mine);
  };
  await ask("auth", { token: "x" });
  return { node, ask, sent };
}

describe("the operator's commands on a running tree", () => {
  it("trace a subtree, restarted processes included, until the count is reached", async () => {
    const { node, ask, sent } = await connect();
    const { sub } = (await ask("trace", { p: "counters", subtree: true, match: "add", max: 2 })).ok;
    node.via(key("a")).cast.add(1);
    await node.settle();
    expect((await ask("restart", { p: A })).ok).toEqual({ name: A, from: "#3", pid: "#5" });
    node.via(key("a")).cast.add(2);
    node.via(key("a")).cast.add(3);
    await node.settle();
    const lines = sent.filter((line) => line.sub === sub);
    expect(lines.map(({ event, end }) => event?.pid ?? end)).toEqual(["#3", "#5", "count"]);
    expect(lines[0].event).toMatchObject({ process: A, direction: "in", type: "add" });
    const { supervisors } = (await ask("budget")).ok;
    expect(supervisors[0]).toMatchObject({ supervisor: "counters", count: 1, ratio: 0.5 });
  });

  it("hold a process for a while, look into its mailbox, and let it go by itself", async () => {
    const { node, ask } = await connect();
    expect((await ask("suspend", { p: A, forMs: 1_000 })).ok.pid).toBe("#3");
    node.via(key("a")).cast.add(5);
    expect((await ask("mailbox", { p: A })).ok).toEqual({
      total: 1,
      messages: [{ kind: "cast", type: "add" }],
    });
    expect((await ask("status", { p: A })).ok.status).toBe("suspended");
    await node.advance(1_000);
    expect((await ask("state", { p: A })).ok).toEqual({
      live: true,
      state: { count: 5, apiKey: "***" },
    });
  });

  it("show the last known state of a process that hangs", async () => {
    const { node, ask, sent } = await connect();
    node.via(key("a")).cast.hang();
    await node.settle();
    expect(await ask("state", { p: A })).toBeUndefined();
    await node.advance(2_000);
    expect(sent.at(-1).ok).toEqual({ live: false, state: { count: 0, apiKey: "***" } });
  });

  it("replace a state, count messages, list names, and dump without secrets", async () => {
    const { node, ask } = await connect();
    await ask("statistics", { p: A, action: "on" });
    expect((await ask("replace-state", { p: A, value: { count: 40 } })).ok.pid).toBe("#3");
    node.via(key("a")).cast.add(2);
    await node.settle();
    expect(await node.via(key("a")).call.get()).toBe(42);
    expect((await ask("statistics", { p: A })).ok).toMatchObject({
      counting: true,
      messagesIn: 2,
      messagesOut: 1,
    });
    expect((await ask("registry", { prefix: "test/" })).ok.total).toBe(2);
    expect((await ask("loop")).ok).toMatchObject({ processes: 4, names: 2 });
    expect((await ask("dump")).ok.processes).toBe(4);
    expect(JSON.stringify(node.inspector.dump())).not.toContain("CANARY");
  });

  it("tell crashes, reports and restarts as they climb the tree, after a seq or a time, without secrets", async () => {
    const { node, ask } = await connect();
    node.via(key("a")).cast.fail("no CANARY");
    await node.settle();
    const first = (await ask("reports")).ok;
    expect(first.total).toBe(3);
    expect(first.reports.map((row: any) => [row.seq, row.kind, row.process, row.text])).toEqual([
      [1, "crash", A, `${A}: crashed in fail: Error: no ***`],
      [
        2,
        "report",
        "counters",
        `counters: child ${A} (#3) child_terminated: {error: Error: "no ***"}`,
      ],
      [
        3,
        "restart",
        "counters",
        `counters: starts ${A} again: Error: no *** (1 of 2 in its window, attempt 1)`,
      ],
    ]);
    await node.advance(1_000);
    for (let n = 0; n < 2; n += 1) {
      node.via(key("a")).cast.fail("again");
      await node.settle();
    }
    const { reports } = (await ask("reports", { since: 3 })).ok;
    expect(reports.map(({ kind, process, text }: any) => [kind, process, text]).slice(-3)).toEqual([
      ["report", "counters", expect.stringContaining("shutdown: reached_max_restart_intensity")],
      ["report", "top", "top: child counters (#2) child_terminated: shutdown"],
      ["restart", "top", expect.stringContaining("starts counters again: shutdown (1 of 1")],
    ]);
    expect(reports.every((row: any) => row.at_ms === 1_000)).toBe(true);
    expect((await ask("reports", { ms: 999 })).ok.total).toBe(reports.length);
    expect((await ask("reports", { limit: 1 })).ok.reports[0].seq).toBe(reports.at(-1).seq);
  });

  it("refuse what nobody answers to, with a guess", async () => {
    const { ask } = await connect();
    for (const cmd of ["state", "status", "mailbox", "statistics", "suspend", "restart", "trace"]) {
      expect((await ask(cmd, { p: `${A}x` })).error, cmd).toMatchObject({
        code: "OTP_NO_PROCESS",
        hint: `did you mean ${A}?`,
      });
    }
    expect((await ask("restart", { p: "top" })).error.message).toContain("not_supervised");
  });
});
