import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { adminSocket, adminSocketKey } from "../../actors/ops/admin-socket.ts";
import { listenAdminSocket } from "../../src/io/admin-socket.ts";
import type { AdminSocketServer } from "../../src/io/admin-socket.ts";
import { AUDIT_GENESIS, findAuditBreak } from "../../src/ops/admin/audit.ts";
import { child, createNode, supervisor } from "../../src/otp/index.ts";
import type { Node } from "../../src/otp/index.ts";
import { AdminClient } from "../support/admin.ts";
import { cardboard } from "./admin-support.ts";

let folder = "";
let path = "";
const servers: AdminSocketServer[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pl-admin-"));
  path = join(folder, "run", "admin.sock");
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** An echo in place of sessions. */
async function listen(at = path, maxConnections = 16): Promise<AdminSocketServer> {
  const server = await listenAdminSocket({
    path: at,
    maxConnections,
    refusal: "full\n",
    accept: (wire) => ({
      data: (chunk) => wire.send(`echo ${chunk.toString()}`),
      finish: () => wire.close(),
      end: () => {},
    }),
  });
  servers.push(server);
  return server;
}

function talk(text = "hi\n", at = path): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect(at);
    let got = "";
    socket.on("error", fail);
    socket.on("data", (chunk) => {
      got += chunk.toString();
    });
    socket.on("close", () => done(got));
    socket.end(text);
  });
}

const mode = (of: string): string => (statSync(of).mode & 0o777).toString(8);

