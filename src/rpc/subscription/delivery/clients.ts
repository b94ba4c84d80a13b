/**
 * The comings and goings of a chain's clients: what is kept of each subscription for a crash and for
 * its return, who is told, and who is closed because it does not read.
 */
import type { ChainName } from "../../ids.ts";
import type { SubscribeReply } from "../../proxy/ports.ts";
import type { Ended } from "../resume/ended.ts";
import { tooMany } from "./refusal.ts";
import { MAX_REASON_BYTES, slowReason } from "./close-reason.ts";
import { LagWatch } from "./lag-watch.ts";
import { Streams, type StreamKind, type StreamSink, type Subscription } from "./streams.ts";

/** What the clients of a chain are joined to. */
export interface ClientPorts {
  readonly chain: ChainName;
  readonly emit: (event: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Keeps a subscription for the next incarnation. */
  readonly keep: (subscription: Subscription) => void;
  readonly forget: (subscription: Subscription) => void;
  /** Ids that clients may come back with; it outlives the hub. */
  readonly ended: Ended;
  readonly newId: () => string;
}

/** A client who does not read, and the last event that it was sent. */
interface Slow {
  readonly subscription: Subscription;
  readonly cursor: string | undefined;
}

/** Bounds on clients. */
export interface ClientLimits {
  /** Unsent bytes beyond which a client is closed. */
  readonly maxBufferedBytes: number;
  /** How long an event may wait for a client before it is closed. */
  readonly maxBehindMs: number;
  /** Subscriptions of one connection. */
  readonly maxSubscriptions: number;
}

/** WebSocket close code "try again later" (RFC 6455 registry). */
const TRY_AGAIN_LATER = 1013;
const UNSUBSCRIBED = "unsubscribed";
const GONE = "client gone";
/** Ticks in which every client is looked at once. */
const LOOKS = 4;

/** The clients of one chain. */
export class Clients {
  readonly streams: Streams;
  readonly #ports: ClientPorts;
  readonly #limits: ClientLimits;
  readonly #lag: LagWatch;
  readonly #cursor: () => string | undefined;
  #slow: Slow[] = [];
  #round: Iterator<Subscription> | undefined;

  /** `cursor` tells which event everybody who reads was sent last. */
  constructor(ports: ClientPorts, limits: ClientLimits, cursor: () => string | undefined) {
    this.#ports = ports;
    this.#limits = limits;
    this.#cursor = cursor;
    this.#lag = new LagWatch(limits.maxBehindMs);
    this.streams = new Streams(ports.newId, limits.maxBufferedBytes, (subscription) => {
      this.#foundSlow(subscription);
    });
  }

  /** Takes over a subscription that outlived another hub. */
  restore(subscription: Subscription): void {
    if (subscription.sink.isOpen) this.streams.restore(subscription);
    else this.#ports.forget(subscription);
  }

  /** Why a client may not have one more subscription. */
  crowded(sink: StreamSink): SubscribeReply | undefined {
    const { maxSubscriptions } = this.#limits;
    return this.streams.countOf(sink.id) < maxSubscriptions ? undefined : tooMany(maxSubscriptions);
  }

  /** `resumed`: a subscription that goes on was sent so many events. */
  opened(subscription: Subscription, resumed?: number): void {
    this.#ports.keep(subscription);
    const extra = resumed === undefined ? {} : { resumed };
    this.#ports.emit("subs.open", { ...this.#fieldsOf(subscription), ...extra });
  }

  /** False when the client has no such subscription. */
  unsubscribe(sinkId: number, id: string): boolean {
    const gone = this.streams.remove(sinkId, id);
    if (gone !== undefined) this.#ended(gone, UNSUBSCRIBED);
    return gone !== undefined;
  }

  /** The client is gone. */
  drop(sinkId: number, reason: string): void {
    this.#lag.forget(sinkId);
    for (const gone of this.streams.drop(sinkId)) this.#ended(gone, reason);
  }

  /** Sends a client away; it may come back. */
  close(sink: StreamSink, reason: string): void {
    this.drop(sink.id, reason);
    sink.close(TRY_AGAIN_LATER, reason.slice(0, MAX_REASON_BYTES));
  }

  /**
   * Looks who left without a word, and who has read nothing for too long: at some of the clients each
   * time, for a look at ten thousand takes as long as a slice.
   */
  findLate(nowMs: number): void {
    this.#round ??= this.streams.clients();
    for (let left = Math.ceil(this.streams.size.clients / LOOKS); left > 0; left--) {
      const next = this.#round.next();
      if (next.done === true) {
        this.#round = undefined;
        return;
      }
      const { sink } = next.value;
      if (!sink.isOpen) this.drop(sink.id, GONE);
      else if (this.#lag.isBehind(sink, nowMs)) this.#foundSlow(next.value);
    }
  }

  /** Closes clients that do not read; after a delivery, so that none is skipped. False when there are none. */
  closeSlow(): boolean {
    if (this.#slow.length === 0) return false;
    const slow = this.#slow;
    this.#slow = [];
    for (const { subscription, cursor } of slow) {
      const { sink, kind, id } = subscription;
      if (this.streams.countOf(sink.id) === 0) continue;
      this.#ports.emit("subs.slow_consumer", {
        chain: this.#ports.chain,
        client: sink.id,
        bufferedBytes: sink.bufferedBytes,
        subscription: id,
        kind,
      });
      this.close(sink, slowReason(id, isResumable(kind) ? cursor : undefined));
    }
    return true;
  }

  /** It is closed later, and goes on behind what it has been sent by now: the event on its way is not. */
  #foundSlow(subscription: Subscription): void {
    this.#slow.push({ subscription, cursor: this.#cursor() });
  }

  #ended(subscription: Subscription, reason: string): void {
    const { emit, forget, ended } = this.#ports;
    forget(subscription);
    if (reason !== UNSUBSCRIBED) ended.add(subscription);
    emit("subs.close", { ...this.#fieldsOf(subscription), reason });
  }

  #fieldsOf({ kind, id, sink }: Subscription): Readonly<Record<string, unknown>> {
    const { clients } = this.streams.size;
    return { chain: this.#ports.chain, kind, subscription: id, client: sink.id, clients };
  }
}

const isResumable = (kind: StreamKind): boolean => kind === "newHeads" || kind === "logs";
