/** What was kept is given again only while it holds. */
import { wrong, type Invariant } from "./invariant.ts";

/** No answer of a replaced block, none of an older tip. */
export const keptAnswers: Invariant = {
  name: "kept-answers",
  claim: "an answer that was kept is of the block the chain names, or of the tip that is served",
  judge: ({ requests }) =>
    wrong(requests, ({ n, chain, keptFault }) =>
      keptFault === undefined ? undefined : `request ${n} of ${chain}: ${keptFault}`,
    ),
};
