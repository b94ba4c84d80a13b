/**
 * The life of one provider's WebSocket as a pure machine.
 *
 * connecting -> verifying (is it the right chain?) -> subscribing -> live <-> stale; whatever breaks
 * leads to `down` and from there, after a delay with full jitter, to connecting again. Too many
 * attempts in a row, or refused credentials, rest it in `suspended`, a wrong chain id in
 * `quarantined`; both end by themselves, so that no state is for ever.
 *
 * Effects are named only; the process that runs the machine performs them. Chance comes from a seed
 * in the context, so that equal inputs give equal delays.
 */
import { assign, setup } from "xstate";
import { fullJitterMs } from "../../lib/backoff.ts";
import { seededRandom } from "../../lib/random.ts";

/** The figures of a connection. */
export interface ConnectionRules {
  readonly chainId: number;
  /** `connection.reconnect_interval`: ceiling of the first delay. */
  readonly reconnectIntervalMs: number;
  readonly maxBackoffMs: number;
  /** `connection.max_reconnect_attempts`; undefined: for ever. */
  readonly maxReconnectAttempts: number | undefined;
  /** Time for the handshake, and for each answer before the connection is live. */
  readonly handshakeTimeoutMs: number;
  /** Live for so long, the connection counts as good and the delays start over. */
  readonly settledMs: number;
  /** Silent for so long after a resubscribe, the connection is given up. */
  readonly staleTimeoutMs: number;
  /** How long a provider on a wrong chain is left alone. */
  readonly quarantineMs: number;
  /** How long a suspended connection rests before one more attempt. */
  readonly restMs: number;
}

/** Figures that have no configuration key, with the reference's values. */
export const defaultConnectionRules = {
  maxBackoffMs: 30_000,
  handshakeTimeoutMs: 5_000,
  settledMs: 60_000,
  staleTimeoutMs: 10_000,
  quarantineMs: 30_000,
  restMs: 300_000,
} as const;

/** What a connection starts with. */
export interface ConnectionInput {
  readonly rules: ConnectionRules;
  /** Any integer; two connections should not share one. */
  readonly seed: number;
}

/** What a connection knows. */
export interface ConnectionContext {
  readonly rules: ConnectionRules;
  readonly seed: number;
  /** Attempts since the connection was last good. */
  readonly attempt: number;
  readonly backoffMs: number;
  readonly missedPongs: number;
  /** Why the last connection ended. */
  readonly reason: string;
  /** The provider asked us to stay away for at least so long. */
  readonly pauseMs: number;
  /** The provider has refused our credentials: trying again soon is of no use. */
  readonly isDenied: boolean;
}

/** How a connection, or an attempt at one, failed. */
interface Failure {
  readonly reason: string;
  /** The least wait that the provider asked for (Retry-After, 1013). */
  readonly pauseMs?: number | undefined;
  readonly isDenied?: boolean | undefined;
}

/** What can happen to a connection. */
export type ConnectionEvent =
  | { readonly type: "opened" }
  | ({ readonly type: "closed" } & Failure)
  | { readonly type: "chainId"; readonly chainId: number }
  /** The chain id was not told. */
  | ({ readonly type: "refused" } & Failure)
  /** Every stream asked for was answered, with yes or no. */
  | { readonly type: "subscribed" }
  | { readonly type: "pong" }
  | { readonly type: "pongMissed" }
  | { readonly type: "silent" }
  | { readonly type: "fresh" }
  /** Upstream subscriptions are open that nobody wants and that cannot be ended otherwise. */
  | { readonly type: "leaking" }
  /** The provider lives again, as seen elsewhere. */
  | { readonly type: "resume" };

const pongsToClose = 2;

/** In every state with a socket that is up. */
const upTransitions = {
  pong: { actions: "clearMisses" },
  pongMissed: [
    {
      guard: "isLastMiss",
      target: "down",
      actions: [
        { type: "noteTimeout", params: { what: "pong" } },
        { type: "closeSocket", params: { reason: "no pong" } },
      ],
    },
    { actions: ["countMiss", "announceSuspect"] },
  ],
  leaking: {
    target: "down",
    actions: [
      { type: "noteCause", params: { reason: "subscriptions that could not be ended" } },
      { type: "closeSocket", params: { reason: "leaking" } },
    ],
  },
  closed: { target: "down", actions: "noteFailure" },
} as const;

/** The end of a wait for the provider. */
const timedOut = (what: string, reason: string) =>
  ({
    target: "down",
    actions: [
      { type: "noteTimeout", params: { what } },
      { type: "closeSocket", params: { reason } },
    ],
  }) as const;

/**
 * The machine. Effects: openSocket, closeSocket, askChainId, subscribe, resubscribe, announceLive,
 * announceSuspect, announceStale, announceDown, announceRetry, announceSuspended, announceWrongChain.
 */
