import { describe, expect, it } from "vitest";
import { startTicks, type Ticking } from "../../src/main/ticks.ts";

const start = () => {
  const timers = new Map<number, () => void>();
  const gateway = {
    ticks: 0,
    isResting: true,
    wake: () => undefined as void,
    tick: () => void gateway.ticks++,
    onWake: (wake: () => void) => (gateway.wake = wake),
  };
  const end = startTicks(gateway satisfies Ticking, (ms, run) => {
    expect(timers.has(ms)).toBe(false);
    timers.set(ms, run);
    return () => timers.delete(ms);
  });
  return { gateway, end, timers, quick: () => timers.get(5), slow: () => timers.get(250) };
};

describe("the gateway's ticks", () => {
  it("come every 5 ms from the first thing under way until some ticks after the last", () => {
    const { gateway, timers, quick, slow } = start();
    expect([...timers.keys()]).toEqual([250]);
    gateway.isResting = false;
    gateway.wake();
    gateway.wake();
    for (let i = 0; i < 10; i++) quick()?.();
    expect(gateway.ticks).toBe(10);
    gateway.isResting = true;
    for (let i = 0; i < 3; i++) quick()?.();
    gateway.isResting = false;
    quick()?.();
    gateway.isResting = true;
    for (let i = 0; i < 4; i++) quick()?.();
    expect(quick()).toBeUndefined();
    slow()?.();
    expect(gateway.ticks).toBe(19);
    gateway.wake();
    expect(quick()).toBeDefined();
  });

  it("come every 5 ms for what began without waking them", () => {
    const { gateway, quick, slow } = start();
    gateway.isResting = false;
    slow()?.();
    expect(quick()).toBeDefined();
  });

  it("end for good", () => {
    const { gateway, end, timers } = start();
    gateway.wake();
    end();
    gateway.wake();
    expect(timers.size).toBe(0);
  });
});
