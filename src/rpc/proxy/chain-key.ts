/** Names a chain for what may outlive its record. */
import type { ChainView } from "./ports.ts";

/** A reload may give a chain's name to another one, and hosts that share may do so from the start. */
export function chainKey({ chainId, name }: Pick<ChainView, "chainId" | "name">): string {
  return `${chainId} ${name}`;
}