/** A child that becomes `nobody` and tries to connect; prints `connected` or the error code. */
function connectAsNobody(): string {
  const script = `process.setgroups([]); process.setgid(65534); process.setuid(65534);
    require("node:net").connect(${JSON.stringify(path)})
      .on("connect", () => { console.log("connected"); process.exit(); })
      .on("error", (error) => console.log(error.code));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", script], {
    encoding: "utf8",
    cwd: "/",
  });
  return stdout.trim() || stderr;
}

describe("permissions of the admin socket", () => {
  it.each([0o000, 0o022, 0o077])("are 0700 and 0600 under umask %o", async (umask) => {
    const before = process.umask(umask);
    try {
      await listen();
      expect(process.umask()).toBe(umask);
    } finally {
      process.umask(before);
    }
    expect([mode(join(folder, "run")), mode(path)]).toEqual(["700", "600"]);
    expect(await talk()).toBe("echo hi\n");
  });

  it.runIf(process.getuid?.() === 0)(
    "keep another user out by the directory, and by the socket alone",
    async () => {
      const before = process.umask(0);
      try {
        await listen();
      } finally {
        process.umask(before);
      }
      chmodSync(folder, 0o755);
      expect(connectAsNobody()).toBe("EACCES");
      chmodSync(join(folder, "run"), 0o755);
      expect(connectAsNobody()).toBe("EACCES");
      chmodSync(path, 0o666);
      expect(connectAsNobody(), "the test itself can tell").toBe("connected");
    },
  );

  it("make a directory of ours private when only our files are in it, else refuse", async () => {
    mkdirSync(join(folder, "run"), { mode: 0o755 });
    chmodSync(join(folder, "run"), 0o755);
    const first = await listen();
    expect(mode(join(folder, "run"))).toBe("700");
    await first.close();
    chmodSync(join(folder, "run"), 0o755);
    writeFileSync(join(folder, "run", "notes.txt"), "");
    await expect(listen()).rejects.toMatchObject({
      code: "OPS_SOCKET_UNSAFE",
      message: expect.stringContaining('holds "notes.txt"'),
    });
    expect(mode(join(folder, "run"))).toBe("755");
  });

  it.each([0o770, 0o777, 0o1777, 0o707])(
    "refuse a directory that others may write, mode %o",
    async (bits) => {
      mkdirSync(join(folder, "run"));
      chmodSync(join(folder, "run"), bits);
      await expect(listen()).rejects.toMatchObject({ code: "OPS_SOCKET_UNSAFE" });
      expect(existsSync(path)).toBe(false);
    },
  );

  it("refuse a directory behind a symbolic link, and one that is a file", async () => {
    mkdirSync(join(folder, "real"), { mode: 0o700 });
    symlinkSync(join(folder, "real"), join(folder, "run"));
    await expect(listen()).rejects.toMatchObject({
      message: expect.stringContaining("symbolic link"),
    });
    rmSync(join(folder, "run"));
    writeFileSync(join(folder, "run"), "");
    await expect(listen()).rejects.toThrow("is no directory");
  });

  it.runIf(process.getuid?.() === 0)("refuse a directory of somebody else", async () => {
    mkdirSync(join(folder, "run"), { mode: 0o700 });
    spawnSync("chown", ["65534", join(folder, "run")]);
    await expect(listen()).rejects.toThrow("belongs to uid 65534");
  });

  it("refuse a path of more than 107 bytes, in words", async () => {
    const long = join(folder, "run", `${"x".repeat(108)}.sock`);
    await expect(listen(long)).rejects.toMatchObject({ code: "OPS_SOCKET_PATH" });
  });
});

describe("the place of the admin socket", () => {
  it("is taken over from a dead instance", async () => {
    mkdirSync(join(folder, "run"), { mode: 0o700 });
    const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", script]);
    expect(lstatSync(path).isSocket()).toBe(true);
    await listen();
    expect(await talk()).toBe("echo hi\n");
  });

  it("is not taken from a live instance, which goes on", async () => {
    await listen();
    await expect(listen()).rejects.toMatchObject({
      code: "OPS_SOCKET_IN_USE",
      message: expect.stringContaining("already running"),
    });
    expect(await talk()).toBe("echo hi\n");
    await servers[0]?.close();
    await listen();
  });

  it("is given to one of two that start at the same time over a dead one", async () => {
    mkdirSync(join(folder, "run"), { mode: 0o700 });
    const server = createServer();
    await new Promise<void>((done) => void server.listen(`${path}.x`, () => done()));
    spawnSync("cp", ["-a", `${path}.x`, path]);
    await new Promise((done) => server.close(done));
    const outcomes = await Promise.allSettled([listen(), listen()]);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await talk()).toBe("echo hi\n");
  });

  it("is not touched when something else than a socket is there", async () => {
    mkdirSync(join(folder, "run"), { mode: 0o700 });
    writeFileSync(path, "precious");
    await expect(listen()).rejects.toMatchObject({ code: "OPS_SOCKET_UNSAFE" });
    expect(readFileSync(path, "utf8")).toBe("precious");
  });

  it("is cleared at the end, unless somebody else has it by then", async () => {
    const first = await listen();
    await first.close();
    await first.close();
    expect(existsSync(path)).toBe(false);
    const second = await listen();
    rmSync(path);
    const third = await listen();
    await second.close();
    expect(await talk(), "the third still answers").toBe("echo hi\n");
    await third.close();
    expect(existsSync(path)).toBe(false);
  });

  it("refuses one connection too many with a line", async () => {
    await listen(path, 1);
    const held = connect(path);
    await new Promise((done) => held.once("connect", done));
    held.write("x");
    await new Promise((done) => held.once("data", done));
    expect(await talk("")).toBe("full\n");
    held.destroy();
  });
});

describe("the admin socket's process", () => {
  let node: Node | undefined;
  let program = cardboard();
  afterEach(async () => {
    await node?.stop(1_000);
    node = undefined;
  });

  async function start(): Promise<Node> {
    program = cardboard();
    node = createNode();
    await node.start(
      supervisor("ops", {
        strategy: "one_for_one",
        children: [
          child(adminSocket, { path, deps: program.deps }, { register: adminSocketKey() }),
        ],
      }),
    );
    return node;
  }

  it("answers, raises roles by token file, and audits what it was told to change", async () => {
    await start();
    const run = join(folder, "run");
    expect([mode(join(run, "admin.token")), mode(join(run, "operator.token"))]).toEqual([
      "600",
      "600",
    ]);
    const client = await AdminClient.connect(path);
    expect((await client.reply("exit", { target: "#3" })).error.code).toBe("OPS_FORBIDDEN");
    await client.exit("#3", "kill");
    expect(program.exits).toEqual([["#3", "kill"]]);
    client.close();
    const log = readFileSync(join(run, "audit.log"), "utf8");
    expect(mode(join(run, "audit.log"))).toBe("600");
    expect(findAuditBreak(log, AUDIT_GENESIS)).toBeUndefined();
    const results = log
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).result);
    expect(results).toEqual(["OPS_FORBIDDEN", "ok"]);
    const token = readFileSync(join(run, "admin.token"), "utf8").trim();
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(log).not.toContain(token);
  });

  it("comes back when it is killed, with new tokens and the same audit chain", async () => {
    const running = await start();
    const first = await AdminClient.connect(path);
    await first.exit("#3", "kill");
    const token = readFileSync(join(folder, "run", "admin.token"), "utf8");
    const pid = running.inspector.resolve(adminSocketKey().name);
    running.inspector.exit(adminSocketKey().name, "kill");
    await until(() => running.inspector.resolve(adminSocketKey().name) !== pid);
    const second = await until(() => AdminClient.connect(path).catch(() => undefined));
    await second.exit("#3", "kill");
    expect(readFileSync(join(folder, "run", "admin.token"), "utf8")).not.toBe(token);
    const log = readFileSync(join(folder, "run", "audit.log"), "utf8");
    expect(log.trim().split("\n")).toHaveLength(2);
    expect(findAuditBreak(log, AUDIT_GENESIS)).toBeUndefined();
    first.close();
    second.close();
  });

  it("does not start over a live instance, nor replace its tokens", async () => {
    await start();
    const token = readFileSync(join(folder, "run", "admin.token"), "utf8");
    const other = createNode();
    const spec = supervisor("ops", {
      strategy: "one_for_one",
      children: [child(adminSocket, { path, deps: program.deps }, { register: adminSocketKey() })],
    });
    await expect(other.start(spec)).rejects.toThrow(/already running/);
    expect(readFileSync(join(folder, "run", "admin.token"), "utf8")).toBe(token);
    (await AdminClient.connect(path)).close();
  });

  it("takes its socket away when it stops", async () => {
    const running = await start();
    await running.stop(1_000);
    expect(existsSync(path)).toBe(false);
  });

  it("lets a waiting client have its streams, dropped with it", async () => {
    await start();
    const client = await AdminClient.connect(path);
    await client.ask("subscribe", { topic: "events" });
    expect(program.feeds).toBe(1);
    client.close();
    await until(() => program.feeds === 0);
  });
});

/** Polls real sockets and processes; fails after 3 s. */
async function until<T>(ask: () => T | Promise<T>): Promise<NonNullable<T>> {
  const endMs = performance.now() + 3_000;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (performance.now() > endMs) throw new Error("did not happen within 3 s");
    await new Promise((done) => setTimeout(done, 5));
  }
}
