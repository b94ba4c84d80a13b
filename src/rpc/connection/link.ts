/**
 * The WebSocket to one provider: keeps it up, verified and subscribed, and hands on what it says.
 *
 * This is the machine with its effects; everything else has a place of its own: what is wanted and
 * open (`upstream-streams`), whether the peer lives (`heartbeat`), what an end means (`closure`), what
 * the chain is told (`standing`), what telemetry is (`link-news`), what operators see (`diary`).
 */
import type { Demand } from "../subscription/demand.ts";
import type { ChainState } from "../chain-state.ts";
import type { ProviderId } from "../ids.ts";
import type { ConnectionStats } from "../stream-stats.ts";
import { judgeClosure, judgeRefusal, type ClosureVerdict } from "./closure.ts";
import { defaultConnectionRules, type ConnectionEvent } from "./connection.machine.ts";
import { Connection, type ConnectionEffect } from "./connection.ts";
import { Diary } from "./diary.ts";
import { Heartbeat } from "./heartbeat.ts";
import { LinkNews } from "./link-news.ts";
import type { LinkPorts } from "./link-ports.ts";
import { ReadAhead } from "./read-ahead.ts";
import {
  extentOf,
  type FromSocket,
  type Messages,
  type Socket,
  type SocketClosure,
} from "./socket.ts";
import { Standing } from "./standing.ts";
import { UpstreamStreams } from "./upstream-streams.ts";
import type { LedgerReport } from "./upstream-ledger.ts";
import type { Refusal } from "./upstream-talk.ts";

/** Whose link it is. */
export interface LinkOptions {
  readonly state: ChainState;
  readonly provider: ProviderId;
  /** Replaces secrets in a text by `***`: close reasons and errors are the provider's words. */
  readonly redact: (text: string) => string;
  /** Any integer; spreads the reconnects of many links. */
  readonly seed: number;
}

const CHECK_MS = 1_000;
const CHECK = "check";
const PING = "ping";
const PONG = "pong";
const MACHINE = "machine:";
const GOING_AWAY = 1001;

/** Reasons of ours for closing that the breaker hears as a timeout; the others are told elsewhere. */
const UNANSWERED: ReadonlySet<string> = new Set([
  "connect timeout",
  "chain id timeout",
  "subscribe timeout",
  "no pong",
  "stale",
]);

/** One provider's WebSocket. */
export class ProviderLink {
  readonly #options: LinkOptions;
  readonly #ports: LinkPorts;
  readonly #connection: Connection;
  readonly #streams: UpstreamStreams;
  readonly #heartbeat: Heartbeat;
  readonly #standing: Standing;
  readonly #ahead = new ReadAhead();
  readonly #diary: Diary;
  readonly #news: LinkNews;
  /** Effects to perform, in the order in which the machine asked for them. */
  readonly #effects: ConnectionEffect[] = [];
  #isPerforming = false;
  #socket: Socket | undefined;
  /** Number of the current socket; what older ones say is not heard. */
  #socketId = 0;

