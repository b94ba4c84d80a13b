/**
 * The WebSocket to one provider: keeps it up, verified and subscribed, and hands on what it says.
 *
 * Owns the socket, its heartbeat and its upstream subscriptions; publishes a channel for calls while
 * the connection is live. Events go straight to the aggregator, only what can change the state passes
 * through the machine. Permanent; a restart loses the connection and nothing else: the aggregator is
 * told of the hole, and the calls on the socket fail over.
 */
import { defineActor, keyFor, stop, type Ctx } from "../../src/otp/index.ts";
import type { ChainState } from "../../src/rpc/chain-state.ts";
import { Connection, type ConnectionEffect } from "../../src/rpc/connection/connection.ts";
import { defaultConnectionRules, type ConnectionEvent } from "../../src/rpc/connection/connection.machine.ts";
import type { ErrorClass } from "../../src/rpc/errors/classes.ts";
import type { ProviderId } from "../../src/rpc/ids.ts";
import { WsChannel } from "../../src/rpc/proxy/attempt/ws-channel.ts";
import type { RaceEvent } from "../../src/rpc/race/settled-race.ts";
import { connectionRow, statsTable, type ConnectionStats } from "../../src/rpc/stream-stats.ts";
import type { FromSocket, Socket, SocketClosure, SocketHandlers } from "../../src/rpc/connection/socket.ts";
import { readSubscriptionFrame } from "../../src/rpc/subscription-frame.ts";
import type { Demand } from "../../src/rpc/subscription/hub.ts";
import { UpstreamTalk, type Notice } from "../../src/rpc/connection/upstream-talk.ts";
import { messageAggregatorKey, type RawEvent, type StreamChange } from "./message-aggregator.ts";
import { headTrackerKey } from "./head-tracker.ts";
import { providerPoolKey } from "./provider-pool.ts";
import { probeKey } from "./probe.ts";

export type { Socket, SocketHandlers } from "../../src/rpc/connection/socket.ts";

/** Which provider, and how to reach it. */
export interface WsConnectionArgs {
  readonly state: ChainState;
  readonly provider: ProviderId;
  /** Opens a socket to the provider's `ws_url`; failures arrive as a close, never as a throw. */
  readonly connect: (handlers: SocketHandlers) => Socket;
  /** Replaces secrets in a text by `***`: close reasons and errors are the provider's words. */
  readonly redact: (text: string) => string;
}

interface Aggregator {
  readonly cast: {
    event(raw: RawEvent): void;
    stream(change: StreamChange): void;
    connected(provider: ProviderId): void;
  };
}

/** Everything one incarnation holds; mutable, seen by this process alone. */
interface State {
  readonly args: WsConnectionArgs;
  /** Resolves at each send, so that a restarted aggregator is found. */
  readonly aggregator: Aggregator;
  readonly connection: Connection;
  readonly talk: UpstreamTalk;
  socket: Socket | undefined;
  /** Number of the current socket; callbacks of older ones are ignored. */
  socketId: number;
  channel: WsChannel | undefined;
  /** Messages read from the current socket, as the driver counts them. */
  messages: number;
  /** Events handed on; a dropped message leaves a hole in these numbers. */
  events: number;
  openedAtMs: number;
  connectAtMs: number;
  lastHeadMs: number;
  /** The height the provider named when it was asked during a silence, or -1. */
  height: number;
  isPongDue: boolean;
  orphans: number;
  lastError: string | undefined;
}

const PONG_TIMEOUT_MS = 2_000;
const CHECK_MS = 1_000;
const LEAST_STALE_MS = 10_000;
const STALE_BLOCKS = 3;
const MAX_REASON = 120;
const CHECK = "check";
const PING = "ping";
const PONG = "pong";
const MACHINE = "machine:";

