import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/ops/admin/commands.ts";
import { ADMIN_LIMITS, LineSplitter, parseRequest, ROLES } from "../../src/ops/admin/protocol.ts";
import type { Role } from "../../src/ops/admin/protocol.ts";
import { AdminSession } from "../../src/ops/admin/session.ts";
import { cardboard } from "./admin-support.ts";

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

function connect(program = cardboard()) {
  const sent: any[] = [];
  const audited: any[] = [];
  const timers: { delayMs: number; run: () => void }[] = [];
  const wire = { closed: 0, unsent: 0 };
  const session = new AdminSession(
    {
      send: (line) => {
        expect(line.endsWith("\n")).toBe(true);
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(ADMIN_LIMITS.replyLineBytes);
        sent.push(JSON.parse(line));
      },
      get unsentBytes() {
        return wire.unsent;
      },
      close: () => {
        wire.closed++;
      },
    },
    {
      deps: program.deps,
      roleOf: (token) =>
        ROLES.map((role) => ({ role, id: "t1" })).find(({ role }) => role === token),
      audit: (entry) => void audited.push(entry),
      after: (delayMs, run) => {
        const timer = { delayMs, run };
        timers.push(timer);
        return () => void timers.splice(timers.indexOf(timer), 1);
      },
    },
  );
  const write = (text: string): void => session.data(Buffer.from(text));
  let serial = 100;
  const ask = async (cmd: string, args: object = {}): Promise<any> => {
    const id = ++serial;
    write(`${JSON.stringify({ id, cmd, args })}\n`);
    await settle();
    return sent.find((message) => message.id === id);
  };
  return { session, program, sent, audited, timers, wire, write, ask };
}

