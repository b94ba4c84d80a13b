/** After healing every endpoint serves again. */
import { wrong, type Invariant } from "./invariant.ts";

/** No breaker stays open, no endpoint quarantined or suspected, once its provider is well. */
export const breakers: Invariant = {
  name: "breakers",
  claim: "after healing every breaker is closed and every endpoint may be used",
  judge: ({ rows }) =>
    wrong(rows, ({ name, state, isUsable, unusableReason, isSuspect }) => {
      if (state !== "closed") return `the breaker of ${name} is ${state}`;
      if (!isUsable) return `${name} is not usable: ${unusableReason}`;
      return isSuspect ? `${name} is still suspect` : undefined;
    }),
};
