/**
 * One answer as it is kept: the provider's bytes without the id, so that each client's own can be put
 * in its place and the rest is byte for byte what the provider sent.
 */
import { ANSWER_HEAD } from "../json-rpc/error-text.ts";
import type { Finality } from "./finality.ts";

/** An answer with a gap where the id goes: as text when it is small, as bytes when it is large. */
export interface KeptAnswer {
  readonly before: string;
  /** latin1: one char per byte. */
  readonly after: string;
  /** Both in one, with the gap at `before.length`; only of large answers, whose `after` is empty. */
  readonly body: Buffer | undefined;
  /** A revert; everything else is a result. */
  readonly isError: boolean;
  readonly finality: Finality;
  /** The block it belongs to, -1 when it belongs to none. */
  readonly number: number;
  /** Hash of that block while it may be replaced. */
  readonly hash: string | undefined;
}

/** What an answer is made of before its worth is known. */
export type AnswerBytes = Pick<KeptAnswer, "before" | "after" | "body" | "isError">;

/** Larger answers are kept outside of the JavaScript heap, bytes. */
const TEXT_BYTES = 4_096;

/** Takes a copy of an answer, whose id stands at `idStart..idEnd`. */
export function keptResult(body: Buffer, idStart: number, idEnd: number): AnswerBytes {
  const sizeBytes = body.length - (idEnd - idStart);
  if (sizeBytes < TEXT_BYTES) {
    const after = body.toString("latin1", idEnd);
    return { before: headOf(body, idStart), after, body: undefined, isError: false };
  }
  const copy = Buffer.allocUnsafeSlow(sizeBytes);
  body.copy(copy, 0, 0, idStart);
  body.copy(copy, idStart, idEnd);
  return { before: headOf(body, idStart), after: "", body: copy, isError: false };
}

function headOf(body: Buffer, idStart: number): string {
  const head = body.toString("latin1", 0, idStart);
  // One text for all of them.
  return head === ANSWER_HEAD ? ANSWER_HEAD : head;
}

/** The answer as one run of bytes, with the gap at `before.length`. */
export function answerBytes({ before, after, body }: AnswerBytes): Buffer {
  return body ?? Buffer.from(before + after, "latin1");
}

/** The answer that `answerBytes` made `bytes` of, with its own copy of them. */
export function fromBytes(bytes: Buffer, idAt: number, isError: boolean): AnswerBytes {
  return { ...keptResult(bytes, idAt, idAt), isError };
}

/** An error object, as latin1 JSON. */
export function keptError(latin1: string): AnswerBytes {
  return { before: ANSWER_HEAD, after: `,"error":${latin1}}`, body: undefined, isError: true };
}

/** Bytes of an answer. */
export function answerSize({ before, after, body }: AnswerBytes): number {
  return body === undefined ? before.length + after.length : body.length;
}

/** Bytes that the parts of an answer take besides: string headers, or a buffer with its store. */
export function memoryOf(answer: AnswerBytes): number {
  const { before, body } = answer;
  return (
    answerSize(answer) +
    (body === undefined ? 0 : BUFFER_BYTES) -
    (before === ANSWER_HEAD ? before.length : 0)
  );
}

/** A Buffer, its ArrayBuffer and the block that holds the bytes. */
const BUFFER_BYTES = 240;
