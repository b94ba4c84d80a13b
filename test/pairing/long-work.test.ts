/** Long work by a clock that slices move. */
import { describe, expect, it } from "vitest";
import { LongWork } from "../../src/pairing/long-work.ts";

function worker(mostMs: number, mostSlices = 100) {
  const done: string[] = [];
  const clock = { ms: 0, rests: 0 };
  const work = new LongWork<{ readonly name: string; left: number; readonly costMs: number }>(
    { mostMs, mostSlices },
    () => void clock.rests++,
  );
  const goOn = (): void =>
    work.goOn(
      (one) => {
        clock.ms += one.costMs;
        done.push(one.name);
        return --one.left === 0;
      },
      () => clock.ms,
    );
  return { work, clock, done, goOn };
}

describe("long work", () => {
  it("ends its stretch with the slice in which the time is over", () => {
    const { work, clock, done, goOn } = worker(5);
    work.begin({ name: "a", left: 10, costMs: 2 });
    expect(clock.rests).toBe(1);
    goOn();
    expect([done.length, clock.ms, clock.rests]).toEqual([3, 6, 2]);
    goOn();
    expect([done.length, clock.ms, clock.rests]).toEqual([6, 12, 3]);
  });

  it("takes so many slices at most, whatever the clock says", () => {
    const { work, done, goOn } = worker(5, 4);
    work.begin({ name: "a", left: 9, costMs: 0 });
    goOn();
    expect(done).toHaveLength(4);
  });

  it("lets every work have its turn, and rests no more when all are done", () => {
    const { work, clock, done, goOn } = worker(1);
    work.begin({ name: "a", left: 2, costMs: 9 });
    work.begin({ name: "b", left: 1, costMs: 9 });
    expect(clock.rests).toBe(1);
    for (let i = 0; i < 3; i++) goOn();
    expect(done).toEqual(["a", "b", "a"]);
    expect(clock.rests).toBe(3);
    goOn();
    expect(done).toHaveLength(3);
  });
});
