/**
 * The life of one connection to Redis as a pure machine: connecting -> up <-> stalled, and from each of
 * them down, where it backs off before it connects again, until it is closed.
 *
 * Effects are named only; the link performs them. Time and chance come with the events.
 */
import { assign, setup, type SnapshotFrom } from "xstate";
import { fullJitterMs } from "../../lib/backoff.ts";

/** What a link knows of its connection. */
export interface LinkContext {
  /** Tries since a connection was steady. */
  readonly attempt: number;
  /** When the connection came up, ms. */
  readonly upAtMs: number;
  /** Why the last one was lost. */
  readonly reason: string | undefined;
  /** Time until the next try, ms. */
  readonly retryMs: number | undefined;
}

/** What can happen to it. */
export type LinkEvent =
  | { readonly type: "open" | "close" }
  /** The pause before the next try is over. */
  | { readonly type: "retry" }
  /** The server has answered for the first time. */
  | { readonly type: "ready"; readonly nowMs: number }
  /** It has stopped answering, */
  | { readonly type: "silent" }
  /** and has answered everything that it was asked since. */
  | { readonly type: "caughtUp" }
  /** `random` is uniform in [0, 1). */
  | {
      readonly type: "lost";
      readonly reason: string;
      readonly nowMs: number;
      readonly random: number;
    };

/** Hosts that share see the same again within 10 s of its return, so the pauses stay short. */
const BACKOFF = { baseMs: 250, capMs: 3_000 };
/** A connection that lived this long starts the backoff anew, ms. */
const STEADY_MS = 10_000;

/** The machine. Effects, in this order: `announce` on entry, then `dial`, or `drop`, `backOff`. */
export const linkMachine = setup({
  types: { context: {} as LinkContext, events: {} as LinkEvent },
  actions: {
    forget: assign({ reason: undefined, retryMs: undefined }),
    startOver: assign(({ context, event }) =>
      event.type === "lost" && event.nowMs - context.upAtMs > STEADY_MS ? { attempt: 0 } : {},
    ),
    plan: assign(({ context, event }) =>
      event.type === "lost"
        ? {
            reason: event.reason,
            retryMs: Math.ceil(fullJitterMs(BACKOFF, context.attempt, event.random)),
            attempt: context.attempt + 1,
          }
        : {},
    ),
    note: assign(({ event }) => (event.type === "ready" ? { upAtMs: event.nowMs } : {})),
    announce: () => {},
    dial: () => {},
    backOff: () => {},
    drop: () => {},
  },
}).createMachine({
  id: "redis-link",
  context: { attempt: 0, upAtMs: 0, reason: undefined, retryMs: undefined },
  initial: "closed",
  on: { close: { target: ".closed", actions: "forget" } },
  states: {
    closed: {
      entry: ["announce", "drop"],
      on: { open: "connecting", close: {} },
    },
    connecting: {
      entry: ["forget", "announce", "dial"],
      on: { ready: { target: "up", actions: "note" }, lost: { target: "down", actions: "plan" } },
    },
    up: {
      entry: "announce",
      on: {
        silent: "stalled",
        lost: { target: "down", actions: ["startOver", "plan"] },
      },
    },
    /** Connected to a server that has stopped answering: nothing more is sent. */
    stalled: {
      entry: "announce",
      on: {
        caughtUp: "up",
        lost: { target: "down", actions: ["startOver", "plan"] },
      },
    },
    down: {
      entry: ["announce", "drop", "backOff"],
      exit: "forget",
      on: { retry: "connecting" },
    },
  },
});

/** Where the link stands. */
export type RedisState = SnapshotFrom<typeof linkMachine>["value"];
