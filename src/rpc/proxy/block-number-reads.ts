/**
 * Serves `eth_blockNumber`: from the tip while that is younger than a block time, else by a provider,
 * whose answer is never passed on when clients have been told of a later block.
 */
import { PinNote } from "../consistency/pin-note.ts";
import { isFresh } from "../consistency/served-heights.ts";
import { addNote } from "../explain/record.ts";
import { resultText } from "../json-rpc/error-text.ts";
import type { MethodInfo } from "../json-rpc/methods.ts";
import type { Call, CallFacts, CallSink } from "./call.ts";
import type { Engine } from "./engine.ts";
import type { Running, Service } from "./service.ts";
import { WholeSink } from "./whole-sink.ts";

/** The service of one method. */
export class BlockNumberReads implements Service {
  readonly #engine: Engine;
  /** Asks a provider, or joins who has asked. */
  readonly #ask: Service;

  constructor(engine: Engine, ask: Service) {
    this.#engine = engine;
    this.#ask = ask;
  }

  serve(call: Call, info: MethodInfo, sink: CallSink): Running | undefined {
    const engine = this.#engine;
    const { chain, options, pins } = call;
    // Who names a provider wants to know of that one.
    if (options.provider !== undefined) return this.#ask.serve(call, info, sink);
    const pinned = pins?.numberOf("latest") ?? -1;
    if (pinned >= 0) {
      addNote(call, new PinNote(pinned));
      engine.answer(call, sink, quantityText(pinned));
      return undefined;
    }
    const { head } = chain;
    if (head !== undefined && !options.noCache && isFresh(head, engine.now())) {
      engine.answer(call, sink, quantityText(engine.pinning.served.latest(chain)));
      return undefined;
    }
    return this.#ask.serve(call, info, new HeightSink(engine, call, sink));
  }
}

const quantityText = (number: number): string => `"0x${number.toString(16)}"`;

/** Larger answers are no height. */
const MAX_ANSWER_BYTES = 1024;

/** Reads the height that a provider answered before the client does. */
class HeightSink extends WholeSink {
  readonly maxBytes: number;
  readonly #engine: Engine;
  readonly #call: Call;
  readonly #sink: CallSink;

  constructor(engine: Engine, call: Call, sink: CallSink) {
    super();
    this.#engine = engine;
    this.#call = call;
    this.#sink = sink;
    this.maxBytes = sink.maxBytes;
  }

  result(facts: CallFacts, body: Buffer, idStart: number, idEnd: number): void {
    const told = heightIn(body);
    if (told < 0) {
      this.#sink.result(facts, body, idStart, idEnd);
      return;
    }
    const { chain } = this.#call;
    if (facts.provider !== undefined) chain.heard?.(facts.provider, told);
    const served = this.#engine.pinning.served.judge(chain, told, this.#engine.now());
    if (served === told) this.#sink.result(facts, body, idStart, idEnd);
    else this.#sink.text(facts, 200, resultText(facts.idToken, quantityText(served)));
  }

  text(facts: CallFacts, status: number, latin1: string): void {
    this.#sink.text(facts, status, latin1);
  }
}

/** The height in a whole answer, or -1. */
function heightIn(body: Buffer): number {
  if (body.length > MAX_ANSWER_BYTES) return -1;
  const match = /"result"\s*:\s*"0x([0-9a-f]{1,13})"/i.exec(body.toString("latin1"));
  return match === null ? -1 : parseInt(match[1] as string, 16);
}
