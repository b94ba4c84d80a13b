import { describe, expect, it } from "vitest";
import { telemetryKeeper, telemetryKey } from "../../actors/ops/telemetry.ts";
import { HostProbe } from "../../src/io/host-probe.ts";
import { Log } from "../../src/io/log.ts";
import { eventLogger, loggedEvents } from "../../src/ops/log.ts";
import { processesView, restartsByChain, type CountedTreeNode } from "../../src/ops/processes.ts";
import { child, createVirtualNode, defineActor, keyFor, supervisor } from "../../src/otp/index.ts";

const open = () => {
  const lines: Record<string, unknown>[] = [];
  const target = { write: (text: string) => lines.push(JSON.parse(text)) };
  return { log: new Log({ region: "local", target }), lines };
};

const faulty = defineActor({
  name: "test/faulty",
  init: (_args: undefined) => 0,
});

const start = async () => {
  const node = createVirtualNode({ seed: 1 });
  const { log, lines } = open();
  const seen = { rolls: 0, prunes: 0, descriptors: 0, fail: false };
  const handle = eventLogger(log);
  const args = {
    telemetry: () => node.telemetry,
    listeners: [
      {
        id: "ops/log",
        names: () => loggedEvents(log),
        handle: (event: Parameters<typeof handle>[0]) => {
          if (seen.fail) throw new Error("handler broke");
          handle(event);
        },
      },
    ],
    probe: {
      roll: () => void (seen.rolls += 1),
      countDescriptors: () => {
        seen.descriptors += 1;
        return Promise.resolve();
      },
    },
    prune: () => void (seen.prunes += 1),
  };
  const spec = supervisor("root", {
    strategy: "one_for_one",
    intensity: 5,
    period: 5,
    children: [
      child(telemetryKeeper, args, { register: telemetryKey() }),
      child(faulty, undefined, { register: keyFor(faulty)() }),
    ],
  });
  await node.start(spec);
  const crash = (message: string) =>
    node.inspector.exit("test/faulty", { error: new Error(message) });
  return { node, log, lines, seen, crash };
};

describe("the telemetry keeper", () => {
  it("brings crashes and restarts of processes into the log", async () => {
    const { node, lines, crash } = await start();
    crash("on purpose");
    await node.settle();
    expect(lines.map(({ level, event }) => [level, event])).toEqual([
      ["error", "otp.crash"],
      ["warn", "otp.restart"],
    ]);
    expect(lines[0]).toMatchObject({ reason: "Error: on purpose", process: "test/faulty" });
    expect(lines[1]).toMatchObject({ child: "test/faulty", in_window: 1, intensity: 5 });
    await node.stop();
  });

  it("listens to what the log shows, and to more when its level changes", async () => {
    const { node, log } = await start();
    expect(node.telemetry.hears("head.tip")).toBe(false);
    expect(node.telemetry.hears("circuit_breaker.open")).toBe(true);
    log.levels.set("rpc.head", "debug");
    node.via(telemetryKey()).cast.refresh();
    await node.settle();
    expect(node.telemetry.hears("head.tip")).toBe(true);
    await node.stop();
  });

  it("attaches a handler again that had thrown, and keeps the figures fresh", async () => {
    const { node, lines, seen, crash } = await start();
    seen.fail = true;
    crash("one");
    await node.settle();
    expect(lines).toEqual([]);
    seen.fail = false;
    await node.advance(15_000);
    await node.settle();
    crash("two");
    await node.settle();
    expect(lines.map(({ event }) => event)).toEqual(["otp.crash", "otp.restart"]);
    expect(seen).toMatchObject({ rolls: 2, prunes: 2, descriptors: 2 });
    await node.stop();
  });
});

describe("figures about processes", () => {
  const worker = (name: string, count: number): CountedTreeNode => ({
    name,
    kind: "worker",
    restarts: { count, intensity: 0 },
    children: [],
  });
  const tree: CountedTreeNode = {
    name: "application",
    kind: "supervisor",
    restarts: { count: 1, intensity: 10 },
    children: [
      {
        name: "chains",
        kind: "supervisor",
        restarts: { count: 3, intensity: 5 },
        children: [
          worker("rpc/chain/alpha/head-tracker", 2),
          worker("rpc/chain/alpha/provider/a/ws-connection", 3),
          worker("rpc/chain/alpha/provider/a/probe", 1),
          worker("rpc/chain/beta/provider/a/probe", 1),
        ],
      },
      worker("ops/telemetry", 4),
    ],
  };

  it("sum restarts by chain and provider from registered names", () => {
    const alpha = restartsByChain(tree).get("alpha");
    expect(alpha?.own).toBe(2);
    expect(alpha?.byProvider.get("a")).toBe(4);
    expect(restartsByChain(tree).get("beta")?.byProvider.get("a")).toBe(1);
    expect(restartsByChain(undefined).size).toBe(0);
  });

  it("name the supervisor that is closest to giving up", () => {
    const view = processesView(
      [
        { kind: "supervisor", mailbox: 0 },
        { kind: "worker", mailbox: 7 },
        { kind: "task", mailbox: 2 },
      ],
      tree,
    );
    expect(view).toEqual({
      supervisors: 1,
      workers: 2,
      restarts: 11,
      mailboxMessages: 9,
      mailboxMaxMessages: 7,
      worstBudget: { supervisor: "chains", ratio: 0.6 },
    });
  });
});

describe("the host probe", () => {
  it("measures CPU, memory, the loop and descriptors", async () => {
    const probe = new HostProbe();
    await probe.countDescriptors();
    probe.roll();
    const sample = probe.sample();
    probe.close();
    expect(sample.rssBytes).toBeGreaterThan(1_000_000);
    expect(sample.heapLimitBytes).toBeGreaterThan(sample.heapUsedBytes);
    expect(sample.cpuUserMs).toBeGreaterThan(0);
    expect(sample.loopUtilization).toBeGreaterThanOrEqual(0);
    expect(sample.loopUtilization).toBeLessThanOrEqual(1);
    if (process.platform === "linux") expect(sample.openFds).toBeGreaterThan(2);
  });
});
