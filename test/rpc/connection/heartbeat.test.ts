import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Heartbeat } from "../../../src/rpc/connection/heartbeat.ts";

/** Pings a peer that said its last byte at 0 until `misses` pongs are missing; the time of each. */
const deathOf = (intervalMs: number, misses: number): readonly number[] => {
  const beat = new Heartbeat(intervalMs);
  const found: number[] = [];
  let lookMs = Number.POSITIVE_INFINITY;
  for (let pingMs = intervalMs; found.length < misses; ) {
    if (lookMs <= pingMs) {
      if (beat.look(lookMs, 100) === "missing") found.push(lookMs);
      lookMs = Number.POSITIVE_INFINITY;
      continue;
    }
    if (!beat.isWaiting) {
      beat.sent(pingMs, 100);
      lookMs = pingMs + beat.pongTimeoutMs;
    }
    pingMs += intervalMs;
  }
  return found;
};

describe("the heartbeat of a connection", () => {
  it("finds a peer that is gone within 5 s, and twice within 8 s, at the default of 3 s", () => {
    expect(deathOf(3_000, 2)).toEqual([5_000, 8_000]);
  });

  it("needs an interval and the pong's time for each, whatever the interval", () => {
    fc.assert(
      fc.property(fc.integer({ min: 50, max: 60_000 }), (intervalMs) => {
        const pongMs = Math.min(2_000, Math.max(1_000, Math.floor((intervalMs * 2) / 3)));
        const [first = 0, second = 0] = deathOf(intervalMs, 2);
        expect(first).toBe(intervalMs + pongMs);
        expect(second - first).toBeLessThanOrEqual(intervalMs + pongMs);
      }),
    );
  });

  it("takes any byte for the pong: a provider in the middle of a large message lives", () => {
    const beat = new Heartbeat(3_000);
    beat.sent(0, 100);
    expect(beat.look(2_000, 101)).toBe("answered");
    expect(beat.isWaiting).toBe(false);
  });

  it("looks twice when it was itself held up, because the pong may lie unread", () => {
    const beat = new Heartbeat(3_000);
    beat.sent(0, 100);
    expect(beat.look(60_000, 100)).toBe("again");
    expect(beat.isWaiting).toBe(true);
    expect(beat.look(62_000, 100)).toBe("missing");
    beat.sent(63_000, 100);
    expect(beat.look(70_000, 100)).toBe("again");
    expect(beat.look(72_000, 150)).toBe("answered");
  });

  it("holds nothing against a peer whose pong came", () => {
    const beat = new Heartbeat(3_000);
    beat.sent(0, 100);
    beat.clear();
    expect(beat.look(2_000, 100)).toBe("answered");
  });
});
