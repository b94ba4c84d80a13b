/**
 * How a read is served. Its steps, each of which may answer, rewrite the call, or pass it on:
 * the providers are asked last.
 */
import type { MethodInfo } from "../json-rpc/methods.ts";
import type { Call, CallSink } from "./call.ts";
import type { Engine } from "./engine.ts";
import type { Running, Service } from "./service.ts";

/** The service of reads. */
export class Reads implements Service {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  serve(call: Call, info: MethodInfo, sink: CallSink): Running | undefined {
    return this.#engine.exchange(call, info, sink);
  }
}
