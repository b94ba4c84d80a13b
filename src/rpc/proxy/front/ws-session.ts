/**
 * One client's WebSocket: calls take the same way as over HTTP, subscriptions go to the chain's hub.
 * Limits hold per connection, so one client cannot crowd out the others.
 */
import { ConnectionPins } from "../../consistency/pinning.ts";
import type { OwnReason } from "../../errors/codes.ts";
import { OWN_ERRORS } from "../../errors/codes.ts";
import type { ChainName } from "../../ids.ts";
import { errorText } from "../../json-rpc/error-text.ts";
import type { Envelope } from "../../json-rpc/scan.ts";
import { scanBody } from "../../json-rpc/scan.ts";
import { Batch, type Piece } from "./batch.ts";
import type { Call, CallFacts, CallSink } from "../call.ts";
import type { Entered } from "../../clients/client-gate.ts";
import type { Engine } from "../engine.ts";
import { optionsOf } from "./entrance.ts";
import type { Running } from "../service.ts";
import { GatedSink } from "./gated-sink.ts";
import { batchFault } from "./batch-fault.ts";
import { metaNotification, takeMetaMember, withMeta } from "./meta.ts";
import type { ChainView, SessionSink, SubscriptionKind } from "../ports.ts";
import type { Route } from "./route.ts";

/** Bytes of messages that may wait: what one read of a socket can bring, and then some. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** Bytes of answers that a client may leave unread. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

const KINDS: ReadonlySet<string> = new Set<SubscriptionKind>([
  "newHeads",
  "logs",
  "newPendingTransactions",
  "syncing",
]);

/** Something of this client that runs and can be given up. */
interface Cancellable {
  cancel(): void;
}

/** A subscribe that waits for the hub's reply. */
interface Asking {
  readonly chain: ChainView;
  /** Why a subscription that the reply grants is served by nobody any more. */
  lost: string | undefined;
}

/** A client's connection. */
export class WsSession {
  readonly #engine: Engine;
  readonly #route: Route;
  readonly #entered: Entered;
  readonly #sink: SessionSink;
  readonly #hubSink: GatedSink;
  readonly #websocketUrl: () => string;
  readonly #pins = new ConnectionPins();
  readonly #running = new Set<Cancellable>();
  readonly #subscriptions = new Map<string, ChainView>();
  /** Messages beyond the limits; few, since the socket is not read meanwhile. */
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isServingWaiting = false;
  readonly #asking = new Set<Asking>();
  #inFlightBytes = 0;
  #isClosed = false;

  constructor(
    engine: Engine,
    route: Route,
    entered: Entered,
    sink: SessionSink,
    websocketUrl: () => string,
  ) {
    this.#engine = engine;
    this.#route = route;
    this.#entered = entered;
    this.#sink = sink;
    this.#hubSink = new GatedSink(sink);
    this.#websocketUrl = websocketUrl;
  }

  /** Subscriptions that are open. */
  get subscriptionCount(): number {
    return this.#subscriptions.size;
  }

  /** Calls and batches that wait for an answer. */
  get inFlight(): number {
    return this.#running.size + this.#waiting.length;
  }

  /** Takes one message; one too many waits, and the client is not read until there is room again. */
  onMessage(body: Buffer): void {
    if (this.#waiting.length === 0 && !this.#isFull(body.length)) {
      this.#serve(body);
      return;
    }
    this.#waiting.push(body);
    this.#waitingBytes += body.length;
    this.#sink.pause();
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#sink.close(1013, "too many calls at once");
  }

