import fc from "fast-check";
import { initialTransition, transition } from "xstate";
import { describe, expect, it } from "vitest";
import type { BreakerEvent } from "../../../src/rpc/breaker-context.ts";
import { breakerMachine } from "../../../src/rpc/breaker.machine.ts";
import type { BreakerRules, FailureCategory } from "../../../src/rpc/breaker-rules.ts";

const categories: readonly FailureCategory[] = [
  "network",
  "server",
  "malformed",
  "timeout",
  "auth",
];
const waitsMs = [0, 0, 0, 50, 400, 1_000, 5_000, 15_000, 61_000, 700_000];

const rulesOf = (code: number): BreakerRules => ({
  failureThreshold: 1 + (code % 6),
  recoveryTimeoutMs: 1_000 + (code % 7) * 10_000,
  successThreshold: 1 + (code % 3),
  categories: code % 2 === 0,
  leaseMs: 2_000,
});

const start = (code: number) => {
  const input = { rules: rulesOf(code), nowMs: 0 };
  return initialTransition(breakerMachine, input)[0];
};

type Snapshot = ReturnType<typeof start>;

/** One integer is one event, so that 100,000 sequences are generated and shrunk cheaply. */
const decode = (code: number, snapshot: Snapshot, nowMs: number): BreakerEvent => {
  const { generation, probeToken, lastToken } = snapshot.context;
  const kind = code % 16;
  const bits = Math.floor(code / 160);
  const isStale = bits % 5 === 0;
  const category = categories[Math.floor(bits / 5) % 5] ?? "network";
  const random = (bits % 97) / 97;
  const admitted = {
    nowMs,
    generation: isStale ? generation - 1 : generation,
    successes: bits % 50,
  };
  const token = isStale ? lastToken - 1 : probeToken;
  if (kind < 5) return { type: "failure", ...admitted, category, random };
  if (kind < 7) return { type: "success", ...admitted };
  if (kind < 10) return { type: "due", nowMs };
  if (kind < 12) return { type: "probe.ok", nowMs, token };
  if (kind === 12) return { type: "probe.failed", nowMs, token, category, random };
  if (kind === 13) return { type: "lease.expired", nowMs, token, random };
  if (kind === 14) return { type: "neutral", nowMs };
  const untilMs = bits % 2 === 0 ? nowMs + 5_000 : undefined;
  const forces = ["force.open", "force.close", "force.reset"] as const;
  const type = forces[bits % 3] ?? "force.reset";
  return type === "force.reset" ? { type, nowMs } : { type, nowMs, untilMs };
};

const step = (snapshot: Snapshot, event: BreakerEvent) => {
  const [next, actions] = transition(breakerMachine, snapshot, event);
  const probes = actions.filter(({ type }) => type === "askProbe");
  return { next, probes: probes.map(({ params }) => (params as { token: number }).token) };
};

const isForce = (event: BreakerEvent): boolean => event.type.startsWith("force.");
const legal = new Set(["closed>open", "open>half_open", "half_open>open", "half_open>closed"]);

