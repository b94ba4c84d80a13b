/** What a client is told when too few providers agree. */
import { OWN_ERRORS } from "../../errors/codes.ts";
import type { QuorumTerms } from "../../integrity/quorum-rules.ts";
import type { QuorumTally } from "../../integrity/quorum-tally.ts";
import { errorText } from "../../json-rpc/error-text.ts";
import type { Composite } from "../composite.ts";
import type { FinalAnswer } from "../outcome.ts";
import { alike } from "./quorum-note.ts";

/** The error, with who answered alike and how each attempt went; `candidates` could have been asked. */
export function noAgreement(
  whole: Composite,
  { agree, of }: QuorumTerms,
  tally: QuorumTally,
  candidates: number,
): FinalAnswer {
  const { code, status } = OWN_ERRORS.quorum_failed;
  const asked = whole.parts.length;
  const found = asked === 0 ? `only ${candidates} can be asked` : `${asked} were asked`;
  const what = `${whole.method} on ${whole.chain}`;
  const message = `${agree} of ${of} providers must agree on ${what}: ${found}`;
  const data = {
    reason: "quorum_failed",
    request_id: whole.requestId,
    groups: alike(tally),
    attempts: whole.attempts.map(({ provider, errorClass, durationMs }) => ({
      provider,
      class: errorClass,
      ms: Math.round(durationMs),
    })),
  };
  return {
    status,
    latin1: errorText(whole.idToken, code, message, data),
    reason: "quorum_failed",
    provider: undefined,
    isResult: false,
  };
}
