/**
 * A copy of a read on its way to one more provider: nobody waits for it, its outcome is evidence like
 * any other.
 */
import { DECISIONS } from "../../errors/decisions.ts";
import type { ErrorRule } from "../../errors/rules.ts";
import type { BlockDemand } from "../../json-rpc/block-demand.ts";
import { upstreamBytes } from "../../json-rpc/request-bytes.ts";
import { explorationLimits } from "../../selection/exploration.ts";
import type { Candidate } from "../../selection/snapshot.ts";
import type { Call } from "../call.ts";
import type { Engine } from "../engine.ts";
import type { ChainView, Upstream } from "../ports.ts";
import { blocksOf, isNearHead } from "./asked.ts";
import type { AttemptOwner } from "./attempt.ts";
import { Attempt } from "./attempt.ts";
import { learn } from "./learning.ts";

/** Hears of a copy's end; `body` is its answer when that is a result. */
export type MirrorEnd = (body: Buffer | undefined) => void;

/** One copy on its way. */
export class Mirror implements AttemptOwner {
  readonly method: string;
  readonly canStream = false;
  readonly isCheap = false;
  readonly chainView: ChainView;
  readonly bufferBytes: number;
  readonly maxResponseBytes: number;
  readonly absurdBytes = Number.POSITIVE_INFINITY;
  readonly #engine: Engine;
  readonly #call: Call;
  readonly #onEnd: MirrorEnd;

  constructor(engine: Engine, call: Call, method: string, onEnd: MirrorEnd) {
    this.#engine = engine;
    this.#call = call;
    this.method = method;
    this.chainView = call.chain;
    this.bufferBytes = engine.limits.bufferBytes;
    // What does not fit into the buffer is not worth reading twice.
    this.maxResponseBytes = engine.limits.bufferBytes;
    this.#onEnd = onEnd;
  }

  /** Sends the copy. */
  send(target: Candidate, upstream: Upstream, nowMs: number): void {
    const engine = this.#engine;
    const id = engine.ids.next();
    const attempt = new Attempt(this, target, target.row, id, nowMs, "probe");
    target.row.inFlight++;
    engine.attempts.track(attempt, nowMs + explorationLimits.timeoutMs);
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

  onResult(attempt: Attempt, body: Buffer): void {
    attempt.errorClass = "ok";
    this.#end(attempt, body);
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

  #end(attempt: Attempt, body?: Buffer): void {
    const { row, errorClass } = attempt;
    const nowMs = this.#engine.now();
    attempt.durationMs = nowMs - attempt.startMs;
    row.inFlight--;
    row.completed++;
    if (attempt.errorClass !== "cancelled" && attempt.errorClass !== "timeout") row.answered++;
    attempt.settle();
    this.#engine.attempts.untrack(attempt);
    this.#onEnd(body);
    if (errorClass === "cancelled") return;
    if (attempt.detail !== undefined) attempt.detail = this.#engine.redact(attempt.detail);
    const { provider, transport } = row;
    const { durationMs, method } = attempt;
    this.chainView.evidence.recordCall(provider, transport, method, errorClass, durationMs, nowMs);
    this.#engine.observer.attempt(attempt);
    learn(this.#engine, this.chainView, attempt, nowMs);
    if (DECISIONS[errorClass].breaker === "success") {
      row.successes++;
      if (!row.dirty) return;
    } else if (DECISIONS[errorClass].breaker !== "none") row.dirty = true;
    this.chainView.report(attempt);
  }
}
