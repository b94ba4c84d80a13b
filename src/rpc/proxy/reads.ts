/**
 * How a read is served. Its steps, each of which may answer, rewrite the call, or pass it on:
 * the providers are asked last.
 */
import { pinned } from "../consistency/pinning.ts";
import { quorumTerms } from "../integrity/quorum-rules.ts";
import { methodInfo, type MethodInfo } from "../json-rpc/methods.ts";
import { BlockNumberReads } from "./block-number-reads.ts";
import type { Call, CallSink } from "./call.ts";
import type { Engine } from "./engine.ts";
import { LogsReads } from "./logs/logs-reads.ts";
import type { Running, Service } from "./service.ts";
import { benchmarkRead } from "./trust/benchmark-read.ts";
import { quorumRead } from "./trust/quorum-read.ts";

/** The service of reads. */
export class Reads implements Service {
  readonly #engine: Engine;
  readonly #blockNumber: BlockNumberReads;
  readonly #logs: LogsReads;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#blockNumber = new BlockNumberReads(engine);
    this.#logs = new LogsReads(engine);
  }

  serve(call: Call, info: MethodInfo, sink: CallSink): Running | undefined {
    if (info === BLOCK_NUMBER) return this.#blockNumber.serve(call, info, sink);
    const terms = quorumTerms(call.chain.quorum, info.name, call.options.quorum);
    if (terms !== undefined) return quorumRead(this.#engine, call, info, sink, terms);
    if (call.options.mirrorsAll && info.isIdempotent) {
      return benchmarkRead(this.#engine, call, info, sink);
    }
    const asked = call.pins === undefined ? call : pinned(call, call.pins);
    if (info === GET_LOGS) return this.#logs.serve(asked, info, sink);
    return this.#engine.exchange(asked, info, sink);
  }
}

const BLOCK_NUMBER = methodInfo("eth_blockNumber");
const GET_LOGS = methodInfo("eth_getLogs");