export const connectionMachine = setup({
  types: {
    context: {} as ConnectionContext,
    events: {} as ConnectionEvent,
    input: {} as ConnectionInput,
  },
  delays: {
    handshake: ({ context }) => context.rules.handshakeTimeoutMs,
    backoff: ({ context }) => context.backoffMs,
    settled: ({ context }) => context.rules.settledMs,
    staleTimeout: ({ context }) => context.rules.staleTimeoutMs,
    quarantine: ({ context }) => context.rules.quarantineMs,
    rest: ({ context }) => Math.max(context.rules.restMs, context.pauseMs),
  },
  guards: {
    isRightChain: ({ context, event }) =>
      event.type === "chainId" && event.chainId === context.rules.chainId,
    isLastMiss: ({ context }) => context.missedPongs + 1 >= pongsToClose,
    isHopeless: ({ context }) =>
      context.isDenied ||
      (context.rules.maxReconnectAttempts !== undefined &&
        context.attempt >= context.rules.maxReconnectAttempts),
  },
  actions: {
    noteFailure: assign(({ event }) =>
      event.type === "closed" || event.type === "refused"
        ? {
            reason: event.reason,
            pauseMs: event.pauseMs ?? 0,
            isDenied: event.isDenied === true,
          }
        : {},
    ),
    noteTimeout: assign((_args, params: { readonly what: string }) => ({
      reason: `timeout: ${params.what}`,
      pauseMs: 0,
      isDenied: false,
    })),
    noteCause: assign((_args, params: { readonly reason: string }) => ({
      reason: params.reason,
      pauseMs: 0,
      isDenied: false,
    })),
    scheduleRetry: assign(({ context }) => {
      const { reconnectIntervalMs: baseMs, maxBackoffMs: capMs } = context.rules;
      const random = seededRandom(context.seed + context.attempt)();
      const jitterMs = Math.round(fullJitterMs({ baseMs, capMs }, context.attempt, random));
      return {
        seed: (Math.imul(context.seed, 1_664_525) + 1_013_904_223) >>> 0,
        attempt: context.attempt + 1,
        // Never earlier than the provider asked for, and not all of its clients at that instant.
        backoffMs: context.pauseMs + jitterMs,
      };
    }),
    startOver: assign({ attempt: 0 }),
    countMiss: assign({ missedPongs: ({ context }) => context.missedPongs + 1 }),
    clearMisses: assign({ missedPongs: 0 }),
    openSocket: () => {},
    closeSocket: (_args, _params: { readonly reason: string }) => {},
    askChainId: () => {},
    subscribe: () => {},
    resubscribe: () => {},
    announceLive: () => {},
    announceSuspect: () => {},
    announceStale: () => {},
    announceDown: (_args, _params: { readonly reason: string }) => {},
    announceRetry: (
      _args,
      _params: { readonly reason: string; readonly attempt: number; readonly delayMs: number },
    ) => {},
    announceSuspended: (
      _args,
      _params: { readonly reason: string; readonly attempt: number; readonly delayMs: number },
    ) => {},
    announceWrongChain: (_args, _params: { readonly chainId: number }) => {},
  },
}).createMachine({
  id: "connection",
  context: ({ input }) => ({
    rules: input.rules,
    seed: input.seed,
    attempt: 0,
    backoffMs: 0,
    missedPongs: 0,
    reason: "",
    pauseMs: 0,
    isDenied: false,
  }),
  initial: "connecting",
  states: {
    connecting: {
      entry: ["clearMisses", "openSocket"],
      on: { opened: "verifying", closed: { target: "down", actions: "noteFailure" } },
      after: { handshake: timedOut("connect", "connect timeout") },
    },
    verifying: {
      entry: "askChainId",
      on: {
        chainId: [
          { guard: "isRightChain", target: "subscribing" },
          {
            target: "quarantined",
            actions: {
              type: "announceWrongChain",
              params: ({ event }) => ({ chainId: event.chainId }),
            },
          },
        ],
        refused: {
          target: "down",
          actions: ["noteFailure", { type: "closeSocket", params: { reason: "chain id refused" } }],
        },
        closed: { target: "down", actions: "noteFailure" },
      },
      after: { handshake: timedOut("chain id", "chain id timeout") },
    },
    subscribing: {
      entry: "subscribe",
      on: { subscribed: "live", closed: { target: "down", actions: "noteFailure" } },
      after: { handshake: timedOut("subscribe", "subscribe timeout") },
    },
    live: {
      entry: "announceLive",
      on: { ...upTransitions, silent: "stale" },
      after: { settled: { actions: "startOver" } },
    },
    /** Connected, but its heads have stopped: subscribe again, then reconnect. */
    stale: {
      entry: ["announceStale", "resubscribe"],
      on: { ...upTransitions, fresh: "live" },
      after: { staleTimeout: timedOut("heads", "stale") },
    },
    /** Left at once: whether and when to try again. */
    down: {
      entry: { type: "announceDown", params: ({ context }) => ({ reason: context.reason }) },
      always: [{ guard: "isHopeless", target: "suspended" }, { target: "backing_off" }],
    },
    backing_off: {
      entry: [
        "scheduleRetry",
        {
          type: "announceRetry",
          params: ({ context }) => ({
            reason: context.reason,
            attempt: context.attempt,
            delayMs: context.backoffMs,
          }),
        },
      ],
      after: { backoff: "connecting" },
    },
    quarantined: {
      entry: { type: "closeSocket", params: { reason: "wrong chain" } },
      after: { quarantine: "connecting" },
    },
    /** Given up for now: one attempt after each rest, or sooner when the provider is seen to live. */
    suspended: {
      entry: {
        type: "announceSuspended",
        params: ({ context }) => ({
          reason: context.reason,
          attempt: context.attempt,
          delayMs: Math.max(context.rules.restMs, context.pauseMs),
        }),
      },
      on: { resume: { target: "connecting", actions: "startOver" } },
      after: { rest: "connecting" },
    },
  },
});
