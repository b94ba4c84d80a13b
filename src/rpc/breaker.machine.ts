/**
 * The circuit breaker of one provider x transport as a pure machine: states, events, effects.
 *
 * Time and chance come with the events. closed -> open on too many failures; open -> half_open once
 * its deadline has passed, and the deadline is fixed for the episode; half_open -> closed after
 * `successThreshold` successes, -> open on any failure. There is no other way, except by force.
 *
 * Each transition starts a new generation. Outcomes of calls that were admitted in an older one
 * change nothing, so a slow success from before the failure cannot close the breaker.
 */
import { assign, setup } from "xstate";
import {
  announcement,
  cleared,
  closed,
  counted,
  forcedClosed,
  forcedOpen,
  isCurrent,
  isLeaseOver,
  opened,
  opens,
  permit,
  reopened,
  verdictOf,
  type Announcement,
  type BreakerContext,
  type BreakerEvent,
  type BreakerInput,
} from "./breaker-context.ts";
import { emptyWindow, noStreak } from "./breaker-rules.ts";

/** The machine. Effects: `announce` after each transition, `askProbe` when one probe shall run. */
export const breakerMachine = setup({
  types: {
    context: {} as BreakerContext,
    events: {} as BreakerEvent,
    input: {} as BreakerInput,
  },
  guards: {
    isCurrent: ({ context, event }) =>
      "generation" in event && event.generation === context.generation,
    opens: ({ context, event }) => opens(context, event),
    asksProbe: ({ context, event }) =>
      context.forced === undefined &&
      context.probeToken === 0 &&
      event.type === "failure" &&
      isCurrent(context, event) &&
      verdictOf(context, event) === "timeouts",
    probeSettles: ({ context, event }) => "token" in event && event.token === context.probeToken,
    confirmsTimeouts: ({ context, event }) =>
      // A success in between has ended the streak that asked for the probe.
      context.streak.total > 0 &&
      (isLeaseOver(context, event) ||
        (event.type === "probe.failed" && event.token === context.probeToken)),
    leaseIsOver: ({ context, event }) => isLeaseOver(context, event),
    isDue: ({ context, event }) => event.nowMs >= context.openUntilMs,
    forceIsOver: ({ context, event }) =>
      context.forced !== undefined && event.nowMs >= context.forcedUntilMs,
    completes: ({ context, event }) =>
      context.halfOpenSuccesses + 1 >= context.rules.successThreshold &&
      (event.type === "probe.ok"
        ? event.token === context.probeToken
        : event.type === "success" && event.generation === context.generation),
  },
  actions: {
    clear: assign(({ context, event }) => cleared(context, event)),
    count: assign(({ context, event }) => counted(context, event)),
    open: assign(({ context, event }) => opened(context, event)),
    reopen: assign(({ context, event }) => reopened(context, event)),
    test: assign(({ context }) => ({
      generation: context.generation + 1,
      halfOpenSuccesses: 0,
      forced: undefined,
      forcedUntilMs: Number.POSITIVE_INFINITY,
      cause: "recovery_timeout",
    })),
    succeed: assign({ halfOpenSuccesses: ({ context }) => context.halfOpenSuccesses + 1 }),
    close: assign(({ context, event }) => closed(context, event, "recovered")),
    reset: assign(({ context, event }) => ({ ...closed(context, event, "reset"), reopens: 0 })),
    forceOpen: assign(({ context, event }) => forcedOpen(context, event)),
    forceClosed: assign(({ context, event }) => forcedClosed(context, event)),
    endForce: assign({ forced: undefined, forcedUntilMs: Number.POSITIVE_INFINITY }),
    lend: assign(({ context, event }) => ({
      probeToken: context.lastToken + 1,
      lastToken: context.lastToken + 1,
      leaseUntilMs: event.nowMs + context.rules.leaseMs,
    })),
    giveBack: assign({ probeToken: 0 }),
    askProbe: (_args, _params: { readonly token: number; readonly leaseUntilMs: number }) => {},
    announce: (_args, _params: Announcement) => {},
  },
}).createMachine({
  id: "breaker",
  context: ({ input }) => ({
    rules: input.rules,
    generation: input.generation ?? 1,
    streak: noStreak,
    window: emptyWindow,
    seenSuccesses: input.seenSuccesses ?? 0,
    seenAtMs: input.nowMs,
    openUntilMs: 0,
    reopens: 0,
    closedAtMs: input.nowMs,
    halfOpenSuccesses: 0,
    probeToken: 0,
    leaseUntilMs: 0,
    lastToken: 0,
    forced: undefined,
    forcedUntilMs: Number.POSITIVE_INFINITY,
    cause: "start",
  }),
  initial: "closed",
  on: {
    "force.open": { target: ".open", actions: "forceOpen", reenter: true },
    "force.close": { target: ".closed", actions: "forceClosed", reenter: true },
    "force.reset": { target: ".closed", actions: "reset", reenter: true },
  },
  states: {
    closed: {
      entry: { type: "announce", params: ({ context }) => announcement("closed", context) },
      on: {
        success: { guard: "isCurrent", actions: "clear" },
        failure: [
          { guard: "opens", target: "open", actions: "open" },
          {
            guard: "asksProbe",
            actions: [
              "count",
              "lend",
              { type: "askProbe", params: ({ context }) => permit(context) },
            ],
          },
          { guard: "isCurrent", actions: "count" },
        ],
        // Only a streak of timeouts asks for a probe here; until it settles nothing opens for them.
        "probe.ok": { guard: "probeSettles", actions: ["giveBack", "clear"] },
        "probe.failed": [
          { guard: "confirmsTimeouts", target: "open", actions: "open" },
          { guard: "probeSettles", actions: "giveBack" },
        ],
        "lease.expired": [
          { guard: "confirmsTimeouts", target: "open", actions: "open" },
          { guard: "leaseIsOver", actions: "giveBack" },
        ],
        due: { guard: "forceIsOver", actions: "endForce" },
      },
    },
    open: {
      entry: { type: "announce", params: ({ context }) => announcement("open", context) },
      on: { due: { guard: "isDue", target: "half_open", actions: "test" } },
    },
    half_open: {
      entry: [
        "lend",
        { type: "announce", params: ({ context }) => announcement("half_open", context) },
        { type: "askProbe", params: ({ context }) => permit(context) },
      ],
      on: {
        success: [
          { guard: "completes", target: "closed", actions: "close" },
          { guard: "isCurrent", actions: "succeed" },
        ],
        failure: { guard: "isCurrent", target: "open", actions: "reopen" },
        "probe.ok": [
          { guard: "completes", target: "closed", actions: "close" },
          {
            guard: "probeSettles",
            actions: [
              "succeed",
              "lend",
              { type: "askProbe", params: ({ context }) => permit(context) },
            ],
          },
        ],
        "probe.failed": { guard: "probeSettles", target: "open", actions: "reopen" },
        "lease.expired": { guard: "leaseIsOver", target: "open", actions: "reopen" },
      },
    },
  },
});
