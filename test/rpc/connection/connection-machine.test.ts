import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ConnectionEvent } from "../../../src/rpc/connection/connection.machine.ts";
import { cooperative, Rig } from "./machine-kit.ts";

const closed: ConnectionEvent = { type: "closed", reason: "1006" };

describe("a provider connection", () => {
  it("verifies the chain before it subscribes and is live only after both", () => {
    const one = new Rig();
    one.send(...cooperative);
    expect(one.state).toBe("live");
    expect(one.takeNames()).toEqual(["openSocket", "askChainId", "subscribe", "announceLive"]);
  });

  it("never subscribes on a wrong chain, and asks again after the quarantine", () => {
    const one = new Rig();
    one.send({ type: "opened" }, { type: "chainId", chainId: 5 });
    expect(one.state).toBe("quarantined");
    expect(one.takeNames()).toEqual([
      "openSocket",
      "askChainId",
      "announceWrongChain",
      "closeSocket",
    ]);
    one.send(...cooperative);
    expect(one.state).toBe("quarantined");
    one.expire("quarantine");
    expect(one.state).toBe("connecting");
  });

  it("gives up a handshake, a chain id or a subscription that does not come", () => {
    for (const events of [[], cooperative.slice(0, 1), cooperative.slice(0, 2)]) {
      const one = new Rig();
      one.send(...events);
      one.expire("handshake");
      expect(one.state).toBe("backing_off");
      const effects = one.takeEffects();
      expect(effects.map(({ type }) => type)).toContain("closeSocket");
      expect(effects).toContainEqual({
        type: "announceDown",
        params: { reason: expect.stringMatching(/^timeout: /) },
      });
    }
  });

  it("calls one missing pong suspect and closes at the second, be it live or stale", () => {
    for (const before of [[], [{ type: "silent" }]] as ConnectionEvent[][]) {
      const one = new Rig();
      one.send(...cooperative, ...before, { type: "pongMissed" });
      expect(one.takeNames()).toContain("announceSuspect");
      one.send({ type: "pong" }, { type: "pongMissed" });
      expect(one.state).toBe(before.length === 0 ? "live" : "stale");
      one.send({ type: "pongMissed" });
      expect(one.state).toBe("backing_off");
    }
  });

  it("does not hold a missing pong of one connection against the next", () => {
    const one = new Rig();
    one.send(...cooperative, { type: "pongMissed" }, closed);
    one.expire("backoff");
    one.send(...cooperative, { type: "pongMissed" });
    expect(one.state).toBe("live");
  });

  it("subscribes again when its heads fall silent, and reconnects when that does not help", () => {
    const one = new Rig();
    one.send(...cooperative, { type: "silent" });
    expect(one.takeNames().slice(-2)).toEqual(["announceStale", "resubscribe"]);
    one.send({ type: "fresh" });
    expect(one.state).toBe("live");
    one.send({ type: "silent" });
    one.expire("staleTimeout");
    expect(one.state).toBe("backing_off");
  });

  it("ends a connection on which subscriptions leak", () => {
    const one = new Rig();
    one.send(...cooperative, { type: "leaking" });
    expect(one.takeNames()).toContain("closeSocket");
    expect(one.state).toBe("backing_off");
  });

  it("starts its delays over only after it was live for long enough", () => {
    const one = new Rig();
    one.send(closed);
    one.expire("backoff");
    one.send(...cooperative);
    expect(one.connection.attempt).toBe(1);
    one.expire("settled");
    expect(one.connection.attempt).toBe(0);
  });

  it("comes back no earlier than the provider has asked for, and not exactly then", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 600_000 }), (seed, pauseMs) => {
        const one = new Rig({}, seed);
        one.send({ type: "closed", reason: "429", pauseMs });
        const { delayMs } = one.lastPlan();
        expect(delayMs).toBeGreaterThanOrEqual(pauseMs);
        expect(delayMs).toBeLessThanOrEqual(pauseMs + 250);
        // The next end says nothing of a pause: the old one is not held against it.
        one.expire("backoff");
        one.send(closed);
        expect(one.lastPlan().delayMs).toBeLessThanOrEqual(500);
      }),
    );
  });

  it("rests after too many attempts in a row, then tries once more at a time", () => {
    const one = new Rig({ maxReconnectAttempts: 2, restMs: 9_000 });
    for (let i = 0; i < 2; i++) {
      one.send(closed);
      one.expire("backoff");
    }
    one.send(closed);
    expect(one.state).toBe("suspended");
    expect(one.lastPlan()).toEqual({ reason: "1006", attempt: 2, delayMs: 9_000 });
    one.expire("rest");
    expect(one.state).toBe("connecting");
    one.send(closed);
    expect(one.state).toBe("suspended");
    one.send({ type: "resume" });
    expect(one.state).toBe("connecting");
    expect(one.connection.attempt).toBe(0);
  });

  it("rests at once when its credentials are refused, and has all its attempts afterwards", () => {
    const one = new Rig();
    one.send({ type: "closed", reason: "401 upgrade refused", isDenied: true });
    expect(one.state).toBe("suspended");
    expect(one.takeNames()).not.toContain("announceRetry");
    one.expire("rest");
    one.send(closed);
    expect(one.state).toBe("backing_off");
  });

  it("waits at most the doubled interval, never more than the cap, and not always the same", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(20), (seed, attempts) => {
        const one = new Rig({}, seed);
        for (let i = 0; i <= attempts; i++) {
          one.send(closed);
          const { delayMs, attempt } = one.lastPlan();
          expect(attempt).toBe(i + 1);
          expect(delayMs).toBeGreaterThanOrEqual(0);
          expect(delayMs).toBeLessThanOrEqual(Math.min(30_000, 250 * 2 ** i));
          one.expire("backoff");
        }
      }),
    );
    const delays = Array.from({ length: 50 }, (_, seed) => {
      const one = new Rig({}, seed);
      one.send(closed);
      return one.lastPlan().delayMs;
    });
    expect(new Set(delays).size).toBeGreaterThan(30);
  });
});
