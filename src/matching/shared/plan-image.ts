/** Plans as another thread gets them: a demand's canonical text, and its profile by kinds of scorers. */
import type { CanonicalDemand } from "../canonical.ts";
import { demandHash } from "../canonical.ts";
import type { Plan } from "../compile.ts";
import { BUILT_IN, builtInName, type ScorerName } from "../scorers/built-in.ts";
import { Composite } from "../scorers/composite.ts";

/** A profile. */
export interface ProfileImage {
  readonly name: string;
  /** Tells it from the same one with other weights. */
  readonly version: number;
  readonly scorers: readonly {
    readonly name: string;
    readonly scorer: ScorerName;
    readonly weight: number;
  }[];
}

/** The profile of a plan; undefined with a scorer that only this thread knows. */
export function profileImageOf({ composite }: Plan): ProfileImage | undefined {
  const scorers = composite.scorers.flatMap(({ name, scorer, weight }) => {
    const builtIn = builtInName(scorer);
    return builtIn === undefined ? [] : [{ name, scorer: builtIn, weight }];
  });
  if (scorers.length < composite.scorers.length) return undefined;
  return { name: composite.name, version: composite.version, scorers };
}

/** Whether a plan means the same in another thread: no names of rows, no code from outside, no chance. */
export const isPortable = ({ demand, custom }: Plan): boolean =>
  custom.length === 0 &&
  demand.mode === "top" &&
  demand.sticky === undefined &&
  demand.ids === undefined &&
  demand.owners === undefined &&
  demand.exclude.length === 0 &&
  demand.signals.length === 0 &&
  demand.resources.length === 0;

/** The profile of an image. */
export function compositeOf({ name, scorers }: ProfileImage): Composite {
  const composite = new Composite(name, "");
  for (const one of scorers) composite.add(one.name, BUILT_IN[one.scorer], one.weight);
  return composite;
}

/** The plan of a canonical text, which is that of a portable plan. */
export function planOfText(text: string, composite: Composite): Plan {
  const demand = JSON.parse(text) as Omit<CanonicalDemand, "minStake"> & {
    readonly minStake: string;
  };
  return {
    demand: { ...demand, minStake: BigInt(demand.minStake) },
    text,
    hash: demandHash(text),
    composite,
    custom: [],
    binding: undefined,
  };
}