/** Runs one sequence and throws at the first broken law; plain checks, since this is the hot loop. */
const checkLaws = (rulesCode: number, codes: readonly number[]): void => {
  const rules = rulesOf(rulesCode);
  let snapshot = start(rulesCode);
  let nowMs = 0;
  let halfOpenSuccesses = 0;
  let inFlight = 0;
  const law = (isKept: boolean, name: string, event: BreakerEvent): void => {
    if (!isKept) throw new Error(`${name}: ${JSON.stringify(event)} in ${snapshot.value}`);
  };

  for (const code of codes) {
    nowMs += waitsMs[Math.floor(code / 16) % waitsMs.length] ?? 0;
    const event = decode(code, snapshot, nowMs);
    const before = snapshot;
    const { next, probes } = step(before, event);
    const from = before.value;
    const to = next.value;
    const hasMoved = from !== to;
    const isFresh = "generation" in event && event.generation === before.context.generation;
    const isProbe = "token" in event && event.token === before.context.probeToken;

    law(
      !hasMoved || isForce(event) || legal.has(`${from}>${to}`),
      "only listed transitions",
      event,
    );
    if (event.type === "neutral") law(next === before, "neutral changes nothing", event);
    if ("generation" in event && !isFresh)
      law(next === before, "stale outcomes change nothing", event);
    if ("token" in event && !isProbe) law(next === before, "stale probes change nothing", event);
    if (from === "open" && hasMoved && !isForce(event)) {
      law(nowMs >= before.context.openUntilMs, "open holds until its deadline", event);
    }
    if (from === "open" && !hasMoved && !isForce(event)) {
      law(next === before, "an open breaker's deadline is fixed", event);
    }
    if (hasMoved && to === "open" && !isForce(event)) {
      const pauseMs = next.context.openUntilMs - nowMs;
      law(pauseMs > 0 && pauseMs <= 600_000, "a pause is positive and at most 10 minutes", event);
      if (!rules.categories) {
        law(pauseMs >= rules.recoveryTimeoutMs, "a pause lasts the recovery timeout", event);
      }
    }
    if (hasMoved)
      law(next.context.generation > before.context.generation, "a new generation", event);
    if (from === "closed" && event.type === "success" && isFresh) {
      law(to === "closed" && next.context.streak.total === 0, "a success clears the count", event);
    }

    if (isProbe && inFlight > 0 && next !== before) inFlight = 0;
    if (hasMoved || isForce(event)) inFlight = 0;
    inFlight += probes.length;
    law(inFlight <= 1, "at most one probe in flight", event);
    law((next.context.probeToken !== 0) === (inFlight === 1), "permits are given back", event);
    if (to === "half_open") law(inFlight === 1, "half-open always has its probe out", event);

    if (from === "half_open" && !isForce(event)) {
      const isFailure =
        (event.type === "failure" && isFresh) ||
        (event.type === "probe.failed" && isProbe) ||
        (event.type === "lease.expired" && isProbe && nowMs >= before.context.leaseUntilMs);
      const isSuccess =
        (event.type === "success" && isFresh) || (event.type === "probe.ok" && isProbe);
      if (isSuccess) halfOpenSuccesses++;
      law(!isFailure || to === "open", "any failure in half-open reopens", event);
      law(
        (to === "closed") === (isSuccess && halfOpenSuccesses >= rules.successThreshold),
        "success_threshold successes close, fewer do not",
        event,
      );
    }
    if (to !== "half_open" || hasMoved) halfOpenSuccesses = 0;
    snapshot = next;
  }

  // A fair clock: whatever happened, time and working probes bring it back to closed.
  if (snapshot.context.forced === "open" && snapshot.context.forcedUntilMs === Infinity) return;
  for (let i = 0; i < 20 && snapshot.value !== "closed"; i++) {
    nowMs += 700_000;
    const { probeToken } = snapshot.context;
    const isOpen = snapshot.value === "open";
    const event: BreakerEvent = isOpen
      ? { type: "due", nowMs }
      : { type: "probe.ok", nowMs, token: probeToken };
    snapshot = step(snapshot, event).next;
  }
  if (snapshot.value !== "closed") throw new Error(`stuck in ${snapshot.value}`);
};

const sequences = fc.array(fc.nat(16 * 160 * 97 * 25), { maxLength: 20, size: "max" });

describe("the breaker machine's laws", () => {
  it("hold in 100,000 random sequences of events", { timeout: 240_000 }, () => {
    const seen = fc.check(fc.property(fc.nat(83), sequences, checkLaws), { numRuns: 100_000 });
    expect(seen.failed, fc.defaultReportMessage(seen)).toBe(false);
    expect(seen.numRuns).toBe(100_000);
  });

  it("visit every state and every transition in those sequences", () => {
    const visited = new Set<string>();
    fc.assert(
      fc.property(fc.nat(83), sequences, (rulesCode, codes) => {
        let snapshot = start(rulesCode);
        let nowMs = 0;
        for (const code of codes) {
          nowMs += waitsMs[Math.floor(code / 16) % waitsMs.length] ?? 0;
          const event = decode(code, snapshot, nowMs);
          const { next } = step(snapshot, event);
          if (!isForce(event)) visited.add(`${snapshot.value}>${next.value}`);
          snapshot = next;
        }
      }),
      { numRuns: 2_000, seed: 7 },
    );
    for (const path of legal) expect(visited).toContain(path);
    expect(visited).not.toContain("closed>half_open");
    expect(visited).not.toContain("open>closed");
  });

  it("replay to the same state from the same events", () => {
    fc.assert(
      fc.property(fc.nat(83), sequences, (rulesCode, codes) => {
        const run = (): unknown => {
          let snapshot = start(rulesCode);
          let nowMs = 0;
          for (const code of codes) {
            nowMs += waitsMs[Math.floor(code / 16) % waitsMs.length] ?? 0;
            snapshot = step(snapshot, decode(code, snapshot, nowMs)).next;
          }
          return [snapshot.value, snapshot.context];
        };
        expect(run()).toEqual(run());
      }),
      { numRuns: 200 },
    );
  });
});
