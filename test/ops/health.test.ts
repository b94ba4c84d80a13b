import { describe, expect, it } from "vitest";
import { activeAlerts } from "../../src/ops/alerts.ts";
import {
  HealthMemory,
  health,
  livez,
  readyz,
  startupz,
  type HealthInput,
} from "../../src/ops/health.ts";
import { type LoopAlarm, loopAlarmOf } from "../../src/ops/loop-alarm.ts";
import { chain, down, endpoint, host, processes, provider } from "./views.ts";

const input = (more: Partial<HealthInput> = {}): HealthInput => ({
  region: "local",
  version: "0.1.0",
  nowMs: 10_000,
  isDraining: false,
  isRootAlive: true,
  isConfigLoaded: true,
  isListening: true,
  endpoints: { all: 4, tried: 4 },
  chains: [chain("alpha")],
  alerts: [],
  host,
  processes,
  ...more,
});

const dead = (name: string) =>
  chain(name, {
    aliases: [],
    providers: [provider("x", { http: endpoint(down), ws: endpoint(down) })],
  });

describe("livez", () => {
  it("is ok while every provider is down and while we drain", () => {
    expect(livez(input({ chains: [dead("alpha")], isDraining: true })).status).toBe(200);
  });

  it("is 503 when the root supervisor is gone", () => {
    const { status, body } = livez(input({ isRootAlive: false }));
    expect(status).toBe(503);
    expect(body.status).toBe("unhealthy");
  });
});

describe("an alarm of the watchdog", () => {
  const alarm = (event: {
    readonly ms: number;
    readonly isAlarm?: boolean;
  }): LoopAlarm | undefined =>
    loopAlarmOf({
      atMs: 10_000,
      process: "rpc/chain/alpha/head-tracker",
      fields: { durationMs: event.ms, function: "parse", alarm: event.isAlarm ?? true },
    });
  const sentence = "rpc/chain/alpha/head-tracker held the main loop for 812 ms in parse";

  it("takes the instance out of rotation for 5 s after half a second's block, and no other", () => {
    const at = (nowMs: number, ms: number) =>
      readyz(input({ nowMs, loopAlarm: alarm({ ms }) })).status;
    expect([at(10_000, 812), at(14_999, 812), at(15_000, 812)]).toEqual([503, 503, 200]);
    expect(at(10_000, 499)).toBe(200);
    const { body } = readyz(input({ loopAlarm: alarm({ ms: 812 }) }));
    expect(body.status).toBe("unhealthy");
    expect(body.checks).toContainEqual({ name: "main_loop", ok: false, reason: sentence });
  });

  it("is an alert for a minute, however short the block was", () => {
    const at = (nowMs: number, ms: number) =>
      activeAlerts({ nowMs, chains: [], loopAlarm: alarm({ ms }) }).map(({ message }) => message);
    expect(at(69_999, 812)).toEqual([sentence]);
    expect(at(10_000, 160)).toHaveLength(1);
    expect(at(70_000, 812)).toEqual([]);
  });

  it("is no slow slice that the scheduler told of", () => {
    expect(alarm({ ms: 90, isAlarm: false })).toBeUndefined();
  });
});

describe("startupz", () => {
  it("waits until each endpoint was tried once, not until it is healthy", () => {
    const waiting = startupz(input({ endpoints: { all: 4, tried: 3 } }));
    expect(waiting.status).toBe(503);
    expect(waiting.body.checks.find(({ ok }) => !ok)?.reason).toBe(
      "3 of 4 endpoints were tried so far",
    );
    expect(startupz(input({ chains: [dead("alpha")] })).status).toBe(200);
  });
});

