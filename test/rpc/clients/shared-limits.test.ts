import { describe, expect, it } from "vitest";
import type { RedisLink } from "../../../src/io/redis/link.ts";
import { ClientGate, type GateConfig } from "../../../src/rpc/clients/client-gate.ts";
import type { Caller } from "../../../src/rpc/clients/caller.ts";
import {
  ADVANCE_SCRIPT,
  COUNT_SCRIPT,
  type SharedScripts,
} from "../../../src/rpc/clients/shared-limits.ts";
import { cleanupAfterEach } from "../../support/cleanup.ts";
import { eventually } from "../../support/eventually.ts";
import { describeWithRedis, linkTo, startRedis } from "../../support/redis.ts";
import { gateOf, keyOf } from "./config.ts";

const NOV_28 = Date.parse("2026-11-28T12:00:00Z");

/** One host of several: its gate with a hand-driven clock. */
const hostOf = (scripts: SharedScripts | undefined, config: GateConfig) => {
  const gate = new ClientGate({ wallNow: () => NOV_28, emit: () => undefined, scripts });
  gate.configure(config);
  const caller = gate.callers.find("k") as Caller;
  const ask = (nowMs: number) => gate.charge({ caller }, undefined, "ethereum", "eth_call", nowMs);
  return { gate, caller, ask };
};

const RATE = gateOf({ keys: [keyOf("k", { rate: { rps: 10, burst: 10 } })] });

describeWithRedis("limits that hosts share", () => {
  const use = cleanupAfterEach();

  const shared = async () => {
    const server = use(await startRedis());
    const connect = async () => use(await linkTo(server, { keyPrefix: "t:", random: Math.random }));
    return { server, connect };
  };

  const idle = (link: RedisLink) => eventually("Redis has answered", () => link.pending === 0);

  it("stop a second host when the first has used what both may", async () => {
    const { connect } = await shared();
    const [linkA, linkB] = [await connect(), await connect()];
    // So slow that the time which the test itself takes does not matter.
    const slow = gateOf({ keys: [keyOf("k", { rate: { rps: 0.1, burst: 10 } })] });
    const [a, b] = [hostOf(linkA, slow), hostOf(linkB, slow)];
    for (let at = 0; at < 10; at++) expect(a.ask(0)).toBeUndefined();
    a.gate.tick(0);
    await idle(linkA);
    expect(a.caller.sharedUntilMs).toBe(0);
    // The second host has heard nothing yet, and tells of its own five.
    for (let at = 0; at < 5; at++) expect(b.ask(0)).toBeUndefined();
    b.gate.tick(0);
    await idle(linkB);
    const refusal = b.ask(1);
    expect(refusal).toMatchObject({ reason: "rate_limited" });
    expect(refusal?.retryAfterMs).toBeLessThanOrEqual(10_000);
    expect(b.ask(10_001)).toBeUndefined();
  });

  it("count a month's units over all hosts, and over one that has lost its memory", async () => {
    const { connect } = await shared();
    const units = { perSecond: undefined, perDay: undefined, perMonth: 100 };
    const config = gateOf({ keys: [keyOf("k", { units })], unitsByMethod: { eth_call: 30 } });
    const [linkA, linkB] = [await connect(), await connect()];
    const [a, b] = [hostOf(linkA, config), hostOf(linkB, config)];
    expect([a.ask(0), a.ask(0), b.ask(0)]).toEqual([undefined, undefined, undefined]);
    a.gate.tick(0);
    await idle(linkA);
    b.gate.tick(0);
    await idle(linkB);
    expect(b.caller.month?.used).toBe(90);
    expect(b.ask(1)).toBeUndefined();
    expect(b.ask(1)?.reason).toBe("quota_spent");
    b.gate.tick(200);
    await idle(linkB);
    const c = hostOf(linkA, config);
    expect(c.ask(0)).toBeUndefined();
    c.gate.tick(0);
    await idle(linkA);
    expect(c.ask(1)?.reason).toBe("quota_spent");
  });

  it("start anew from values that are no numbers, of another type, or far ahead", async () => {
    const { server, connect } = await shared();
    const link = await connect();
    const beside = server.client();
    const run = (script: string, key: string, ...args: number[]) =>
      new Promise<readonly number[] | undefined>((resolve) => {
        link.run(script, [key], args, resolve);
      });
    await beside.set("t:a", "garbage");
    await beside.rpush("t:b", "x");
    await beside.set("t:c", "99999999999999999999");
    await beside.set("t:d", "nan");
    await beside.set("t:e", "-5");
    for (const key of ["a", "b", "c", "d", "e", "new"]) {
      expect(await run(ADVANCE_SCRIPT, key, 1_000, 5_000, 10_000_000), key).toEqual([0]);
      expect(await beside.pttl(`t:${key}`)).toBeGreaterThan(0);
    }
    for (const key of ["f", "g"]) await beside.set(`t:${key}`, key === "f" ? "garbage" : "1.5");
    await beside.rpush("t:h", "x");
    for (const key of ["f", "g", "h"]) {
      expect(await run(COUNT_SCRIPT, key, 7, 60_000), key).toEqual([7]);
      expect(await run(COUNT_SCRIPT, key, 5, 60_000), key).toEqual([12]);
    }
    expect(link.counters.failed).toBe(0);
  });

  it("are each host's own while the store is stopped, killed or emptied", async () => {
    const { server, connect } = await shared();
    const link = await connect();
    const host = hostOf(link, RATE);
    server.child.signal("SIGSTOP");
    const served = (fromMs: number): number => {
      let count = 0;
      for (let at = 0; at < 30; at++) {
        if (host.ask(fromMs + at) === undefined) count++;
        host.gate.tick(fromMs + at);
      }
      return count;
    };
    expect(served(0)).toBe(10);
    await server.child.kill();
    await eventually("the loss is noticed", () => !link.isUp);
    expect(served(60_000)).toBe(10);
    await server.restart();
    await eventually("connected again", () => link.isUp);
    await server.client().flushall();
    expect(served(120_000)).toBe(10);
    await idle(link);
    expect(host.caller.sharedUntilMs).toBeLessThanOrEqual(121_000);
  });
});

describe("limits without a shared store", () => {
  it("are each host's own", () => {
    const host = hostOf(undefined, RATE);
    const served = Array.from({ length: 30 }, () => host.ask(0)).filter((one) => one === undefined);
    host.gate.tick(0);
    expect(served.length).toBe(10);
  });

  it("tell the store of each busy caller in turn, however many there are", () => {
    const keys = Array.from({ length: 250 }, (_, at) =>
      keyOf(`k${at}`, { rate: { rps: 1, burst: 9 } }),
    );
    const heard = new Map<string, number>();
    const scripts: SharedScripts = {
      isUp: true,
      run: (_script, [key = ""]) => heard.set(key, (heard.get(key) ?? 0) + 1),
    };
    const gate = new ClientGate({ wallNow: () => NOV_28, emit: () => undefined, scripts });
    gate.configure(gateOf({ keys }));
    for (let round = 0; round < 6; round++) {
      for (let at = 0; at < 250; at++) {
        const caller = gate.callers.find(`k${at}`);
        gate.charge({ caller }, undefined, "ethereum", "eth_call", round * 1_000);
      }
      gate.tick(round * 1_000);
    }
    expect(heard.size).toBe(250);
    expect(Math.max(...heard.values()) - Math.min(...heard.values())).toBeLessThanOrEqual(1);
  });
});
