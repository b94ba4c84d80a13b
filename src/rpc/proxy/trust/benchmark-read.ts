/**
 * A read that all providers are asked at once, to see how each of them does (`/benchmark/`): the
 * client gets the first result once all have answered or the time is over, and the meta says how
 * long each took.
 */
import { pinned } from "../../consistency/pinning.ts";
import type { ProviderId } from "../../ids.ts";
import type { MethodInfo } from "../../json-rpc/methods.ts";
import type { Expirable } from "../attempt/deadline-wheel.ts";
import type { Call, CallSink } from "../call.ts";
import { Composite } from "../composite.ts";
import type { Engine } from "../engine.ts";
import { finalAnswer } from "../outcome.ts";
import type { Running } from "../service.ts";
import { quorumCandidates } from "./quorum-candidates.ts";
import { legOptions, type LegOwner, QuorumLeg } from "./quorum-leg.ts";

/** Providers that are asked. */
const MAX_PROVIDERS = 16;
/** Time that the slowest gets, while the client waits. */
const PATIENCE_MS = 5_000;

/** Asks everybody; a chain without providers refuses as any read does. */
export function benchmarkRead(
  engine: Engine,
  call: Call,
  info: MethodInfo,
  sink: CallSink,
): Running {
  const { pins } = call;
  const made = pins === undefined ? call : pinned(call, pins);
  const providers = quorumCandidates(engine, made, info).slice(0, MAX_PROVIDERS);
  if (providers.length === 0) return engine.exchange(made, info, sink);
  return new BenchmarkRead(engine, made, info, sink).start(providers);
}

interface FirstResult {
  readonly provider: ProviderId;
  readonly body: Buffer;
  readonly idStart: number;
  readonly idEnd: number;
}

class BenchmarkRead implements LegOwner, Running, Expirable {
  expiresAtMs = 0;
  wheelNext: Expirable | undefined = undefined;
  wheelPrevious: Expirable | undefined = undefined;
  readonly #whole: Composite;
  #open = 0;
  #first: FirstResult | undefined;

  constructor(engine: Engine, call: Call, info: MethodInfo, sink: CallSink) {
    this.#whole = new Composite(engine, call, info, sink);
  }

  start(providers: readonly ProviderId[]): this {
    const { engine, call, info, remainingMs } = this.#whole;
    engine.wheel.add(this, engine.now() + Math.min(PATIENCE_MS, remainingMs));
    this.#open = providers.length;
    for (const [index, provider] of providers.entries()) {
      const options = legOptions(call, provider, providers);
      this.#whole.part(call, options, info, new QuorumLeg(this, provider, index));
    }
    return this;
  }

  voted(provider: ProviderId, _leg: number, body: Buffer, idStart: number, idEnd: number): void {
    this.#first ??= { provider, body, idStart, idEnd };
    this.#closed();
  }

  refused(): void {
    this.#closed();
  }

  cancel(): void {
    this.#whole.engine.wheel.remove(this);
    this.#whole.cancel();
  }

  resume(): void {
    // Nothing streams.
  }

  onExpire(): void {
    this.#whole.abandon();
    this.#answer();
  }

  #closed(): void {
    if (--this.#open > 0) return;
    this.#whole.engine.wheel.remove(this);
    this.#answer();
  }

  #answer(): void {
    const whole = this.#whole;
    const first = this.#first;
    if (first === undefined) whole.answer(finalAnswer(whole, "exhausted"));
    else whole.answerResult(first.provider, first.body, first.idStart, first.idEnd);
  }
}
