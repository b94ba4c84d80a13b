/**
 * The subscriptions of one client's WebSocket: which are open, at which chain's hub, and which wait for
 * the hub's word.
 */
import type { Caller, CallRefusal } from "../../clients/caller.ts";
import type { ConnectionPins } from "../../consistency/pinning.ts";
import type { OwnReason } from "../../errors/codes.ts";
import type { ChainName } from "../../ids.ts";
import type { EndpointView } from "../../selection/snapshot.ts";
import type { Call, CallSink } from "../call.ts";
import type { Engine } from "../engine.ts";
import type { ChainView, SessionSink, SubscribeReply, SubscriptionKind } from "../ports.ts";
import type { GatedSink } from "./gated-sink.ts";

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
  }

  /** Subscriptions that are open. */
  get count(): number {
    return this.#byId.size;
  }

  /** Serves `eth_subscribe`; its events go through the gate. */
  open(call: Call, sink: CallSink, gate: GatedSink): void {
    const [kind, ...rest] = paramsOf(call);
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
    const { hub, snapshot } = chain;
    if (kind === "newPendingTransactions" && snapshot?.endpoints.some(isStreaming) === false) {
      const message = `no provider of ${chain.name} streams pending transactions`;
      this.#refuse(call, sink, "no_pending_stream", message);
      return;
    }
    const [filter, resume] = withResume(rest);
    const isHeads = kind === "newHeads";
    const asked = hub.subscribe(gate, kind as SubscriptionKind, filter, resume);
    this.#ask(call, sink, gate, asked, isHeads);
  }

  /** Serves `paceline_resume`: a subscription of a connection that is gone goes on here. */
  resume(call: Call, sink: CallSink, gate: GatedSink): void {
    const [id, cursor] = paramsOf(call);
    const crowded = this.#crowded();
    if (typeof id !== "string") {
      const message = "expected subscription id and cursor as arguments";
      this.#refuse(call, sink, "subscription_params", message);
    } else if (crowded !== undefined) this.#refuse(call, sink, crowded.reason, crowded.message);
    else this.#ask(call, sink, gate, call.chain.hub.resume(gate, id, cursor), false);
  }

  /** Waits for the hub's word and hands it on. */
  #ask(
    call: Call,
    sink: CallSink,
    gate: GatedSink,
    asked: Promise<SubscribeReply>,
    isHeads: boolean,
  ): void {
    const { chain } = call;
    const asking: Asking = { chain, lost: undefined };
    this.#asking.add(asking);
    this.#caller?.take("subscriptions");
    asked.then(
      (reply) => {
        this.#asking.delete(asking);
        if (this.#isDropped) {
          // The client left while the hub opened the stream.
          chain.hub.drop(this.#sink);
          this.#caller?.give("subscriptions");
        } else if (reply.ok) {
          this.#byId.set(reply.id, chain);
          if (isHeads || reply.kind === "newHeads") this.#pins.hearHeads();
          this.#engine.answer(call, sink, JSON.stringify(reply.id));
          if (asking.lost !== undefined) this.lose(chain.name, asking.lost);
        } else {
          gate.refuse();
          this.#caller?.give("subscriptions");
          this.#engine.relayError(call, sink, reply.code, reply.message, reply.data);
        }
      },
      () => {
        this.#asking.delete(asking);
        gate.refuse();
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
    chain.hub.unsubscribe(this.#sink, id as string).then(
      (wasKnown) => this.#engine.answer(call, sink, String(wasKnown)),
      () => this.#refuse(call, sink, "internal", "the subscription could not be closed"),
    );
  }

  /** The client is gone. */
  drop(): void {
    this.#isDropped = true;
    for (const chain of new Set(this.#byId.values())) chain.hub.drop(this.#sink);
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
    const { memory, limits } = this.#engine;
    if (memory.gaveUp("subscriptions")) {
      return { reason: "overloaded", message: "memory is scarce: no new subscriptions for now" };
    }
    const limit = limits.wsMaxSubscriptions;
    if (this.#byId.size + this.#asking.size < limit) return this.#caller?.crowded("subscriptions");
    const message = `a connection holds at most ${limit} subscriptions`;
    return { reason: "too_many_subscriptions", message };
  }

  #refuse(call: Call, sink: CallSink, reason: OwnReason, message: string): void {
    this.#engine.refuse(call, sink, reason, message);
  }
}

/** One whose WebSocket is away may come back; one without any tells of nothing, ever. */
const isStreaming = ({ transports }: EndpointView): boolean => transports.ws !== undefined;

/** The parameters behind the kind, apart from `{"paceline":{"resume":cursor}}` at their end. */
function withResume(params: readonly unknown[]): readonly [filter: unknown, resume: unknown] {
  const last = params.at(-1);
  if (typeof last !== "object" || last === null || !("paceline" in last)) {
    return [params[0], undefined];
  }
  const { paceline } = last;
  const resume =
    typeof paceline === "object" && paceline !== null && "resume" in paceline
      ? paceline.resume
      : undefined;
  // Whatever else it says, a client that names us means to go on: null is no cursor, and is refused.
  return [params.length > 1 ? params[0] : undefined, resume ?? null];
}

/** The parsed parameters of a subscription call; the scanner has checked them. */
function paramsOf(call: Call): readonly unknown[] {
  const { envelope, body } = call;
  if (envelope.paramsStart < 0) return [];
  const text = body.toString("utf8", envelope.paramsStart, envelope.paramsEnd);
  const params: unknown = JSON.parse(text);
  return Array.isArray(params) ? params : [];
}
