/** The table of faults: everything that the simulation does to the product. */
import { endpointFaults } from "./endpoint.ts";
import type { FaultKind, FaultName } from "./kind.ts";
import { surroundingFaults } from "./surroundings.ts";
import { treeFaults } from "./tree.ts";

/** All kinds, by area. */
export const FAULTS: readonly FaultKind[] = [
  ...endpointFaults,
  ...treeFaults,
  ...surroundingFaults,
];

const byName = new Map(FAULTS.map((kind) => [kind.name, kind]));

/** The row of a kind. */
export const faultKind = (name: FaultName): FaultKind => byName.get(name) as FaultKind;
