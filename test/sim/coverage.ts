/** Which kinds of faults struck, and which had an effect. */
import type { FaultName } from "./faults/kind.ts";
import { FAULTS } from "./faults/table.ts";

/** One kind over many runs. */
export interface Covered {
  readonly name: FaultName;
  readonly struck: number;
  /** Sum of its signs. */
  readonly effects: number;
}

/** Every kind of the table, by the counters of some runs. */
export const coverageOf = (tally: ReadonlyMap<string, number>): readonly Covered[] =>
  FAULTS.map(({ name, signs }) => ({
    name,
    struck: tally.get(`struck.${name}`) ?? 0,
    effects: signs.reduce((sum, sign) => sum + (tally.get(sign) ?? 0), 0),
  }));

/** The same as text. */
export const coverageTable = (tally: ReadonlyMap<string, number>): string =>
  [
    `${"fault".padEnd(18)}${"struck".padStart(9)}${"effects".padStart(10)}`,
    ...coverageOf(tally).map(
      ({ name, struck, effects }) =>
        `${name.padEnd(18)}${String(struck).padStart(9)}${String(effects).padStart(10)}`,
    ),
  ].join("\n");
