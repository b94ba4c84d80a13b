/**
 * The life of one provider's WebSocket as a pure machine.
 *
 * connecting -> verifying (is it the right chain?) -> subscribing -> live <-> stale; whatever breaks
 * leads to backing_off and from there, after a delay with full jitter, to connecting again. A wrong
 * chain id is quarantined and asked again later; `suspend`, or too many attempts in a row, rests it.
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
}

/** Figures that have no configuration key, with the reference's values. */
export const defaultConnectionRules = {
  maxBackoffMs: 30_000,
  handshakeTimeoutMs: 5_000,
  settledMs: 60_000,
  staleTimeoutMs: 10_000,
  quarantineMs: 30_000,
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
}

/** What can happen to a connection. */
export type ConnectionEvent =
  | { readonly type: "opened" }
  | { readonly type: "closed"; readonly reason: string }
  | { readonly type: "chainId"; readonly chainId: number }
  | { readonly type: "subscribed" }
  | { readonly type: "refused"; readonly reason: string }
  | { readonly type: "pong" }
  | { readonly type: "pongMissed" }
  | { readonly type: "silent" }
  | { readonly type: "fresh" }
  | { readonly type: "suspend" }
  | { readonly type: "resume" };

const pongsToClose = 2;

/**
 * The machine. Effects: openSocket, closeSocket, askChainId, subscribe, resubscribe, announceLive,
 * announceSuspect, announceStale, announceDown, announceWrongChain.
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
  },
  guards: {
    isRightChain: ({ context, event }) =>
      event.type === "chainId" && event.chainId === context.rules.chainId,
    isLastMiss: ({ context }) => context.missedPongs + 1 >= pongsToClose,
    isExhausted: ({ context }) =>
      context.rules.maxReconnectAttempts !== undefined &&
      context.attempt > context.rules.maxReconnectAttempts,
  },
  actions: {
    noteReason: assign({
      reason: ({ context, event }) => ("reason" in event ? event.reason : context.reason),
    }),
    noteTimeout: assign((_args, params: { readonly what: string }) => ({
      reason: `timeout: ${params.what}`,
    })),
    scheduleRetry: assign(({ context }) => {
      const { reconnectIntervalMs: baseMs, maxBackoffMs: capMs } = context.rules;
      const random = seededRandom(context.seed + context.attempt)();
      return {
        seed: (Math.imul(context.seed, 1_664_525) + 1_013_904_223) >>> 0,
        attempt: context.attempt + 1,
        backoffMs: Math.round(fullJitterMs({ baseMs, capMs }, context.attempt, random)),
        missedPongs: 0,
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
    announceDown: (
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
  }),
  initial: "connecting",
  on: {
    suspend: {
      target: ".suspended",
      actions: { type: "closeSocket", params: { reason: "suspended" } },
    },
  },
  states: {
    connecting: {
      entry: "openSocket",
      on: { opened: "verifying", closed: { target: "backing_off", actions: "noteReason" } },
      after: {
        handshake: {
          target: "backing_off",
          actions: [
            { type: "noteTimeout", params: { what: "connect" } },
            { type: "closeSocket", params: { reason: "connect timeout" } },
          ],
        },
      },
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
          target: "backing_off",
          actions: ["noteReason", { type: "closeSocket", params: { reason: "chain id refused" } }],
        },
        closed: { target: "backing_off", actions: "noteReason" },
      },
      after: {
        handshake: {
          target: "backing_off",
          actions: [
            { type: "noteTimeout", params: { what: "chain id" } },
            { type: "closeSocket", params: { reason: "chain id timeout" } },
          ],
        },
      },
    },
    subscribing: {
      entry: "subscribe",
      on: {
        subscribed: "live",
        refused: {
          target: "backing_off",
          actions: ["noteReason", { type: "closeSocket", params: { reason: "not subscribed" } }],
        },
        closed: { target: "backing_off", actions: "noteReason" },
      },
      after: {
        handshake: {
          target: "backing_off",
          actions: [
            { type: "noteTimeout", params: { what: "subscribe" } },
            { type: "closeSocket", params: { reason: "subscribe timeout" } },
          ],
        },
      },
    },
    live: {
      entry: "announceLive",
      on: {
        silent: "stale",
        pong: { actions: "clearMisses" },
        pongMissed: [
          {
            guard: "isLastMiss",
            target: "backing_off",
            actions: [
              { type: "noteTimeout", params: { what: "pong" } },
              { type: "closeSocket", params: { reason: "no pong" } },
            ],
          },
          { actions: ["countMiss", "announceSuspect"] },
        ],
        closed: { target: "backing_off", actions: "noteReason" },
      },
      after: { settled: { actions: "startOver" } },
    },
    /** Connected, but its heads have stopped: subscribe again, then reconnect. */
    stale: {
      entry: ["announceStale", "resubscribe"],
      on: {
        fresh: "live",
        pong: { actions: "clearMisses" },
        closed: { target: "backing_off", actions: "noteReason" },
      },
      after: {
        staleTimeout: {
          target: "backing_off",
          actions: [
            { type: "noteTimeout", params: { what: "heads" } },
            { type: "closeSocket", params: { reason: "stale" } },
          ],
        },
      },
    },
    backing_off: {
      entry: [
        "scheduleRetry",
        {
          type: "announceDown",
          params: ({ context }) => ({
            reason: context.reason,
            attempt: context.attempt,
            delayMs: context.backoffMs,
          }),
        },
      ],
      always: { guard: "isExhausted", target: "suspended" },
      after: { backoff: "connecting" },
    },
    quarantined: {
      entry: { type: "closeSocket", params: { reason: "wrong chain" } },
      after: { quarantine: "connecting" },
    },
    suspended: {
      on: { resume: { target: "connecting", actions: "startOver" } },
    },
  },
});
