import type { Flavor } from "../lib/brand.ts";

/** The configured name of a chain, e.g. `ethereum`. */
export type ChainName = Flavor<string, "ChainName">;
/** The configured id of a provider, unique within its chain. */
export type ProviderId = Flavor<string, "ProviderId">;
/** How an attempt travels to a provider. */
export type Transport = "http" | "ws";
