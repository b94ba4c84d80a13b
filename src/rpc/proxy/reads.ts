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
import { SharedReads } from "./sharing/shared-reads.ts";

/** The service of reads. */
export class Reads implements Service {
  readonly #shared: SharedReads;
  readonly #blockNumber: BlockNumberReads;

  constructor(engine: Engine) {
    this.#shared = new SharedReads(engine, new AskedReads(engine));
    this.#blockNumber = new BlockNumberReads(engine, this.#shared);
  }

  serve(call: Call, info: MethodInfo, sink: CallSink): Running | undefined {
    if (info === BLOCK_NUMBER) return this.#blockNumber.serve(call, info, sink);
    return this.#shared.serve(call.pins === undefined ? call : pinned(call, call.pins), info, sink);
  }
}

/** The reads that neither a kept answer nor another call's attempt serves. */
class AskedReads implements Service {
  readonly #engine: Engine;
  readonly #logs: LogsReads;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#logs = new LogsReads(engine);
  }

  serve(call: Call, info: MethodInfo, sink: CallSink): Running | undefined {
    // Providers are rarely at the same height, and need not be.
    if (info === BLOCK_NUMBER) return this.#engine.exchange(call, info, sink);
    const { quorum, profile } = call.options;
    const asked = quorum ?? profile?.quorum;
    const terms = quorumTerms(call.chain.quorum, info.name, asked);
    if (terms !== undefined) return quorumRead(this.#engine, call, info, sink, terms);
    if (call.options.asksAll && info.isIdempotent) {
      return benchmarkRead(this.#engine, call, info, sink);
    }
    if (info === GET_LOGS) return this.#logs.serve(call, info, sink);
    return this.#engine.exchange(call, info, sink);
  }
}

const BLOCK_NUMBER = methodInfo("eth_blockNumber");
const GET_LOGS = methodInfo("eth_getLogs");
