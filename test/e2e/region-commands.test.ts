/** Commands from one region to another: programs of their own, one real Redis, the real command line. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import { type AdminClient, flatten, type TreeNode } from "../support/admin.ts";
import { Child } from "../support/child.ts";
import { cleanupAfterAll } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Gateway } from "../support/gateway.ts";
import { describeWithRedis, startRedis, type RedisServer } from "../support/redis.ts";

const SECRET = "CANARY-secret-of-the-cluster";
const LEASE_MS = 3_000;
const CHANNEL = "paceline:cluster";
const CLI = join(import.meta.dirname, "..", "..", "src", "cli.ts");
/** What drills end; it comes back at once, one restart later. */
const VICTIM = "rpc/chain/one/head-tracker";

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

describeWithRedis("commands to another region", () => {
  const keep = cleanupAfterAll();
  let redis: RedisServer;
  let provider = "";
  let eu: Gateway;
  let us: Gateway;
  let ap: Gateway;
  const admins = new Map<Gateway, AdminClient>();
  const cli: Child[] = [];
  afterAll(() => Promise.all(cli.map((child) => child.kill())));

  const configOf = (region: string, grants?: string) => ({
    region,
    redis: { url: redis.url },
    cluster: { secret: SECRET, lease: `${LEASE_MS}ms`, ...(grants !== undefined && { grants }) },
    chains: { one: { chain_id: 77, providers: [{ id: `of-${region}`, url: provider }] } },
  });

  const begin = (at: Gateway, line: string): Child => {
    const args = [CLI, ...line.split(" "), "--socket", at.socketPath];
    const child = new Child(process.execPath, args, { NO_COLOR: "1" });
    cli.push(child);
    return child;
  };

  const paceline = async (at: Gateway, line: string): Promise<Ran> => {
    const child = begin(at, line);
    const { code } = await child.exited;
    return { code, out: child.stdout, err: child.stderr };
  };

  const viewOf = async (gateway: Gateway) =>
    (await (await fetch(`${gateway.url}/api/v1/regions`)).json()) as {
      readonly regions: readonly { readonly region: string; readonly state: string }[];
      readonly refused: Readonly<Record<string, number>>;
    };

  const untilState = (at: Gateway, of: string, wanted: string) =>
    eventually(`${of} is ${wanted}`, async () =>
      (await viewOf(at)).regions.some(({ region, state }) => region === of && state === wanted),
    );

  const adminOf = async (gateway: Gateway): Promise<AdminClient> => {
    const admin = admins.get(gateway) ?? (await gateway.admin());
    admins.set(gateway, admin);
    return admin;
  };

  const pidOf = async (gateway: Gateway, name: string): Promise<string | undefined> =>
    flatten(await (await adminOf(gateway)).tree()).find((node) => node.name === name)?.pid;

  const underWay = async (gateway: Gateway) =>
    (
      (await (await adminOf(gateway)).ask("inspect", { target: "cluster/region-commands" })) as {
        readonly state: { readonly streams: number; readonly watched: number };
      }
    ).state;

  beforeAll(async () => {
    redis = keep(await startRedis());
    const startMs = Date.now();
    const chain = new FakeChain({ seed: 1, chainId: 77, blockTimeMs: 500, startMs });
    const mind = new FakeProvider({ id: "a", chain, faults: {}, seed: 1, startMs });
    provider = keep(await startFakeServer(mind, Date.now)).url;
    const start = async (region: string, grants?: string): Promise<Gateway> =>
      keep(await Gateway.start({ config: configOf(region, grants) }));
    [eu, us, ap] = await Promise.all([start("eu"), start("us"), start("ap", "admin")]);
    for (const at of [eu, us, ap]) {
      for (const region of ["eu", "us", "ap"]) await untilState(at, region, "joined");
    }
  });

  it("show there what its own operator sees", async () => {
    const { code, out } = await paceline(eu, "tree --region us --json");
    expect(code).toBe(0);
    const names = (tree: TreeNode) => flatten(tree).map(({ name, pid }) => `${name} ${pid}`);
    expect(names(JSON.parse(out))).toEqual(names(await (await adminOf(us)).tree()));
    const version = await paceline(eu, "version --region us --json");
    expect(JSON.parse(version.out)).toMatchObject({ region: "us", pid: us.child.pid });
    const providers = await paceline(eu, "providers --region us");
    expect(providers.out).toContain("of-us");
    const dumped = await paceline(eu, "config dump --region us");
    expect(dumped.out).toContain("region: us");
    expect(dumped.out).not.toContain("CANARY");
  });

  it("do no more than the other region grants, which says so", async () => {
    const before = await pidOf(us, VICTIM);
    const refused = await paceline(eu, `exit ${VICTIM} --region us`);
    expect(refused).toMatchObject({ code: 77, out: "" });
    expect(refused.err).toContain("us grants viewer to other regions, and it came as admin");
    expect(await pidOf(us, VICTIM)).toBe(before);
    await us.child.waitFor(/cluster\.command.*OPS_FORBIDDEN/);
    us.writeConfig(configOf("us", "operator"));
    expect(await paceline(us, "reload")).toMatchObject({ code: 0 });
    expect(await paceline(eu, `restart ${VICTIM} --region us`)).toMatchObject({ code: 0 });
    expect(await pidOf(us, VICTIM)).not.toBe(before);
    expect((await paceline(eu, `exit ${VICTIM} --region us`)).code).toBe(77);
  });

  it("are written down on both sides, and counted where they are carried out", async () => {
    expect(await paceline(eu, `exit ${VICTIM} --region ap`)).toMatchObject({ code: 0 });
    const auditOf = (gateway: Gateway): any[] =>
      readFileSync(join(dirname(gateway.socketPath), "audit.log"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    expect(auditOf(ap).at(-1)).toMatchObject({
      role: "admin",
      token: "region:eu",
      cmd: "exit",
      args: { target: VICTIM },
      result: "ok",
    });
    expect(auditOf(eu).at(-1)).toMatchObject({ cmd: "exit", args: { region: "ap" }, result: "ok" });
    const metrics = await (await fetch(`${ap.url}/metrics`)).text();
    expect(metrics).toMatch(
      /^paceline_cluster_commands_total\{[^}]*access="write"[^}]*result="ok"[^}]*\} 1$/m,
    );
  });

  it("are taken once: what was heard on the channel is worth nothing to who says it again", async () => {
    const ear = redis.client();
    const heard: Buffer[] = [];
    ear.on("messageBuffer", (_channel: Buffer, bytes: Buffer) => void heard.push(bytes));
    await ear.subscribe(CHANNEL);
    expect(await paceline(eu, `exit ${VICTIM} --region ap`)).toMatchObject({ code: 0 });
    await eventually("the command was heard", () => heard.some((bytes) => bytes.includes(VICTIM)));
    const order = heard.find((bytes) => bytes.includes('"k":"order"')) as Buffer;
    await ear.unsubscribe();
    const pid = await eventually("it is there again", () => pidOf(ap, VICTIM));
    const before = (await viewOf(ap)).refused;
    const forged = Buffer.from(order);
    forged.write("#", forged.indexOf(VICTIM));
    const beside = redis.client();
    for (const bytes of [order, order, forged]) await beside.publish(CHANNEL, bytes);
    await eventually("all are counted", async () => {
      const { replayed = 0, unsigned = 0 } = (await viewOf(ap)).refused;
      return replayed >= (before["replayed"] ?? 0) + 2 && unsigned >= (before["unsigned"] ?? 0) + 1;
    });
    expect(await pidOf(ap, VICTIM)).toBe(pid);
  });

  it("stream what passes there, and leave no stream behind when the watcher is killed", async () => {
    const trace = begin(eu, "trace cluster/region-presence --region ap --for 60s --max 1000");
    await trace.waitFor(/cluster\/region-presence .*\n.*cluster\/region-presence/);
    expect(await underWay(ap)).toMatchObject({ streams: 1 });
    expect(await underWay(eu)).toMatchObject({ watched: 1 });
    await trace.kill();
    await eventually("the stream has ended", async () => (await underWay(ap)).streams === 0);
    const counted = await paceline(eu, "trace cluster/region-presence --region ap --max 5");
    expect(counted.out).toContain("5 messages; ended by count");
  });

  it("are not carried out late by a region that was frozen, and say that it is lost", async () => {
    const pid = await pidOf(ap, VICTIM);
    ap.child.signal("SIGSTOP");
    const lost = await paceline(eu, `exit ${VICTIM} --region ap`);
    expect(lost).toMatchObject({ code: 69, out: "" });
    expect(lost.err).toContain("ap was lost before it answered exit");
    ap.child.signal("SIGCONT");
    await untilState(eu, "ap", "joined");
    // Messages come in order: whoever has answered the next command has heard the last one.
    expect(await paceline(eu, "version --region ap")).toMatchObject({ code: 0 });
    expect(await pidOf(ap, VICTIM)).toBe(pid);
  });

  it("end with a region that is killed, its streams as well", async () => {
    const trace = begin(eu, "trace cluster/region-presence --region us --for 60s --max 1000");
    await trace.waitFor(/cluster\/region-presence/);
    us.child.signal("SIGKILL");
    expect(await trace.exited).toMatchObject({ code: 69 });
    expect(trace.stdout).toContain("ended by region lost");
    expect(await paceline(eu, "tree --region us")).toMatchObject({
      code: 69,
      err: expect.stringContaining("us is lost: it was silent for its lease"),
    });
    expect(await paceline(eu, "tree --region mars")).toMatchObject({
      code: 64,
      err: expect.stringContaining("regions: ap, eu, us"),
    });
    expect((await paceline(ap, "drain --wait 20s --region eu")).code).toBe(77);
    expect((await paceline(eu, "drain --wait 20s --region ap")).out).toBe("ended\n");
  });

  it("are answered by an instance that shares with nobody: there is no such region", async () => {
    const { chains } = configOf("alone");
    const alone = keep(await Gateway.start({ config: { region: "alone", chains } }));
    expect(await paceline(alone, "tree --region us")).toMatchObject({
      code: 64,
      err: expect.stringContaining("set redis.url and cluster.secret"),
    });
    expect((await paceline(alone, "tree --region alone")).code).toBe(0);
  });

  it("show no secret anywhere", () => {
    for (const gateway of [eu, us, ap]) expect(gateway.traces()).not.toContain("CANARY");
    for (const { output } of cli) expect(output).not.toContain("CANARY");
  });
});
