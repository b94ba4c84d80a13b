import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_KEPT_ATTEMPTS, RequestRing } from "../../../src/rpc/explain/ring.ts";
import { explain } from "../../../src/rpc/explain/explain.ts";
import { addNote, type Note, type Noted } from "../../../src/rpc/explain/record.ts";
import { snapshotOf } from "../selection/world.ts";
import { attemptOf, selectedOf, toldOf } from "./support.ts";

const roomy = { requests: 100, maxBytes: 1_000_000 };

describe("the ring of requests", () => {
  it("finds exactly the last requests, and counts nothing that it has forgotten", () => {
    const steps = fc.array(
      fc.record({
        snapshot: fc.integer({ min: 0, max: 4 }),
        attempts: fc.integer({ min: 0, max: 20 }),
        hasSelection: fc.boolean(),
      }),
      { maxLength: 80 },
    );
    const limits = fc.record({
      requests: fc.integer({ min: 1, max: 20 }),
      maxBytes: fc.integer({ min: 1, max: 80_000 }),
    });
    fc.assert(
      fc.property(limits, steps, (bounds, all) => {
        const ring = new RequestRing(bounds);
        const snapshots = Array.from({ length: 5 }, () => snapshotOf({ a: {}, b: {} }));
        all.forEach((step, at) => {
          const snapshot = snapshots[step.snapshot];
          const selected =
            step.hasSelection && snapshot !== undefined
              ? selectedOf(snapshot, { method: "eth_call" }, 0)
              : undefined;
          const attempts = Array.from({ length: step.attempts }, () => attemptOf());
          ring.keep(toldOf({ requestId: `r${at}`, selected, attempts }));
          expect(ring.size).toBeLessThanOrEqual(bounds.requests);
          expect(ring.size === 1 || ring.bytes <= bounds.maxBytes).toBe(true);
        });
        all.forEach((step, at) => {
          const found = ring.find(`r${at}`);
          expect(found !== undefined).toBe(at >= all.length - ring.size);
          if (found === undefined) return;
          expect(found.attemptCount).toBe(step.attempts);
          expect(found.attempts).toHaveLength(Math.min(step.attempts, MAX_KEPT_ATTEMPTS));
          expect(found.selected !== undefined).toBe(step.hasSelection);
        });
        // A wave of requests without anything leaves only their own weight.
        for (let i = 0; i < bounds.requests; i++) {
          ring.keep(toldOf({ requestId: `x${i}`, attempts: [] }));
        }
        expect(ring.bytes).toBe(ring.size * 640);
      }),
      { numRuns: 200 },
    );
  });

  it("explains a request as it would have been explained at its end", () => {
    const snapshot = snapshotOf({ a: { pace: 0.9 }, b: { pace: 0.4 } });
    const selected = selectedOf(snapshot, { method: "eth_call", seed: 7 }, 1000);
    const noted: Noted = {};
    const note: Note = {
      next: undefined,
      describe: (record) => {
        record.flight = { role: "leader", followers: 3 };
      },
    };
    addNote(noted, note);
    const told = toldOf({
      selected,
      notes: noted.notes,
      attempts: [
        attemptOf({ errorClass: "server", error: { code: -32_000 }, status: 200 }),
        attemptOf({ provider: "b", kind: "hedge", startMs: 1020, durationMs: 20 }),
      ],
      provider: "b",
      hedge: { fired: true, afterMs: 20, budgetLeft: 9, deniedBecause: undefined },
    });
    const before = explain(told, 1040);
    const ring = new RequestRing(roomy);
    ring.keep(told);
    ring.keep(toldOf({ requestId: "other" }));
    const kept = ring.find("r1");
    expect(kept && explain(kept, 1040)).toEqual(before);
    expect(before).toMatchObject({
      flight: { role: "leader" },
      hedge: { fired: true, after_ms: 20, budget_left: 9 },
      attempts: [{ code: -32_000 }, { kind: "hedge", won: true, after_ms: 20 }],
    });
  });

  it("is asked by our id or by the client's, and the newest answers", () => {
    const ring = new RequestRing(roomy);
    ring.keep(toldOf({ requestId: "r1", clientRequestId: "mine" }));
    ring.keep(toldOf({ requestId: "r2", clientRequestId: "mine" }));
    expect(ring.find("mine")?.requestId).toBe("r2");
    expect(ring.find("r1")?.clientRequestId).toBe("mine");
    expect(ring.find("r3")).toBeUndefined();
  });

  it("forgets what it holds when its bounds change, and keeps nothing when they are 0", () => {
    const ring = new RequestRing(roomy);
    ring.keep(toldOf());
    ring.resize(roomy);
    expect(ring.find("r1")).toBeDefined();
    ring.resize({ requests: 0, maxBytes: 1 });
    ring.keep(toldOf());
    expect(ring.find("r1")).toBeUndefined();
    expect([ring.size, ring.bytes]).toEqual([0, 0]);
  });

  it("lets go of the error text of a provider", () => {
    const ring = new RequestRing(roomy);
    const error = { code: 3, message: "CANARY", raw: "CANARY" };
    ring.keep(toldOf({ attempts: [attemptOf({ error })] }));
    expect(JSON.stringify(ring.find("r1")?.attempts)).not.toContain("CANARY");
  });
});
