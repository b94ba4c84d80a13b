/** The connection machine against an independent table of what may follow what. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ConnectionEvent } from "../../../src/rpc/connection/connection.machine.ts";
import { cooperative, Rig } from "./machine-kit.ts";

const MAX_ATTEMPTS = 3;
const PONGS_TO_CLOSE = 2;

/** What the machine is expected to be in. */
interface Model {
  state: string;
  attempt: number;
  missed: number;
  isSettled: boolean;
}

const SOCKET_STATES = ["connecting", "verifying", "subscribing", "live", "stale"];
const UP_STATES = ["live", "stale"];
/** The one timer of each state; `settled` is gone once it has expired. */
const TIMER: Readonly<Record<string, string>> = {
  connecting: "handshake",
  verifying: "handshake",
  subscribing: "handshake",
  live: "settled",
  stale: "staleTimeout",
  backing_off: "backoff",
  quarantined: "quarantine",
  suspended: "rest",
};

const enter = (model: Model, state: string): void => {
  model.state = state;
  if (state === "connecting") model.missed = 0;
  if (state === "live") model.isSettled = false;
};

const fall = (model: Model, isDenied = false): void => {
  if (isDenied || model.attempt >= MAX_ATTEMPTS) enter(model, "suspended");
  else {
    model.attempt++;
    enter(model, "backing_off");
  }
};

/** What an event does, by the specification. */
const expected: Readonly<Record<string, (model: Model, event: ConnectionEvent) => void>> = {
  opened: (m) => m.state === "connecting" && enter(m, "verifying"),
  closed: (m, event) => {
    if (SOCKET_STATES.includes(m.state)) fall(m, "isDenied" in event && event.isDenied);
  },
  chainId: (m, event) => {
    if (m.state !== "verifying") return;
    enter(m, "chainId" in event && event.chainId === 1 ? "subscribing" : "quarantined");
  },
  refused: (m) => m.state === "verifying" && fall(m),
  subscribed: (m) => m.state === "subscribing" && enter(m, "live"),
  pong: (m) => {
    if (UP_STATES.includes(m.state)) m.missed = 0;
  },
  pongMissed: (m) => {
    if (!UP_STATES.includes(m.state)) return;
    m.missed++;
    if (m.missed >= PONGS_TO_CLOSE) fall(m);
  },
  silent: (m) => m.state === "live" && enter(m, "stale"),
  fresh: (m) => m.state === "stale" && enter(m, "live"),
  leaking: (m) => UP_STATES.includes(m.state) && fall(m),
  resume: (m) => {
    if (m.state !== "suspended") return;
    m.attempt = 0;
    enter(m, "connecting");
  },
};

const agrees = (model: Model, rig: Rig): void => {
  expect(rig.state).toBe(model.state);
  expect(rig.connection.attempt).toBe(model.attempt);
  expect(rig.hasSocket).toBe(SOCKET_STATES.includes(model.state));
  const timers = model.state === "live" && model.isSettled ? [] : [TIMER[model.state]];
  expect(
    [...rig.timers.keys()].map((id) => timers.find((name) => id.includes(name ?? ""))),
  ).toEqual(timers);
};

class Feed implements fc.Command<Model, Rig> {
  readonly #event: ConnectionEvent;

  constructor(event: ConnectionEvent) {
    this.#event = event;
  }

  /** A driver reports a close only of a socket that it has. */
  check(model: Readonly<Model>): boolean {
    return this.#event.type !== "closed" || SOCKET_STATES.includes(model.state);
  }

  run(model: Model, rig: Rig): void {
    expected[this.#event.type]?.(model, this.#event);
    rig.send(this.#event);
    agrees(model, rig);
  }

  toString(): string {
    return JSON.stringify(this.#event);
  }
}

class Expire implements fc.Command<Model, Rig> {
  check(model: Readonly<Model>): boolean {
    return !(model.state === "live" && model.isSettled);
  }

  run(model: Model, rig: Rig): void {
    const { state } = model;
    rig.expire(TIMER[state] ?? "");
    if (state === "live") {
      model.attempt = 0;
      model.isSettled = true;
    } else if (SOCKET_STATES.includes(state)) fall(model);
    else enter(model, "connecting");
    agrees(model, rig);
  }

  toString(): string {
    return "expire";
  }
}

const events: readonly ConnectionEvent[] = [
  ...cooperative,
  { type: "chainId", chainId: 2 },
  { type: "closed", reason: "1006" },
  { type: "closed", reason: "401", isDenied: true },
  { type: "closed", reason: "429", pauseMs: 7_000 },
  { type: "refused", reason: "no" },
  { type: "pong" },
  { type: "pongMissed" },
  { type: "silent" },
  { type: "fresh" },
  { type: "leaking" },
  { type: "resume" },
];

const commands = fc.commands(
  [
    ...events.map((event) => fc.constant(new Feed(event))),
    // Cooperation and time are what brings a machine far.
    ...cooperative.map((event) => fc.constant(new Feed(event))),
    fc.constant(new Expire()),
    fc.constant(new Expire()),
  ],
  { maxCommands: 60 },
);

describe("the connection machine", () => {
  it("is where the specification says after any sequence of events, with one socket and one timer", () => {
    fc.assert(
      fc.property(commands, (sequence) => {
        fc.modelRun(() => {
          const model = { state: "connecting", attempt: 0, missed: 0, isSettled: false };
          const real = new Rig({ maxReconnectAttempts: MAX_ATTEMPTS });
          return { model, real };
        }, sequence);
      }),
      { numRuns: 2_000 },
    );
  });

  it("comes to live from wherever it got to, by time and a provider that cooperates", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(events.length), { maxLength: 40 }), (sequence) => {
        const one = new Rig({ maxReconnectAttempts: MAX_ATTEMPTS });
        for (const index of sequence) {
          const event = events[index];
          if (event === undefined) {
            const [timer] = one.timers.keys();
            if (timer !== undefined) one.expire(timer);
          } else if (event.type !== "closed" || one.hasSocket) one.send(event);
        }
        for (let step = 0; step < 3 && one.state !== "live"; step++) {
          if (!one.hasSocket) one.expire(TIMER[one.state] ?? "");
          one.send(...cooperative, { type: "fresh" });
        }
        expect(one.state).toBe("live");
      }),
      { numRuns: 2_000 },
    );
  });
});
