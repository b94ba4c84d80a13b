/** What the service answers, as JSON shows it. Stakes that a number cannot hold are decimal strings. */
import type { PairingList } from "../lists/list.ts";
import type {
  ConsumerPolicy,
  PairingResult,
  ProviderRecord,
  WhatIfReport,
  WhyNotReport,
} from "../protocol.ts";

/** A whole number as JSON carries it exactly. */
export type WireWhole = number | string;

/** A stake for JSON. */
export const wireWhole = (value: bigint): WireWhole => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
};

/** A provider for JSON. */
export const wireProvider = ({ address, stake, location, features }: ProviderRecord) => ({
  address,
  stake: wireWhole(stake),
  location,
  features,
});

/** A policy for JSON. */
export const wirePolicy = (policy: ConsumerPolicy) => ({
  ...policy,
  minStake: wireWhole(policy.minStake),
});

/** What each filter leaves. */
const wireSurvivors = (survivors: PairingResult["survivors"]) =>
  survivors?.map(({ filter, left, ...share }) => ({ filter, count: left, ...share }));

/** The answer to a pairing. */
export const wirePairing = (result: PairingResult) => {
  const { topProviders, filteredCount, rankedCount, survivors, ...rest } = result;
  const { blockedBy, scorerErrors, version, cache, processingTimeUs } = rest;
  return {
    providers: topProviders.map(({ stake, ...pick }) => ({ ...pick, stake: wireWhole(stake) })),
    filtered: filteredCount,
    ranked: rankedCount,
    survivors: wireSurvivors(survivors),
    blockedBy,
    scorerErrors,
    version,
    cache,
    processingTimeUs,
  };
};

/** What of an answer does not depend on the moment. */
export const lasting = (result: PairingResult) => {
  const { cache: _, processingTimeUs: __, ...rest } = wirePairing(result);
  return rest;
};

/** Two requests side by side. */
export const wireWhatIf = ({ before, after, shifts }: WhatIfReport) => ({
  before: lasting(before),
  after: lasting(after),
  shifts,
});

/** A consumer's list. */
export const wireList = (list: PairingList) => ({
  consumer: list.consumer,
  chain: list.chain,
  market: list.market,
  epoch: list.epoch,
  revision: list.revision,
  seed: list.seed,
  mode: list.mode,
  ids: list.ids,
  gone: list.ids.filter((id) => !list.members.has(id)),
  version: list.version,
  filtered: list.filteredCount,
  ranking: list.picks.map(({ stake, ...pick }) => ({ ...pick, stake: wireWhole(stake) })),
  blockedBy: list.blockedBy,
  onExhausted: list.onExhausted,
  madeAtMs: list.madeAtMs,
  validUntilMs: list.validUntilMs,
  validUntilBlock: list.validUntilBlock,
});

/** A result of the queue or of a batch: the six keys of the contract, its time in ms, its market, and why. */
export const wireResult = (result: PairingResult) => ({
  market: result.market,
  policy: result.policy === null ? null : wirePolicy(result.policy),
  filteredCount: result.filteredCount,
  rankedCount: result.rankedCount,
  topProviders: result.topProviders.map(({ stake, ...pick }) => ({
    ...pick,
    stake: wireWhole(stake),
  })),
  processingTime: result.processingTimeUs / 1_000,
  survivors: wireSurvivors(result.survivors),
  blockedBy: result.blockedBy,
  scorerErrors: result.scorerErrors,
  error: result.error,
});

/** Why a provider is, or is not, among the picks. */
export const wireWhy = (report: WhyNotReport) => {
  const { provider, inMarket, isPicked, refusals, ...rest } = report;
  return { address: provider, inMarket, isPicked, refusals, ...rest };
};
