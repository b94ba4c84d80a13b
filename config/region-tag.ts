/** When answers and metrics name their region. */
import { DEFAULTS } from "./default.ts";
import type { Config } from "./schema.ts";

/** The region's name, once somebody has given it one: of a program that stands alone nobody asks. */
export const regionTag = ({ region }: Pick<Config, "region">): string | undefined =>
  region === DEFAULTS.region ? undefined : region;
