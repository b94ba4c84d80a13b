import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Journal } from "../../src/pairing/store/journal.ts";
import type { ChangeWrite, StoreWrite } from "../../src/pairing/store/writes.ts";
import { ranking } from "./support.ts";

const change = (version: number, market = "m", rows = 1): ChangeWrite => ({
  kind: "change",
  market,
  version,
  put: [],
  removed: Array.from({ length: rows }, (_, i) => `${version}-${i}`),
});

const journal = (maxRows = 100, maxRankings = 100) => new Journal({ maxRows, maxRankings });
const versions = (writes: readonly StoreWrite[]) =>
  writes.map((write) => (write.kind === "change" ? write.version : write.kind));

describe("the journal", () => {
  it("gives writes out in their order, about as many rows as asked for", () => {
    const kept = journal();
    for (let i = 1; i <= 5; i++) kept.note(change(i, "m", 2));
    expect(versions(kept.take(3))).toEqual([1, 2]);
    kept.written();
    expect(versions(kept.take(100))).toEqual([3, 4, 5]);
    expect(kept.size).toBe(6);
    kept.written();
    expect(kept.size).toBe(0);
    expect(kept.isEmpty).toBe(true);
  });

  it("puts what could not be written before what came since", () => {
    const kept = journal();
    kept.note(change(1));
    kept.take(1);
    kept.note(change(2));
    kept.giveBack();
    expect(versions(kept.take(9))).toEqual([1, 2]);
  });

  it("tells its writer once that there is something to do, and a new one what was left", () => {
    const kept = journal();
    const told: string[] = [];
    kept.adopt(() => told.push("first"));
    kept.note(change(1));
    kept.note(change(2));
    expect(told).toEqual(["first"]);
    kept.take(9);
    kept.adopt(() => told.push("second"));
    expect(told).toEqual(["first", "second"]);
    expect(versions(kept.take(9))).toEqual([1, 2]);
  });

  it("forgets the changes of the largest market rather than grow, and has it written as a whole", () => {
    const kept = journal(10);
    kept.note(change(1, "small", 2));
    kept.note(change(2, "large", 8));
    expect(kept.unwritten).toBeUndefined();
    kept.note(change(3, "large", 1));
    expect(kept.unwritten).toBe("large");
    kept.note(change(4, "large", 9));
    expect(kept.size).toBe(2);
    kept.begin("large");
    kept.note(change(5, "large", 1));
    expect(versions(kept.take(99))).toEqual([1, 5]);
  });

  it("holds only the last of what is said again and again: policies and weights", () => {
    const kept = journal(10);
    kept.note(change(1, "m", 8));
    for (let i = 0; i < 50; i++) {
      kept.note({ kind: "weights", market: "m", profile: "p", weights: { stake: i } });
      kept.note({ kind: "policy", market: "m", consumer: "c", policy: String(i) });
      expect(kept.size).toBeLessThanOrEqual(10);
    }
    expect(kept.unwritten).toBeUndefined();
    expect(kept.take(99)).toEqual([
      change(1, "m", 8),
      { kind: "weights", market: "m", profile: "p", weights: { stake: 49 } },
      { kind: "policy", market: "m", consumer: "c", policy: "49" },
    ]);
  });

  it("has a market written again as a whole when that failed", () => {
    const kept = journal();
    kept.rewrite("m");
    kept.begin("m");
    kept.note(change(7));
    kept.giveBack();
    expect(kept.unwritten).toBe("m");
    expect(kept.size).toBe(0);
  });

  it("loses the oldest rankings, counts them, and keeps the changes", () => {
    const kept = journal(100, 2);
    kept.note(ranking("a"));
    kept.note(change(1));
    kept.note(ranking("b"));
    kept.note(ranking("c"));
    expect(kept.losses()).toEqual({ rankings: 1 });
    expect(kept.losses()).toEqual({ rankings: 0 });
    const taken = kept.take(9);
    expect(taken.map((write) => (write.kind === "ranking" ? write.id : write.kind))).toEqual([
      "change",
      "b",
      "c",
    ]);
    kept.note(ranking("d"));
    expect(kept.losses()).toEqual({ rankings: 1 });
  });

  it("is settled when all is written, also what was taken before", async () => {
    const kept = journal();
    await kept.settled();
    kept.note(change(1));
    kept.take(9);
    let isSettled = false;
    const settled = kept.settled().then(() => {
      isSettled = true;
    });
    await Promise.resolve();
    expect(isSettled).toBe(false);
    kept.written();
    await settled;
  });

  it("never holds more than its bounds, whatever is noted (property)", () => {
    const step = fc.oneof(
      fc.record({ market: fc.constantFrom("a", "b"), rows: fc.integer({ min: 1, max: 7 }) }),
      fc.constantFrom("ranking", "take", "written", "back", "begin"),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const kept = journal(10, 3);
        let version = 0;
        let isTaken = false;
        for (const one of steps) {
          if (one === "ranking") kept.note(ranking(`r${version++}`));
          else if (one === "begin" && !isTaken && kept.unwritten !== undefined) {
            kept.begin(kept.unwritten);
            isTaken = true;
          } else if (one === "take" && !isTaken) {
            kept.take(4);
            isTaken = true;
          } else if (one === "written" && isTaken) {
            kept.written();
            isTaken = false;
          } else if (one === "back" && isTaken) {
            kept.giveBack();
            isTaken = false;
          } else if (typeof one === "object") kept.note(change(version++, one.market, one.rows));
          // A batch that is being written counts until it is; one write may go beyond the bound.
          expect(kept.size).toBeLessThanOrEqual(10 + 3 + 4 + 7);
          expect(kept.size).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});
