/**
 * Serves calls: answers what needs no provider, refuses what is not served, and runs an exchange for
 * the rest. Holds what all exchanges share: ids, deadlines, the attempts in flight.
 */
import { isAdmissible } from "../admission.ts";
import type { EndpointRow } from "../chain-view.ts";
import { ClientGate } from "../clients/client-gate.ts";
import { Pinning } from "../consistency/pinning.ts";
import type { OwnReason } from "../errors/codes.ts";
import { OWN_ERRORS } from "../errors/codes.ts";
import { BOOK_LIMITS, RequestBook } from "../explain/book.ts";
import type { ChainName } from "../ids.ts";
import { errorText, resultText } from "../json-rpc/error-text.ts";
import type { MethodInfo } from "../json-rpc/methods.ts";
import { methodInfo } from "../json-rpc/methods.ts";
import type { BlockDemand } from "../json-rpc/block-demand.ts";
import { HedgeBudget } from "../hedge.ts";
import { IdCounter } from "../json-rpc/upstream-id.ts";
import type { PanicGate, TriedSet } from "../selection/pick.ts";
import { createPanicGate, firstUsable, lastResort } from "../selection/pick.ts";
import { oldestDemand } from "../selection/filters.ts";
import { withCanary } from "../selection/canary.ts";
import { preferring } from "../selection/prefer.ts";
import { rank } from "../selection/rank.ts";
import { packFaults, packMore, type Selected } from "../selection/selected.ts";
import type {
  Candidate,
  Ranking,
  RoutingSnapshot,
  SelectionDemand,
} from "../selection/snapshot.ts";
import type { Attempt } from "./attempt/attempt.ts";
import type { Call, CallFacts, CallSink } from "./call.ts";
import { CountedCall } from "./counted-call.ts";
import { DeadlineWheel } from "./attempt/deadline-wheel.ts";
import { EmptyMemory } from "./attempt/empty-memory.ts";
import { Exchange } from "./exchange.ts";
import { Explorer } from "./attempt/explorer.ts";
import { LocalFacts } from "./facts.ts";
import { DEFAULT_LIMITS, SLOW_MS, VERY_SLOW_MS } from "./limits.ts";
import { localResult } from "./local-answers.ts";
import type {
  ChainView,
  GatewayDeps,
  GatewayLimits,
  RequestObserver,
  RequestRecord,
} from "./ports.ts";
import { Writes } from "./writes/writes.ts";
import { Filters } from "./filters/filters.ts";
import { Reads } from "./reads.ts";
import type { Running, Services } from "./service.ts";
import { Guard } from "./trust/guard.ts";
import { Shadows } from "./trust/shadows.ts";

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
  readonly #empties = new EmptyMemory();
  readonly #panics = new Map<ChainName, PanicGate>();
  readonly #hedges = new Map<ChainName, HedgeBudget>();
  readonly #explorer = new Explorer(this);
  readonly shadows = new Shadows(this);
  readonly services: Services;
  readonly filters: Filters;
  /** The door for clients. */
  readonly gate: ClientGate;
  /** The last requests, and those that were slow or failed. */
  readonly book: RequestBook;
  #inFlight = 0;
  #firstAttempt: Attempt | undefined;

  constructor(deps: GatewayDeps) {
    this.deps = deps;
    this.limits = { ...DEFAULT_LIMITS, ...deps.limits };
    this.observer = deps.observer;
    this.book = new RequestBook(deps.book ?? BOOK_LIMITS);
    this.now = deps.now;
    this.nextRequestId = deps.nextRequestId;
    this.redact = deps.redact;
    const { wallNow = () => 0, emit, scripts } = deps;
    this.gate = new ClientGate({ wallNow, emit, scripts });
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

  /** Something that no exchange stands for waits for providers, until it has `left`. */
  entered(): void {
    this.#inFlight++;
  }

  /** What has `entered` is over. */
  left(): void {
    this.#inFlight--;
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

  /** The order of providers for a call that asks for these blocks, and how it came about. */
  select(
    snapshot: RoutingSnapshot,
    call: Call,
    method: string,
    asked: BlockDemand | undefined,
    nowMs: number,
  ): Selected {
    const { strategy, transport, provider, profile, maxCost, exclude, prefer } = call.options;
    const demand: SelectionDemand = {
      strategy,
      profile,
      method,
      transport,
      provider,
      maxCost,
      exclude,
      needsArchive: asked?.isState === true && needsArchive(snapshot, asked.fromBlock),
      oldest:
        asked === undefined ? undefined : oldestDemand(snapshot, asked.fromBlock, asked.isState),
      blockRange: asked?.range,
      seed: (this.deps.random() * SEED_RANGE) | 0,
    };
    const ranked = rank(snapshot, demand);
    const { canaries } = snapshot;
    const tried = canaries === undefined ? ranked : withCanary(ranked, canaries, this.deps.random);
    const ranking = prefer === undefined ? tried : preferring(tried, prefer);
    return {
      snapshot,
      demand,
      ranking,
      minHead: asked?.block ?? 0,
      faults: packFaults(ranking, 0, nowMs),
      moreFaults: packMore(ranking, nowMs),
      atMs: nowMs,
      tookMs: this.now() - nowMs,
    };
  }

  /** The next endpoint to try; one that is cooling down or broken only when there is no other. */
  pick(
    call: Call,
    ranking: Ranking,
    nowMs: number,
    tried: TriedSet,
    minHead: number,
  ): Candidate | undefined {
    const { pin } = call;
    const usable =
      firstUsable(ranking, nowMs, tried, minHead, pin) ??
      (minHead > 0 ? firstUsable(ranking, nowMs, tried, pin, pin) : undefined);
    if (usable !== undefined) return usable;
    const { name } = call.chain;
    let gate = this.#panics.get(name);
    if (gate === undefined) this.#panics.set(name, (gate = createPanicGate()));
    const last = lastResort(ranking, nowMs, gate, tried, pin);
    if (last === undefined) return undefined;
    const { candidate, relaxed } = last;
    const { emit } = this.deps;
    const { method } = call.envelope;
    if (relaxed !== "panic")
      emit("rpc.selection.relaxed", { chain: name, filter: relaxed, method });
    else emit("rpc.failover.panic", { chain: name, provider: candidate.view.provider, method });
    return candidate;
  }

  /** The hedges that a chain may still send. */
  hedges({ name }: ChainView): HedgeBudget {
    let budget = this.#hedges.get(name);
    if (budget === undefined) this.#hedges.set(name, (budget = new HedgeBudget()));
    return budget;
  }

  /**
   * The row of a candidate that can carry the call now. A WebSocket client's calls take the
   * provider's WebSocket where it lives; a transport without a channel gives way to the other.
   */
  rowFor(call: Call, candidate: Candidate, nowMs: number): EndpointRow | undefined {
    const { chain, protocol, options } = call;
    const { row, view } = candidate;
    const { ws, http } = view.transports;
    if (
      protocol === "ws" &&
      row.transport === "http" &&
      options.transport === "any" &&
      ws !== undefined &&
      isAdmissible(ws, nowMs) &&
      chain.upstream(ws) !== undefined
    ) {
      return ws;
    }
    if (chain.upstream(row) !== undefined) return row;
    const other = row.transport === "http" ? ws : http;
    return options.transport === "any" &&
      other !== undefined &&
      isAdmissible(other, nowMs) &&
      chain.upstream(other) !== undefined
      ? other
      : undefined;
  }

  /** Arms an attempt's deadline and lists it among those in flight. */
  track(attempt: Attempt, expiresAtMs: number): void {
    const first = this.#firstAttempt;
    attempt.next = first;
    if (first !== undefined) first.previous = attempt;
    this.#firstAttempt = attempt;
    attempt.row.budget?.charge(attempt.method, attempt.startMs);
    this.wheel.add(attempt, expiresAtMs);
  }

  /** Forgets an attempt that ended. */
  untrack(attempt: Attempt): void {
    this.wheel.remove(attempt);
    const { next, previous } = attempt;
    if (previous !== undefined) previous.next = next;
    else if (this.#firstAttempt === attempt) this.#firstAttempt = next;
    if (next !== undefined) next.previous = previous;
    attempt.next = undefined;
    attempt.previous = undefined;
  }

  /** Visits every attempt in flight; the visitor may end the one it is given. */
  eachAttempt(visit: (attempt: Attempt) => void): void {
    let attempt = this.#firstAttempt;
    while (attempt !== undefined) {
      const { next } = attempt;
      visit(attempt);
      attempt = next;
    }
  }

  /** Whether a `null` may be asked about elsewhere: never beyond the tip, once per block time. */
  mayRetryEmpty(call: Call, info: MethodInfo, nowMs: number): boolean {
    const { snapshot } = call.chain;
    const { envelope, body } = call;
    if (snapshot === undefined || envelope.paramsStart < 0) return false;
    const params = body.toString(
      "latin1",
      envelope.paramsStart,
      Math.min(envelope.paramsEnd, envelope.paramsStart + MAX_LOOKUP_KEY),
    );
    if (info.name.includes("Number") || info.name === "eth_getBlockReceipts") {
      const block = /^\[\s*"(?:0x([0-9a-f]{1,13})|(pending))"/i.exec(params);
      if (block?.[2] !== undefined) return false;
      if (block?.[1] !== undefined && parseInt(block[1], 16) > snapshot.tip) return false;
    }
    const key = `${call.chain.name} ${info.name} ${params}`;
    return this.#empties.take(key, nowMs, snapshot.blockTimeMs);
  }

  /** An exchange is over. */
  finished(exchange: Exchange, answer?: Buffer): void {
    this.#inFlight--;
    if (exchange.call.isPart) return;
    this.observed(exchange, exchange.call, exchange.info.class);
    this.#explorer.consider(exchange);
    if (answer !== undefined) this.shadows.consider(exchange.call, exchange.info, answer);
    if (exchange.durationMs > SLOW_MS) this.#tellSlow(exchange);
    if (exchange.outcome === "error") this.#tellFailure(exchange);
  }

  /** An attempt failed and another one follows. */
  failedOver(exchange: Exchange, attempt: Attempt): void {
    const { emit } = this.deps;
    emit("rpc.failover.triggered", {
      chain: exchange.chain,
      provider: attempt.provider,
      method: exchange.method,
      errorClass: attempt.errorClass,
      attempt: exchange.attempts.length,
      requestId: exchange.requestId,
      transport: attempt.row.transport,
    });
  }

  #tellSlow(exchange: Exchange): void {
    const { emit } = this.deps;
    const fields = {
      chain: exchange.chain,
      method: exchange.method,
      durationMs: Math.round(exchange.durationMs),
      requestId: exchange.requestId,
      attempts: exchange.attempts.length,
      ...(exchange.provider === undefined ? {} : { provider: exchange.provider }),
    };
    if (exchange.durationMs > VERY_SLOW_MS) emit("rpc.request.very_slow", fields);
    else emit("rpc.request.slow", fields);
  }

  #tellFailure(exchange: Exchange): void {
    const { emit } = this.deps;
    const { chain, method, requestId, reason, attempts, ranking } = exchange;
    if (reason !== undefined && UNSELECTED.has(reason)) {
      emit("rpc.selection.failure", {
        chain,
        method,
        requestId,
        strategy: exchange.strategy,
        reasons: ranking?.excluded.map(({ provider, rule }) => `${provider}: ${rule}`) ?? [],
      });
    } else if (reason !== undefined) {
      emit("rpc.failover.exhausted", {
        chain,
        method,
        requestId,
        reason,
        attempts: attempts.length,
        durationMs: Math.round(exchange.durationMs),
      });
    }
  }
}

/** Reasons for which nobody was asked. */
const UNSELECTED: ReadonlySet<string> = new Set([
  "no_provider",
  "method_unsupported",
  "out_of_reach",
]);

/** True for old state, as long as the operator has said who keeps it. */
function needsArchive(snapshot: RoutingSnapshot, block: number): boolean {
  const { tip, rules, endpoints } = snapshot;
  if (tip < 0 || tip - block <= rules.archivalThreshold) return false;
  return endpoints.some(({ archival }) => archival);
}

/** Seeds are 31-bit integers. */
const SEED_RANGE = 0x7fffffff;

/** Bytes of params that tell one lookup from another. */
const MAX_LOOKUP_KEY = 256;
