import { describe, expect, it } from "vitest";
import { isAdmissible, noteSuccess } from "../../../src/rpc/admission.ts";
import { Breaker, breakerEvent, type BreakerEffect } from "../../../src/rpc/breaker.ts";
import { defaultBreakerRules, type BreakerRules } from "../../../src/rpc/breaker-rules.ts";
import type { EndpointRow } from "../../../src/rpc/chain-view.ts";
import type { ErrorClass } from "../../../src/rpc/errors/classes.ts";
import { rowOf } from "../rows.ts";

/** A breaker with a clock; outcomes are reported as the request path does it. */
const guard = (rules: Partial<BreakerRules> = {}, row: EndpointRow = rowOf("a")) => {
  const breaker = new Breaker(row, { ...defaultBreakerRules, ...rules }, 0);
  const effects: BreakerEffect[] = [];
  let nowMs = 0;
  const outcome = (
    errorClass: ErrorClass,
    extra: { retryAfterMs?: number; generation?: number } = {},
  ): void => {
    const generation = extra.generation ?? row.generation;
    if (errorClass === "ok" && !noteSuccess(row)) return;
    if (errorClass !== "ok") row.dirty = true;
    const facts = { row, method: "eth_call", durationMs: 10, ...extra, generation, errorClass };
    effects.push(...breaker.feed(breakerEvent(facts, nowMs, 0)));
  };
  return {
    breaker,
    row,
    outcome,
    fail: (errorClass: ErrorClass, times: number) => {
      for (let i = 0; i < times; i++) outcome(errorClass);
    },
    wait: (elapsedMs: number) => {
      nowMs += elapsedMs;
      effects.push(...breaker.tick(nowMs, 0));
    },
    at: () => nowMs,
    token: () => {
      const asked = effects.findLast((effect) => effect.type === "askProbe");
      return asked?.type === "askProbe" ? asked.token : -1;
    },
    probe: (isOk: boolean, token: number) => {
      effects.push(
        ...breaker.feed(
          isOk
            ? { type: "probe.ok", nowMs, token }
            : { type: "probe.failed", nowMs, token, category: "network", random: 0 },
        ),
      );
    },
    probesAsked: () => effects.filter(({ type }) => type === "askProbe").length,
  };
};

