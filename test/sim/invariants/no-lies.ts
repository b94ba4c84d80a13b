/** What a quorum can find out does not reach a client. */
import { wrong, type Invariant } from "./invariant.ts";

/** Two of three honest providers are enough; where there are fewer, the answer is an error. */
export const noLies: Invariant = {
  name: "no-lies",
  claim: "no client of a read under a quorum is told what only one provider says",
  judge: ({ requests }) =>
    wrong(requests, ({ n, chain, isLie }) =>
      isLie ? `request ${n} on ${chain} was answered with a lie` : undefined,
    ),
};
