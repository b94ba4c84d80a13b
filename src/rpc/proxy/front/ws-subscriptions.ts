/**
 * The subscriptions of one client's WebSocket: which are open, at which chain's hub, and which wait for
 * the hub's word.
 */
import type { Caller, CallRefusal } from "../../clients/caller.ts";
import type { ConnectionPins } from "../../consistency/pinning.ts";
import type { OwnReason } from "../../errors/codes.ts";
import type { ChainName } from "../../ids.ts";
import type { Call, CallSink } from "../call.ts";
import type { Engine } from "../engine.ts";
import type { ChainView, SessionSink, SubscriptionKind } from "../ports.ts";
import { GatedSink } from "./gated-sink.ts";

const KINDS: ReadonlySet<string> = new Set<SubscriptionKind>([
  "newHeads",
  "logs",
  "newPendingTransactions",
  "syncing",
]);

/** A subscribe that waits for the hub's reply. */
interface Asking {
  readonly chain: ChainView;
  /** Why a subscription that the reply grants is served by nobody any more. */
  lost: string | undefined;
}

/** What a connection is subscribed to. */
export class WsSubscriptions {
  /** Where the hubs write to; events are held while a subscribe waits for its reply. */
  readonly gate: GatedSink;
  readonly #engine: Engine;
  readonly #caller: Caller | undefined;
  readonly #sink: SessionSink;
  readonly #pins: ConnectionPins;
  readonly #byId = new Map<string, ChainView>();
  readonly #asking = new Set<Asking>();
  #isDropped = false;

  constructor(engine: Engine, caller: Caller | undefined, sink: SessionSink, pins: ConnectionPins) {
    this.#engine = engine;
    this.#caller = caller;
    this.#sink = sink;
    this.#pins = pins;
    this.gate = new GatedSink(sink);
  }

  /** Subscriptions that are open. */
  get count(): number {
    return this.#byId.size;
  }

  /** Serves `eth_subscribe`. */
  open(call: Call, sink: CallSink): void {
    const [kind, filter] = paramsOf(call);
    if (typeof kind !== "string") {
      // go-ethereum's words.
      const message = `expected subscription name as first argument: ${[...KINDS].join(", ")}`;
      this.#refuse(call, sink, "subscription_params", message);
      return;
    }
    if (!KINDS.has(kind)) {
      const message = `no ${JSON.stringify(kind.slice(0, 100))} subscription in eth namespace`;
      this.#refuse(call, sink, "subscription_kind", message);
      return;
    }
    const crowded = this.#crowded();
    if (crowded !== undefined) {
      this.#refuse(call, sink, crowded.reason, crowded.message);
      return;
    }
    const { chain } = call;
    const asking: Asking = { chain, lost: undefined };
    this.#asking.add(asking);
    this.#caller?.take("subscriptions");
    chain.hub.subscribe(this.gate, kind as SubscriptionKind, filter).then(
      (reply) => {
        this.#asking.delete(asking);
        if (this.#isDropped) {
          // The client left while the hub opened the stream.
          chain.hub.drop(this.gate);
          this.#caller?.give("subscriptions");
        } else if (reply.ok) {
          this.#byId.set(reply.id, chain);
          if (kind === "newHeads") this.#pins.hearHeads();
          this.#engine.answer(call, sink, JSON.stringify(reply.id));
          if (asking.lost !== undefined) this.lose(chain.name, asking.lost);
        } else {
          this.#caller?.give("subscriptions");
          this.#engine.relayError(call, sink, reply.code, reply.message, reply.data);
        }
      },
      () => {
        this.#asking.delete(asking);
        this.#caller?.give("subscriptions");
        this.#refuse(call, sink, "internal", "the subscription could not be opened");
      },
    );
  }

  /** Serves `eth_unsubscribe`. */
  close(call: Call, sink: CallSink): void {
    const [id] = paramsOf(call);
    const chain = typeof id === "string" ? this.#byId.get(id) : undefined;
    if (chain === undefined) {
      this.#engine.answer(call, sink, "false");
      return;
    }
    this.#byId.delete(id as string);
    this.#caller?.give("subscriptions");
    chain.hub.unsubscribe(this.gate, id as string).then(
      (wasKnown) => this.#engine.answer(call, sink, String(wasKnown)),
      () => this.#refuse(call, sink, "internal", "the subscription could not be closed"),
    );
  }

  /** The client is gone. */
  drop(): void {
    this.#isDropped = true;
    for (const chain of new Set(this.#byId.values())) chain.hub.drop(this.gate);
    this.#caller?.give("subscriptions", this.#byId.size);
    this.#byId.clear();
  }

  /**
   * Nobody serves the subscriptions to `chain` that were granted so far: a client that has one is
   * closed with 1013 and the reason (then true), one that is about to get one as soon as it does.
   */
  lose(chain: ChainName, reason: string): boolean {
    const isOf = ({ name }: ChainView): boolean => name === chain;
    for (const asking of this.#asking) if (isOf(asking.chain)) asking.lost = reason;
    if (!this.#sink.isOpen || ![...this.#byId.values()].some(isOf)) return false;
    this.#sink.close(1013, reason);
    return true;
  }

  /** Why there may not be one more. */
  #crowded(): Pick<CallRefusal, "reason" | "message"> | undefined {
    const limit = this.#engine.limits.wsMaxSubscriptions;
    if (this.#byId.size + this.#asking.size < limit) return this.#caller?.crowded("subscriptions");
    const message = `a connection holds at most ${limit} subscriptions`;
    return { reason: "too_many_subscriptions", message };
  }

  #refuse(call: Call, sink: CallSink, reason: OwnReason, message: string): void {
    this.#engine.refuse(call, sink, reason, message);
  }
}

/** The parsed parameters of a subscription call; the scanner has checked them. */
function paramsOf(call: Call): readonly unknown[] {
  const { envelope, body } = call;
  if (envelope.paramsStart < 0) return [];
  const text = body.toString("utf8", envelope.paramsStart, envelope.paramsEnd);
  const params: unknown = JSON.parse(text);
  return Array.isArray(params) ? params : [];
}
