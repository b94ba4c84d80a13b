/** A client's call that providers are asked for, as headers, explanations and observers see it. */
import type { OwnReason } from "../errors/codes.ts";
import type { ProviderId } from "../ids.ts";
import type { MethodInfo } from "../json-rpc/methods.ts";
import type { Selected } from "../selection/selected.ts";
import type { Ranking } from "../selection/snapshot.ts";
import type { Attempt } from "./attempt/attempt.ts";
import type { Call, CallFacts } from "./call.ts";
import type { Engine } from "./engine.ts";
import { KnownCall } from "./facts.ts";
import type { ChainView, RequestRecord } from "./ports.ts";

/** The record of a call; whoever serves it says how far it has come. */
export abstract class ServedCall extends KnownCall implements CallFacts, RequestRecord {
  readonly engine: Engine;
  readonly info: MethodInfo;
  readonly requestId: string;
  readonly strategy: string;
  /** Engine ms. */
  readonly startMs: number;
  provider: ProviderId | undefined = undefined;
  reason: OwnReason | undefined = undefined;
  durationMs = 0;
  outcome: RequestRecord["outcome"] = "ok";

  constructor(engine: Engine, call: Call, info: MethodInfo, nowMs: number) {
    super(call);
    this.engine = engine;
    this.info = info;
    this.requestId = engine.nextRequestId();
    this.strategy = call.options.strategy ?? call.chain.strategy;
    this.startMs = nowMs;
  }

  /** All attempts so far, in the order of their start. */
  abstract get attempts(): readonly Attempt[];
  abstract get attemptCount(): number;
  /** Who could serve, best first. */
  abstract get ranking(): Ranking | undefined;
  /** How the ranking came about, for the explanation. */
  abstract get selected(): Selected | undefined;
  /** The client has its answer, or is gone. */
  abstract get isDone(): boolean;

  get method(): string {
    return this.info.name;
  }

  get chainView(): ChainView {
    return this.call.chain;
  }

  get isLocal(): boolean {
    return false;
  }

  /** Whether the cache was asked, before providers were. */
  get cache(): CallFacts["cache"] {
    const { info, call } = this;
    const isCacheable = info.isIdempotent && info.class !== "write" && !call.options.noCache;
    return isCacheable ? "MISS" : "BYPASS";
  }

  now(): number {
    return this.engine.now();
  }

  /** Notes how the call ended. */
  protected close(outcome: RequestRecord["outcome"], nowMs: number): void {
    this.outcome = outcome;
    this.durationMs = nowMs - this.startMs;
  }
}
