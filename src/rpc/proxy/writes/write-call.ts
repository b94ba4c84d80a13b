/** One client's request to send a transaction: waits for the flight that carries the bytes. */
import type { MethodInfo } from "../../json-rpc/methods.ts";
import type { Selected } from "../../selection/selected.ts";
import type { Ranking } from "../../selection/snapshot.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { Call, CallFacts, CallSink } from "../call.ts";
import { Composite } from "../composite.ts";
import type { Engine } from "../engine.ts";
import type { WriteFlight } from "./write-flight.ts";

/** Its client may leave at any time; the flight goes on. */
export class WriteCall extends Composite {
  readonly #flight: WriteFlight;
  readonly #hasJoined: boolean;

  constructor(
    engine: Engine,
    call: Call,
    info: MethodInfo,
    sink: CallSink,
    flight: WriteFlight,
    hasJoined: boolean,
  ) {
    super(engine, call, info, sink);
    this.#flight = flight;
    this.#hasJoined = hasJoined;
  }

  override get cache(): CallFacts["cache"] {
    return this.#hasJoined ? "COALESCED" : "BYPASS";
  }

  override get attempts(): readonly Attempt[] {
    return this.#flight.attempts;
  }

  override get attemptCount(): number {
    return this.#flight.attempts.length;
  }

  override get selected(): Selected | undefined {
    return this.#flight.selected;
  }

  override get ranking(): Ranking | undefined {
    return this.selected?.ranking;
  }
}
