/** The configuration that runs, as the host keeps it outside the tree. */
import type { LoadedConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";

/** Written by the configuration store alone. */
export interface Running {
  /** What runs, with its origins. */
  loaded: LoadedConfig;
  /** What was read last; becomes `loaded` once it is applied. */
  read: LoadedConfig;
  config: Config;
}