describe("the admin protocol", () => {
  it("greets, then answers by id", async () => {
    const { sent, ask } = connect();
    expect(sent[0]).toEqual({
      hello: { product: "paceline", version: "1.2.3", protocol: 1, region: "test", role: "viewer" },
    });
    expect(await ask("version")).toEqual({
      id: 101,
      ok: { version: "1.2.3", region: "test", pid: 42, isDraining: false },
    });
  });

  it("takes lines in any pieces, and pieces of characters", async () => {
    const lines = ['{"id":"ü","cmd":"version"}', '{"id":2,"cmd":"chains"}'];
    fc.assert(
      fc.property(fc.array(fc.nat(60), { maxLength: 8 }), (cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\r\n`).join(""));
        const splitter = new LineSplitter(1_000);
        const ends = [...cuts].sort((a, b) => a - b);
        const got: string[] = [];
        [0, ...ends].forEach((from, at) => {
          got.push(...(splitter.push(bytes.subarray(from, ends[at] ?? bytes.length)) ?? []));
        });
        expect(got).toEqual(lines);
      }),
    );
  });

  it("answers bad JSON with an error line and closes", () => {
    for (const line of ["{", "[1]", "null", '"x"']) {
      const { sent, wire, write } = connect();
      write(`${line}\n`);
      expect(sent[1]).toEqual({
        id: null,
        error: { code: "OPS_BAD_JSON", message: expect.any(String) },
      });
      expect(wire.closed).toBe(1);
    }
  });

  it("closes on a line of more than 64 KiB, whether or not it ends", () => {
    for (const end of ["", "\n"]) {
      const { sent, wire, write } = connect();
      write(`{"id":1,"cmd":"${"x".repeat(70_000)}"}${end}`);
      expect(sent[1].error.code).toBe("OPS_LIMIT");
      expect(wire.closed).toBe(1);
    }
  });

  it("says what is wrong with a request and keeps the connection", async () => {
    const { ask, sent, wire, write } = connect();
    write(
      '{"cmd":"tree"}\n{"id":{},"cmd":"tree"}\n{"id":1}\n{"id":2,"cmd":"tree","args":[]}\n{"id":3,"cmd":"tree","x":1}\n',
    );
    expect(sent.slice(1).map(({ id, error }) => [id, error.code])).toEqual([
      [null, "OPS_BAD_ARGS"],
      [null, "OPS_BAD_ARGS"],
      [1, "OPS_BAD_ARGS"],
      [2, "OPS_BAD_ARGS"],
      [3, "OPS_BAD_ARGS"],
    ]);
    expect((await ask("tre")).error).toEqual({
      code: "OPS_UNKNOWN_COMMAND",
      message: 'unknown command "tre"; did you mean "tree"?',
    });
    expect((await ask("tree", { dept: 1 })).error.message).toContain('did you mean "depth"?');
    expect((await ask("tree", { depth: -1 })).error.code).toBe("OPS_BAD_ARGS");
    expect((await ask("constructor")).error.code).toBe("OPS_UNKNOWN_COMMAND");
    expect((await ask("tree", { constructor: 1 })).error.code).toBe("OPS_BAD_ARGS");
    expect((await ask("inspect")).error.message).toContain('"target" is required');
    expect((await ask("inspect", { target: "#3", p: "#3" })).error.message).toContain(
      "given twice",
    );
    expect(wire.closed).toBe(0);
  });

  it("never throws, whatever the bytes (property)", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
        const { session } = connect();
        for (const chunk of chunks) session.data(Buffer.from(chunk));
        session.end();
      }),
    );
    fc.assert(
      fc.property(fc.json(), (line) => {
        parseRequest(line);
      }),
    );
  });

  it("gives up on a command after 5 s and says so", async () => {
    const program = cardboard();
    program.reload = () => new Promise(() => {});
    const { ask, sent, timers } = connect(program);
    await ask("auth", { token: "admin" });
    await ask("reload");
    expect(timers.map(({ delayMs }) => delayMs)).toEqual([30_000]);
    timers[0]?.run();
    await settle();
    expect(sent.at(-1)).toEqual({
      id: 102,
      error: { code: "OPS_TIMEOUT", message: expect.any(String) },
    });
  });

  it("runs at most 16 commands of a connection at a time", async () => {
    const program = cardboard();
    program.reload = () => new Promise(() => {});
    const { ask } = connect(program);
    await ask("auth", { token: "admin" });
    for (let at = 0; at < 16; at++) expect(await ask("reload")).toBeUndefined();
    expect((await ask("version")).error.code).toBe("OPS_BUSY");
  });

  it("answers what was asked before the client stopped sending, then closes", async () => {
    const { session, sent, wire, write } = connect();
    write('{"id":1,"cmd":"version"}\n');
    session.finish();
    await settle();
    expect(sent[1].ok.version).toBe("1.2.3");
    expect(wire.closed).toBe(1);
  });

  it("sends a reply of more than 1 MiB as pages that join to it", async () => {
    const program = cardboard();
    const leaf = program.tree();
    const children = Array.from({ length: 12_000 }, (_, at) => ({
      ...leaf!.children[0]!,
      name: `wörker-"${at}`,
      children: [],
    }));
    program.tree = () => ({ ...leaf!, children });
    const { ask } = connect(program);
    const first = (await ask("tree")).ok;
    expect(first.pages).toBeGreaterThan(1);
    let text: string = first.text;
    for (let page = 1; page < first.pages; page++) {
      text += (await ask("page", { cursor: first.cursor, page })).ok.text;
    }
    expect(JSON.parse(text).children).toHaveLength(12_000);
    expect((await ask("page", { cursor: first.cursor, page: 99 })).error.code).toBe("OPS_BAD_ARGS");
  });
});

