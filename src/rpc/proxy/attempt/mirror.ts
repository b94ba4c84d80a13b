/**
 * A copy of a read on its way to one more provider: nobody waits for it, its outcome is evidence like
 * any other.
 */
import type { BlockDemand } from "../../json-rpc/block-demand.ts";
import { upstreamBytes } from "../../json-rpc/request-bytes.ts";
import { explorationLimits } from "../../selection/exploration.ts";
import type { Candidate } from "../../selection/snapshot.ts";
import type { Call } from "../call.ts";
import type { Engine } from "../engine.ts";
import type { Upstream } from "../ports.ts";
import { account } from "./accounting.ts";
import { blocksOf, isNearHead } from "./asked.ts";
import { Attempt } from "./attempt.ts";
import { WholeOwner } from "./whole-owner.ts";

/** Hears of a copy's end; `body` is its answer when that is a result. */
export type MirrorEnd = (body: Buffer | undefined) => void;

/** One copy on its way. */
export class Mirror extends WholeOwner {
  readonly absurdBytes = Number.POSITIVE_INFINITY;
  readonly #call: Call;
  readonly #onEnd: MirrorEnd;

  constructor(engine: Engine, call: Call, method: string, onEnd: MirrorEnd) {
    super(engine, call.chain, method);
    this.#call = call;
    this.#onEnd = onEnd;
  }

  /** Sends the copy. */
  send(target: Candidate, upstream: Upstream, nowMs: number): void {
    const { engine } = this;
    const id = engine.ids.next();
    const attempt = new Attempt(this, target, target.row, id, nowMs, "probe");
    target.row.inFlight++;
    engine.attempts.track(attempt, nowMs + explorationLimits.timeoutMs);
    const { body, envelope } = this.#call;
    attempt.call = upstream.send(upstreamBytes(body, envelope, id), id, attempt);
  }

  blocksAsked(): BlockDemand | undefined {
    return blocksOf(this.#call, this.method);
  }

  isNearHead(): boolean | undefined {
    return isNearHead(this.#call, this.method);
  }

  faultIn({ provider }: Attempt, body: Buffer, valueAt: number): string | undefined {
    return this.engine.guard.faultIn(this.#call, this.method, provider, body, valueAt);
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

  #end(attempt: Attempt, body?: Buffer): void {
    attempt.settle();
    this.#onEnd(body);
    account(this.engine, this.chainView, attempt, this.now());
  }
}
