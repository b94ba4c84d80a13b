/** Transactions are sent safely. */
import type { DeliveryFact } from "../world/deliveries.ts";
import { wrong, type Invariant, type WriteRecord } from "./invariant.ts";

/** No provider gets one twice, and what a provider took is never called failed. */
export const writes: Invariant = {
  name: "writes",
  claim:
    "no provider gets a transaction twice; one that somebody took is reported sent or of unknown " +
    "fate, never failed, and one that nobody took is never reported sent",
  judge: ({ writes: all }) =>
    wrong(all, (write) => {
      const fault = faultOfSendings(write.facts) ?? faultOfAnswers(write);
      return fault === undefined ? undefined : `transaction ${write.raw.slice(0, 12)} ${fault}`;
    }),
};

/**
 * In the order of events: only what came to nothing may be sent anew. Clients do not tell where one
 * sending ends and the next begins: those that have left hear of no end.
 */
const faultOfSendings = (facts: readonly DeliveryFact[]): string | undefined => {
  let isTaken = false;
  const got = new Set<string>();
  for (const fact of facts) {
    if (fact.kind === "copy") {
      isTaken ||= fact.isTaken;
      if (got.has(fact.provider)) return `went to ${fact.provider} twice`;
      got.add(fact.provider);
    } else if (fact.result === "accepted") {
      if (!isTaken) return "came to be accepted, but nobody has it";
    } else if (fact.result !== "unknown") {
      if (isTaken) return `came to be ${fact.result}, but somebody has it`;
      got.clear();
    }
  }
  return undefined;
};

const faultOfAnswers = ({ facts, answers }: WriteRecord): string | undefined => {
  const took = facts.find((fact) => fact.kind === "copy" && fact.isTaken);
  const takenAtMs = took?.atMs ?? Infinity;
  for (const { isOk, detail = "", answeredAtMs = Infinity } of answers) {
    const isTaken = takenAtMs <= answeredAtMs;
    if (isOk && !isTaken) return "was reported sent, but nobody has it";
    if (!isOk && isTaken && !detail.includes('"unknown_fate"')) {
      return `was reported failed, but somebody has it: ${detail}`;
    }
  }
  return undefined;
};
