/**
 * One client's WebSocket: calls take the same way as over HTTP, subscriptions go to the chain's hub.
 * Limits hold per connection, so one client cannot crowd out the others.
 */
import { ConnectionPins } from "../../consistency/pinning.ts";
import { OWN_ERRORS } from "../../errors/codes.ts";
import type { ChainName } from "../../ids.ts";
import { errorText } from "../../json-rpc/error-text.ts";
import type { Envelope } from "../../json-rpc/scan.ts";
import { methodInfo } from "../../json-rpc/methods.ts";
import { isNotification, scanBody } from "../../json-rpc/scan.ts";
import { Batch, type Piece } from "./batch.ts";
import type { Call, CallSink } from "../call.ts";
import type { Engine } from "../engine.ts";
import { optionsOf } from "./entrance.ts";
import { GatedSink } from "./gated-sink.ts";
import type { Running } from "../service.ts";
import { batchFault } from "./batch-fault.ts";
import { metaNotification, takeMetaMember } from "./meta.ts";
import type { SessionSink } from "../ports.ts";
import type { Route } from "./route.ts";
import { WsCall } from "./ws-call.ts";
import type { Guest } from "./ws-front.ts";
import { WsInbox, type Cancellable } from "./ws-inbox.ts";
import { WsSubscriptions } from "./ws-subscriptions.ts";

/** Bytes of answers that a client may leave unread. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

/** Our own method: goes on with a subscription. */
const RESUME = "paceline_resume";

/** A client's connection. */
export class WsSession {
  readonly #engine: Engine;
  readonly #route: Route;
  readonly #entered: Guest;
  readonly #sink: SessionSink;
  readonly #subscriptions: WsSubscriptions;
  readonly #websocketUrl: () => string;
  readonly #pins = new ConnectionPins();
  readonly #inbox: WsInbox;
  #isClosed = false;

  constructor(
    engine: Engine,
    route: Route,
    entered: Guest,
    sink: SessionSink,
    websocketUrl: () => string,
  ) {
    this.#engine = engine;
    this.#route = route;
    this.#entered = entered;
    this.#sink = sink;
    this.#inbox = new WsInbox(engine.limits, sink, (body) => this.#serve(body));
    this.#subscriptions = new WsSubscriptions(engine, entered.caller, sink, this.#pins);
    this.#websocketUrl = websocketUrl;
  }

  /** Subscriptions that are open. */
  get subscriptionCount(): number {
    return this.#subscriptions.count;
  }

  /** Calls and batches that wait for an answer. */
  get inFlight(): number {
    return this.#inbox.inFlight;
  }

  /** Takes one message; one too many waits, and the client is not read until there is room again. */
  onMessage(body: Buffer): void {
    this.#inbox.take(body);
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
    const routed = optionsOf(this.#engine, this.#route, caller);
    if ("reason" in routed) {
      this.#sink.close(1001, "profile was removed");
      return;
    }
    const { pinning, now, paired } = this.#engine;
    const options = paired?.optionsOf(routed, this.#entered.consumer, chain.name) ?? routed;
    if ("reason" in options) {
      this.#sink.close(1001, "pairing list was removed");
      return;
    }
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
    this.#inbox.close();
    this.#subscriptions.drop();
  }

  /**
   * Nobody serves the subscriptions to `chain` that were granted so far: a client that has one is
   * closed with 1013 and the reason (then true), one that is about to get one as soon as it does.
   */
  closeSubscriber(chain: ChainName, reason: string): boolean {
    return this.#subscriptions.lose(chain, reason);
  }

  /** The client's API key is gone: it may come back with another (then true). */
  closeRevoked(): boolean {
    if (this.#entered.caller?.isRevoked !== true || !this.#sink.isOpen) return false;
    this.#sink.close(1001, "API key was revoked");
    return true;
  }

  #serveOne(call: Call): void {
    const { envelope, body } = call;
    const slot = new WsCall(
      this,
      isNotification(envelope),
      body.length,
      call.options.meta === "body",
    );
    slot.notifies = takeMetaMember(body, envelope);
    this.#inbox.started(slot, body.length);
    slot.running = this.#submit(call, slot, (gate) => {
      slot.gate = gate;
    });
  }

  #serveBatch(
    envelopes: readonly Envelope[],
    callOf: (envelope: Envelope) => Call,
    body: Buffer,
  ): void {
    const { limits } = this.#engine;
    const id = this.#engine.nextRequestId();
    const fault = batchFault(this.#engine, envelopes, body, id);
    if (fault !== undefined) {
      this.#sendText(fault);
      return;
    }
    const wanted = envelopes.map((envelope) => takeMetaMember(body, envelope));
    const notes: string[] = [];
    const gates: GatedSink[] = [];
    const batch: Batch = new Batch(
      limits,
      (call, sink) => this.#submit(call, sink, (gate) => gates.push(gate)),
      this.#engine.pinning.ofBatch(envelopes.map(callOf)),
      (pieces, sizeBytes) => {
        if (sizeBytes > 0) this.#send(joined(pieces, sizeBytes));
        for (const note of notes) this.#sendText(note);
        for (const gate of gates) gate.open();
        this.ended(batch, body.length);
      },
      (facts, index) => {
        if (wanted[index] === true) notes.push(metaNotification(facts));
      },
    );
    this.#inbox.started(batch, body.length);
    batch.start();
  }

  /** A call or batch of `sizeBytes` is answered. */
  ended(running: Cancellable, sizeBytes: number): void {
    this.#inbox.ended(running, sizeBytes);
  }

  /** Sends one answer as latin1 text. */
  answer(latin1: string): void {
    this.#sendText(latin1);
  }

  /** Sends one answer as bytes. */
  answerBytes(bytes: Buffer): void {
    this.#send(bytes);
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

  /** `onGate` hears which events wait until the answer has been sent. */
  #submit(call: Call, sink: CallSink, onGate: (gate: GatedSink) => void): Running | undefined {
    const { envelope, chain } = call;
    const { method, fault } = envelope;
    if (
      methodInfo(method).route !== "subscription" ||
      fault !== undefined ||
      chain.denies?.(method) === true
    ) {
      return this.#engine.submit(call, sink);
    }
    if (!this.#engine.admits(call, sink)) return undefined;
    if (method !== "eth_subscribe" && method !== RESUME) {
      this.#subscriptions.close(call, sink);
      return undefined;
    }
    const gate = new GatedSink(this.#sink);
    onGate(gate);
    if (method === RESUME) this.#subscriptions.resume(call, sink, gate);
    else this.#subscriptions.open(call, sink, gate);
    return undefined;
  }
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
