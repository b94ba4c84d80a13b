/** What a row of the table of faults is made of. */
import type { SimWorld } from "../world/world.ts";

/** Every kind of fault. */
export type FaultName =
  | "refuse"
  | "reset"
  | "hang"
  | "slow"
  | "drip"
  | "garbage"
  | "truncate"
  | "status-500"
  | "rpc-error"
  | "lie"
  | "rate-limit"
  | "wrong-chain"
  | "stale-head"
  | "reorg"
  | "deep-reorg"
  | "invented-heads"
  | "ws-cut"
  | "mute"
  | "duplicate-events"
  | "partition"
  | "kill"
  | "kill-supervisor"
  | "kill-keeper"
  | "crash"
  | "crash-loop"
  | "suspend"
  | "slow-consumer"
  | "clock-jump"
  | "reload"
  | "flood"
  | "load-spike"
  | "chain-added"
  | "chain-removed"
  | "breaker-forced";

/** Ends a fault that lasts. */
export type Heal = () => void;

/** One kind of fault. */
export interface FaultKind {
  readonly name: FaultName;
  /** What it does. */
  readonly what: string;
  /** Where it is injected. */
  readonly where:
    | "endpoint"
    | "network"
    | "chain"
    | "process"
    | "client"
    | "clock"
    | "configuration";
  /** Shortest and longest duration, ms; undefined for what happens in an instant. */
  readonly forMs: readonly [number, number] | undefined;
  /** Shortest and longest time between two strokes of a run that has this kind, ms. */
  readonly everyMs: readonly [number, number];
  /** Drawn from a stream of its own: a kind that was added later leaves the plans of old seeds alone. */
  readonly hasOwnDice?: boolean;
  /** Counters of which any one above 0 shows that the fault had an effect. */
  readonly signs: readonly string[];
  /** Strikes; undefined when there is nothing to heal. */
  readonly strike: (world: SimWorld, chance: () => number) => Heal | undefined;
}

/** One of a list, by chance; undefined when there is none. */
export const oneOf = <T>(list: readonly T[], chance: () => number): T | undefined =>
  list[Math.floor(chance() * list.length)];

/** A number in a range, by chance. */
export const between = ([least, most]: readonly [number, number], chance: () => number): number =>
  Math.round(least + (most - least) * chance());
