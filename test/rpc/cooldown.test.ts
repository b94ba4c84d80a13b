import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noCooldown, refuse, restAgain } from "../../src/rpc/cooldown.ts";

describe("a rate-limit cooldown", () => {
  it("starts at one second", () => {
    expect(refuse(noCooldown, 5_000, undefined, 0.5)).toEqual({ refusals: 1, untilMs: 6_000 });
  });

  it("doubles with each refusal in a row and stops at five minutes", () => {
    let cooldown = noCooldown;
    const pauses: number[] = [];
    let now = 0;
    for (let i = 0; i < 12; i += 1) {
      cooldown = refuse(cooldown, now, undefined, 0.5);
      pauses.push(cooldown.untilMs - now);
      now = cooldown.untilMs;
    }
    expect(pauses.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(pauses.at(-1)).toBe(300_000);
  });

  it("obeys Retry-After, whichever is later", () => {
    expect(refuse(noCooldown, 0, 7_000, 0.5).untilMs).toBe(7_000);
    expect(refuse({ refusals: 1, untilMs: 9_000 }, 0, 7_000, 0.5).untilMs).toBe(9_000);
  });

  it("counts a burst of refusals as one", () => {
    const first = refuse(noCooldown, 0, undefined, 0.5);
    expect(refuse(first, 10, undefined, 0.5)).toBe(first);
  });

  it("begins anew after a success, and hears of a burst once", () => {
    const first = restAgain(undefined, 4, 0, undefined, 0.5);
    expect(restAgain(first, 4, 10, undefined, 0.5)).toBe(first);
    expect(restAgain(first, 4, 1_000, undefined, 0.5).untilMs).toBe(3_000);
    expect(restAgain(first, 5, 1_000, undefined, 0.5).untilMs).toBe(2_000);
  });

  it("never ends earlier than it did, and never lasts beyond the cap", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.nat(100_000),
            fc.option(fc.nat(1e7), { nil: undefined }),
            fc.double({ min: 0, max: 0.999, noNaN: true }),
          ),
        ),
        (steps) => {
          let cooldown = noCooldown;
          let now = 0;
          for (const [gap, retryAfter, random] of steps) {
            now += gap;
            const next = refuse(cooldown, now, retryAfter, random);
            expect(next.untilMs).toBeGreaterThanOrEqual(cooldown.untilMs);
            expect(next.untilMs).toBeLessThanOrEqual(Math.max(cooldown.untilMs, now + 300_000));
            cooldown = next;
          }
        },
      ),
    );
  });
});
