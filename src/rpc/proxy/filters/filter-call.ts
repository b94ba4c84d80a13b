/** A client's call to a filter, served by questions of our own to the chain. */
import { resultText, rawErrorText } from "../../json-rpc/error-text.ts";
import { methodInfo } from "../../json-rpc/methods.ts";
import type { Answer, Question } from "../../filters/poll.ts";
import type { Call } from "../call.ts";
import { Composite } from "../composite.ts";
import { OwnSink } from "../front/own-call.ts";
import { makeCall } from "../make-call.ts";
import type { Running } from "../service.ts";

/** Asks with the client's own options: who names a provider has its filters from that one. */
export class FilterCall extends Composite {
  readonly #asked: Running[] = [];
  /** Told when the client leaves before the answer. */
  onGone: () => void = () => undefined;

  /** Asks one question; logs take the way of all reads, so that a long range is split. */
  ask({ method, params, isAhead }: Question, answered: (answer: Answer) => void): void {
    const info = methodInfo(method);
    const question: Call = {
      ...makeCall(this.call.chain, method, JSON.stringify(params)),
      options: { ...this.call.options, meta: "none", asksAll: false },
      isPart: true,
    };
    const sink = new OwnSink(answered);
    if (info.class !== "logs" || isAhead === true) {
      this.part(question, {}, info, sink);
      return;
    }
    const options = { ...question.options, timeoutMs: Math.max(1, this.remainingMs) };
    const running = this.engine.services.reads.serve({ ...question, options }, info, sink);
    if (running !== undefined) this.#asked.push(running);
  }

  /** Answers with a result of ours. */
  succeed(result: unknown): void {
    this.answer({
      status: 200,
      latin1: resultText(this.idToken, JSON.stringify(result)),
      reason: undefined,
      provider: this.parts.at(-1)?.provider,
      isResult: true,
    });
  }

  /** Answers with the error of a question, an error object as JSON text. */
  failWith(detail: string): void {
    if (!detail.startsWith("{")) {
      this.fail("exhausted");
      return;
    }
    this.answer({
      status: 200,
      latin1: rawErrorText(this.idToken, detail),
      reason: "exhausted",
      provider: undefined,
      isResult: false,
    });
  }

  override cancel(): void {
    if (this.isDone) return;
    super.cancel();
    this.onGone();
  }

  override abandon(): void {
    super.abandon();
    for (const running of this.#asked) running.cancel();
  }
}