/** The WebSocket connection of one provider. */
export const wsConnection = defineActor({
  name: "rpc/ws-connection",
  trapExit: true,
  // Beyond it messages are dropped and counted; the hole in their numbers is told to the aggregator.
  mailbox: { max: 50_000, overflow: "reject" },
  init: (args: WsConnectionArgs, ctx): State => {
    const seed = Math.floor(ctx.random() * 2 ** 31);
    const state: State = {
      args,
      aggregator: ctx.via(messageAggregatorKey(args.state.name)),
      connection: new Connection(rulesOf(args.state), seed),
      talk: new UpstreamTalk((text) => state.socket?.send(text)),
      socket: undefined,
      socketId: 0,
      channel: undefined,
      messages: 0,
      events: 0,
      openedAtMs: 0,
      connectAtMs: 0,
      lastHeadMs: 0,
      height: -1,
      isPongDue: false,
      orphans: 0,
      lastError: undefined,
    };
    state.talk.want("newHeads", wantsHeads(state));
    // A process that is killed runs no code of its own, but its socket must not outlive it.
    ctx.signal.addEventListener("abort", () => disconnected(state), { once: true });
    tellStreams(state, ["newHeads", "logs", "newPendingTransactions"], false);
    ctx.every(CHECK_MS, CHECK);
    perform(state, state.connection.startEffects, ctx);
    return state;
  },
  casts: {
    /** What the chain's clients need from this provider. */
    want: (state, { logs, pending }: Demand, ctx) => {
      state.talk.want("newHeads", wantsHeads(state));
      state.talk.want("logs", logs && !isShadow(state));
      state.talk.want("newPendingTransactions", pending && !isShadow(state));
      if (isUp(state) && state.talk.sync() > 0) publish(state, ctx);
      return state;
    },
    /** A new aggregator asks which streams are live. */
    announce: (state, _arg: undefined) => {
      if (!isUp(state)) return state;
      tellStreams(state, state.talk.events, true);
      state.aggregator.cast.connected(state.args.provider);
      return state;
    },
  },
  on: (state, info, ctx) => {
    if (info.type === "info") heard(state, info.payload as FromSocket, ctx);
    // It traps exits to close its socket, not to survive them.
    if (info.type === "exit") return stop(state, info.reason);
    if (info.type !== "timer") return state;
    switch (info.key) {
      case CHECK:
        return check(state, ctx);
      case PING:
        return ping(state, ctx);
      case PONG:
        if (state.isPongDue) feed(state, { type: "pongMissed" }, ctx);
        state.isPongDue = false;
        return state;
      default:
        perform(state, state.connection.expire(info.key.slice(MACHINE.length)), ctx);
        return state;
    }
  },
  terminate: (state) => {
    const { socket } = state;
    const { events } = state.talk;
    state.socket = undefined;
    disconnected(state);
    tellStreams(state, events, false);
    socket?.close(1001, "going away");
  },
  formatState: (state) => ({ provider: state.args.provider, ...statsOf(state) }),
});

/** Finds the WebSocket connection of a provider. */
export const wsConnectionKey = keyFor(wsConnection, "chain", "provider");

const rulesOf = ({ config }: ChainState) => ({
  ...defaultConnectionRules,
  chainId: config.chainId,
  reconnectIntervalMs: config.connection.reconnectIntervalMs,
  maxReconnectAttempts: config.connection.maxReconnectAttempts,
});

const configOf = ({ args }: State) =>
  args.state.config.providers.find(({ id }) => id === args.provider);

/** A shadow is connected and verified, but nobody hears its events. */
const isShadow = (state: State): boolean => configOf(state)?.shadow !== undefined;

const wantsHeads = (state: State): boolean =>
  configOf(state)?.subscribeNewHeads !== false && !isShadow(state);

/** Live or stale: verified, subscribed and usable. */
const isUp = ({ connection }: State): boolean =>
  connection.state === "live" || connection.state === "stale";

const feed = (state: State, event: ConnectionEvent, ctx: Ctx): void =>
  perform(state, state.connection.feed(event), ctx);

const perform = (state: State, effects: readonly ConnectionEffect[], ctx: Ctx): void => {
  for (const effect of effects) {
    switch (effect.type) {
      case "startTimer":
        ctx.after(effect.delayMs, MACHINE + effect.id);
        break;
      case "cancelTimer":
        ctx.cancel(MACHINE + effect.id);
        break;
      case "openSocket":
        connect(state, ctx);
        break;
      case "closeSocket":
        givenUp(state, effect.params.reason, ctx);
        break;
      case "askChainId":
        state.talk.askChainId();
        break;
      case "subscribe":
        subscribeFirst(state, ctx);
        break;
      case "resubscribe":
        state.talk.renew("newHeads");
        break;
      case "announceLive":
        wentUp(state, ctx);
        break;
      case "announceDown":
        wentDown(state, effect.params, ctx);
        break;
      case "announceSuspect":
      case "announceStale":
        suspected(state, effect.type, ctx);
        break;
      case "announceWrongChain":
        wrongChain(state, effect.params.chainId, ctx);
        break;
    }
  }
};

