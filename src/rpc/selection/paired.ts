/**
 * A consumer's list of providers, as selection sees it: a prepared restriction that is made when the
 * list changes, and by which rankings and attempts are told apart.
 */
import type { EndpointView } from "./snapshot.ts";

/** The list of one consumer on one chain. It is immutable: a change is another list. */
export interface PairedList {
  readonly consumer: string;
  readonly epoch: number;
  readonly revision: number;
  readonly seed: string;
  readonly mode: string;
  /** Ids or vendors of providers, best first when the list was drawn. */
  readonly ids: readonly string[];
  /** Those that are still on it. */
  readonly members: ReadonlySet<string>;
  /** What happens when none of them can serve. */
  readonly onExhausted: "error" | "market";
  /** Equal for lists of the same members and the same end. */
  readonly key: string;
}

/** Whether a provider is on a list, by its own name or its vendor's. */
export const isPaired = ({ members }: PairedList, { provider, vendor }: EndpointView): boolean =>
  members.has(provider) || (vendor !== undefined && members.has(vendor));
