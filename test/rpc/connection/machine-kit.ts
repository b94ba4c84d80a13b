/** A connection machine with its effects performed: sockets are counted, timers are due when the test says so. */
import { expect } from "vitest";
import {
  defaultConnectionRules,
  type ConnectionEvent,
  type ConnectionRules,
} from "../../../src/rpc/connection/connection.machine.ts";
import {
  Connection,
  type ConnectionEffect,
  type RetryPlan,
} from "../../../src/rpc/connection/connection.ts";

const rules: ConnectionRules = {
  ...defaultConnectionRules,
  chainId: 1,
  reconnectIntervalMs: 250,
  maxReconnectAttempts: undefined,
};

/** The events of a provider that does all that it is asked. */
export const cooperative: readonly ConnectionEvent[] = [
  { type: "opened" },
  { type: "chainId", chainId: 1 },
  { type: "subscribed" },
];

/** One machine under test. */
export class Rig {
  readonly connection: Connection;
  /** Effects since the last `takeEffects`, timers left out. */
  #effects: ConnectionEffect[] = [];
  /** Timers that run, by id, with their delays. */
  readonly timers = new Map<string, number>();
  hasSocket = false;

  constructor(overrides: Partial<ConnectionRules> = {}, seed = 42) {
    this.connection = new Connection({ ...rules, ...overrides }, seed);
    this.#perform(this.connection.startEffects);
  }

  get state(): string {
    return this.connection.state;
  }

  send(...events: readonly ConnectionEvent[]): void {
    for (const event of events) {
      // A driver says nothing more of a socket that has closed.
      if (event.type === "closed") this.hasSocket = false;
      this.#perform(this.connection.feed(event));
    }
  }

  /** Lets the timer whose id holds `part` expire. */
  expire(part: string): void {
    const id = [...this.timers.keys()].find((one) => one.includes(part));
    if (id === undefined) throw new Error(`no timer ${part} in ${this.state}`);
    this.timers.delete(id);
    this.#perform(this.connection.expire(id));
  }

  takeEffects(): readonly ConnectionEffect[] {
    return this.#effects.splice(0);
  }

  takeNames(): readonly string[] {
    return this.takeEffects().map(({ type }) => type);
  }

  /** The last plan to come back that was announced. */
  lastPlan(): RetryPlan {
    const plan = this.takeEffects().findLast(
      ({ type }) => type === "announceRetry" || type === "announceSuspended",
    );
    if (plan === undefined || !("params" in plan) || !("delayMs" in plan.params)) {
      throw new Error("nothing was planned");
    }
    return plan.params;
  }

  #perform(effects: readonly ConnectionEffect[]): void {
    for (const effect of effects) {
      if (effect.type === "startTimer") {
        expect(this.timers.has(effect.id), `${effect.id} is started once`).toBe(false);
        this.timers.set(effect.id, effect.delayMs);
        continue;
      }
      if (effect.type === "cancelTimer") {
        this.timers.delete(effect.id);
        continue;
      }
      this.#effects.push(effect);
      if (effect.type === "openSocket") {
        expect(this.hasSocket, "one socket at a time").toBe(false);
        this.hasSocket = true;
      }
      if (effect.type === "closeSocket") this.hasSocket = false;
    }
  }
}