// --- the socket

const connect = (state: State, ctx: Ctx): void => {
  const { self } = ctx;
  const socket = ++state.socketId;
  let seq = 0;
  state.messages = 0;
  state.connectAtMs = ctx.now();
  state.socket = state.args.connect({
    onOpen: () => self.send({ type: "open", socket }),
    onMessage: (bytes, atNs) => self.send({ type: "message", socket, seq: ++seq, bytes, atNs }),
    onPong: () => self.send({ type: "pong", socket }),
    onClose: (closure) => self.send({ type: "close", socket, closure }),
  });
};

const heard = (state: State, from: FromSocket, ctx: Ctx): void => {
  if (from.socket !== state.socketId || state.socket === undefined) return;
  switch (from.type) {
    case "message":
      message(state, from, ctx);
      return;
    case "open":
      state.openedAtMs = ctx.now();
      ctx.after(state.args.state.config.connection.heartbeatIntervalMs, PING);
      feed(state, { type: "opened" }, ctx);
      return;
    case "pong":
      state.isPongDue = false;
      feed(state, { type: "pong" }, ctx);
      return;
    case "close": {
      const { code, reason, status } = from.closure;
      const text = `${status ?? code} ${state.args.redact(reason)}`.trim().slice(0, MAX_REASON);
      state.lastError = text;
      report(state, classOf(from.closure), text, ctx);
      dropped(state, ctx);
      feed(state, { type: "closed", reason: text }, ctx);
    }
  }
};

/** What a refused or broken connection means for the breaker. */
const classOf = ({ status }: SocketClosure): ErrorClass => {
  if (status === undefined) return "transport";
  if (status === 401 || status === 402 || status === 403) return "auth";
  return status === 429 ? "rate_limit" : "server";
};

/** We close the socket ourselves: it did not answer in time, or said the wrong thing. */
const givenUp = (state: State, reason: string, ctx: Ctx): void => {
  // A wrong chain has been reported as such; a suspended connection did nothing wrong.
  if (UNANSWERED.has(reason)) report(state, "timeout", reason, ctx);
  else if (REFUSED.has(reason)) report(state, "server", reason, ctx);
  state.lastError ??= reason;
  dropped(state, ctx);
};

const UNANSWERED: ReadonlySet<string> = new Set([
  "connect timeout",
  "chain id timeout",
  "subscribe timeout",
  "no pong",
  "stale",
]);
const REFUSED: ReadonlySet<string> = new Set(["chain id refused", "not subscribed"]);

/** The socket is gone, or is given up: nothing of it counts any more. */
const dropped = (state: State, ctx: Ctx): void => {
  const { events } = state.talk;
  disconnected(state);
  tellStreams(state, events, false);
  if (events.includes("newHeads")) {
    ctx.via(headTrackerKey(state.args.state.name)).cast.silenced(state.args.provider);
  }
  ctx.cancel(PING);
  ctx.cancel(PONG);
};

/** Safe without a process: closes the socket, withdraws the channel, fails its calls. */
const disconnected = (state: State): void => {
  const { socket, channel, args } = state;
  state.socket = undefined;
  state.channel = undefined;
  state.isPongDue = false;
  state.talk.clear();
  if (channel !== undefined) {
    args.state.detach(args.state.rows(args.provider).ws, channel);
    channel.onClose();
  }
  socket?.abandon();
};

const ping = (state: State, ctx: Ctx): State => {
  if (state.socket === undefined) return state;
  const { heartbeatIntervalMs } = state.args.state.config.connection;
  ctx.after(heartbeatIntervalMs, PING);
  if (state.isPongDue) return state;
  state.isPongDue = true;
  state.socket.ping();
  ctx.after(Math.min(PONG_TIMEOUT_MS, heartbeatIntervalMs), PONG);
  return state;
};

