/** What a check of an answer is given: the caller's params, the answer's result, and the chain. */
import type { ProviderId } from "../ids.ts";
import type { BlockRing } from "./block-ring.ts";

/** A call and the result that one provider gave to it. */
export interface Answered {
  /** The client's body and the range of its params. */
  readonly body: Buffer;
  readonly paramsStart: number;
  readonly paramsEnd: number;
  /** The provider's body and the range of its result. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly provider: ProviderId;
  readonly ring: BlockRing | undefined;
  readonly blockTimeMs: number;
}

/** What is wrong with an answer, in words for an event; `undefined` when nothing is. */
export type Fault = string | undefined;

/** One method's check. */
export type AnswerCheck = (answered: Answered) => Fault;
