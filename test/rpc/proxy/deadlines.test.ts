import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Expirable } from "../../../src/rpc/proxy/attempt/deadline-wheel.ts";
import { DeadlineWheel } from "../../../src/rpc/proxy/attempt/deadline-wheel.ts";
import { EmptyMemory } from "../../../src/rpc/proxy/attempt/empty-memory.ts";
import { patience, StallRule } from "../../../src/rpc/proxy/attempt/stall-rule.ts";
import { rowOf } from "../rows.ts";

class Timer implements Expirable {
  expiresAtMs = 0;
  wheelNext: Expirable | undefined = undefined;
  wheelPrevious: Expirable | undefined = undefined;
  firedAtMs = -1;
  readonly onFire: (() => void) | undefined;

  constructor(onFire?: () => void) {
    this.onFire = onFire;
  }

  onExpire(nowMs: number): void {
    this.firedAtMs = nowMs;
    this.onFire?.();
  }
}

describe("the deadline wheel", () => {
  it("tells of the first deadline that is armed, and of none while others run", () => {
    const wheel = new DeadlineWheel();
    let told = 0;
    wheel.onFirst = () => told++;
    const [a, b] = [new Timer(), new Timer()];
    wheel.add(a, 10);
    wheel.add(b, 20);
    expect(told).toBe(1);
    wheel.remove(a);
    wheel.advance(20);
    expect(b.firedAtMs).toBe(20);
    wheel.add(a, 30);
    expect(told).toBe(2);
  });

  it("fires each deadline once, never early, and at most one slot and one step late", () => {
    const timers = fc.array(
      fc.record({ atMs: fc.integer({ min: 0, max: 20_000 }), isRemoved: fc.boolean() }),
      {
        maxLength: 60,
      },
    );
    const steps = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(timers, steps, (wanted, widths) => {
        const wheel = new DeadlineWheel();
        wheel.advance(0);
        const entries = wanted.map(({ atMs, isRemoved }) => {
          const timer = new Timer();
          wheel.add(timer, atMs);
          if (isRemoved) wheel.remove(timer);
          return { timer, atMs, isRemoved };
        });
        let nowMs = 0;
        let beforeMs = 0;
        for (const width of widths) {
          beforeMs = nowMs;
          nowMs += width;
          wheel.advance(nowMs);
          for (const { timer, atMs, isRemoved } of entries) {
            if (isRemoved) expect(timer.firedAtMs).toBe(-1);
            else if (timer.firedAtMs === nowMs) {
              expect(atMs).toBeLessThanOrEqual(nowMs);
              expect(atMs + 10).toBeGreaterThan(beforeMs);
            } else if (atMs + 5 <= nowMs) expect(timer.firedAtMs).not.toBe(-1);
          }
        }
        const open = entries.filter(({ timer, isRemoved }) => !isRemoved && timer.firedAtMs < 0);
        expect(wheel.size).toBe(open.length);
      }),
    );
  });

  it("lets a callback disarm others that are due, and arm new ones", () => {
    const wheel = new DeadlineWheel();
    const second = new Timer();
    const third = new Timer();
    const first = new Timer(() => {
      wheel.remove(second);
      wheel.add(third, 20);
    });
    wheel.add(first, 5);
    wheel.add(second, 5);
    wheel.advance(10);
    expect([first.firedAtMs, second.firedAtMs, third.firedAtMs]).toEqual([10, -1, -1]);
    wheel.advance(25);
    expect(third.firedAtMs).toBe(25);
    expect(wheel.size).toBe(0);
  });

  it("notices everything that fell due during a long pause", () => {
    const wheel = new DeadlineWheel();
    wheel.advance(0);
    const timers = Array.from({ length: 3000 }, (_, index) => {
      const timer = new Timer();
      wheel.add(timer, index * 7);
      return timer;
    });
    wheel.advance(100_000);
    expect(timers.every(({ firedAtMs }) => firedAtMs === 100_000)).toBe(true);
  });
});

describe("the stall rule", () => {
  const run = (
    ticks: number,
    each: (tick: number) => { inFlight: number; completes: boolean },
    q99Ms = 0,
  ): number => {
    const rule = new StallRule();
    const row = rowOf("a");
    for (let tick = 1; tick <= ticks; tick++) {
      const { inFlight, completes } = each(tick);
      if (completes) row.answered++;
      let stalledAt = 0;
      rule.tick(
        (visit) => {
          for (let call = 0; call < inFlight; call++) visit(row);
        },
        () => patience(q99Ms, 0),
        () => {
          stalledAt = tick;
        },
      );
      if (stalledAt > 0) return stalledAt;
    }
    return 0;
  };

  it("is as patient as the slowest usual answers ask for, but not beyond what the median makes likely", () => {
    expect(patience(0, 0)).toBe(0);
    expect(patience(100, 0)).toBe(400);
    expect(patience(100, 30)).toBe(400);
    expect(patience(200, 1)).toBe(70);
  });

  it("suspects a provider after 50 ms without a completion", () => {
    expect(run(100, () => ({ inFlight: 4, completes: false }))).toBe(11);
  });

  it("waits for four times the usual slowest answer", () => {
    expect(run(100, () => ({ inFlight: 9, completes: false }), 50)).toBe(41);
  });

  it("trusts a provider that completes anything, or has little to do", () => {
    expect(run(1000, (tick) => ({ inFlight: 50, completes: tick % 10 === 0 }))).toBe(0);
    expect(run(1000, () => ({ inFlight: 3, completes: false }))).toBe(0);
    expect(run(1000, (tick) => ({ inFlight: tick % 11 === 0 ? 0 : 8, completes: false }))).toBe(0);
  });
});

describe("the memory of empty lookups", () => {
  it("allows one second question per key and interval, and stays bounded", () => {
    const memory = new EmptyMemory();
    expect([
      memory.take("a", 0, 100),
      memory.take("a", 99, 100),
      memory.take("a", 100, 100),
    ]).toEqual([true, false, true]);
    for (let key = 0; key < 50_000; key++) memory.take(String(key), 200, 100);
    expect(memory.take("49999", 250, 100)).toBe(false);
    expect(memory.take("0", 250, 100)).toBe(true);
  });
});
