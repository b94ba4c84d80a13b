/** The dead do nothing. */
import type { Invariant } from "./invariant.ts";

/** Operations of dead processes are counted and told, and none has an effect. */
export const zombies: Invariant = {
  name: "zombies",
  claim:
    "operations of dead processes are counted, each is told, and nothing happens in their name",
  judge: ({ zombies: { counted, told }, afterlife }) => [
    ...(counted === told ? [] : [`${counted} zombie operations were counted, ${told} told`]),
    ...afterlife,
  ],
};