// --- messages

const message = (
  state: State,
  { bytes, atNs, seq }: Extract<FromSocket, { type: "message" }>,
  ctx: Ctx,
): void => {
  // A dropped message may have been an event: the aggregator must see a hole.
  if (seq !== ++state.messages) {
    state.messages = seq;
    state.events++;
  }
  const frame = readSubscriptionFrame(bytes);
  if (frame === undefined) {
    if (state.channel?.onFrame(bytes) !== true) answered(state, bytes, ctx);
    return;
  }
  const belonging = state.talk.belongs(frame, atNs);
  if (belonging === "orphan") orphan(state, frame.subscription, ctx);
  else if (belonging !== "held") handOn(state, belonging, { frame, atNs }, ctx);
};

const handOn = (state: State, event: RaceEvent, { frame, atNs }: Notice, ctx: Ctx): void => {
  const { provider } = state.args;
  const seq = ++state.events;
  state.aggregator.cast.event({ provider, event, frame, atNs, seq });
  if (event !== "newHeads") return;
  state.lastHeadMs = ctx.now();
  if (state.connection.state === "stale") feed(state, { type: "fresh" }, ctx);
};

/** An event of a subscription that we do not hold: it is given back. */
const orphan = (state: State, subscription: string, ctx: Ctx): void => {
  state.orphans++;
  const { provider, state: chain } = state.args;
  ctx.emit("websocket.orphan_event", { chain: chain.name, provider, subscription });
  if (state.orphans % ORPHANS_PER_UNSUBSCRIBE === 1) state.talk.giveBack(subscription);
};

/** An unsubscribe is on its way while its last events still arrive; ask again only if they go on. */
const ORPHANS_PER_UNSUBSCRIBE = 1_000;

// --- answers to our questions

const answered = (state: State, bytes: Buffer, ctx: Ctx): void => {
  const answer = state.talk.answer(bytes);
  if (answer === undefined) return;
  switch (answer.type) {
    case "chainId": {
      const { chainId, error } = answer;
      if (chainId !== undefined) return feed(state, { type: "chainId", chainId }, ctx);
      const reason = state.args.redact(`eth_chainId: ${error}`);
      state.lastError = reason;
      return feed(state, { type: "refused", reason }, ctx);
    }
    case "height":
      return heightSeen(state, answer.height, ctx);
    case "refused": {
      const reason = state.args.redact(`eth_subscribe ${answer.event}: ${answer.error}`);
      state.lastError = reason;
      if (answer.event === "newHeads") feed(state, { type: "refused", reason }, ctx);
      return;
    }
    case "subscribed":
      return subscribed(state, answer.event, answer.early, ctx);
  }
};

/** Before the connection is live: heads only; the rest is asked for when the aggregator says so. */
const subscribeFirst = (state: State, ctx: Ctx): void => {
  state.talk.want("logs", false);
  state.talk.want("newPendingTransactions", false);
  if (state.talk.sync() === 0) feed(state, { type: "subscribed" }, ctx);
};

const subscribed = (state: State, event: RaceEvent, early: readonly Notice[], ctx: Ctx): void => {
  if (event === "newHeads") {
    state.lastHeadMs = ctx.now();
    state.height = -1;
    feed(state, { type: "subscribed" }, ctx);
  }
  tellStreams(state, [event], true);
  for (const notice of early) handOn(state, event, notice, ctx);
  publish(state, ctx);
};

// --- what others are told

const tellStreams = (state: State, events: readonly RaceEvent[], isLive: boolean): void => {
  const { provider } = state.args;
  for (const event of events) {
    state.aggregator.cast.stream({ provider, event, isLive, seq: state.events });
  }
};

const wentUp = (state: State, ctx: Ctx): void => {
  publish(state, ctx);
  if (state.channel !== undefined) return;
  const { provider, state: chain } = state.args;
  const { socket } = state;
  const channel = new WsChannel((bytes) => socket?.send(bytes));
  state.channel = channel;
  state.lastError = undefined;
  chain.attach(chain.rows(provider).ws, channel);
  report(state, "ok", undefined, ctx);
  ctx.emit("websocket.connected", {
    chain: chain.name,
    provider,
    durationMs: ctx.now() - state.connectAtMs,
    attempt: state.connection.attempt,
  });
  ctx.via(providerPoolKey(chain.name)).cast.verified({ provider, transport: "ws" });
  ctx.via(probeKey(chain.name, provider)).cast.connected();
  state.aggregator.cast.connected(provider);
};

