/** The answer to a batch that is not run at all: one without calls, with too many, or at a bad time. */
import { OWN_ERRORS, type OwnReason } from "../../errors/codes.ts";
import { errorText } from "../../json-rpc/error-text.ts";
import { idToken } from "../../json-rpc/request-bytes.ts";
import type { Envelope } from "../../json-rpc/scan.ts";
import type { Engine } from "../engine.ts";

/**
 * The answer as latin1 text; `undefined` when the batch can be run. Too many calls get one error, in
 * an array, with the id of the first call that has one (geth does the same).
 */
export function batchFault(
  { limits: { maxBatchItems: limit }, memory }: Pick<Engine, "limits" | "memory">,
  envelopes: readonly Envelope[],
  body: Buffer,
  requestId: string,
): string | undefined {
  const [first] = envelopes;
  if (first === undefined) {
    const data = { reason: "empty_batch", request_id: requestId };
    return errorText("null", OWN_ERRORS.empty_batch.code, "empty batch", data);
  }
  const named = envelopes.find(({ hasId }) => hasId) ?? first;
  const refused = (reason: OwnReason, message: string, more: object): string => {
    const data = { reason, request_id: requestId, ...more };
    return `[${errorText(idToken(body, named), OWN_ERRORS[reason].code, message, data)}]`;
  };
  if (envelopes.length > limit) {
    return refused("batch_too_large", `a batch holds at most ${limit} calls`, { limit });
  }
  if (!memory.gaveUp("batches")) return undefined;
  return refused("overloaded", "memory is scarce: no batches for now", {});
}
