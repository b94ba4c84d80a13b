/**
 * A link's upstream subscriptions: what is wanted, what is open, and what comes of each message.
 *
 * A stream that the provider refuses does not take the connection with it: calls and other streams go
 * on, and it is asked for again after a growing pause.
 */
import type { ChainState } from "../chain-state.ts";
import type { ProviderId } from "../ids.ts";
import type { RaceEvent } from "../race/settled-race.ts";
import { readSubscriptionFrame } from "../subscription-frame.ts";
import type { Demand } from "../subscription/demand.ts";
import type { ConnectionEvent } from "./connection.machine.ts";
import type { Diary } from "./diary.ts";
import type { LinkPorts } from "./link-ports.ts";
import { LogMark } from "./log-run.ts";
import { Silence } from "./silence.ts";
import { extentOf, type FromSocket } from "./socket.ts";
import type { LedgerFault, LedgerReport } from "./upstream-ledger.ts";
import { UpstreamTalk, type Notice, type Refusal } from "./upstream-talk.ts";

/** What the streams need of their link. */
export interface StreamsOwner {
  readonly state: ChainState;
  readonly provider: ProviderId;
  readonly redact: (text: string) => string;
  readonly ports: LinkPorts;
  readonly diary: Diary;
  /** Sends one text message on the current socket. */
  readonly send: (text: string) => void;
  /** False for a socket that was given up. */
  readonly isHeard: (socket: number) => boolean;
  /** Tells the machine. */
  readonly feed: (event: ConnectionEvent) => void;
  /** The provider does not tell its chain id. */
  readonly nameless: (refusal: Refusal) => void;
  /** Takes an answer to a call; false when it is none. */
  readonly takes: (message: Buffer) => boolean;
  readonly headCame: () => void;
}

const ALL_EVENTS: readonly RaceEvent[] = ["newHeads", "logs", "newPendingTransactions"];

/** The streams of one provider's link. */
export class UpstreamStreams {
  readonly #owner: StreamsOwner;
  readonly #ports: LinkPorts;
  readonly #diary: Diary;
  readonly #talk: UpstreamTalk;
  readonly #silence = new Silence();
  readonly #logs = new LogMark();
  /** Messages read from the current socket, as the driver counts them. */
  #messages = 0;
  /** Events handed on; a dropped message leaves a hole in these numbers. */
  #events = 0;
  /** Orphans that were not told yet, and where the last one belonged. */
  #orphans = 0;
  #orphan = "";

  constructor(owner: StreamsOwner) {
    this.#owner = owner;
    this.#ports = owner.ports;
    this.#diary = owner.diary;
    this.#talk = new UpstreamTalk(owner.send);
  }

  /** Both sides of the ledger. */
  get report(): LedgerReport {
    return this.#talk.report;
  }

  /** How long ago the last head came, ms. */
  get silentMs(): number {
    return this.#ports.now() - this.#silence.headAtMs;
  }

  askChainId(): void {
    this.#talk.askChainId();
  }

  /** Before anything was asked: no stream is live. */
  start(): void {
    this.#tell(ALL_EVENTS, false);
  }

  /** A new socket begins, with nothing asked and nothing open. */
  opened(): void {
    this.#talk.clear();
    this.#messages = 0;
  }

  /** What the chain's clients need. */
  want({ logs, pending }: Demand): void {
    const { state, provider } = this.#owner;
    const config = state.config.providers.find(({ id }) => id === provider);
    // A shadow is connected and verified, but nobody hears its events.
    const isHeard = config?.shadow === undefined;
    this.#talk.want("newHeads", isHeard && config?.subscribeNewHeads !== false);
    this.#talk.want("logs", isHeard && logs);
    this.#talk.want("newPendingTransactions", isHeard && pending);
  }

  /** Sends what is missing or too much; answers how many messages that took. */
  sync(): number {
    return this.#talk.sync(this.#ports.now());
  }

  /** Before the connection is live: heads only; the rest is asked for when the race says so. */
  subscribeFirst(): void {
    this.want({ logs: false, pending: false });
    if (this.sync() === 0) this.#owner.feed({ type: "subscribed" });
  }

  /** The heads have stopped, and the other streams may be as dead: all are opened anew. */
  renew(): void {
    for (const event of this.#talk.events) {
      // A silent source of heads goes on losing races; what others relied on has a hole.
      if (event !== "newHeads") this.#tell([event], false);
      this.#talk.renew(event, this.#ports.now());
    }
  }

  /** Tells anew which streams are live. */
  announce(): void {
    this.#tell(this.#talk.events, true);
  }

  /** The socket is gone: all streams with it. Safe without a process until `told` is called. */
  clear(): readonly RaceEvent[] {
    const { events } = this.#talk;
    this.#talk.clear();
    return events;
  }

  /** Tells that the streams which a socket took with it are gone. */
  gone(events: readonly RaceEvent[]): void {
    this.#tell(events, false);
    if (events.includes("newHeads")) this.#ports.headsStopped();
  }

