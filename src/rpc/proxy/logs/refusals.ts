/** What the failed attempts at a part say of how it should be asked for instead. */
import { readRefusal, suggestedRange } from "../../capabilities/refusal.ts";
import type { PartRefusal } from "../../logs/plan.ts";
import type { Attempt } from "../attempt/attempt.ts";

/** A refusal with the provider who gave it. */
export interface Refused extends PartRefusal {
  readonly attempt: Attempt;
}

/** The last attempt's refusal, when it was the size of the question or of the answer. */
export function refusalOf(attempts: readonly Attempt[]): Refused | undefined {
  const attempt = attempts.at(-1);
  if (attempt === undefined) return undefined;
  const { error, errorClass, method } = attempt;
  if (errorClass === "timeout") {
    // Nobody found the logs in time: fewer blocks may take less.
    const isSlow = attempts.every((one) => one.errorClass === "timeout");
    return isSlow ? { attempt, of: "answer", blocks: undefined } : undefined;
  }
  if (error === undefined) return undefined;
  if (errorClass !== "capability") {
    return OUT_OF_TIME.test(error.message)
      ? { attempt, of: "answer", blocks: undefined }
      : undefined;
  }
  const { code, message, data } = error;
  const refusal = readRefusal({ method, code, message, data });
  const blocks = suggestedRange({ message, data })?.blocks;
  switch (refusal?.kind) {
    case "range":
      return { attempt, of: "range", blocks };
    case "results":
      return { attempt, of: "answer", blocks };
    case "addresses":
      return { attempt, of: "addresses", blocks: undefined };
    default:
      return undefined;
  }
}

/** A node's own limit on the time of a query: Infura, Erigon, Nethermind, geth. */
const OUT_OF_TIME =
  /query (?:timeout|duration)|timeout exceeded|timed? ?out|deadline exceeded|took too long/i;
