/** What a selection strategy is: one module that orders, plus a line in the registry. */
import type { StrategyName } from "../../../../config/schema.ts";
import type { ScorePart } from "../components.ts";
import type { Entry } from "../entry.ts";
import type { Candidate, RoutingSnapshot, SelectionDemand, SelectionMemory } from "../snapshot.ts";

/** An entry with its score; higher is better, and sticky primaries are compared by it. */
export interface Scored {
  readonly entry: Entry;
  readonly score: number;
}

/** The order a strategy gives, best first. */
export interface Ordered {
  readonly scored: readonly Scored[];
  /** Why the strategy could not be followed, for an event. */
  readonly fallback?: string | undefined;
}

/** A pure rule that orders endpoints. */
export interface Strategy {
  readonly name: StrategyName;
  /**
   * True: endpoints without enough evidence stand behind the qualified ones. False: the operator's
   * own order (priority, price, turn) holds whatever is known.
   */
  readonly usesEvidence: boolean;
  /** True: a primary is kept until a challenger is clearly better. */
  readonly isSticky: boolean;
  order(entries: readonly Entry[], snapshot: RoutingSnapshot, demand: SelectionDemand): Ordered;
  /** The scores of `order` taken apart, in the order of the entries; made when somebody asks why. */
  parts(entries: readonly Entry[], snapshot: RoutingSnapshot): readonly (readonly ScorePart[])[];
  /**
   * Re-orders the leading group of equally trusted candidates for one request; absent where the
   * order is the same for all requests.
   */
  vary?(
    leading: readonly Candidate[],
    demand: SelectionDemand,
    memory: SelectionMemory,
  ): readonly Candidate[];
}