  /** Serves what waited, as far as there is room. */
  #serveWaiting(): void {
    if (this.#waiting.length === 0 || this.#isServingWaiting || this.#isClosed) return;
    // Local answers end at once: the loop, not the stack, goes on to the next message.
    this.#isServingWaiting = true;
    for (;;) {
      const body = this.#waiting[0];
      if (body === undefined || this.#isFull(body.length)) break;
      this.#waiting.shift();
      this.#waitingBytes -= body.length;
      this.#serve(body);
    }
    this.#isServingWaiting = false;
    if (this.#waiting.length === 0) this.#sink.resume();
  }

  #serve(body: Buffer): void {
    const chain = this.#engine.deps.chains.find(this.#route.chainKey);
    if (chain === undefined) {
      this.#sink.close(1001, "chain was removed");
      return;
    }
    const scanned = scanBody(body);
    if (scanned.kind === "unreadable") {
      const data = { reason: "parse_error", request_id: this.#engine.nextRequestId() };
      this.#sendText(errorText("null", OWN_ERRORS.parse_error.code, scanned.message, data));
      return;
    }
    const { caller, peer } = this.#entered;
    const options = optionsOf(this.#engine, this.#route, caller);
    if ("reason" in options) {
      this.#sink.close(1001, "profile was removed");
      return;
    }
    const { pinning, now } = this.#engine;
    const pins = pinning.ofClient(chain, options, now(), this.#pins);
    const callOf = (envelope: Envelope): Call => ({
      chain,
      options,
      protocol: "ws",
      body,
      envelope,
      websocketUrl: this.#websocketUrl,
      pins,
      pin: undefined,
      isPart: false,
      caller,
      peer,
    });
    if (scanned.kind === "batch") this.#serveBatch(scanned.envelopes, callOf, body);
    else this.#serveOne(callOf(scanned.envelope));
  }

  /** The client is gone. */
  onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting.length = 0;
    for (const running of this.#running) running.cancel();
    this.#running.clear();
    for (const chain of new Set(this.#subscriptions.values())) chain.hub.drop(this.#hubSink);
    this.#subscriptions.clear();
  }

  /**
   * Nobody serves the subscriptions to `chain` that were granted so far: a client that has one is
   * closed with 1013 and the reason (then true), one that is about to get one as soon as it does.
   */
  closeSubscriber(chain: ChainName, reason: string): boolean {
    const isOf = ({ name }: ChainView): boolean => name === chain;
    for (const asking of this.#asking) if (isOf(asking.chain)) asking.lost = reason;
    if (!this.#sink.isOpen || ![...this.#subscriptions.values()].some(isOf)) return false;
    this.#sink.close(1013, reason);
    return true;
  }

  /** The client's API key is gone: it may come back with another (then true). */
  closeRevoked(): boolean {
    if (this.#entered.caller?.isRevoked !== true || !this.#sink.isOpen) return false;
    this.#sink.close(1001, "API key was revoked");
    return true;
  }

  #serveOne(call: Call): void {
    const { envelope, body } = call;
    const isSilent = !envelope.hasId && envelope.fault?.code !== -32600;
    const slot = new WsCall(this, isSilent, body.length, call.options.meta === "body");
    slot.notifies = takeMetaMember(body, envelope);
    this.#start(slot, body.length);
    const isSubscribe = isSubscription(envelope);
    if (isSubscribe) this.#hubSink.hold();
    slot.opensGate = isSubscribe;
    slot.running = this.#submit(call, slot);
  }

  #serveBatch(
    envelopes: readonly Envelope[],
    callOf: (envelope: Envelope) => Call,
    body: Buffer,
  ): void {
    const { limits } = this.#engine;
    const id = this.#engine.nextRequestId();
    const fault = batchFault(envelopes, limits.maxBatchItems, body, id);
    if (fault !== undefined) {
      this.#sendText(fault);
      return;
    }
    const wanted = envelopes.map((envelope) => takeMetaMember(body, envelope));
    const notes: string[] = [];
    const holds = envelopes.some(isSubscription);
    if (holds) this.#hubSink.hold();
    const batch: Batch = new Batch(
      limits,
      (call, sink) => this.#submit(call, sink),
      this.#engine.pinning.ofBatch(envelopes.map(callOf)),
      (pieces, sizeBytes) => {
        if (sizeBytes > 0) this.#send(joined(pieces, sizeBytes));
        for (const note of notes) this.#sendText(note);
        if (holds) this.#hubSink.release();
        this.ended(batch, body.length);
      },
      (facts, index) => {
        if (wanted[index] === true) notes.push(metaNotification(facts));
      },
    );
    this.#start(batch, body.length);
    batch.start();
  }

  #isFull(sizeBytes: number): boolean {
    const { wsMaxInFlight, wsMaxInFlightBytes } = this.#engine.limits;
    const { size } = this.#running;
    return (
      size >= wsMaxInFlight || (size > 0 && this.#inFlightBytes + sizeBytes > wsMaxInFlightBytes)
    );
  }

  #start(running: Cancellable, sizeBytes: number): void {
    this.#running.add(running);
    this.#inFlightBytes += sizeBytes;
  }

  /** A call or batch of `sizeBytes` is answered. */
  ended(running: Cancellable, sizeBytes: number): void {
    if (!this.#running.delete(running)) return;
    this.#inFlightBytes -= sizeBytes;
    this.#serveWaiting();
  }

  /** Sends one answer as latin1 text. */
  answer(latin1: string, opensGate: boolean): void {
    this.#sendText(latin1);
    if (opensGate) this.#hubSink.release();
  }

  /** Sends one answer as bytes. */
  answerBytes(bytes: Buffer): void {
    this.#send(bytes);
  }

  /** Lets held events go after an answer that nobody waits for. */
  openGate(): void {
    this.#hubSink.release();
  }

  #sendText(latin1: string): void {
    this.#send(Buffer.from(latin1, "latin1"));
  }

  #send(bytes: Buffer): void {
    if (this.#isClosed || !this.#sink.isOpen) return;
    this.#sink.send(bytes);
    if (this.#sink.bufferedBytes > MAX_UNREAD_BYTES) {
      this.#sink.close(1013, "answers are not being read");
    }
  }

  #submit(call: Call, sink: CallSink): Running | undefined {
    const { envelope } = call;
    const isDenied = envelope.fault === undefined && call.chain.denies?.(envelope.method) === true;
    if (isDenied) return this.#engine.submit(call, sink);
    if (envelope.fault !== undefined || !isSubscription(envelope)) {
      if (envelope.fault === undefined && envelope.method === "eth_unsubscribe") {
        if (this.#engine.admits(call, sink)) this.#unsubscribe(call, sink);
        return undefined;
      }
      return this.#engine.submit(call, sink);
    }
    if (this.#engine.admits(call, sink)) this.#subscribe(call, sink);
    return undefined;
  }

  #subscribe(call: Call, sink: CallSink): void {
    const [kind, filter] = paramsOf(call);
    if (typeof kind !== "string" || !KINDS.has(kind)) {
      const message =
        typeof kind === "string"
          ? `no subscription of kind ${kind.slice(0, 100)}`
          : `name a kind first: ${[...KINDS].join(", ")}`;
      this.#refuse(call, sink, "subscription_params", message);
      return;
    }
    const limit = this.#engine.limits.wsMaxSubscriptions;
    if (this.#subscriptions.size + this.#asking.size >= limit) {
      const message = `a connection holds at most ${limit} subscriptions`;
      this.#refuse(call, sink, "too_many_subscriptions", message);
      return;
    }
    const { chain } = call;
    const asking: Asking = { chain, lost: undefined };
    this.#asking.add(asking);
    chain.hub.subscribe(this.#hubSink, kind as SubscriptionKind, filter).then(
      (reply) => {
        this.#asking.delete(asking);
        if (this.#isClosed) {
          // The client left while the hub opened the stream.
          chain.hub.drop(this.#hubSink);
        } else if (reply.ok) {
          this.#subscriptions.set(reply.id, chain);
          if (kind === "newHeads") this.#pins.hearHeads();
          this.#engine.answer(call, sink, JSON.stringify(reply.id));
          if (asking.lost !== undefined) this.closeSubscriber(chain.name, asking.lost);
        } else {
          this.#engine.relayError(call, sink, reply.code, reply.message, reply.data);
        }
      },
      () => {
        this.#asking.delete(asking);
        this.#refuse(call, sink, "internal", "the subscription could not be opened");
      },
    );
  }

  #unsubscribe(call: Call, sink: CallSink): void {
    const [id] = paramsOf(call);
    const chain = typeof id === "string" ? this.#subscriptions.get(id) : undefined;
    if (chain === undefined) {
      this.#engine.answer(call, sink, "false");
      return;
    }
    this.#subscriptions.delete(id as string);
    chain.hub.unsubscribe(this.#hubSink, id as string).then(
      (wasKnown) => this.#engine.answer(call, sink, String(wasKnown)),
      () => this.#refuse(call, sink, "internal", "the subscription could not be closed"),
    );
  }

  #refuse(call: Call, sink: CallSink, reason: OwnReason, message: string): void {
    this.#engine.refuse(call, sink, reason, message);
  }
}

function isSubscription(envelope: Envelope): boolean {
  return envelope.fault === undefined && envelope.method === "eth_subscribe";
}

/** The parsed parameters of a subscription call; the scanner has checked them. */
function paramsOf(call: Call): readonly unknown[] {
  const { envelope, body } = call;
  if (envelope.paramsStart < 0) return [];
  const text = body.toString("utf8", envelope.paramsStart, envelope.paramsEnd);
  const params: unknown = JSON.parse(text);
  return Array.isArray(params) ? params : [];
}

/** One message of all pieces. */
function joined(pieces: readonly Piece[], sizeBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  let at = 0;
  for (const piece of pieces) {
    at += typeof piece === "string" ? bytes.write(piece, at, "latin1") : piece.copy(bytes, at);
  }
  return bytes;
}

/** The sink of one call. */
class WsCall implements CallSink, Cancellable {
  readonly canStream = false;
  readonly maxBytes = Infinity;
  running: Running | undefined = undefined;
  opensGate = false;
  readonly #session: WsSession;
  readonly #isSilent: boolean;
  readonly #sizeBytes: number;
  /** The explanation is a member of the answer. */
  readonly #explains: boolean;
  /** The explanation follows the answer. */
  notifies = false;

  constructor(session: WsSession, isSilent: boolean, sizeBytes: number, explains: boolean) {
    this.#session = session;
    this.#isSilent = isSilent;
    this.#sizeBytes = sizeBytes;
    this.#explains = explains;
  }

  cancel(): void {
    this.running?.cancel();
  }

  result(facts: CallFacts, body: Buffer, idStart: number, idEnd: number): void {
    if (this.#explains) {
      const before = body.toString("latin1", 0, idStart) + facts.idToken;
      this.text(facts, 200, before + body.toString("latin1", idEnd));
      return;
    }
    if (!this.#isSilent) {
      const token = facts.idToken;
      const bytes = Buffer.allocUnsafe(body.length - (idEnd - idStart) + token.length);
      body.copy(bytes, 0, 0, idStart);
      bytes.write(token, idStart, "latin1");
      body.copy(bytes, idStart + token.length, idEnd);
      this.#session.answerBytes(bytes);
    }
    this.#notify(facts);
    this.#session.ended(this, this.#sizeBytes);
  }

  text(facts: CallFacts, _status: number, latin1: string): void {
    const text = this.#explains ? withMeta(latin1, facts) : latin1;
    if (!this.#isSilent) this.#session.answer(text, this.opensGate);
    else if (this.opensGate) this.#session.openGate();
    this.#notify(facts);
    this.#session.ended(this, this.#sizeBytes);
  }

  #notify(facts: CallFacts): void {
    if (this.notifies && !this.#isSilent) this.#session.answer(metaNotification(facts), false);
  }

  begin(): void {
    throw new Error("an answer over WebSocket never streams");
  }

  write(): boolean {
    return true;
  }

  end(): void {
    this.#session.ended(this, this.#sizeBytes);
  }

  abort(): void {
    this.#session.ended(this, this.#sizeBytes);
  }
}
