/**
 * Pairing as a library, `paceline/pairing`: the founding system's interfaces over the matching kernel.
 * Whoever brings filters, scorers or a queue of their own finds here what these have to be.
 */
export { ConcurrentPairingSystem, type SystemPlace } from "./concurrent-system.ts";
export { PairingGenerator } from "../../pairing/generator.ts";
export {
  CompositeScoringSystem,
  defaultComposite,
  type PairingScore,
  type ScoringStrategy,
} from "../../pairing/origin/composite.ts";
export {
  FeatureFilter,
  type Filter,
  FilterChain,
  LocationFilter,
  StakeFilter,
} from "../../pairing/origin/filters.ts";
export {
  type After,
  PolicyQueue,
  type PolicyQueueLike,
} from "../../pairing/origin/policy-queue.ts";
export { DefaultPairingSystem, Processor } from "../../pairing/origin/processor.ts";
export {
  DefaultFeatureScorer,
  DefaultLocationScorer,
  DefaultStakeScorer,
  type FeatureScorer,
  LinearStakeScorer,
  type LocationScorer,
  type OriginScorer as Scorer,
  type StakeScorer,
  StrictLocationScorer,
} from "../../pairing/origin/scorers.ts";
export {
  generateRealisticWorkload,
  OriginStorage as ProviderStorage,
} from "../../pairing/origin/storage.ts";
export type {
  ConsumerPolicy,
  EnqueueReport,
  FilterStats,
  MarketStats,
  PairedProvider,
  PairingResult,
  PairingStats,
  ProviderRecord as Provider,
  QueueStats,
  ScoringStats,
  WorkerStats,
} from "../../pairing/protocol.ts";
