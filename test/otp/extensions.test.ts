/** Extensions to OTP: what each does at its bound, and that a node can do without (otp.md 1.17). */
import { describe, expect, it } from "vitest";
import {
  child,
  createNode,
  createVirtualNode,
  defineActor,
  dynamicSupervisor,
  keyFor,
  type ProfileName,
  reply,
  supervisor,
  type VirtualNode,
} from "../../src/otp/index.ts";
import { must, probe, probeKey, startTop, trapper, trapperKey } from "./support.ts";

const under = (profile: ProfileName): VirtualNode => createVirtualNode({ profile });

/** Fields of every event of this name. */
function fieldsOf(node: VirtualNode, name: string): Readonly<Record<string, unknown>>[] {
  const seen: Readonly<Record<string, unknown>>[] = [];
  node.telemetry.attach(name, name, ({ fields }) => seen.push(fields));
  return seen;
}

const hoarder = (max?: number) =>
  defineActor({
    name: "test/hoarder",
    ...(max === undefined ? {} : { mailbox: { max } }),
    init: (_args: undefined) => 0,
    calls: { count: (state) => reply(state, state) },
    casts: {
      hold: async (state, _arg: undefined, ctx) => {
        await ctx.sleep(10);
        return state;
      },
      add: (state) => state + 1,
    },
  });

async function flood(profile: ProfileName, max?: number): Promise<number> {
  const def = hoarder(max);
  const key = keyFor(def);
  const node = await startTop([child(def, undefined, { register: key() })], {}, under(profile));
  const ref = must(node.whereis(key()));
  ref.cast.hold();
  await node.settle();
  for (let n = 0; n < 10_050; n += 1) ref.cast.add();
  await node.advance(10);
  return ref.call.count();
}

describe("a mailbox", () => {
  it("holds 10 000 messages by default, and any number in profile otp", async () => {
    expect(await flood("paceline")).toBe(10_000);
    expect(await flood("otp")).toBe(10_050);
  });

  it("keeps a bound that its definition states, in either profile", async () => {
    expect(await flood("paceline", 7)).toBe(7);
    expect(await flood("otp", 7)).toBe(7);
  });

  it("tells at 80 % and, once a second, what it lost", async () => {
    const def = hoarder(10);
    const key = keyFor(def);
    const node = await startTop([child(def, undefined, { register: key() })]);
    const high = fieldsOf(node, "otp.mailbox.high");
    const dropped = fieldsOf(node, "otp.mailbox.dropped");
    const ref = must(node.whereis(key()));
    ref.cast.hold();
    await node.settle();
    for (let n = 0; n < 8; n += 1) ref.cast.add();
    expect(high).toEqual([{ pid: ref.id, length: 8, max: 10, policy: "reject" }]);
    for (let n = 0; n < 6; n += 1) ref.cast.add();
    expect(dropped).toEqual([{ pid: ref.id, length: 10, count: 1, policy: "reject" }]);
    await node.advance(1_000);
    ref.cast.hold();
    await node.settle();
    for (let n = 0; n < 11; n += 1) ref.cast.add();
    expect(dropped[1]).toMatchObject({ count: 4 });
  });
});

describe("a dynamic supervisor", () => {
  const many = (maxChildren?: number) =>
    dynamicSupervisor("many", {
      ...(maxChildren === undefined ? {} : { maxChildren }),
      template: (name: string) => child(probe, { name }, { id: "one" }),
    });
  const fill = async (profile: ProfileName, count: number, max?: number) => {
    const node = await startTop([many(max)], {}, under(profile));
    const full = fieldsOf(node, "otp.children.full");
    const ref = must(node.supervisor<string>("many"));
    for (let n = 0; n < count; n += 1) void ref.startChild(`c${n}`);
    const { active } = await ref.countChildren();
    return { active, full };
  };

  it("refuses children beyond maxChildren with max_children and an event", async () => {
    const { active, full } = await fill("otp", 3, 2);
    expect(active).toBe(2);
    expect(full).toEqual([{ pid: "#2", limit: 2 }]);
  });

  it("counts children that wait for their restart", async () => {
    const backoff = { minMs: 100, maxMs: 100, jitter: 0 };
    const spec = dynamicSupervisor("many", {
      maxChildren: 1,
      template: (name: string) => child(probe, { name }, { register: probeKey(name), backoff }),
    });
    const node = await startTop([spec]);
    const ref = must(node.supervisor<string>("many"));
    await ref.startChild("a");
    must(node.whereis(probeKey("a"))).cast.stop("boom");
    await node.settle();
    expect(await ref.whichChildren()).toMatchObject([{ pid: "restarting" }]);
    expect(await ref.startChild("b")).toEqual({ ok: false, reason: "max_children" });
  });

  it("takes 10 000 by default, and any number in profile otp", async () => {
    expect(await fill("paceline", 10_001)).toMatchObject({
      active: 10_000,
      full: [{ limit: 10_000 }],
    });
    expect(await fill("otp", 10_001)).toEqual({ active: 10_001, full: [] });
  });
});

