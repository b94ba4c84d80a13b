/**
 * Serves calls: answers what needs no provider, refuses what is not served, and runs an exchange for
 * the rest. Holds what all exchanges share: ids, deadlines, the attempts in flight.
 */
import { ClientGate } from "../clients/client-gate.ts";
import { PairedCallers } from "../clients/paired-callers.ts";
import { Pinning } from "../consistency/pinning.ts";
import type { OwnReason } from "../errors/codes.ts";
import { OWN_ERRORS } from "../errors/codes.ts";
import { BOOK_LIMITS, RequestBook } from "../explain/book.ts";
import { errorText, resultText } from "../json-rpc/error-text.ts";
import type { MethodInfo } from "../json-rpc/methods.ts";
import { methodInfo } from "../json-rpc/methods.ts";
import { IdCounter } from "../json-rpc/upstream-id.ts";
import { DeadlineWheel } from "./attempt/deadline-wheel.ts";
import { EmptyMemory } from "./attempt/empty-memory.ts";
import { Explorer } from "./attempt/explorer.ts";
import { InFlight } from "./attempt/in-flight.ts";
import type { Call, CallFacts, CallSink } from "./call.ts";
import { Chooser } from "./chooser.ts";
import { CountedCall } from "./counted-call.ts";
import { Exchange } from "./exchange.ts";
import { LocalFacts } from "./facts.ts";
import { Filters } from "./filters/filters.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { localResult } from "./local-answers.ts";
import { MemoryGuard } from "./memory-guard.ts";
import type { GatewayDeps, GatewayLimits, RequestObserver, RequestRecord } from "./ports.ts";
import { Reads } from "./reads.ts";
import type { Running, Services } from "./service.ts";
import { tellFailure, tellSlow } from "./telling.ts";
import { Guard } from "./trust/guard.ts";
import { Shadows } from "./trust/shadows.ts";
import { Writes } from "./writes/writes.ts";

/** The shared part of all exchanges. */
export class Engine {
  readonly deps: GatewayDeps;
  readonly limits: GatewayLimits;
  readonly wheel = new DeadlineWheel();
  readonly ids = new IdCounter();
  readonly observer: RequestObserver;
  readonly now: () => number;
  readonly nextRequestId: () => string;
  readonly redact: (text: string) => string;
  readonly pinning = new Pinning();
  readonly guard = new Guard(this);
  readonly empties = new EmptyMemory();
  readonly attempts = new InFlight(this.wheel);
  readonly chooser: Chooser;
  readonly #explorer = new Explorer(this);
  readonly shadows = new Shadows(this);
  readonly services: Services;
  readonly filters: Filters;
  /** What is given up while memory is scarce. */
  readonly memory: MemoryGuard;
  /** The door for clients. */
  readonly gate: ClientGate;
  /** Puts callers under their lists; undefined where nothing is paired. */
  readonly paired: PairedCallers | undefined;
  /** The last requests, and those that were slow or failed. */
  readonly book: RequestBook;
  #inFlight = 0;

  constructor(deps: GatewayDeps) {
    this.deps = deps;
    this.chooser = new Chooser(deps);
    this.limits = { ...DEFAULT_LIMITS, ...deps.limits };
    this.memory = new MemoryGuard(this.limits.memoryHigh);
    this.observer = deps.observer;
    this.book = new RequestBook(deps.book ?? BOOK_LIMITS);
    this.now = deps.now;
    this.nextRequestId = deps.nextRequestId;
    this.redact = deps.redact;
    const { wallNow = () => 0, emit, scripts } = deps;
    this.gate = new ClientGate({ wallNow, emit, scripts });
    this.paired = deps.pairing === undefined ? undefined : new PairedCallers(deps.pairing);
    this.filters = new Filters(this);
    this.services = { reads: new Reads(this), writes: new Writes(this), filters: this.filters };
  }

  /** Calls that wait for a provider now. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Serves one call; what is returned runs until the sink has its answer. */
  submit(call: Call, sink: CallSink): Running | undefined {
    if (!this.admits(call, sink)) return undefined;
    const { caller } = call;
    if (caller?.isCounted !== true) return this.#serve(call, sink);
    return new CountedCall(caller, sink).serve((counted) => this.#serve(call, counted));
  }

  /** Charges a call to whoever pays for it; false when it was refused, and its sink told so. */
  admits(call: Call, sink: CallSink): boolean {
    const { profile } = call.options;
    if (call.caller === undefined && call.peer === undefined && profile === undefined) return true;
    const { method } = call.envelope;
    const refusal = this.gate.charge(call, profile, call.chain.name, method, this.now());
    if (refusal === undefined) return true;
    const { reason, message, retryAfterMs } = refusal;
    const data = retryAfterMs === undefined ? undefined : { retry_after_ms: retryAfterMs };
    this.refuse(call, sink, reason, message, data);
    return false;
  }

  #serve(call: Call, sink: CallSink): Running | undefined {
    const { envelope } = call;
    if (envelope.fault !== undefined) {
      this.#refuseEnvelope(call, sink);
      return undefined;
    }
    if (call.chain.denies?.(envelope.method) === true) {
      this.refuse(call, sink, "method_denied", `${envelope.method} is not served`);
      return undefined;
    }
    const info = methodInfo(envelope.method);
    if (info.route === "forward" || info.route === "filter") {
      return this.#forward(call, info, sink);
    }
    if (info.route === "local") {
      this.answer(call, sink, localResult(info.name, call.chain, this.deps.clientVersion));
    } else if (info.route === "subscription") {
      this.refuse(call, sink, "ws_only", `${info.name} needs a WebSocket`, {
        websocket_url: call.websocketUrl(),
      });
    } else if (info.route === "reserved") {
      this.refuse(call, sink, "unknown_method", `${info.name} does not exist`);
    } else if (call.chain.allows?.(info.name) === true) return this.#forward(call, info, sink);
    else this.refuse(call, sink, "method_denied", `${info.name} is not served`);
    return undefined;
  }

