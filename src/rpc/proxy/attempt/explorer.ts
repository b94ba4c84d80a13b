/**
 * Exploration by mirror: a small share of reads is sent a second time, to a provider of which too
 * little is known, after its client has been answered. Nobody waits for the copy; its outcome is
 * evidence like any other, so that no provider stays unknown for good and none is tried out on users.
 */
import type { ErrorRule } from "../../errors/rules.ts";
import { DECISIONS } from "../../errors/decisions.ts";
import type { BlockDemand } from "../../json-rpc/block-demand.ts";
import { upstreamBytes } from "../../json-rpc/request-bytes.ts";
import { explorationLimits, explorationTarget } from "../../selection/exploration.ts";
import type { Candidate } from "../../selection/snapshot.ts";
import type { AttemptOwner } from "./attempt.ts";
import { Attempt } from "./attempt.ts";
import type { Call } from "../call.ts";
import type { Engine } from "../engine.ts";
import type { Exchange } from "../exchange.ts";
import { blocksOf, isNearHead } from "./asked.ts";
import { learn } from "./learning.ts";
import type { ChainView, Upstream } from "../ports.ts";

/** Sends copies within the limits of `explorationLimits`. */
export class Explorer {
  readonly #engine: Engine;
  #running = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Copies the call of a finished exchange when its turn has come and somebody needs it. */
  consider(exchange: Exchange): void {
    const { call, info, outcome } = exchange;
    if (outcome !== "ok" || !info.isIdempotent || !info.isCheap || info.class === "write") return;
    if (this.#engine.deps.random() >= explorationLimits.ratio) return;
    const { chain } = call;
    const { snapshot } = chain;
    if (this.#running >= explorationLimits.maxConcurrent || snapshot === undefined) return;
    const nowMs = this.#engine.now();
    const target = explorationTarget(snapshot, { method: info.name }, nowMs);
    const upstream = target === undefined ? undefined : chain.upstream(target.row);
    if (target === undefined || upstream === undefined) return;
    if (target.view.provider === exchange.provider) return;
    this.#running++;
    new Mirror(this.#engine, call, info.name, () => this.#running--).send(target, upstream, nowMs);
  }
}

/** One copy on its way. */
class Mirror implements AttemptOwner {
  readonly method: string;
  readonly canStream = false;
  readonly isCheap = false;
  readonly chainView: ChainView;
  readonly bufferBytes: number;
  readonly maxResponseBytes: number;
  readonly #engine: Engine;
  readonly #call: Call;
  readonly #onDone: () => void;

  constructor(engine: Engine, call: Call, method: string, onDone: () => void) {
    this.#engine = engine;
    this.#call = call;
    this.method = method;
    this.chainView = call.chain;
    this.bufferBytes = engine.limits.bufferBytes;
    // What does not fit into the buffer is not worth reading twice.
    this.maxResponseBytes = engine.limits.bufferBytes;
    this.#onDone = onDone;
  }

  send(target: Candidate, upstream: Upstream, nowMs: number): void {
    const engine = this.#engine;
    const id = engine.ids.next();
    const attempt = new Attempt(this, target, target.row, id, nowMs, "probe");
    target.row.inFlight++;
    engine.track(attempt, nowMs + explorationLimits.timeoutMs);
    const { body, envelope } = this.#call;
    attempt.call = upstream.send(upstreamBytes(body, envelope, id), id, attempt);
  }

  now(): number {
    return this.#engine.now();
  }

  rulesOf(attempt: Attempt): readonly ErrorRule[] {
    return this.chainView.errorRules(attempt.row.provider);
  }

  blocksAsked(): BlockDemand | undefined {
    return blocksOf(this.#call, this.method);
  }

  isNearHead(): boolean | undefined {
    return isNearHead(this.#call, this.method);
  }

  faultIn({ provider }: Attempt, body: Buffer, valueAt: number): string | undefined {
    return this.#engine.guard.faultIn(this.#call, this.method, provider, body, valueAt);
  }

  onResult(attempt: Attempt): void {
    attempt.errorClass = "ok";
    this.#end(attempt);
  }

  onAttemptFailed(attempt: Attempt): void {
    this.#end(attempt);
  }

  onStalled(): void {
    // Not counted by the stall rule: it is not cheap by its own word.
  }

  onStream(): void {
    // Never streams.
  }

  onChunk(): boolean {
    return true;
  }

  onIdPlace(): boolean {
    return true;
  }

  onStreamEnd(): void {
    // Never streams.
  }

  rearm(): void {
    // Never streams.
  }

  #end(attempt: Attempt): void {
    const { row, errorClass } = attempt;
    const nowMs = this.#engine.now();
    attempt.durationMs = nowMs - attempt.startMs;
    row.inFlight--;
    row.completed++;
    attempt.settle();
    this.#engine.untrack(attempt);
    this.#onDone();
    if (errorClass === "cancelled") return;
    if (attempt.detail !== undefined) attempt.detail = this.#engine.redact(attempt.detail);
    const { provider, transport } = row;
    const { durationMs, method } = attempt;
    this.chainView.evidence.recordCall(provider, transport, method, errorClass, durationMs, nowMs);
    this.#engine.observer.attempt(attempt);
    learn(this.#engine.deps, this.chainView, attempt, nowMs);
    if (DECISIONS[errorClass].breaker === "success") {
      row.successes++;
      if (!row.dirty) return;
    } else if (DECISIONS[errorClass].breaker !== "none") row.dirty = true;
    this.chainView.report(attempt);
  }
}