describe("roles", () => {
  const args: Readonly<Record<string, object>> = {
    inspect: { target: "#3" },
    exit: { target: "#3", reason: "kill" },
    breaker: { action: "open", endpoint: "alpha/hare" },
    state: { target: "#3" },
    status: { target: "#3" },
    mailbox: { target: "#3" },
    statistics: { target: "#3" },
    suspend: { target: "#3" },
    resume: { target: "#3" },
    restart: { target: "#3" },
    child: { action: "delete", supervisor: "chains", id: "x" },
    "replace-state": { target: "#3", value: { tip: 1 } },
    trace: { target: "#3" },
    subscribe: { topic: "events" },
    explain: { request: "good-one" },
  };
  const needed: Readonly<Record<string, Role>> = {
    tree: "viewer",
    ps: "viewer",
    inspect: "viewer",
    limits: "viewer",
    providers: "viewer",
    cache: "viewer",
    chains: "viewer",
    ready: "viewer",
    version: "viewer",
    config: "viewer",
    plan: "viewer",
    state: "viewer",
    status: "viewer",
    mailbox: "viewer",
    statistics: "viewer",
    registry: "viewer",
    tables: "viewer",
    budget: "viewer",
    loop: "viewer",
    reports: "viewer",
    explain: "viewer",
    slow: "viewer",
    leaderboard: "viewer",
    pair: "viewer",
    races: "viewer",
    regions: "viewer",
    names: "viewer",
    subscribe: "viewer",
    suspend: "operator",
    resume: "operator",
    restart: "operator",
    dump: "operator",
    trace: "operator",
    untrace: "operator",
    child: "admin",
    "replace-state": "admin",
    breaker: "operator",
    exit: "admin",
    reload: "admin",
    drain: "admin",
  };

  it("are decided for every command", () => {
    expect(Object.keys(COMMANDS).sort()).toEqual(Object.keys(needed).sort());
  });

  it.each(ROLES.flatMap((role) => Object.keys(needed).map((cmd) => [role, cmd] as const)))(
    "%s and %s",
    async (role, cmd) => {
      const { ask, audited, program } = connect();
      if (role !== "viewer") expect((await ask("auth", { token: role })).ok).toEqual({ role });
      if (cmd === "untrace" && ROLES.indexOf(role) > 0) await ask("trace", args["trace"]);
      audited.length = 0;
      const reply = await ask(cmd, args[cmd] ?? (cmd === "untrace" ? { sub: "s1" } : {}));
      const isAllowed = ROLES.indexOf(role) >= ROLES.indexOf(needed[cmd]!);
      expect(reply.error?.code).toBe(isAllowed ? undefined : "OPS_FORBIDDEN");
      if (!isAllowed) expect([program.exits, program.orders, program.drains]).toEqual([[], [], 0]);
      expect(audited).toHaveLength(needed[cmd] === "viewer" ? 0 : 1);
      if (audited.length > 0) {
        expect(audited[0]).toMatchObject({ role, cmd, result: isAllowed ? "ok" : "OPS_FORBIDDEN" });
      }
    },
  );

  it("are not given for a wrong token, and never lowered", async () => {
    const { ask } = connect();
    expect((await ask("auth", { token: "guess" })).error.code).toBe("OPS_FORBIDDEN");
    await ask("auth", { token: "admin" });
    expect((await ask("auth", { token: "operator" })).ok).toEqual({ role: "admin" });
  });

  it("keep arguments of waiting messages and the switch of statistics from viewers", async () => {
    const { ask, program } = connect();
    const forbidden = { code: "OPS_FORBIDDEN" };
    expect((await ask("mailbox", { p: "#3", bodies: true })).error).toMatchObject(forbidden);
    expect((await ask("statistics", { p: "#3", action: "on" })).error).toMatchObject(forbidden);
    expect((await ask("mailbox", { p: "#3" })).ok.messages[0]).toEqual({
      kind: "cast",
      type: "tick",
    });
    expect(program.touched).toEqual([]);
    await ask("auth", { token: "operator" });
    const { ok } = await ask("mailbox", { p: "#3", bodies: true, limit: 1 });
    expect(ok).toEqual({ total: 2, messages: [{ kind: "cast", type: "tick", arg: { n: 1 } }] });
    expect((await ask("statistics", { p: "#3", action: "on" })).ok).toMatchObject({
      counting: true,
    });
  });

  it("let viewers list breakers", async () => {
    const { ask, audited } = connect();
    expect((await ask("breaker", { action: "ls" })).ok.breakers).toHaveLength(3);
    expect(audited).toEqual([]);
  });
});

