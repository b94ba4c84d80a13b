/**
 * Exploration by mirror: a small share of reads is sent a second time, to a provider of which too
 * little is known, after its client has been answered. Nobody waits for the copy; its outcome is
 * evidence like any other, so that no provider stays unknown for good and none is tried out on users.
 */
import { explorationLimits, explorationTarget } from "../../selection/exploration.ts";
import type { Engine } from "../engine.ts";
import type { Exchange } from "../exchange.ts";
import { Mirror } from "./mirror.ts";

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
    const { chain, options } = call;
    const { profile, paired } = options;
    const { snapshot } = chain;
    if (this.#running >= explorationLimits.maxConcurrent || snapshot === undefined) return;
    const nowMs = this.#engine.now();
    const target = explorationTarget(snapshot, { method: info.name, profile, paired }, nowMs);
    const upstream = target === undefined ? undefined : chain.upstream(target.row);
    if (target === undefined || upstream === undefined) return;
    if (target.view.provider === exchange.provider) return;
    this.#running++;
    new Mirror(this.#engine, call, info.name, () => this.#running--).send(target, upstream, nowMs);
  }
}
