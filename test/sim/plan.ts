/** What one seed stands for: the world that is built and everything that will be done to it. */
import type { FaultProfile } from "../../src/rpc/fake/faults.ts";
import type { FaultName } from "./faults/kind.ts";

/** A provider of a chain. */
export interface ProviderPlan {
  readonly id: string;
  /** How it behaves all the time. */
  readonly profile: FaultProfile;
  /** No fault of the table touches it. */
  readonly isSpared: boolean;
}

/** A chain. */
export interface ChainPlan {
  readonly name: string;
  readonly chainId: number;
  /** Heights per reorganisation; 0: none. */
  readonly reorgEpoch: number;
  /** One reorganisation of so many blocks, when the chain is so many blocks older than the world. */
  readonly deepReorg?: { readonly depth: number; readonly block: number };
  readonly providers: readonly ProviderPlan[];
  /** Nonces are read with two of three providers agreeing. */
  readonly hasQuorum?: boolean;
  /** False: nobody looks ahead. */
  readonly hasPrediction?: boolean;
}

/** One fault at one time; its target is drawn from `dice` when it strikes. */
export interface Stroke {
  /** After the start of the storm, ms. */
  readonly atMs: number;
  readonly kind: FaultName;
  /** How long it lasts, ms; 0 for what happens in an instant. */
  readonly forMs: number;
  readonly dice: number;
}

/** What clients do. */
export interface LoadPlan {
  /** Time between two requests of one chain, ms. */
  readonly everyMs: number;
  /** Share of requests that are batches, 0..1. */
  readonly batchShare: number;
  /** Share of requests whose client leaves before the answer, 0..1. */
  readonly leaveShare: number;
  /** Subscribers per chain. */
  readonly subscribers: number;
}

/** The whole run. */
export interface Plan {
  readonly seed: number;
  readonly chains: readonly ChainPlan[];
  readonly load: LoadPlan;
  readonly strokes: readonly Stroke[];
  /** Quiet start, then the storm, then healing: nothing goes wrong any more, ms. */
  readonly warmUpMs: number;
  readonly stormMs: number;
  readonly healMs: number;
  /** Healing goes on up to this time while an endpoint is not usable yet, ms. */
  readonly maxHealMs: number;
}