describe("commands", () => {
  const asAdmin = async () => {
    const made = connect();
    await made.ask("auth", { token: "admin" });
    return made;
  };

  it("tree: whole, from a process, to a depth", async () => {
    const { ask } = connect();
    expect((await ask("tree")).ok.name).toBe("application");
    expect((await ask("tree", { root: "chains" })).ok.children).toHaveLength(2);
    expect((await ask("tree", { root: "#2", depth: 0 })).ok.children).toEqual([]);
    expect((await ask("tree", { root: "#99" })).error.code).toBe("OTP_NO_PROCESS");
  });

  it("ps: by column, cut, with the total", async () => {
    const { ask } = connect();
    const names = async (sort: string) =>
      (await ask("ps", { sort })).ok.processes.map(({ name }: any) => name.split("/").at(-1));
    expect(await names("mailbox")).toEqual(["provider-pool", "config-store", "head-tracker"]);
    expect(await names("restarts")).toEqual(["head-tracker", "config-store", "provider-pool"]);
    expect(await names("name")).toEqual(["config-store", "head-tracker", "provider-pool"]);
    expect((await ask("ps", { limit: 1 })).ok).toMatchObject({ total: 3, processes: [{}] });
  });

  it("explain: a request by either id, or a method that is not called", async () => {
    const { ask } = connect();
    const { ok } = await ask("explain", { request: "slow-one" });
    expect(ok).toMatchObject({ client_request_id: "slow-one", outcome: "ok", chain: "ethereum" });
    expect((await ask("explain", { request: ok.request_id })).ok).toEqual(ok);
    expect((await ask("explain", { request: "x" })).error.message).toMatch(/no request "x" among/);
    const dry = {
      method: "eth_call",
      chain: "eth",
      params: [{}],
      provider: "b",
      transport: "http",
    };
    expect((await ask("explain", dry)).ok).toMatchObject({
      outcome: "dry_run",
      excluded: [{ provider: "a", rule: "not_requested" }],
    });
    for (const args of [
      {},
      { method: "eth_call" },
      { ...dry, strategy: "x" },
      { ...dry, chain: "x" },
    ]) {
      expect((await ask("explain", args)).error.code).toBe("OPS_BAD_ARGS");
    }
  });

  it("slow: the slow and the failed, with attempts, and nothing of what was in them", async () => {
    const { ask } = connect();
    const { ok } = await ask("slow");
    expect(ok.entries.map(({ why, reason }: any) => [why, reason])).toEqual([
      ["slow", null],
      ["failed", "exhausted"],
    ]);
    expect((await ask("slow", { since: ok.entries[0].seq })).ok.entries).toHaveLength(1);
    const explained = await Promise.all(
      ["good-one", "slow-one", "bad-one"].map((request) => ask("explain", { request })),
    );
    expect(JSON.stringify(explained)).toContain('"code":500');
    expect(JSON.stringify([ok, explained])).not.toMatch(/CANARY|c4c4c4c4c4/);
  });

  it("inspect and exit: by pid or name, with a guess when nobody answers", async () => {
    const { ask, program } = await asAdmin();
    expect((await ask("inspect", { p: "#3" })).ok.state).toEqual({ tip: 100 });
    expect((await ask("inspect", { target: "head-tracker" })).error).toEqual({
      code: "OTP_NO_PROCESS",
      message: 'no process answers to "head-tracker"',
      hint: "did you mean rpc/chain/alpha/head-tracker?",
    });
    expect((await ask("exit", { target: "rpc/chain/alpha/head-tracker" })).ok).toEqual({
      target: "rpc/chain/alpha/head-tracker",
      reason: "kill",
      pid: "#3",
      name: "rpc/chain/alpha/head-tracker",
    });
    expect((await ask("exit", { target: "#3", reason: "shutdown" })).ok.reason).toBe("shutdown");
    expect(program.exits.map(([, reason]) => reason)).toEqual(["kill", "shutdown"]);
  });

  it("state: from the process itself, from the records when it hangs", async () => {
    const { ask } = connect();
    expect((await ask("state", { p: "#3" })).ok).toEqual({ live: true, state: { tip: 101 } });
    expect((await ask("state", { p: "#5" })).ok).toEqual({ live: false, state: { tip: 100 } });
    expect((await ask("state", { p: "#99" })).error.code).toBe("OTP_NO_PROCESS");
    expect((await ask("status", { p: "#3" })).ok.status).toBe("running");
    expect((await ask("status", { p: "#5" })).error).toMatchObject({ code: "OPS_TIMEOUT" });
  });

  it("suspend: for 30 s unless told otherwise, never a supervisor, never for long", async () => {
    const { ask, program } = await asAdmin();
    expect((await ask("suspend", { p: "#3" })).ok).toMatchObject({ pid: "#3", for_ms: 30_000 });
    expect((await ask("suspend", { p: "#3", forMs: "5m" })).ok.for_ms).toBe(300_000);
    expect((await ask("suspend", { p: "#3", forMs: "6m" })).error.code).toBe("OPS_BAD_ARGS");
    expect((await ask("suspend", { p: "#1" })).error.message).toContain("is a supervisor");
    await ask("resume", { p: "#3" });
    expect(program.touched).toEqual(["suspend #3 30000", "suspend #3 300000", "resume #3"]);
  });

  it("restart and child: through the supervisor, with its answer", async () => {
    const { ask, program } = await asAdmin();
    expect((await ask("restart", { p: "#3", forgive: true })).ok).toMatchObject({
      from: "#3",
      pid: "#9",
    });
    const order = { action: "terminate", supervisor: "chains", id: "alpha" };
    expect((await ask("child", order)).ok).toEqual(order);
    expect((await ask("child", { ...order, supervisor: "chain" })).error.code).toBe(
      "OTP_NO_PROCESS",
    );
    expect((await ask("child", { ...order, action: "start" })).error.code).toBe("OPS_BAD_ARGS");
    expect(program.touched.slice(0, 2)).toEqual(["restart #3 true", "terminate chains alpha"]);
  });

  it("replace-state: any JSON, where the configuration allows it, its value never in the log", async () => {
    const { ask, program, audited } = await asAdmin();
    const value = { tip: 7, note: "CANARY" };
    expect((await ask("replace-state", { p: "#3", value })).ok).toMatchObject({ pid: "#3" });
    expect((await ask("replace-state", { p: "#3", value: null })).ok).toMatchObject({ pid: "#3" });
    expect((await ask("replace-state", { p: "#3" })).error.message).toContain("is required");
    expect(program.touched).toEqual([`state #3 ${JSON.stringify(value)}`, "state #3 null"]);
    expect(JSON.stringify(audited)).not.toContain("CANARY");
    program.mayReplaceState = false;
    expect((await ask("replace-state", { p: "#3", value: 1 })).error).toMatchObject({
      code: "OPS_FORBIDDEN",
      hint: "set admin.allow_replace_state: true",
    });
  });

  it("registry, tables, loop and budget read the runtime's records", async () => {
    const { ask } = connect();
    expect((await ask("registry", { prefix: "rpc/" })).ok).toMatchObject({ total: 1 });
    expect((await ask("registry", { prefix: "x" })).ok).toEqual({ total: 0, names: [] });
    expect((await ask("tables")).ok.tables).toHaveLength(1);
    expect((await ask("loop")).ok.turns).toBe(99);
    const { supervisors } = (await ask("budget")).ok;
    expect(supervisors.map(({ supervisor, ratio }: any) => [supervisor, ratio])).toEqual([
      ["application", 1 / 3],
      ["chains", 0],
    ]);
  });

  it("dump: into a file beside the socket, never where the caller says", async () => {
    const { ask } = await asAdmin();
    expect((await ask("dump")).ok).toMatchObject({ path: "/run/dump.json", processes: 1 });
    expect((await ask("dump", { path: "/etc/passwd" })).error.code).toBe("OPS_BAD_ARGS");
  });

  it("breaker: one, or both of a provider, never a chain in one word", async () => {
    const { ask, program } = await asAdmin();
    const opened = await ask("breaker", {
      action: "open",
      endpoint: "alpha/hare",
      forMs: "5m",
      reason: "drill",
    });
    expect(opened.ok).toEqual({
      action: "open",
      endpoints: ["alpha/hare/http", "alpha/hare/ws"],
      for_ms: 300_000,
    });
    expect(program.orders[1]).toEqual({
      chain: "alpha",
      provider: "hare",
      transport: "ws",
      action: "open",
      forMs: 300_000,
      reason: "drill",
    });
    expect((await ask("breaker", { action: "reset", endpoint: "alpha/hare/http" })).ok).toEqual({
      action: "reset",
      endpoints: ["alpha/hare/http"],
    });
    expect((await ask("breaker", { action: "open", endpoint: "alpha" })).error.code).toBe(
      "OPS_BAD_ARGS",
    );
    expect((await ask("breaker", { action: "open" })).error.code).toBe("OPS_BAD_ARGS");
    expect((await ask("breaker", { action: "opn", endpoint: "x" })).error.message).toContain(
      'did you mean "open"?',
    );
    expect((await ask("breaker", { action: "open", endpoint: "alpha/hair/http" })).error.hint).toBe(
      "did you mean alpha/hare/http?",
    );
    const listed = (await ask("breaker", { action: "ls", endpoint: "alpha/hare/ws" })).ok.breakers;
    expect(listed).toEqual([expect.objectContaining({ state: "open", retry_in_ms: 4_000 })]);
  });

  it("providers and chains: states with reasons, those left out as well", async () => {
    const { ask } = connect();
    const { providers } = (await ask("providers", { chain: "first" })).ok;
    expect(providers.map(({ id, state }: any) => [id, state])).toEqual([
      ["hare", "degraded"],
      ["tortoise", "rate_limited"],
      ["left", "left_out"],
    ]);
    expect((await ask("chains")).ok.chains[0]).toMatchObject({
      name: "alpha",
      chain_id: 31_001,
      tip: 100,
    });
    expect((await ask("providers", { chain: "alpa" })).error.hint).toBe("did you mean alpha?");
  });

  it("ready: enough usable providers and no drain", async () => {
    const { ask, program } = connect();
    expect((await ask("ready")).ok).toMatchObject({ ready: true, draining: false });
    expect((await ask("ready", { min: 2 })).ok.ready).toBe(false);
    program.isDraining = true;
    expect((await ask("ready")).ok).toMatchObject({ ready: false, draining: true });
  });

  it("ready: without chains when there is pairing alone and its markets are back", async () => {
    const { ask, program } = connect();
    program.chains = [];
    expect((await ask("ready")).ok.ready).toBe(false);
    program.isPairingWhole = false;
    expect((await ask("ready")).ok.ready).toBe(false);
    program.isPairingWhole = true;
    expect((await ask("ready")).ok).toEqual({ ready: true, draining: false, chains: [] });
  });

  it("config: the running one, masked, with origins when asked", async () => {
    const { ask } = connect();
    const plain = await ask("config");
    expect(JSON.stringify(plain)).not.toContain("CANARY");
    expect(plain.ok.document.chains.alpha.providers[0].url).toMatch(/^hare\.example#/);
    expect((await ask("config", { origin: true })).ok.values.length).toBeGreaterThan(50);
  });

  it("reload and plan: applied, unchanged, or refused with the reasons", async () => {
    const { ask, program } = await asAdmin();
    expect((await ask("reload")).ok).toMatchObject({
      result: "applied",
      steps: [{ keys: ["strategy"] }],
    });
    expect((await ask("plan")).ok.result).toBe("unchanged");
    program.reload = async () => ({
      ok: false,
      code: "CONFIG_INVALID",
      errors: ["p.yaml:1:1: no"],
    });
    expect((await ask("reload")).ok).toEqual({
      result: "refused",
      code: "CONFIG_INVALID",
      errors: ["p.yaml:1:1: no"],
    });
    program.reload = async () => Promise.reject(new Error("the tree could not follow"));
    expect((await ask("reload")).error).toEqual({
      code: "OPS_FAILED",
      message: "the tree could not follow",
    });
  });

  it("commands: the table itself", async () => {
    const { ask } = connect();
    const { commands } = (await ask("commands")).ok;
    expect(commands.map(({ name }: any) => name)).toContain("subscribe");
  });
});

describe("traces", () => {
  const asOperator = async () => {
    const made = connect();
    await made.ask("auth", { token: "operator" });
    return made;
  };

  it("have bounds when none are given, and the client is told which", async () => {
    const { ask, program } = await asOperator();
    expect((await ask("trace", { p: "#3" })).ok).toEqual({
      sub: "s1",
      max: 100,
      for_ms: 10_000,
      per: 100,
    });
    const args = { p: "#2", subtree: true, match: "report*", direction: "in", max: 5, ms: "1s" };
    expect((await ask("trace", args)).ok).toMatchObject({ sub: "s2", max: 5, for_ms: 1_000 });
    expect(program.touched[1]).toBe(
      'trace {"target":{"subtree":"#2"},"pattern":{"type":"report*","direction":"in"},"maxCount":5,"maxRatePerSec":100,"forMs":1000,"onRate":"stop"}',
    );
  });

  it.each([{ max: 0 }, { max: 1_001 }, { forMs: 60_001 }, { forMs: 0 }, { per: 1_001 }])(
    "are refused without an end: %j",
    async (args) => {
      const { ask, program } = await asOperator();
      expect((await ask("trace", { p: "#3", ...args })).error.code).toBe("OPS_LIMIT");
      expect(program.traces).toEqual([]);
    },
  );

  it("stream their messages, then say why they ended and how many there were", async () => {
    const { ask, program, sent } = await asOperator();
    await ask("trace", { p: "#3" });
    program.traces[0]?.sink({ type: "tick" });
    program.traces[0]?.end("rate");
    await settle();
    program.traces[0]?.sink({ type: "late" });
    expect(sent.filter(({ sub }) => sub === "s1")).toEqual([
      { sub: "s1", seq: 1, event: { type: "tick" } },
      { sub: "s1", end: "rate", traced: 1 },
    ]);
  });

  it("end by untrace and with the connection, and then stop tracing", async () => {
    const { ask, program, sent, session } = await asOperator();
    await ask("trace", { p: "#3" });
    await ask("trace", { p: "#3" });
    expect((await ask("untrace", { sub: "s1" })).ok).toEqual({ ended: "s1" });
    expect(sent.find(({ end }) => end !== undefined)).toEqual({ sub: "s1", end: "stopped" });
    expect((await ask("untrace", { sub: "s1" })).error.code).toBe("OPS_BAD_ARGS");
    expect(program.stopped).toBe(1);
    session.end();
    expect(program.stopped).toBe(2);
  });
});

describe("subscriptions", () => {
  it("stream matching events in sequence until they end", async () => {
    const { ask, program, sent } = connect();
    expect((await ask("subscribe", { topic: "events", match: "circuit_breaker.*" })).ok).toEqual({
      sub: "s1",
    });
    program.emit("circuit_breaker.open", { chain: "alpha" });
    program.emit("rpc.request.stop");
    program.emit("circuit_breaker.close");
    expect(sent.filter(({ sub, seq }) => sub === "s1" && seq !== undefined)).toEqual([
      { sub: "s1", seq: 1, event: { name: "circuit_breaker.open", chain: "alpha" } },
      { sub: "s1", seq: 2, event: { name: "circuit_breaker.close" } },
    ]);
    await ask("unsubscribe", { sub: "s1" });
    expect(program.feeds).toBe(0);
    expect((await ask("unsubscribe", { sub: "s1" })).error.code).toBe("OPS_BAD_ARGS");
  });

  it("are dropped and counted while the client does not read; replies never are", async () => {
    const { ask, program, sent, wire } = connect();
    await ask("subscribe", { topic: "events" });
    wire.unsent = 2 * 1024 * 1024;
    program.emit("a");
    program.emit("b");
    expect((await ask("version")).ok.version).toBe("1.2.3");
    wire.unsent = 0;
    program.emit("c");
    expect(sent.slice(-2)).toEqual([
      { sub: "s1", dropped: 2 },
      { sub: "s1", seq: 1, event: { name: "c" } },
    ]);
  });

  it("are at most 8, and gone with the connection", async () => {
    const { ask, program, session } = connect();
    for (let at = 0; at < 8; at++)
      expect((await ask("subscribe", { topic: "events" })).ok.sub).toBeDefined();
    expect((await ask("subscribe", { topic: "events" })).error.code).toBe("OPS_LIMIT");
    expect(program.feeds).toBe(8);
    session.end();
    expect(program.feeds).toBe(0);
  });
});