  /** Answers with an error of ours. */
  refuse(
    call: Call,
    sink: CallSink,
    reason: OwnReason,
    message: string,
    data?: Readonly<Record<string, unknown>>,
  ): void {
    const { code, status } = OWN_ERRORS[reason];
    const facts = new LocalFacts(this, call, reason);
    facts.retryAfterMs = data?.["retry_after_ms"] as number | undefined;
    const text = errorText(facts.idToken, code, message, {
      reason,
      request_id: facts.requestId,
      ...data,
    });
    sink.text(facts, status, text);
    this.answeredLocally(facts);
  }

  /** Answers with a result of ours, as JSON text. */
  answer(call: Call, sink: CallSink, json: string): void {
    const facts = new LocalFacts(this, call, undefined);
    sink.text(facts, 200, resultText(facts.idToken, json));
    this.answeredLocally(facts);
  }

  /** Answers with an error that another part of the program has worded. */
  relayError(
    call: Call,
    sink: CallSink,
    code: number,
    message: string,
    data: Readonly<Record<string, unknown>> | undefined,
  ): void {
    const facts = new LocalFacts(this, call, "internal");
    sink.text(facts, 200, errorText(facts.idToken, code, this.redact(message), data));
    this.answeredLocally(facts);
  }

  #refuseEnvelope(call: Call, sink: CallSink): void {
    const { fault } = call.envelope;
    if (fault === undefined) return;
    const reason = fault.code === -32602 ? "invalid_params" : "invalid_request";
    this.refuse(call, sink, reason, fault.message);
  }

  /** A client's call is over that no provider was asked for. */
  answeredLocally(facts: CallFacts & RequestRecord): void {
    this.observer.request(facts);
    this.book.ring.keep(facts);
  }

  /** Hands an admitted call to the service of its kind. */
  #forward(call: Call, info: MethodInfo, sink: CallSink): Running | undefined {
    const { deps, services } = this;
    if (deps.isDraining()) {
      this.#reject(call, sink, "draining", "this instance is shutting down");
      return undefined;
    }
    if (this.memory.gaveUp("requests")) {
      this.#reject(call, sink, "overloaded", "memory is scarce: nothing is served for now");
      return undefined;
    }
    if (this.#inFlight >= this.limits.maxInFlight) {
      this.#reject(call, sink, "overloaded", `${this.#inFlight} requests are in flight`);
      return undefined;
    }
    if (call.options.quorum !== undefined && (info.class === "write" || !info.isIdempotent)) {
      this.refuse(call, sink, "bad_directive", `quorum is for reads: not for ${info.name}`);
      return undefined;
    }
    if (info.route === "filter") return services.filters.serve(call, info, sink);
    if (info.class === "write") return services.writes.serve(call, info, sink);
    return services.reads.serve(call, info, sink);
  }

  /**
   * Asks providers, one after the other, until one has answered, maybe at once; whoever must know
   * the exchange before that is shown it first.
   */
  exchange(
    call: Call,
    info: MethodInfo,
    sink: CallSink,
    onMade?: (exchange: Exchange) => void,
  ): Exchange {
    this.#inFlight++;
    const exchange = new Exchange(this, call, info, sink, this.now());
    onMade?.(exchange);
    exchange.start();
    return exchange;
  }

  /** Calls began (1) or ceased (-1) to wait for what no exchange of theirs brings. */
  countWaiting(by: 1 | -1): void {
    this.#inFlight += by;
  }

  /** A client's call is over that no single exchange stands for. */
  observed(record: CallFacts & RequestRecord, call: Call, kind: MethodInfo["class"]): void {
    this.observer.request(record);
    this.book.keep(record, call, kind);
  }

  /** A new name for a filter: 128 bits that nobody can guess. */
  newFilterId(): string {
    return `0x${this.deps.randomHex()}`;
  }

  #reject(call: Call, sink: CallSink, reason: OwnReason, message: string): void {
    const { emit } = this.deps;
    emit("rpc.admission.rejected", {
      chain: call.chain.name,
      method: call.envelope.method,
      reason,
    });
    this.refuse(call, sink, reason, message);
  }

  /** An exchange is over. */
  finished(exchange: Exchange, answer?: Buffer): void {
    this.#inFlight--;
    if (exchange.call.isPart) return;
    this.observed(exchange, exchange.call, exchange.info.class);
    this.#explorer.consider(exchange);
    if (answer !== undefined) this.shadows.consider(exchange.call, exchange.info, answer);
    const { emit } = this.deps;
    tellSlow(emit, exchange);
    if (exchange.outcome === "error") tellFailure(emit, exchange);
  }
}
