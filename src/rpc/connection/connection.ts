/**
 * Runs the connection machine: one event in, the effects to perform out.
 *
 * Timers are effects too, so the process that owns the connection keeps them, and nothing here reads
 * a clock. Events of single messages never come here; only what can change the state does.
 */
import { initialTransition, transition, type SnapshotFrom } from "xstate";
import {
  connectionMachine,
  type ConnectionEvent,
  type ConnectionRules,
} from "./connection.machine.ts";

/** When a connection that is down is tried again. */
export interface RetryPlan {
  readonly reason: string;
  readonly attempt: number;
  readonly delayMs: number;
}

/** What the owner of a connection has to do. */
export type ConnectionEffect =
  | { readonly type: "startTimer"; readonly id: string; readonly delayMs: number }
  | { readonly type: "cancelTimer"; readonly id: string }
  | { readonly type: "openSocket" | "askChainId" | "subscribe" | "resubscribe" }
  | { readonly type: "announceLive" | "announceSuspect" | "announceStale" }
  | { readonly type: "closeSocket"; readonly params: { readonly reason: string } }
  | { readonly type: "announceDown"; readonly params: { readonly reason: string } }
  | { readonly type: "announceRetry" | "announceSuspended"; readonly params: RetryPlan }
  | { readonly type: "announceWrongChain"; readonly params: { readonly chainId: number } };

/** State of a connection, as operators see it. */
export type ConnectionState = SnapshotFrom<typeof connectionMachine>["value"];

interface MachineAction {
  readonly type: string;
  readonly params?: unknown;
}

/** The machine of one connection. */
export class Connection {
  #snapshot: SnapshotFrom<typeof connectionMachine>;
  /** Events that the machine's timers stand for, by timer id. */
  readonly #timers = new Map<string, ConnectionEvent>();
  readonly #first: readonly ConnectionEffect[];

  constructor(rules: ConnectionRules, seed: number) {
    const [snapshot, actions] = initialTransition(connectionMachine, { rules, seed });
    this.#snapshot = snapshot;
    this.#first = this.#effects(actions);
  }

  /** What the start asks for; perform it once. */
  get startEffects(): readonly ConnectionEffect[] {
    return this.#first;
  }

  get state(): ConnectionState {
    return this.#snapshot.value;
  }

  /** Attempts since the connection was last good. */
  get attempt(): number {
    return this.#snapshot.context.attempt;
  }

  feed(event: ConnectionEvent): readonly ConnectionEffect[] {
    const [snapshot, actions] = transition(connectionMachine, this.#snapshot, event);
    this.#snapshot = snapshot;
    return this.#effects(actions);
  }

  /** A timer of the machine has expired. */
  expire(id: string): readonly ConnectionEffect[] {
    const event = this.#timers.get(id);
    this.#timers.delete(id);
    return event === undefined ? [] : this.feed(event);
  }

  #effects(actions: readonly MachineAction[]): readonly ConnectionEffect[] {
    const effects: ConnectionEffect[] = [];
    for (const action of actions) {
      const params = (action.params ?? {}) as Readonly<Record<string, unknown>>;
      if (action.type === "xstate.raise") {
        const { delay, id, event } = params as { delay?: number; id?: string; event: unknown };
        // Without a delay it was consumed inside the transition.
        if (delay === undefined || id === undefined) continue;
        this.#timers.set(id, event as ConnectionEvent);
        effects.push({ type: "startTimer", id, delayMs: delay });
      } else if (action.type === "xstate.cancel") {
        const id = String(params["sendId"]);
        this.#timers.delete(id);
        effects.push({ type: "cancelTimer", id });
      } else if (action.params === undefined) {
        effects.push({ type: action.type } as ConnectionEffect);
      } else effects.push({ type: action.type, params } as ConnectionEffect);
    }
    return effects;
  }
}
