/**
 * What a selection strategy is: a profile of the matching kernel and what decides beside its score; one
 * module, plus a line in the registry.
 */
import type { StrategyName } from "../../../../config/schema.ts";
import type { BY_SCORE } from "../../../matching/demand.ts";
import type { Scorer } from "../../../matching/scorers/scorer.ts";
import type { Entry } from "../entry.ts";
import type { ColumnName } from "../market/columns.ts";
import type {
  Candidate,
  RoutingSnapshot,
  SelectionDemand,
  SelectionMemory,
  SelectionRules,
} from "../snapshot.ts";

/** One scorer of a profile. */
export interface ProfilePart {
  /** The component's name in explanations. */
  readonly name: string;
  readonly scorer: Scorer;
  /** What it counts by the chain's rules. */
  readonly weight: (rules: SelectionRules) => number;
  /** What was measured or configured, in its own unit. */
  readonly raw: (entry: Entry, snapshot: RoutingSnapshot) => number | string | undefined;
}

/** A pure rule that orders endpoints. */
export interface Strategy {
  readonly name: StrategyName;
  readonly description: string;
  /**
   * True: endpoints without enough evidence stand behind the qualified ones. False: the operator's
   * own order (priority, price, turn) holds whatever is known.
   */
  readonly usesEvidence: boolean;
  /** True: a primary is kept until a challenger is clearly better. */
  readonly isSticky: boolean;
  readonly profile: readonly ProfilePart[];
  /** What decides within a place, one after the other; then the id. */
  readonly orderBy: readonly (ColumnName | typeof BY_SCORE)[];
  /** Why the strategy cannot be followed for these entries, for an event. */
  fallback?(entries: readonly Entry[]): string | undefined;
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
