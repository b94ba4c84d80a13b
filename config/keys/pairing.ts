/** Keys of the pairing service. */
import { z } from "zod";
import { DEFAULTS, MARKET_DEFAULTS } from "../default.ts";
import * as field from "./fields.ts";

const defaults = DEFAULTS.pairing;
/** Names go into URLs. */
const MARKET_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/i;
/** Each of them has series of metrics of its own. */
const MOST_MARKETS = 16;
const MOST_ON_DEMAND = 16;
const MOST_LIST_CHAINS = 64;

const market = z
  .strictObject({
    profile: field.text(
      "Profile that scores when a request does not say.",
      field.host(MARKET_DEFAULTS.profile),
    ),
    top: field.whole(
      "Providers of a result when a request does not say.",
      { min: 1, max: 64 },
      field.host(MARKET_DEFAULTS.top),
    ),
    max_providers: field.whole(
      "Providers that it may hold.",
      { min: 1, max: 1_048_576 },
      field.host(MARKET_DEFAULTS.max_providers),
    ),
  })
  .meta({ description: "One market.", "x-expects": "a map of keys" });

const lists = field.group(
  "Lists of providers that consumers with a policy are served by (docs/pairing.md); off without `chains`.",
  {
    chains: field.describe(
      z
        .record(z.string().min(1), z.string().regex(MARKET_NAME))
        .refine((chains) => Object.keys(chains).length <= MOST_LIST_CHAINS),
      "The market of each chain: its addresses are ids or vendors of the chain's providers.",
      `a map of at most ${MOST_LIST_CHAINS} names of markets by chain`,
      { reload: "host" },
    ),
    blocks: field.group("Epochs by the blocks of a chain; both keys or none.", {
      chain: field.text("The chain whose blocks count.", { reload: "host" }),
      every: field.whole("Blocks of an epoch.", { min: 1, max: 1_000_000_000 }, { reload: "host" }),
    }),
    mode: field.oneOf(
      ["top", "weighted"],
      "How a list is drawn when a policy does not say: the best, or by weight, another one each epoch.",
      field.host(defaults.lists.mode),
    ),
    consumer: field.oneOf(
      ["key", "header"],
      "What names the consumer of a call: its API key's id, or `X-Paceline-Consumer`, which anybody may write.",
      field.host(defaults.lists.consumer),
    ),
    on_exhausted: field.oneOf(
      ["error", "market"],
      "When nobody of a list can serve: an error, or all providers of the chain.",
      field.host(defaults.lists.on_exhausted),
    ),
    unlisted: field.oneOf(
      ["market", "error"],
      "Callers without a list are served by all providers of the chain, or refused.",
      field.host(defaults.lists.unlisted),
    ),
    min_live: field.whole(
      "A list with fewer providers left in the market is drawn anew at once.",
      { min: 1, max: 64 },
      field.host(defaults.lists.min_live),
    ),
    max_consumers: field.whole(
      "Consumers that may have policies.",
      { min: 1, max: 1_000_000 },
      field.host(defaults.lists.max_consumers),
    ),
  },
);

/** The keys below `pairing`. */
export const pairingGroup = field.group(
  "Pairing of consumers with providers (docs/pairing.md); off without `markets` and `on_demand`.",
  {
    markets: field.describe(
      z
        .record(z.string().regex(MARKET_NAME), market)
        .refine((markets) => Object.keys(markets).length <= MOST_MARKETS),
      "The markets by name; their providers come over the REST interface or from storage.",
      `a map of at most ${MOST_MARKETS} markets by name (letters, digits, dots, dashes, at most 63)`,
      { reload: "host" },
    ),
    on_demand: field.whole(
      "Markets that are made besides, when providers are put into a name that is not configured.",
      { min: 0, max: MOST_ON_DEMAND },
      field.host(defaults.on_demand),
    ),
    audit: field.group("The audit trail of pairings, kept for `storage.retention`.", {
      one_in: field.whole(
        "One pairing in so many is kept, besides every one asked for with explain; 0 keeps only these.",
        { min: 0, max: 1_000_000_000 },
        field.host(defaults.audit.one_in),
      ),
    }),
    workers: field.whole(
      "Workers that pull policies from the queue; 0 is one per core, at most 10.",
      { min: 0, max: 256 },
      field.host(defaults.workers),
    ),
    queue: field.group("The policy queue.", {
      capacity: field.whole(
        "Policies that may wait; more are refused with `queue is full`.",
        { min: 1, max: 1_000_000 },
        field.host(defaults.queue.capacity),
      ),
      drain_timeout: field.duration(
        "What waits when the host stops is still worked on for so long.",
        0,
        field.host(defaults.queue.drain_timeout),
      ),
    }),
    results: field.group("Results of queued policies, until somebody takes them.", {
      capacity: field.whole(
        "Results that are kept; the oldest go.",
        { min: 1, max: 1_000_000 },
        field.host(defaults.results.capacity),
      ),
    }),
    cache: field.group("Rankings that are kept, of all markets together.", {
      enabled: field.flag("Whether any are kept.", field.host(defaults.cache.enabled)),
      capacity: field.whole(
        "Rankings that are kept; the least asked for go.",
        { min: 0, max: 1_000_000 },
        field.host(defaults.cache.capacity),
      ),
      ttl: field.duration(
        "How long one is good; a change of providers or weights ends it at once.",
        1,
        field.host(defaults.cache.ttl),
      ),
      shared: field.flag(
        "Whether hosts with the same providers share them over Redis; needs `redis.url` and `cluster.secret`.",
        field.host(defaults.cache.shared),
      ),
      shared_from: field.duration(
        "Rankings that take less are made, not asked for.",
        0,
        field.host(defaults.cache.shared_from),
      ),
    }),
    errors: field.group("When a worker with errors is told of.", {
      threshold: field.whole(
        "More errors than this within `window` raise the event `pairing.worker.errors`.",
        { min: 0, max: 1_000_000 },
        field.host(defaults.errors.threshold),
      ),
      window: field.duration(
        "Within which errors count.",
        1_000,
        field.host(defaults.errors.window),
      ),
      restart: field.flag(
        "Whether the worker is restarted as well.",
        field.host(defaults.errors.restart),
      ),
    }),
    epoch: field.duration(
      "How long a consumer's list is good, unless blocks count (`lists.blocks`).",
      1_000,
      field.host(defaults.epoch),
    ),
    lists,
    batch: field.group("Many policies in one call.", {
      max_policies: field.whole(
        "Policies of one call.",
        { min: 1, max: 1_000_000 },
        field.host(defaults.batch.max_policies),
      ),
      threads: field.whole(
        "Threads that help with large batches, started with the first; 0 is one less than cores.",
        { min: 0, max: 64 },
        field.host(defaults.batch.threads),
      ),
      threads_from: field.whole(
        "Batches of so many policies are shared with the threads; above `max_policies` there are none.",
        { min: 1, max: 1_000_001 },
        field.host(defaults.batch.threads_from),
      ),
    }),
  },
);
