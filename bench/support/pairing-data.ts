/** Providers and policies of benches, as the kernel takes them. */
import type { Demand } from "../../src/matching/demand.ts";
import type { Provider } from "../../src/matching/provider.ts";
import { PairingGenerator } from "../../src/pairing/generator.ts";
import { demandOf } from "../../src/pairing/policy.ts";

/** So many providers: 40 % spread, 30 % of high stake, 20 % of many features, 10 % at random. */
export const pairingProviders = (count: number, seed: number): Provider[] =>
  new PairingGenerator(seed)
    .workloadProviders(count)
    .map(({ address, ...rest }) => ({ id: address, ...rest }));

/** So many policies: 30 % strict, 40 % relaxed, 30 % at random. */
export const pairingPolicies = (count: number, seed: number): Demand[] =>
  new PairingGenerator(seed)
    .workloadPolicies(count)
    .map((policy) => demandOf({ policy }, { profile: "pairing", top: 5 }));
