/** What owners of attempts have in common that take an answer in one piece. */
import type { ErrorRule } from "../../errors/rules.ts";
import type { BlockDemand } from "../../json-rpc/block-demand.ts";
import type { Engine } from "../engine.ts";
import type { ChainView, UpstreamFailure } from "../ports.ts";
import type { Attempt, AttemptOwner } from "./attempt.ts";

/** Owns attempts that stream to nobody, and that the stall rule does not count. */
export abstract class WholeOwner implements AttemptOwner {
  readonly canStream = false;
  readonly isCheap = false;
  readonly chainView: ChainView;
  readonly method: string;
  readonly bufferBytes: number;
  /** What does not fit into the buffer is not read. */
  readonly maxResponseBytes: number;
  abstract readonly absurdBytes: number;
  protected readonly engine: Engine;

  constructor(engine: Engine, chain: ChainView, method: string) {
    this.engine = engine;
    this.chainView = chain;
    this.method = method;
    this.bufferBytes = engine.limits.bufferBytes;
    this.maxResponseBytes = engine.limits.bufferBytes;
  }

  abstract onResult(attempt: Attempt, body: Buffer): void;
  abstract onAttemptFailed(attempt: Attempt, failure: UpstreamFailure | undefined): void;
  abstract onStalled(): void;
  abstract blocksAsked(): BlockDemand | undefined;
  abstract isNearHead(): boolean | undefined;
  abstract faultIn(attempt: Attempt, body: Buffer, valueAt: number): string | undefined;

  now(): number {
    return this.engine.now();
  }

  rulesOf(attempt: Attempt): readonly ErrorRule[] {
    return this.chainView.errorRules(attempt.row.provider);
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
}
