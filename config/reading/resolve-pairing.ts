/** From the checked document to the pairing service. */
import { DEFAULTS, MARKET_DEFAULTS } from "../default.ts";
import type { ConfigDocument } from "../keys/document.ts";
import type { ListsConfig, PairingConfig } from "../schema.ts";

const defaults = DEFAULTS.pairing;

/** The pairing service; `ms` reads a duration that the schema has seen. */
export function resolvePairing(
  document: ConfigDocument["pairing"],
  ms: (text: string | number) => number,
): PairingConfig {
  const { queue, results, cache, errors, batch, audit } = document ?? {};
  return {
    markets: Object.entries(document?.markets ?? {}).map(([name, market]) => ({
      name,
      profile: market.profile ?? MARKET_DEFAULTS.profile,
      top: market.top ?? MARKET_DEFAULTS.top,
      maxProviders: market.max_providers ?? MARKET_DEFAULTS.max_providers,
    })),
    onDemand: {
      most: document?.on_demand ?? defaults.on_demand,
      settings: {
        profile: MARKET_DEFAULTS.profile,
        top: MARKET_DEFAULTS.top,
        maxProviders: MARKET_DEFAULTS.max_providers,
      },
    },
    audit: { oneIn: audit?.one_in ?? defaults.audit.one_in },
    workers: document?.workers ?? defaults.workers,
    queue: {
      capacity: queue?.capacity ?? defaults.queue.capacity,
      drainTimeoutMs: ms(queue?.drain_timeout ?? defaults.queue.drain_timeout),
    },
    results: { capacity: results?.capacity ?? defaults.results.capacity },
    cache: {
      enabled: cache?.enabled ?? defaults.cache.enabled,
      capacity: cache?.capacity ?? defaults.cache.capacity,
      ttlMs: ms(cache?.ttl ?? defaults.cache.ttl),
      isShared: cache?.shared ?? defaults.cache.shared,
      sharedFromMs: ms(cache?.shared_from ?? defaults.cache.shared_from),
    },
    errors: {
      threshold: errors?.threshold ?? defaults.errors.threshold,
      windowMs: ms(errors?.window ?? defaults.errors.window),
      restart: errors?.restart ?? defaults.errors.restart,
    },
    batch: {
      maxPolicies: batch?.max_policies ?? defaults.batch.max_policies,
      threads: batch?.threads ?? defaults.batch.threads,
      threadsFrom: batch?.threads_from ?? defaults.batch.threads_from,
    },
    lists: listsOf(document, ms),
  };
}

function listsOf(
  document: ConfigDocument["pairing"],
  ms: (text: string | number) => number,
): ListsConfig {
  const { chains, blocks, ...given } = document?.lists ?? {};
  const { lists } = defaults;
  return {
    chains: Object.entries(chains ?? {}).map(([chain, market]) => ({ chain, market })),
    epochMs: ms(document?.epoch ?? defaults.epoch),
    blocks:
      blocks?.chain === undefined || blocks.every === undefined
        ? undefined
        : { chain: blocks.chain, every: blocks.every },
    mode: given.mode ?? lists.mode,
    consumer: given.consumer ?? lists.consumer,
    onExhausted: given.on_exhausted ?? lists.on_exhausted,
    unlisted: given.unlisted ?? lists.unlisted,
    minLive: given.min_live ?? lists.min_live,
    maxConsumers: given.max_consumers ?? lists.max_consumers,
  };
}