  /**
   * Takes what was read at once, and answers how much of it was handed on unseen. One of the messages
   * may end the connection, and with it the rest.
   */
  messages({ socket, messages, atNs, seq }: Extract<FromSocket, { type: "messages" }>): number {
    const { bytes, bounds } = messages;
    // A dropped message may have been an event: the race must see a hole.
    if (seq !== this.#messages + 1) this.#events++;
    this.#messages = seq - 1 + bounds.length / 2;
    if (this.#talk.eventOf(this.#logs.subscription) !== "logs") this.#logs.forget();
    let run: number[] = [];
    let unseen = 0;
    for (let at = 0; at < bounds.length; at += 2) {
      const start = bounds[at] as number;
      const end = bounds[at + 1] as number;
      if (this.#logs.fits(bytes, start, end)) {
        run.push(start, end);
        continue;
      }
      unseen += this.#handOnLogs(bytes, run, atNs);
      run = [];
      this.#message(bytes.subarray(start, end), atNs);
      if (!this.#owner.isHeard(socket)) return unseen;
    }
    return unseen + this.#handOnLogs(bytes, run, atNs);
  }

  /** Once a second while the connection is up. Each step may end it, and with it the round. */
  check(isLive: boolean): void {
    const nowMs = this.#ports.now();
    if (this.#talk.sync(nowMs) > 0) this.#ports.publish();
    const faults = this.#talk.faults(nowMs);
    for (const fault of faults) this.#mismatch(fault);
    // Only the end of the connection ends what the provider will not.
    if (faults.some(({ type }) => type === "unended")) this.#owner.feed({ type: "leaking" });
    else if (isLive && this.#talk.events.includes("newHeads")) this.#checkHeads(nowMs);
  }

  /** Tells of orphans, together for all that came since the last time. */
  tellOrphans(): void {
    if (this.#orphans === 0) return;
    const fields = { subscription: this.#orphan, count: this.#orphans };
    this.#orphans = 0;
    this.#emit("websocket.orphan_event", fields);
  }

  #message(bytes: Buffer, atNs: number): void {
    const frame = readSubscriptionFrame(bytes);
    if (frame === undefined) {
      if (!this.#owner.takes(bytes)) this.#answered(bytes);
      return;
    }
    const belonging = this.#talk.belongs(frame, atNs);
    if (belonging === "orphan") {
      this.#diary.orphans++;
      this.#orphans++;
      this.#orphan = frame.subscription;
    } else if (belonging !== "held" && belonging !== "ending") {
      this.#handOn(belonging, { frame, atNs });
      if (belonging === "logs") this.#logs.learn(frame);
    }
  }

  #handOnLogs(bytes: Buffer, bounds: readonly number[], atNs: number): number {
    if (bounds.length === 0) return 0;
    const run = { bytes, bounds, resultAt: this.#logs.resultAt, atNs };
    this.#ports.handOnLogs(run, this.#events + 1);
    this.#events += bounds.length / 2;
    return extentOf(run);
  }

  #checkHeads(nowMs: number): void {
    const { config, head } = this.#owner.state;
    const verdict = this.#silence.look(nowMs, config.blockTimeMs ?? head?.blockTimeMs ?? 0);
    if (verdict === "ask") this.#talk.askHeight();
    else if (verdict === "silent") this.#owner.feed({ type: "silent" });
  }

  #answered(bytes: Buffer): void {
    const nowMs = this.#ports.now();
    const answer = this.#talk.answer(bytes, nowMs);
    switch (answer?.type) {
      case undefined:
        this.#diary.unread++;
        return;
      case "noted":
        return;
      case "chainId":
        return this.#owner.feed(answer);
      case "nameless":
        return this.#owner.nameless(answer.refusal);
      case "height":
        return this.#heightTold(answer.height, nowMs);
      case "refused":
        return this.#refused(answer.event, answer.refusal);
      case "subscribed":
        return this.#subscribed(answer.event, answer.early);
    }
  }

  #subscribed(event: RaceEvent, early: readonly Notice[]): void {
    this.#tell([event], true);
    if (event === "newHeads") {
      this.#silence.broken(this.#ports.now());
      this.#owner.feed({ type: "subscribed" });
    }
    for (const notice of early) this.#handOn(event, notice);
    this.#ports.publish();
  }

  #refused(event: RaceEvent, { code, message }: Refusal): void {
    // Without heads of its own the provider is asked for its height, and may still serve the rest.
    if (event === "newHeads") this.#owner.feed({ type: "subscribed" });
    const words = `eth_subscribe ${event}: ${code ?? "no result"} ${message}`;
    this.#diary.lastError = this.#owner.redact(words);
    this.#ports.publish();
  }

  #handOn(event: RaceEvent, notice: Notice): void {
    this.#ports.handOn(event, notice, ++this.#events);
    if (event !== "newHeads") return;
    this.#silence.broken(this.#ports.now());
    this.#owner.headCame();
  }

  #heightTold(named: number | undefined, nowMs: number): void {
    const { state, provider } = this.#owner;
    const heights = { pushed: state.rows(provider).ws.head, tip: state.head?.number ?? -1 };
    if (this.#silence.told(named, heights, nowMs)) this.#owner.feed({ type: "silent" });
  }

  #mismatch(fault: LedgerFault): void {
    this.#diary.mismatches++;
    const { wanted, open, ending } = this.#talk.report;
    this.#emit("subs.ledger_mismatch", {
      wanted: wanted.length,
      open: open.length + ending,
      ...(fault.type === "unended"
        ? { subscription: fault.id, reason: "the provider does not end a subscription" }
        : { kind: fault.event, reason: "the provider does not answer a subscribe" }),
    });
  }

  #tell(events: readonly RaceEvent[], isLive: boolean): void {
    for (const event of events) this.#ports.streamChanged(event, isLive, this.#events);
  }

  #emit(event: string, fields: Readonly<Record<string, unknown>>): void {
    const { state, provider } = this.#owner;
    this.#ports.emit(event, { chain: state.name, provider, ...fields });
  }
}