describe("readyz", () => {
  it("stays ready when one of two chains is down, and says degraded", () => {
    const { status, body } = readyz(input({ chains: [chain("alpha"), dead("beta")] }));
    expect(status).toBe(200);
    expect(body.status).toBe("degraded");
    expect(body.checks).toContainEqual({
      name: "chain:beta",
      ok: false,
      reason: "0 of 1 providers can serve, 1 wanted",
    });
  });

  it("is 503 when no chain can serve, when no chain runs, and while draining", () => {
    expect(readyz(input({ chains: [dead("alpha")] })).status).toBe(503);
    expect(readyz(input({ chains: [] })).status).toBe(503);
    const draining = readyz(input({ isDraining: true }));
    expect(draining.status).toBe(503);
    expect(draining.body.status).toBe("draining");
  });

  it("is 200 without chains where there is pairing alone, once its markets are back", () => {
    expect(readyz(input({ chains: [], isPairingWhole: true }))).toMatchObject({
      status: 200,
      body: { status: "ok" },
    });
    const early = readyz(input({ chains: [], isPairingWhole: false }));
    expect(early.status).toBe(503);
    expect(early.body.checks).toContainEqual({
      name: "pairing",
      ok: false,
      reason: "markets are being read back",
    });
    expect(readyz(input({ chains: [], isPairingWhole: true }), { chain: "x" }).status).toBe(503);
    expect(readyz(input({ chains: [dead("alpha")], isPairingWhole: true })).status).toBe(503);
  });

  it("asks about one chain by name, alias, decimal and hex id", () => {
    const both = input({ chains: [chain("alpha", { chainId: 255 }), dead("beta")] });
    for (const wanted of ["alpha", "main", "255", "0xff", "0xFF"]) {
      expect(readyz(both, { chain: wanted }).body.status, wanted).toBe("ok");
    }
    expect(readyz(both, { chain: "beta" }).status).toBe(503);
    expect(readyz(both, { chain: "gamma" }).status).toBe(503);
  });

  it("wants `min` usable providers and refuses a min that is no whole number", () => {
    expect(readyz(input(), { min: "2" }).status).toBe(200);
    expect(readyz(input(), { min: "3" }).status).toBe(503);
    expect(readyz(input(), { min: "x" }).status).toBe(400);
    expect(readyz(input(), { min: "-1" }).status).toBe(400);
  });

  it("counts a provider in cooldown, suspect or half-open as not usable", () => {
    for (const row of [
      endpoint({ cooldownUntilMs: 11_000 }),
      endpoint({ suspect: true }),
      endpoint({ state: "half_open" }),
      endpoint({ isUsable: false }),
    ]) {
      const providers = [provider("x", { http: row, ws: undefined })];
      expect(readyz(input({ chains: [chain("alpha", { providers })] })).status).toBe(503);
    }
  });
});

describe("health", () => {
  it("shows availability, resources and alerts", () => {
    const chains = [chain("alpha"), dead("beta")];
    const alerts = activeAlerts({ nowMs: 10_000, chains, host, processes });
    const { status, body } = health(input({ chains, alerts }));
    expect(status).toBe(200);
    expect(body.status).toBe("degraded");
    expect(body["availability"]).toEqual({
      chains_up: 1,
      chains: 2,
      providers_usable: 2,
      providers: 3,
    });
    expect(body["resources"]).toMatchObject({ processes: 24, restarts: 1, open_fds: 30 });
    expect(alerts[0]).toMatchObject({ id: "chain_down", severity: "critical", chain: "beta" });
  });

  it("remembers since when a check is as it is", () => {
    const memory = new HealthMemory();
    const good = memory.stamp(readyz(input()), "T1");
    expect(good.body.checks.every(({ since }) => since === "T1")).toBe(true);
    const still = memory.stamp(readyz(input()), "T2");
    expect(still.body.checks.every(({ since }) => since === "T1")).toBe(true);
    const draining = memory.stamp(readyz(input({ isDraining: true })), "T3");
    expect(draining.body.checks[0]).toMatchObject({ name: "not_draining", ok: false, since: "T3" });
  });
});

describe("alerts", () => {
  const ids = (more: Parameters<typeof activeAlerts>[0]) => activeAlerts(more).map(({ id }) => id);

  it("is silent when all is well", () => {
    expect(ids({ nowMs: 10_000, chains: [chain("alpha")], host, processes })).toEqual([]);
  });

  it("names open breakers, failing and lagging providers, a stale head and a last provider", () => {
    const providers = [
      provider("a", { http: endpoint(down), ws: endpoint(down) }),
      provider("b", {
        lag: 9,
        calls: { n: 40, reliabilityLb: 0.1, failureRatio: 0.7, p50Ms: 1, q95Ms: 2 },
      }),
    ];
    const found = ids({ nowMs: 60_000, chains: [chain("alpha", { providers })] });
    expect(new Set(found)).toEqual(
      new Set([
        "chain_single_provider",
        "circuit_breaker_open",
        "provider_failing",
        "provider_lagging",
        "head_stale",
      ]),
    );
  });

  it("warns of a late loop, a full heap and a used restart budget", () => {
    const found = ids({
      nowMs: 10_000,
      chains: [],
      host: { ...host, loopLagP99Ms: 80, heapUsedBytes: host.heapLimitBytes * 0.9 },
      processes: { ...processes, worstBudget: { supervisor: "chains", ratio: 0.75 } },
    });
    expect(new Set(found)).toEqual(new Set(["loop_lag", "heap", "restart_budget"]));
  });
});
