/** The operator's commands against a running instance, and what its clients notice of them. */
import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import { flatten } from "../support/admin.ts";
import { Child } from "../support/child.ts";
import { cleanupAfterAll, cleanupAfterEach } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Gateway } from "../support/gateway.ts";
import { post, servedBy } from "../support/rpc.ts";

const CLI = join(import.meta.dirname, "..", "..", "src", "cli.ts");
const READ = { jsonrpc: "2.0", id: 1, method: "eth_gasPrice", params: [] };

describe("the operator's commands", () => {
  const keep = cleanupAfterAll();
  const use = cleanupAfterEach();
  let gateway: Gateway;

  /** Runs a command against the instance; `code` is its exit code. */
  const paceline = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      const line = [CLI, ...args, "--socket", gateway.socketPath];
      execFile(process.execPath, line, (error, out, err) => {
        resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err });
      });
    });
  const server = (): Promise<string | null> => servedBy(`${gateway.url}/rpc/one`);

  beforeAll(async () => {
    const startMs = Date.now();
    const chain = new FakeChain({ seed: 1, chainId: 77, blockTimeMs: 200, startMs });
    const start = async (id: string, priority: number) => {
      const mind = new FakeProvider({ id, chain, faults: {}, seed: 1, startMs });
      const server = keep(await startFakeServer(mind, Date.now));
      return { id, url: server.url, ws_url: server.wsUrl, priority };
    };
    const providers = [await start("a", 1), await start("b", 2)];
    // A busy machine makes everybody slow, and whoever is predicted to fail does not lead.
    const prediction = { enabled: false };
    const chains = { one: { chain_id: 77, strategy: "priority", prediction, providers } };
    gateway = keep(await Gateway.start({ config: { chains } }));
  });

  it("shows the same tree as the admin socket, as text and as JSON", async () => {
    const names = (await gateway.processes()).map(({ name }) => name);
    const text = await paceline("tree");
    const json = await paceline("tree", "--json");
    expect([text.code, json.code]).toEqual([0, 0]);
    expect(flatten(JSON.parse(json.out)).map(({ name }) => name)).toEqual(names);
    for (const name of names) expect(text.out).toContain(name.split("/").at(-1) ?? name);
  });

  it("shows races and the leaderboard behind the ranking, to pollers only what is new", async () => {
    const api = `${gateway.url}/api/v1/chains/one`;
    const page = await eventually(
      "a race that both providers were in",
      async () => {
        const answer = (await (await fetch(`${api}/races?result=win&limit=5`)).json()) as any;
        return answer.races.length > 0 && answer;
      },
      20_000,
    );
    expect(page.races[0]).toMatchObject({ event: "newHeads", result: "win", margin_ms: null });
    const bad = await fetch(`${api}/races?result=first`);
    expect([bad.status, ((await bad.json()) as any).field]).toEqual([400, "result"]);
    const providers = await fetch(`${api}/leaderboard/history`);
    const tag = providers.headers.get("etag") ?? "";
    const again = await fetch(`${api}/leaderboard/history`, { headers: { "if-none-match": tag } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    const board = JSON.parse((await paceline("leaderboard", "one", "--json")).out).chains[0];
    expect(board.leaderboard.map(({ provider }: any) => provider)).toEqual(["a", "b"]);
    expect(board.version).toBeGreaterThanOrEqual(page.last);
    expect((await paceline("races", "one", "--since", "1m")).out).toContain("newHeads");
  });

  it("shows a process with its state, and one that was killed with its last exit", async () => {
    const name = "rpc/chain/one/provider/a/ws-connection";
    expect((await paceline("exit", name, "drill")).code).toBe(0);
    const shown = await eventually("the last exit", async () => {
      const { out } = await paceline("inspect", name, "--json");
      return out.includes("drill") ? out : undefined;
    });
    expect(JSON.parse(shown)).toBeTypeOf("object");
    const { total, processes } = JSON.parse((await paceline("ps", "--json")).out);
    expect(total).toBeGreaterThan(10);
    expect(processes[0]).toMatchObject({ name: expect.any(String), pid: expect.any(String) });
    expect((await paceline("exit", "rpc/nobody", "drill")).code).not.toBe(0);
  });

  it("restarts every worker that it sends an exit, whatever the reason", async () => {
    const workers = (await gateway.processes()).filter((node) => node.kind === "worker");
    for (const { name } of workers) {
      // A sibling's restart may have taken this one along.
      const { pid } = await eventually(`${name} runs`, async () => {
        return (await gateway.processes()).find(
          (node) => node.name === name && node.status === "running",
        );
      });
      const { code } = await paceline("exit", name, "drill");
      // The admin socket may be gone before it could say that it goes.
      expect(name.endsWith("admin-socket") ? [0, 69] : [0], name).toContain(code);
      await eventually(`${name} is another process`, async () => {
        return (await gateway.processes()).some((node) => node.name === name && node.pid !== pid);
      });
    }
    await eventually("requests are served", async () => (await server()) !== null);
  }, 60_000);

  it("restarts a process through its supervisor, and traces, lists and dumps what runs", async () => {
    const name = "rpc/chain/one/provider-pool";
    const restarted = await paceline("restart", name, "--json");
    expect(JSON.parse(restarted.out)).toMatchObject({ name, pid: expect.any(String) });
    const traced = await paceline("trace", "chains", "--subtree", "--for", "300ms", "--json");
    expect(traced.code).toBe(0);
    expect(JSON.parse(traced.out.trim().split("\n").at(-1) ?? "")).toHaveProperty("traced");
    const frame = JSON.parse((await paceline("top", "--json")).out);
    expect(frame.total).toBe(JSON.parse((await paceline("ps", "--json")).out).total);
    const { path, processes } = JSON.parse((await paceline("dump", "--json")).out);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(path, "utf8")).processes).toHaveLength(processes);
    const admin = await gateway.admin();
    await admin.raise();
    const refused = await admin.reply("replace-state", { p: name, value: {} });
    expect(refused.error.code).toBe("OPS_FORBIDDEN");
    const child = { supervisor: "ops", id: "nobody" };
    for (const action of ["terminate", "restart", "delete"]) {
      const reply = await admin.reply("child", { action, ...child });
      expect(reply.error.message).toContain("not_found");
    }
  }, 60_000);

  it("takes a provider out of service with a forced breaker, and back", async () => {
    await eventually("a leads", async () => (await server()) === "a");
    expect((await paceline("breaker", "open", "one/a", "--reason", "drill")).code).toBe(0);
    await eventually("b takes over", async () => (await server()) === "b");
    const forced = await post(`${gateway.url}/rpc/provider/a/one`, READ);
    expect(JSON.parse(forced.text).error.code).toBe(-32_002);
    expect((await paceline("breaker", "ls")).out).toMatch(/a\b.*open/u);
    expect((await paceline("breaker", "reset", "one/a")).code).toBe(0);
    await eventually("a leads again", async () => (await server()) === "a");
  });

  it("repeats itself with --watch until it is interrupted", async () => {
    const args = [CLI, "tree", "--json", "--watch", "100ms", "--socket", gateway.socketPath];
    const watching = new Child(process.execPath, args);
    use({ stop: () => watching.kill() });
    await watching.waitFor(/\n.*\n/u);
    watching.signal("SIGINT");
    const { code, signal } = await watching.exited;
    expect(signal ?? code).toBe("SIGINT");
  });

  it("ends with 69 where nobody listens and 64 where the command is wrong", async () => {
    const nowhere = new Child(process.execPath, [
      CLI,
      "tree",
      "--socket",
      "/nonexistent/admin.sock",
    ]);
    expect((await nowhere.exited).code).toBe(69);
    expect((await paceline("nonsense")).code).toBe(64);
  });
});
