/**
 * The process of one provider's WebSocket; what it does with it is `src/rpc/connection/link.ts`.
 *
 * Owns the socket, its timers and its upstream subscriptions; publishes a channel for calls while the
 * connection is live. Permanent; a restart loses the connection and nothing else: the aggregator is
 * told of the hole, and the calls on the socket fail over.
 */
import { defineActor, keyFor, stop, type Ctx } from "../../src/otp/index.ts";
import type { ChainState } from "../../src/rpc/chain-state.ts";
import type { LinkPorts } from "../../src/rpc/connection/link-ports.ts";
import { ProviderLink } from "../../src/rpc/connection/link.ts";
import type { FromSocket, Socket, SocketHandlers } from "../../src/rpc/connection/socket.ts";
import type { ProviderId } from "../../src/rpc/ids.ts";
import { connectionRow, statsTable, type ConnectionStats } from "../../src/rpc/stream-stats.ts";
import type { Demand } from "../../src/rpc/subscription/demand.ts";
import { headTrackerKey } from "./head-tracker.ts";
import { messageAggregatorKey } from "./message-aggregator.ts";
import { probeKey } from "./probe.ts";
import { providerPoolKey } from "./provider-pool.ts";

/** Which provider, and how to reach it. */
export interface WsConnectionArgs {
  readonly state: ChainState;
  readonly provider: ProviderId;
  /** Opens a socket to the provider's `ws_url`; failures arrive as a close, never as a throw. */
  readonly connect: (handlers: SocketHandlers) => Socket;
  /** Replaces secrets in a text by `***`: close reasons and errors are the provider's words. */
  readonly redact: (text: string) => string;
}

/** Logs that the race has looked at. */
export interface JudgedLogs {
  readonly sizeBytes: number;
  /** How many were no logs. */
  readonly unreadable: number;
}

interface State {
  readonly provider: ProviderId;
  /** Mutable, seen by this process alone. */
  readonly link: ProviderLink;
}

/** The WebSocket connection of one provider. */
export const wsConnection = defineActor({
  name: "rpc/ws-connection",
  trapExit: true,
  // Beyond it reads are dropped and counted; the hole in their numbers is told to the aggregator. The
  // socket rests long before.
  mailbox: { max: 50_000, overflow: "reject" },
  init: (args: WsConnectionArgs, ctx): State => {
    const seed = Math.floor(ctx.random() * 2 ** 31);
    const { state, provider, redact } = args;
    const ports = portsOf(args, () => link, ctx);
    const link: ProviderLink = new ProviderLink({ state, provider, redact, seed }, ports);
    // A process that is killed runs no code of its own, but its socket must not outlive it.
    ctx.signal.addEventListener("abort", () => link.abandon(), { once: true });
    link.start();
    return { provider, link };
  },
  casts: {
    /** What the chain's clients need from this provider. */
    want: (state, demand: Demand) => {
      state.link.want(demand);
      return state;
    },
    /** A new aggregator asks which streams are live. */
    announce: (state, _arg: undefined) => {
      state.link.announce();
      return state;
    },
    /** The race has looked at logs that were handed on. */
    judged: (state, { sizeBytes, unreadable }: JudgedLogs) => {
      state.link.judged(sizeBytes, unreadable);
      return state;
    },
    /** The provider was seen to live again: a suspended connection tries now. */
    resume: (state, _arg: undefined) => {
      state.link.resume();
      return state;
    },
  },
  on: (state, info) => {
    if (info.type === "info") state.link.heard(info.payload as FromSocket);
    else if (info.type === "timer") state.link.expired(info.key);
    // It traps exits to close its socket, not to survive them.
    else if (info.type === "exit") return stop(state, info.reason);
    return state;
  },
  terminate: ({ link }) => link.end(),
  formatState: ({ provider, link }) => {
    const { diary, attempts, streams } = link.report;
    const { lastClose } = diary;
    return {
      provider,
      state: diary.state,
      since: timeOf(diary.sinceWallMs),
      attempts,
      reconnects: diary.reconnects,
      ...streams,
      lastClose: lastClose && { ...lastClose, atMs: undefined, at: timeOf(lastClose.atMs) },
      lastError: diary.lastError,
      orphans: diary.orphans,
      unread: diary.unread,
      mismatches: diary.mismatches,
    };
  },
});

/** Finds the WebSocket connection of a provider. */
export const wsConnectionKey = keyFor(wsConnection, "chain", "provider");

const timeOf = (wallMs: number): string => new Date(wallMs).toISOString();

const portsOf = (
  { state, provider, connect }: WsConnectionArgs,
  link: () => ProviderLink,
  ctx: Ctx,
): LinkPorts => {
  const { self } = ctx;
  const chain = state.name;
  // Refs that resolve at each send, so that a restarted neighbour is found.
  const aggregator = ctx.via(messageAggregatorKey(chain));
  const pool = ctx.via(providerPoolKey(chain));
  const at = { provider, transport: "ws" } as const;
  return {
    now: () => ctx.now(),
    wallNow: () => ctx.wallNow(),
    open: (socket) => {
      let seq = 1;
      return connect({
        onOpen: () => self.send({ type: "open", socket }),
        onMessages: (messages, atNs) => {
          link().read(socket, messages);
          self.send({ type: "messages", socket, seq, messages, atNs });
          seq += messages.bounds.length / 2;
        },
        onPong: () => self.send({ type: "pong", socket }),
        onClose: (closure) => self.send({ type: "close", socket, closure }),
      });
    },
    startTimer: (key, delayMs) => ctx.after(delayMs, key),
    cancelTimer: (key) => ctx.cancel(key),
    emit: (event, fields) => ctx.emit(event, fields),
    handOn: (event, { frame, atNs }, seq) =>
      aggregator.cast.event({ provider, event, frame, atNs, seq }),
    handOnLogs: (run, seq) => aggregator.cast.logs({ provider, run, seq }),
    streamChanged: (event, isLive, seq) => aggregator.cast.stream({ provider, event, isLive, seq }),
    cameUp: () => {
      pool.cast.verified(at);
      ctx.via(probeKey(chain, provider)).cast.connected();
    },
    askDemand: () => aggregator.cast.connected(provider),
    wentDown: (reason) => pool.cast.unverified({ ...at, reason }),
    wrongChain: (seen) => pool.cast.wrongChain({ ...at, seen }),
    headsStopped: () => ctx.via(headTrackerKey(chain)).cast.silenced(provider),
    publish: () => {
      const table = ctx.table<ConnectionStats>(statsTable);
      table?.put(connectionRow(chain, provider), link().stats);
    },
  };
};