const wentDown = (
  state: State,
  down: { readonly reason: string; readonly attempt: number; readonly delayMs: number },
  ctx: Ctx,
): void => {
  const { provider, state: chain } = state.args;
  const at = { chain: chain.name, provider };
  if (state.openedAtMs > 0) {
    const uptimeMs = ctx.now() - state.openedAtMs;
    ctx.emit("websocket.disconnected", { ...at, reason: down.reason, uptimeMs });
    state.openedAtMs = 0;
  }
  ctx.emit("websocket.reconnect_scheduled", {
    ...at,
    attempt: down.attempt,
    delayMs: down.delayMs,
    reason: down.reason,
  });
  const pool = ctx.via(providerPoolKey(chain.name));
  pool.cast.unverified({ provider, transport: "ws", reason: down.reason });
  publish(state, ctx);
};

const suspected = (state: State, effect: "announceSuspect" | "announceStale", ctx: Ctx): void => {
  const { provider, state: chain } = state.args;
  const isStale = effect === "announceStale";
  ctx.emit("websocket.suspect", {
    chain: chain.name,
    provider,
    reason: isStale ? "its heads have stopped" : "a pong is missing",
    ...(isStale ? { ageMs: ctx.now() - state.lastHeadMs } : {}),
  });
  publish(state, ctx);
};

const wrongChain = (state: State, seen: number, ctx: Ctx): void => {
  const { provider, state: chain } = state.args;
  ctx.via(providerPoolKey(chain.name)).cast.wrongChain({ provider, transport: "ws", seen });
  state.lastError = `wrong chain: ${seen} instead of ${chain.chainId}`;
  report(state, "wrong_chain", state.lastError, ctx);
};

/** Tells the breaker how a connection attempt, or a connection, ended. */
const report = (
  state: State,
  errorClass: ErrorClass,
  detail: string | undefined,
  ctx: Ctx,
): void => {
  const { args } = state;
  const row = args.state.rows(args.provider).ws;
  if (errorClass === "ok") {
    row.successes++;
    if (!row.dirty) return;
  } else row.dirty = true;
  const { generation } = row;
  const durationMs = ctx.now() - state.connectAtMs;
  args.state.report({ row, generation, method: "(connect)", errorClass, durationMs, detail });
};

// --- silence

/** Once a second: a provider whose heads have stopped is asked whether the chain has, too. */
const check = (state: State, ctx: Ctx): State => {
  if (state.connection.state !== "live" || !state.talk.events.includes("newHeads")) return state;
  const { head, config } = state.args.state;
  const blockTimeMs = config.blockTimeMs ?? head?.blockTimeMs ?? 0;
  const limitMs = Math.max(STALE_BLOCKS * blockTimeMs, LEAST_STALE_MS);
  if (ctx.now() - state.lastHeadMs <= limitMs) return state;
  if (!state.talk.isAskingHeight) state.talk.askHeight();
  return state;
};

const heightSeen = (state: State, named: number, ctx: Ctx): void => {
  const { provider, state: chain } = state.args;
  const height = Math.max(named, chain.head?.number ?? 0);
  const isKnown = height <= Math.max(chain.rows(provider).ws.head, state.height);
  const isFirst = state.height < 0;
  state.height = height;
  if (!isKnown && !isFirst) return feed(state, { type: "silent" }, ctx);
  // The chain itself stands still, as far as is known.
  state.lastHeadMs = ctx.now();
};

const publish = (state: State, ctx: Ctx): void => {
  const { provider, state: chain } = state.args;
  const table = ctx.table<ConnectionStats>(statsTable);
  table?.put(connectionRow(chain.name, provider), statsOf(state));
};

const statsOf = (state: State): ConnectionStats => ({
  state: state.connection.state,
  attempts: state.connection.attempt,
  subscriptions: state.talk.events.length,
  lastError: state.lastError,
});