describe("a killed supervisor", () => {
  const restartMs = async (profile: ProfileName, orphans?: "wait" | "ignore") => {
    const node = under(profile);
    const orphan = child(trapper, { name: "o", terminateMs: 200 }, { id: "o", shutdown: 1_000 });
    await startTop(
      [supervisor("inner", { children: [orphan] })],
      orphans === undefined ? {} : { orphans },
      node,
    );
    const told = fieldsOf(node, "otp.orphans");
    const restarts: number[] = [];
    node.telemetry.attach("up", "otp.restart", ({ atMs }) => restarts.push(atMs));
    const atMs = node.nowMs();
    node.inspector.exit("inner", "kill");
    await node.settle();
    return { waitedMs: must(restarts[0]) - atMs, told: told.length };
  };

  it("is replaced when its orphans are gone, with an event; at once in profile otp", async () => {
    expect(await restartMs("paceline")).toEqual({ waitedMs: 200, told: 1 });
    expect(await restartMs("otp")).toEqual({ waitedMs: 0, told: 0 });
  });

  it("is replaced as its parent's flag says, in either profile", async () => {
    expect(await restartMs("paceline", "ignore")).toEqual({ waitedMs: 0, told: 0 });
    expect(await restartMs("otp", "wait")).toEqual({ waitedMs: 200, told: 1 });
  });
});

describe("an init", () => {
  const slow = defineActor({
    name: "test/slow",
    init: async (_args: undefined, ctx) => {
      await ctx.sleep(60_000);
      return 0;
    },
  });
  const start = async (profile: ProfileName, startTimeoutMs?: number) => {
    const node = under(profile);
    const timeouts = fieldsOf(node, "otp.start.timeout");
    const policy = startTimeoutMs === undefined ? {} : { startTimeoutMs };
    const top = supervisor("top", {
      children: [child(slow, undefined, { id: "slow", ...policy })],
    });
    const isUp = await node.start(top).then(
      () => true,
      () => false,
    );
    return { isUp, atMs: node.nowMs(), timeouts: timeouts.map(({ durationMs }) => durationMs) };
  };

  it("may take 30 s by default, and for ever in profile otp", async () => {
    expect(await start("paceline")).toEqual({ isUp: false, atMs: 30_000, timeouts: [30_000] });
    expect(await start("otp")).toEqual({ isUp: true, atMs: 60_000, timeouts: [] });
  });

  it("may take what its spec says, in either profile", async () => {
    expect(await start("paceline", 70_000)).toMatchObject({ isUp: true });
    expect(await start("otp", 100)).toEqual({ isUp: false, atMs: 100, timeouts: [100] });
  });
});

describe("backoff and the millisecond window", () => {
  it("apply where a spec asks for them, in profile otp too", async () => {
    const node = under("otp");
    const backoff = { minMs: 100, maxMs: 1_000, jitter: 0 };
    const flaky = child(trapper, { name: "a" }, { register: trapperKey("a"), backoff });
    await startTop([flaky], { intensity: 2, period: 0.5, clock: "ms" }, node);
    const restarts = fieldsOf(node, "otp.restart");
    const crash = async (): Promise<void> => {
      must(node.whereis(trapperKey("a"))).cast.stop("boom");
      await node.settle();
    };
    await crash();
    expect(node.whereis(trapperKey("a"))).toBeUndefined();
    await node.advance(100);
    await crash();
    expect(restarts.map(({ delayMs, inWindow }) => [delayMs, inWindow])).toEqual([
      [100, 1],
      [200, 2],
    ]);
    await node.advance(401);
    await crash();
    expect(restarts.at(-1)).toMatchObject({ delayMs: 400, inWindow: 2 });
  });

  it("hold a group together: who crashes meanwhile waits with those that wait already", async () => {
    const log: string[] = [];
    const named = (name: string, more: object = {}) =>
      child(trapper, { name, log }, { register: trapperKey(name), ...more });
    const backoff = { minMs: 100, maxMs: 1_000, jitter: 0 };
    const node = await startTop([named("a"), named("b", { backoff }), named("c")], {
      strategy: "rest_for_one",
    });
    const crash = async (name: string): Promise<void> => {
      must(node.whereis(trapperKey(name))).cast.stop("boom");
      await node.settle();
    };
    log.length = 0;
    await crash("b");
    await node.advance(60);
    await crash("a");
    await node.advance(39);
    expect(log).toEqual(["terminate b boom", "terminate c shutdown", "terminate a boom"]);
    await node.advance(1);
    expect(log.slice(3)).toEqual(["init a", "init b", "init c"]);
    await node.advance(1_000);
    expect(log).toHaveLength(6);
  });

  it("are off unless asked for: a crash is restarted at once", async () => {
    for (const profile of ["otp", "paceline"] as const) {
      const node = await startTop(
        [child(probe, { name: "a" }, { register: probeKey("a") })],
        {},
        under(profile),
      );
      const restarts = fieldsOf(node, "otp.restart");
      must(node.whereis(probeKey("a"))).cast.stop("boom");
      await node.settle();
      expect(restarts).toMatchObject([{ delayMs: 0 }]);
      expect(node.whereis(probeKey("a"))?.isAlive).toBe(true);
    }
  });
});

describe("a node on real time", () => {
  it("takes a profile too", async () => {
    const def = hoarder();
    const key = keyFor(def);
    const node = createNode({ profile: "otp" });
    await node.start(supervisor("top", { children: [child(def, undefined, { register: key() })] }));
    const ref = must(node.whereis(key()));
    for (let n = 0; n < 10_050; n += 1) ref.cast.add();
    expect(await ref.call.count()).toBe(10_050);
    await node.stop();
  });
});