  constructor(options: LinkOptions, ports: LinkPorts) {
    const { state, provider, redact, seed } = options;
    const { connection, chainId } = state.config;
    const { reconnectIntervalMs, maxReconnectAttempts, heartbeatIntervalMs } = connection;
    const rules = { ...defaultConnectionRules, chainId, reconnectIntervalMs, maxReconnectAttempts };
    this.#options = options;
    this.#ports = ports;
    this.#connection = new Connection(rules, seed);
    this.#heartbeat = new Heartbeat(heartbeatIntervalMs);
    this.#standing = new Standing(state, provider);
    this.#diary = new Diary(ports.now(), ports.wallNow());
    this.#news = new LinkNews(state, provider, ports, this.#diary);
    this.#streams = new UpstreamStreams({
      state,
      provider,
      redact,
      ports,
      diary: this.#diary,
      send: (text) => this.#socket?.send(text),
      isHeard: (socket) => this.#isHeard(socket),
      feed: (event) => this.#feed(event),
      nameless: (refusal) => this.#nameless(refusal),
      takes: (message) => this.#standing.takes(message),
      headCame: () => this.#headCame(),
    });
  }

  /** Connects; call it once. */
  start(): void {
    this.#streams.start();
    this.#ports.startTimer(CHECK, CHECK_MS);
    this.#perform(this.#connection.startEffects);
    this.#ports.publish();
  }

  /** What the chain's clients need from this provider. */
  want(demand: Demand): void {
    this.#streams.want(demand);
    if (this.#isUp && this.#streams.sync() > 0) this.#ports.publish();
  }

  /** A new race begins: it learns which streams are live, and knows of nothing that was handed on. */
  announce(): void {
    this.#ahead.clear();
    if (!this.#isUp) return;
    this.#streams.announce();
    this.#ports.askDemand();
  }

  /** The provider was seen to live again: a rest ends. */
  resume(): void {
    this.#feed({ type: "resume" });
  }

  /** The socket has said something. */
  heard(from: FromSocket): void {
    if (!this.#isHeard(from.socket)) return;
    switch (from.type) {
      case "messages":
        return this.#ahead.seen(extentOf(from.messages) - this.#streams.messages(from));
      case "open":
        this.#news.opened();
        this.#ports.startTimer(PING, this.#heartbeat.intervalMs);
        return this.#feed({ type: "opened" });
      case "pong":
        return this.#alive();
      case "close":
        return this.#closed(from.closure);
    }
  }

  /** The socket has said so much; `heard` follows. */
  read(socket: number, messages: Messages): void {
    if (this.#socket !== undefined && socket === this.#socketId) {
      this.#ahead.read(extentOf(messages), this.#socket);
    }
  }

  /** Logs that were handed on have been looked at; so many could not be read. */
  judged(sizeBytes: number, unreadable: number): void {
    this.#ahead.seen(sizeBytes);
    this.#diary.unread += unreadable;
  }

  /** A timer has expired. */
  expired(key: string): void {
    if (key === CHECK) this.#check();
    else if (key === PING) this.#ping();
    else if (key === PONG) this.#pongDue();
    else {
      this.#perform(this.#connection.expire(key.slice(MACHINE.length)));
      this.#changed();
    }
  }

  /** The orderly end: the provider is told, and everybody here. */
  end(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#dropped();
    socket?.close(GOING_AWAY, "going away");
    this.#news.closing(GOING_AWAY);
    this.#news.disconnected("going away");
  }

  /** The process was killed: safe without one, closes the socket and fails the calls on it. */
  abandon(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#standing.close();
    socket?.abandon();
  }

  /** For metrics and views. */
  get stats(): ConnectionStats {
    const { state, sinceMs, reconnects, lastError } = this.#diary;
    const { wanted, open } = this.#streams.report;
    return {
      state,
      sinceMs,
      reconnects,
      attempts: this.#connection.attempt,
      subscriptions: open.length,
      wanted: wanted.length,
      lastError,
    };
  }

  /** For whoever inspects the process. */
  get report(): {
    readonly diary: Diary;
    readonly attempts: number;
    readonly streams: LedgerReport;
  } {
    return {
      diary: this.#diary,
      attempts: this.#connection.attempt,
      streams: this.#streams.report,
    };
  }

  #isHeard(socket: number): boolean {
    return socket === this.#socketId && this.#socket !== undefined;
  }

  /** Live or stale: verified, subscribed and usable. */
  get #isUp(): boolean {
    const { state } = this.#connection;
    return state === "live" || state === "stale";
  }

  // --- the machine

  #feed(event: ConnectionEvent): void {
    this.#perform(this.#connection.feed(event));
    this.#changed();
  }

  /** An effect may move the machine on: what that asks for comes after what was asked before. */
  #perform(effects: readonly ConnectionEffect[]): void {
    this.#effects.push(...effects);
    if (this.#isPerforming) return;
    this.#isPerforming = true;
    try {
      for (let next = this.#effects.shift(); next !== undefined; next = this.#effects.shift()) {
        this.#performOne(next);
      }
    } finally {
      this.#isPerforming = false;
    }
  }

  #performOne(effect: ConnectionEffect): void {
    switch (effect.type) {
      case "startTimer":
        return this.#ports.startTimer(MACHINE + effect.id, effect.delayMs);
      case "cancelTimer":
        return this.#ports.cancelTimer(MACHINE + effect.id);
      case "openSocket":
        return this.#open();
      case "closeSocket":
        return this.#giveUp(effect.params.reason);
      case "askChainId":
        return this.#streams.askChainId();
      case "subscribe":
        return this.#streams.subscribeFirst();
      case "resubscribe":
        return this.#streams.renew();
      case "announceLive":
        return this.#cameUp();
      case "announceSuspect":
        this.#standing.suspect();
        return this.#news.suspect("a pong is missing");
      case "announceStale":
        return this.#news.suspect("its heads have stopped", this.#streams.silentMs);
      case "announceDown":
        this.#news.disconnected(effect.params.reason);
        return this.#ports.wentDown(effect.params.reason);
      case "announceRetry":
        return this.#news.willRetry("websocket.reconnect_scheduled", effect.params);
      case "announceSuspended":
        return this.#news.willRetry("websocket.suspended", effect.params);
      case "announceWrongChain":
        return this.#wrongChain(effect.params.chainId);
    }
  }

  #changed(): void {
    const { now, wallNow, publish } = this.#ports;
    if (this.#diary.entered(this.#connection.state, now(), wallNow())) publish();
  }

  // --- the socket

  #open(): void {
    this.#streams.opened();
    this.#news.connecting();
    this.#socketId++;
    this.#socket = this.#ports.open(this.#socketId);
  }

  #closed(closure: SocketClosure): void {
    const verdict = judgeClosure(closure, { wasUp: this.#isUp, ...this.#words });
    const { reason, pauseMs, isDenied } = verdict;
    this.#news.closing(closure.code);
    const { overBytes } = closure;
    // An answer is as large at every provider: that is nobody's failure.
    const isNobodys = overBytes !== undefined && this.#standing.overflowed(overBytes);
    this.#failed(isNobodys ? { ...verdict, errorClass: undefined } : verdict);
    this.#dropped();
    this.#feed({ type: "closed", reason, pauseMs, isDenied });
  }

  #nameless(refusal: Refusal): void {
    const verdict = judgeRefusal(refusal, this.#words);
    const { reason, pauseMs, isDenied } = verdict;
    this.#failed(verdict);
    this.#feed({ type: "refused", reason, pauseMs, isDenied });
  }

  /** We close the socket ourselves. */
  #giveUp(reason: string): void {
    if (reason === "stale") this.#standing.lostHeads();
    if (UNANSWERED.has(reason)) {
      this.#failed({ reason, errorClass: "timeout", pauseMs: undefined, isDenied: false });
    }
    this.#dropped();
  }

  #failed({ reason, errorClass, pauseMs }: ClosureVerdict): void {
    this.#diary.lastError = reason;
    if (errorClass === undefined) return;
    const durationMs = this.#news.attemptMs;
    this.#standing.failed({ errorClass, durationMs, detail: reason, retryAfterMs: pauseMs });
  }

  /** The socket is gone, or is given up: nothing of it counts any more. */
  #dropped(): void {
    this.#heartbeat.clear();
    this.#ahead.clear();
    this.#ports.cancelTimer(PING);
    this.#ports.cancelTimer(PONG);
    const events = this.#streams.clear();
    this.abandon();
    this.#streams.gone(events);
  }

  get #words() {
    const { state, provider, redact } = this.#options;
    return { redact, rules: state.errorRules(provider) };
  }

  // --- does it live?

  #ping(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#ports.startTimer(PING, this.#heartbeat.intervalMs);
    this.#ahead.check();
    if (this.#heartbeat.isWaiting || this.#ahead.isResting) return;
    this.#heartbeat.sent(this.#ports.now(), socket.bytesRead);
    socket.ping();
    this.#ports.startTimer(PONG, this.#heartbeat.pongTimeoutMs);
  }

  #pongDue(): void {
    const socket = this.#socket;
    if (socket === undefined || !this.#heartbeat.isWaiting) return;
    // While we read nothing its silence is ours.
    const pulse = this.#ahead.isResting
      ? "again"
      : this.#heartbeat.look(this.#ports.now(), socket.bytesRead);
    if (pulse === "again") this.#ports.startTimer(PONG, this.#heartbeat.pongTimeoutMs);
    else if (pulse === "answered") this.#alive();
    else this.#feed({ type: "pongMissed" });
  }

  #alive(): void {
    this.#heartbeat.clear();
    this.#standing.alive();
    this.#feed({ type: "pong" });
  }

  #headCame(): void {
    this.#standing.headCame();
    if (this.#connection.state === "stale") this.#feed({ type: "fresh" });
  }

  #check(): void {
    this.#ports.startTimer(CHECK, CHECK_MS);
    this.#streams.tellOrphans();
    if (this.#isUp) this.#streams.check(this.#connection.state === "live");
  }

  // --- what others are told

  #cameUp(): void {
    // A stale connection that has recovered was up all the time.
    if (this.#standing.isOpen || this.#socket === undefined) return;
    this.#standing.open(this.#socket);
    this.#standing.succeeded(this.#news.attemptMs);
    this.#news.connected(this.#connection.attempt);
    this.#ports.cameUp();
    this.#ports.askDemand();
  }

  #wrongChain(seen: number): void {
    const reason = `wrong chain: ${seen} instead of ${this.#options.state.chainId}`;
    this.#ports.wrongChain(seen);
    this.#failed({ reason, errorClass: "wrong_chain", pauseMs: undefined, isDenied: false });
    this.#news.disconnected(reason);
  }
}