describe("a circuit breaker", () => {
  it("opens at the threshold of the failure's category, and for its time", () => {
    const cases = [
      ["transport", 3, 10_000],
      ["server", 5, 30_000],
      ["malformed", 3, 60_000],
      ["auth", 2, 300_000],
    ] as const;
    for (const [errorClass, threshold, openMs] of cases) {
      const { row, fail } = guard();
      fail(errorClass, threshold - 1);
      expect(row.state, errorClass).toBe("closed");
      fail(errorClass, 1);
      expect(row.state, errorClass).toBe("open");
      expect(row.openUntilMs, errorClass).toBe(openMs);
    }
  });

  it("opens after five failures of any kinds in a row, and a success clears the count", () => {
    const { row, outcome, breaker } = guard();
    for (const errorClass of ["transport", "server", "timeout", "server"] as const) {
      outcome(errorClass);
    }
    expect(breaker.report().consecutiveFailures).toBe(4);
    outcome("ok");
    expect(breaker.report().consecutiveFailures).toBe(0);
    expect(row.dirty).toBe(false);
    for (const errorClass of ["transport", "server", "timeout", "server", "timeout"] as const) {
      outcome(errorClass);
    }
    expect(row.state).toBe("open");
    expect(row.openUntilMs).toBe(60_000);
  });

  it("counts no streak across successes that were only noted in the cell", () => {
    const { row, outcome } = guard();
    for (let i = 0; i < 20; i++) {
      row.successes++;
      outcome("transport");
    }
    expect(row.state).toBe("open");
    // Twenty failures beside twenty successes: the ratio opened it, not a streak of three.
    const one = guard();
    for (let i = 0; i < 9; i++) {
      one.row.successes++;
      one.outcome("transport");
    }
    expect(one.row.state).toBe("closed");
  });

  it("opens when half of at least twenty calls in 30 s failed", () => {
    const { row, outcome, wait, breaker } = guard();
    for (let i = 0; i < 10; i++) {
      row.successes++;
      outcome("server");
      if (i < 9) expect(row.state).toBe("closed");
      wait(1_000);
    }
    expect(row.state).toBe("open");
    expect(breaker.report().cause).toBe("ratio");
  });

  it("keeps only its three figures when categories are off", () => {
    const { row, fail } = guard({
      categories: false,
      failureThreshold: 4,
      recoveryTimeoutMs: 7_000,
    });
    fail("auth", 3);
    expect(row.state).toBe("closed");
    fail("auth", 1);
    expect(row.openUntilMs).toBe(7_000);
  });

  it("never counts what is not the provider's infrastructure", () => {
    const { row, fail } = guard();
    for (const errorClass of ["rate_limit", "capability", "revert", "invalid_params"] as const) {
      fail(errorClass, 20);
    }
    for (const errorClass of ["cancelled", "user", "unmatched", "block_unavailable"] as const) {
      fail(errorClass, 20);
    }
    expect(row.state).toBe("closed");
  });

  it("does not extend its pause for failures that come while it is open", () => {
    const { row, fail, wait } = guard();
    fail("transport", 3);
    const until = row.openUntilMs;
    wait(5_000);
    fail("transport", 50);
    expect(row.openUntilMs).toBe(until);
    wait(5_000);
    expect(row.state).toBe("half_open");
  });

  it("asks for one probe at a time in half-open, however many requests find it due", () => {
    const { row, fail, wait, probesAsked, probe, token } = guard();
    fail("transport", 3);
    wait(10_000);
    for (let i = 0; i < 100; i++) wait(0);
    expect(row.state).toBe("half_open");
    expect(probesAsked()).toBe(1);
    probe(true, token());
    expect(probesAsked()).toBe(2);
    expect(row.state).toBe("half_open");
    probe(true, token());
    expect(row.state).toBe("closed");
  });

  it("reopens for twice as long when a probe fails, up to sixteen times", () => {
    const { row, fail, wait, at, probe, token } = guard();
    fail("transport", 3);
    const pauses: number[] = [];
    for (let i = 0; i < 6; i++) {
      wait(row.openUntilMs - at());
      probe(false, token());
      pauses.push(row.openUntilMs - at());
    }
    expect(pauses).toEqual([20_000, 40_000, 80_000, 160_000, 160_000, 160_000]);
  });

  it("takes a probe that never settles for a failure and lends the permit anew", () => {
    const { row, fail, wait, at, probe, token } = guard();
    fail("transport", 3);
    wait(10_000);
    const lost = token();
    wait(6_000);
    expect(row.state).toBe("open");
    wait(row.openUntilMs - at());
    expect(token()).not.toBe(lost);
    probe(true, lost);
    expect(row.state).toBe("half_open");
    probe(true, token());
    probe(true, token());
    expect(row.state).toBe("closed");
  });

  it("ignores the slow success of a call that was admitted before it opened", () => {
    const { row, fail, outcome, wait } = guard({ successThreshold: 1 });
    const generation = row.generation;
    fail("transport", 3);
    wait(10_000);
    outcome("ok", { generation });
    expect(row.state).toBe("half_open");
  });

  it("asks a probe before it opens for nothing but timeouts, and believes it", () => {
    const slow = guard();
    slow.fail("timeout", 5);
    expect(slow.row.state).toBe("closed");
    expect(slow.probesAsked()).toBe(1);
    slow.fail("timeout", 5);
    expect(slow.probesAsked()).toBe(1);
    slow.probe(true, slow.token());
    expect(slow.breaker.report().consecutiveFailures).toBe(0);

    const dead = guard();
    dead.fail("timeout", 5);
    dead.probe(false, dead.token());
    expect(dead.row.state).toBe("open");

    const mute = guard();
    mute.fail("timeout", 5);
    mute.wait(6_000);
    expect(mute.row.state).toBe("open");
    expect(mute.row.openUntilMs - mute.at()).toBe(15_000);
  });

  it("honours a 503's Retry-After, up to ten minutes", () => {
    const { row, outcome } = guard();
    for (let i = 0; i < 5; i++) outcome("server", { retryAfterMs: 120_000 });
    expect(row.openUntilMs).toBe(120_000);
    const other = guard();
    for (let i = 0; i < 5; i++) other.outcome("server", { retryAfterMs: 1e9 });
    expect(other.row.openUntilMs).toBe(600_000);
  });

  it("is forced open by a wrong chain until it is reset", () => {
    const { row, breaker, outcome, wait } = guard();
    outcome("wrong_chain");
    wait(1e9);
    expect(row).toMatchObject({ state: "open", forced: true });
    breaker.feed({ type: "force.reset", nowMs: 1e9 });
    expect(row).toMatchObject({ state: "closed", forced: false, dirty: false });
  });

  it("ends an operator's force when its time is over", () => {
    const opened = guard();
    opened.breaker.feed({ type: "force.open", nowMs: 0, untilMs: 5_000 });
    opened.wait(4_999);
    expect(opened.row.state).toBe("open");
    opened.wait(1);
    expect(opened.row).toMatchObject({ state: "half_open", forced: false });

    const held = guard();
    held.breaker.feed({ type: "force.close", nowMs: 0, untilMs: 5_000 });
    held.fail("transport", 50);
    expect(held.row.state).toBe("closed");
    held.wait(5_000);
    expect(held.row.forced).toBe(false);
    held.fail("transport", 1);
    expect(held.row.state).toBe("open");
  });

  it("says when it next needs its clock", () => {
    const { breaker, fail, wait, row } = guard();
    expect(breaker.nextAtMs).toBe(Number.POSITIVE_INFINITY);
    fail("transport", 3);
    expect(breaker.nextAtMs).toBe(10_000);
    wait(10_000);
    expect(row.state).toBe("half_open");
    expect(breaker.nextAtMs).toBe(16_000);
  });

  it("takes over an open cell after a restart of its owner, and a half-open one as due", () => {
    const { row, fail } = guard();
    fail("transport", 3);
    const again = guard({}, row);
    expect(row).toMatchObject({ state: "open", openUntilMs: 10_000 });
    again.wait(10_000);
    expect(row.state).toBe("half_open");
    const third = guard({}, row);
    third.wait(0);
    expect(row.state).toBe("half_open");
    expect(third.probesAsked()).toBe(1);
  });

  it("admits users only to closed, usable, rested, unsuspected endpoints", () => {
    const row = rowOf("a");
    expect(isAdmissible(row, 0)).toBe(true);
    expect(isAdmissible({ ...row, state: "half_open" }, 0)).toBe(false);
    expect(isAdmissible({ ...row, isUsable: false }, 0)).toBe(false);
    expect(isAdmissible({ ...row, cooldownUntilMs: 5 }, 4)).toBe(false);
    expect(isAdmissible({ ...row, cooldownUntilMs: 5 }, 5)).toBe(true);
    expect(isAdmissible({ ...row, suspect: true }, 0)).toBe(false);
  });
});
