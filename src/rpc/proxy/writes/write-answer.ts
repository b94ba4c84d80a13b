/** What a transaction's copies came to, and how each client is told. */
import type { OwnReason } from "../../errors/codes.ts";
import { OWN_ERRORS } from "../../errors/codes.ts";
import type { ProviderId } from "../../ids.ts";
import { errorText, rawErrorText, resultText } from "../../json-rpc/error-text.ts";
import type { ServedCall } from "../served-call.ts";
import { explanation, finalAnswer, type FinalAnswer } from "../outcome.ts";

/** The end of one transaction's copies; the same for everybody who sent these bytes. */
export type WriteAnswer =
  /** Taken, or known: `json` is the result. */
  | { readonly kind: "accepted"; readonly json: string; readonly provider: ProviderId | undefined }
  /** Refused; `raw` is the provider's error object. */
  | { readonly kind: "refused"; readonly raw: string; readonly provider: ProviderId }
  /** It got nowhere. */
  | { readonly kind: "not_taken"; readonly reason: OwnReason }
  /** Nobody can say. */
  | { readonly kind: "unknown" };

/** The answer for one client. */
export function toldOf(answer: WriteAnswer, record: ServedCall, hash: string): FinalAnswer {
  switch (answer.kind) {
    case "accepted":
      return {
        status: 200,
        latin1: resultText(record.idToken, answer.json),
        reason: undefined,
        provider: answer.provider,
        isResult: true,
      };
    case "refused":
      return {
        status: 200,
        latin1: rawErrorText(record.idToken, record.engine.redact(answer.raw)),
        reason: undefined,
        provider: answer.provider,
        isResult: false,
      };
    case "not_taken":
      return finalAnswer(record, answer.reason);
    default:
      return unknownFate(record, hash);
  }
}

function unknownFate(record: ServedCall, hash: string): FinalAnswer {
  const { code, status } = OWN_ERRORS.unknown_fate;
  return {
    status,
    latin1: errorText(
      record.idToken,
      code,
      `no provider confirmed the transaction ${hash}; it may still be mined`,
      { ...explanation(record, "unknown_fate"), transactionHash: hash },
    ),
    reason: "unknown_fate",
    provider: undefined,
    isResult: false,
  };
}
