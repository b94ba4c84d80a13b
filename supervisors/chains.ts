/** The chains: one subtree per configured chain, added and removed by the chain registry. */
import { supervisor, type SupervisorSpec } from "../src/otp/index.ts";

/** Name of the supervisor of all chains. */
export const chainsName = "chains";

/**
 * one_for_one: chains share nothing. The budget is wide, because it is shared by all of them: one
 * chain that cannot stay up must not take the others down soon.
 */
export const chains = (): SupervisorSpec =>
  supervisor(chainsName, { strategy: "one_for_one", intensity: 20, period: 10, children: [] });
