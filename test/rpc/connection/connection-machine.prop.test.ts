import fc from "fast-check";
import { initialTransition, transition } from "xstate";
import { describe, expect, it } from "vitest";
import {
  connectionMachine,
  defaultConnectionRules,
  type ConnectionEvent,
  type ConnectionRules,
} from "../../../src/rpc/connection/connection.machine.ts";

const rules: ConnectionRules = {
  ...defaultConnectionRules,
  chainId: 1,
  reconnectIntervalMs: 250,
  maxReconnectAttempts: undefined,
};

/** Runs the machine by hand: effects are collected, delayed events are due when the test says so. */
const connection = (overrides: Partial<ConnectionRules> = {}, seed = 42) => {
  const effects: string[] = [];
  const timers = new Map<string, { readonly type: string }>();
  const input = { rules: { ...rules, ...overrides }, seed };
  const begun = initialTransition(connectionMachine, input);
  let snapshot = begun[0];
  const perform = (actions: readonly { readonly type: string; readonly params?: unknown }[]) => {
    for (const { type, params } of actions) {
      if (type === "xstate.raise") {
        const { event, id, delay } = params as {
          event: { type: string };
          id: string;
          delay?: number;
        };
        if (delay !== undefined) timers.set(id, event);
      } else if (type === "xstate.cancel") {
        timers.delete((params as { sendId: string }).sendId);
      } else effects.push(type);
    }
  };
  perform(begun[1]);
  const feed = (event: { readonly type: string }): void => {
    const [next, actions] = transition(connectionMachine, snapshot, event as ConnectionEvent);
    snapshot = next;
    perform(actions);
  };
  return {
    send: (...events: ConnectionEvent[]) => {
      for (const event of events) feed(event);
    },
    /** Lets the only pending timer, or the one whose name holds `part`, expire. */
    expire: (part = "") => {
      const found = [...timers].find(([id]) => id.includes(part));
      if (found === undefined) throw new Error(`no timer ${part} in ${snapshot.value}`);
      timers.delete(found[0]);
      feed(found[1]);
    },
    get state() {
      return snapshot.value;
    },
    get context() {
      return snapshot.context;
    },
    get pending() {
      return [...timers.keys()];
    },
    takeEffects: () => effects.splice(0),
  };
};

const live: ConnectionEvent[] = [
  { type: "opened" },
  { type: "chainId", chainId: 1 },
  { type: "subscribed" },
];
const closed: ConnectionEvent = { type: "closed", reason: "1006" };

describe("a provider connection", () => {
  it("verifies the chain before it subscribes and is live only after both", () => {
    const one = connection();
    one.send(...live);
    expect(one.state).toBe("live");
    expect(one.takeEffects()).toEqual(["openSocket", "askChainId", "subscribe", "announceLive"]);
  });

  it("never subscribes on a wrong chain, and asks again after the quarantine", () => {
    const one = connection();
    one.send({ type: "opened" }, { type: "chainId", chainId: 5 });
    expect(one.state).toBe("quarantined");
    expect(one.takeEffects()).toEqual([
      "openSocket",
      "askChainId",
      "announceWrongChain",
      "closeSocket",
    ]);
    one.send(...live);
    expect(one.state).toBe("quarantined");
    one.expire("quarantine");
    expect(one.state).toBe("connecting");
  });

  it("gives up a handshake, a chain id or a subscription that does not come", () => {
    for (const events of [[], live.slice(0, 1), live.slice(0, 2)]) {
      const one = connection();
      one.send(...events);
      one.expire("handshake");
      expect(one.state).toBe("backing_off");
      expect(one.takeEffects()).toContain("closeSocket");
      expect(one.context.reason).toMatch(/^timeout: /);
    }
  });

  it("calls one missing pong suspect and closes at the second", () => {
    const one = connection();
    one.send(...live, { type: "pongMissed" });
    expect(one.takeEffects()).toContain("announceSuspect");
    one.send({ type: "pong" }, { type: "pongMissed" });
    expect(one.state).toBe("live");
    one.send({ type: "pongMissed" });
    expect(one.state).toBe("backing_off");
  });

  it("subscribes again when its heads fall silent, and reconnects when that does not help", () => {
    const one = connection();
    one.send(...live, { type: "silent" });
    expect(one.takeEffects().slice(-2)).toEqual(["announceStale", "resubscribe"]);
    one.send({ type: "fresh" });
    expect(one.state).toBe("live");
    one.send({ type: "silent" });
    one.expire("staleTimeout");
    expect(one.state).toBe("backing_off");
  });

  it("starts its delays over only after it was live for long enough", () => {
    const one = connection();
    one.send(closed);
    one.expire("backoff");
    one.send(...live);
    expect(one.context.attempt).toBe(1);
    one.expire("settled");
    expect(one.context.attempt).toBe(0);
  });

  it("rests after too many attempts in a row until it is resumed", () => {
    const one = connection({ maxReconnectAttempts: 2 });
    for (let i = 0; i < 2; i++) {
      one.send(closed);
      one.expire("backoff");
    }
    one.send(closed);
    expect(one.state).toBe("suspended");
    expect(one.pending).toEqual([]);
    one.send({ type: "resume" });
    expect(one.state).toBe("connecting");
    expect(one.context.attempt).toBe(0);
  });

  it("waits at most the doubled interval, never more than the cap, and not always the same", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(20), (seed, attempts) => {
        const one = connection({}, seed);
        for (let i = 0; i <= attempts; i++) {
          one.send(closed);
          const ceiling = Math.min(30_000, 250 * 2 ** i);
          expect(one.context.backoffMs).toBeGreaterThanOrEqual(0);
          expect(one.context.backoffMs).toBeLessThanOrEqual(ceiling);
          one.expire("backoff");
        }
      }),
    );
    const delays = new Set(
      Array.from({ length: 50 }, (_, seed) => {
        const one = connection({}, seed);
        one.send(closed);
        return one.context.backoffMs;
      }),
    );
    expect(delays.size).toBeGreaterThan(30);
  });

  it("never has two sockets, waits without a timer only where it should, and always comes back", () => {
    const events = fc.constantFrom<ConnectionEvent | "expire">(
      ...live,
      closed,
      { type: "chainId", chainId: 2 },
      { type: "refused", reason: "x" },
      { type: "pong" },
      { type: "pongMissed" },
      { type: "silent" },
      { type: "fresh" },
      { type: "suspend" },
      { type: "resume" },
      "expire",
    );
    fc.assert(
      fc.property(fc.array(events, { maxLength: 40 }), (sequence) => {
        const one = connection();
        let sockets = 0;
        const count = (): void => {
          for (const effect of one.takeEffects()) {
            if (effect === "openSocket") expect(++sockets).toBe(1);
            if (effect === "closeSocket") sockets = 0;
          }
        };
        count();
        for (const event of sequence) {
          // A driver reports a close only of a socket it has.
          if (event !== "expire" && event.type === "closed") {
            if (sockets === 0) continue;
            sockets = 0;
          }
          if (event !== "expire") one.send(event);
          else if (one.pending.length > 0) one.expire();
          count();
          // Only a live connection and a resting one may wait for nothing.
          if (one.pending.length === 0) expect(["live", "suspended"]).toContain(one.state);
        }
        one.send({ type: "suspend" }, { type: "resume" }, ...live);
        expect(one.state).toBe("live");
      }),
      { numRuns: 2_000 },
    );
  });
});
