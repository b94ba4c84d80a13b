/** Transactions are sent safely. */
import { wrong, type Invariant, type WriteAnswer } from "./invariant.ts";

/** No provider gets one twice, and what a provider took is never called failed. */
export const writes: Invariant = {
  name: "writes",
  claim:
    "no provider gets a transaction twice; one that somebody took is reported sent or of unknown " +
    "fate, never failed, and one that nobody took is never reported sent",
  judge: ({ writes: all }) =>
    wrong(all, ({ raw, copies, takenAtMs = Infinity, answers }) => {
      const what = `transaction ${raw.slice(0, 12)}`;
      for (const [provider, count] of Object.entries(copies)) {
        // Once each time it was judged anew; see `sendings`.
        if (count > sendings(answers)) return `${what} went to ${provider} ${count} times`;
      }
      for (const { isOk, detail = "", answeredAtMs = Infinity } of answers) {
        const isTaken = takenAtMs <= answeredAtMs;
        if (isOk && !isTaken) return `${what} was reported sent, but nobody has it`;
        if (!isOk && isTaken && !detail.includes('"unknown_fate"')) {
          return `${what} was reported failed, but somebody has it: ${detail}`;
        }
      }
      return undefined;
    }),
};

/** A transaction that got nowhere may be sent again by its client; any other joins the first. */
const sendings = (answers: readonly WriteAnswer[]): number =>
  1 + answers.filter(({ isOk, detail = "" }) => !isOk && !detail.includes('"unknown_fate"')).length;
