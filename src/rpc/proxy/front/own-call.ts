/** A call of our own through the whole request path: candidates, failover, deadline, evidence. */
import { PLAIN_OPTIONS, type CallFacts, type CallOptions, type Quorum } from "../call.ts";
import { makeCall } from "../make-call.ts";
import type { Engine } from "../engine.ts";
import type { ChainView } from "../ports.ts";
import { WholeSink } from "../whole-sink.ts";

/** What an own call came to; `detail` of a failure is the error object as JSON text. */
export type OwnAnswer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly detail: string };

/** Whoever follows the chain wants what is there now, not what somebody was told before. */
const OWN_OPTIONS: CallOptions = { ...PLAIN_OPTIONS, noCache: true };

/**
 * Asks the chain; `report` is called once. With a `quorum` so many providers have to answer alike. The
 * returned function gives up without a report.
 */
export const callChain = (
  engine: Engine,
  chain: ChainView,
  method: string,
  params: readonly unknown[],
  report: (answer: OwnAnswer) => void,
  quorum?: Quorum,
): (() => void) => {
  const options = { ...OWN_OPTIONS, quorum };
  const call = { ...makeCall(chain, method, JSON.stringify(params)), options };
  const running = engine.submit(call, new OwnSink(report));
  return () => running?.cancel();
};

/** Takes a whole answer and reads it. */
export class OwnSink extends WholeSink {
  readonly maxBytes = Number.POSITIVE_INFINITY;
  readonly #report: (answer: OwnAnswer) => void;

  constructor(report: (answer: OwnAnswer) => void) {
    super();
    this.#report = report;
  }

  result(_facts: CallFacts, body: Buffer): void {
    this.#report(readAnswer(body.toString("utf8")));
  }

  text(_facts: CallFacts, _status: number, latin1: string): void {
    this.#report(readAnswer(Buffer.from(latin1, "latin1").toString("utf8")));
  }

  override abort(): void {
    this.#report({ ok: false, detail: "the answer was cut" });
  }
}

const readAnswer = (text: string): OwnAnswer => {
  try {
    const answer = JSON.parse(text) as { readonly result?: unknown; readonly error?: unknown };
    if (answer.error === undefined || answer.error === null)
      return { ok: true, result: answer.result };
    return { ok: false, detail: JSON.stringify(answer.error) };
  } catch {
    return { ok: false, detail: "the answer is not JSON" };
  }
};
