/** The answer to a batch that is not run at all: one without calls, or with too many. */
import { OWN_ERRORS } from "../../errors/codes.ts";
import { errorText } from "../../json-rpc/error-text.ts";
import { idToken } from "../../json-rpc/request-bytes.ts";
import type { Envelope } from "../../json-rpc/scan.ts";

/**
 * The answer as latin1 text; `undefined` when the batch can be run. Too many calls get one error, in
 * an array, with the id of the first call that has one (geth does the same).
 */
export function batchFault(
  envelopes: readonly Envelope[],
  limit: number,
  body: Buffer,
  requestId: string,
): string | undefined {
  const [first] = envelopes;
  if (first === undefined) {
    const data = { reason: "empty_batch", request_id: requestId };
    return errorText("null", OWN_ERRORS.empty_batch.code, "empty batch", data);
  }
  if (envelopes.length <= limit) return undefined;
  const { code } = OWN_ERRORS.batch_too_large;
  const named = envelopes.find(({ hasId }) => hasId) ?? first;
  const data = { reason: "batch_too_large", request_id: requestId, limit };
  const message = `a batch holds at most ${limit} calls`;
  return `[${errorText(idToken(body, named), code, message, data)}]`;
}
