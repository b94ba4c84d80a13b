/**
 * The JSON of the pairing interface as schemas: /openapi.json is generated from them, and tests hold
 * every answer and every accepted body against them. What is wrong with a body is said by the parsers,
 * which name the field.
 */
import { z } from "zod";
import { MAX_PICKS } from "../../matching/demand.ts";

const whole = z.int().min(0);
/** A stake: exact, so beyond 2^53 it is a decimal text. */
const stake = z
  .union([z.int(), z.string().regex(/^[+-]?\d{1,40}$/)])
  .describe("whole number; beyond 2^53 as a decimal text");
const score = z.number().min(0).max(1);
const components = z.record(z.string(), z.number().nullable());

const location = z
  .string()
  .max(256)
  .describe("exact, case-sensitive; `US-*` is US and all below it; empty: anywhere");
const features = z.array(z.string().min(1).max(256)).max(32);

const policyFields = {
  requiredLocation: location.optional(),
  requiredFeatures: features.optional(),
  minStake: stake.optional(),
  prefer: z
    .strictObject({ location: z.string().max(256).optional(), features: features.optional() })
    .optional()
    .describe("what only scores; without it what is required scores"),
  relaxed: z.boolean().optional().describe("location and features are preferred, not required"),
  required_location: location.optional(),
  required_features: features.optional(),
  min_stake: stake.optional(),
};
const policy = z
  .strictObject(policyFields)
  .describe("each field in one of its two spellings, if at all");

const fault = z.strictObject({ path: z.string(), message: z.string() });

const pick = {
  address: z.string(),
  score,
  components: components.optional().describe("by scorer; null for one that failed"),
  stake,
  location: z.string(),
  u: z.number().optional().describe("weighted: what it drew"),
  key: z.number().optional().describe("weighted: what it won with"),
};

const success = <T extends z.ZodType>(data: T) =>
  z.strictObject({ success: z.literal(true), data });

const provider = z.strictObject({
  address: z.string().max(256),
  stake,
  location: z.string().max(256),
  features: z.array(z.string()).max(256),
});

const rejected = z.strictObject({ index: whole, error: z.string() });

const top = z.int().min(1).max(MAX_PICKS).optional();

const request = z.strictObject({
  policy,
  top,
  topN: top.describe("the same"),
  top_n: top.describe("the same"),
  strategy: z
    .string()
    .optional()
    .describe("top, weighted or round-robin; or the name of a scoring profile"),
  mode: z.enum(["top", "weighted", "roundRobin", "round-robin"]).optional(),
  profile: z.string().optional(),
  weights: z.record(z.string(), z.number().min(0).max(1_000_000)).optional(),
  seed: z
    .union([z.int(), z.string().max(128)])
    .optional()
    .describe("decides weighted and round-robin; equal seeds choose alike, 0 by default"),
  explain: z.boolean().optional(),
});

const survivors = z
  .array(
    z.strictObject({
      filter: z.string(),
      count: whole.describe("left after it and all before it"),
      alone: whole.describe("refused by it, whatever the others do"),
      sole: whole.describe("refused by it only"),
      transient: z.boolean(),
    }),
  )
  .optional()
  .describe("with explain, and when nobody is left");

const scorerErrors = z
  .array(z.strictObject({ scorer: z.string(), provider: z.string(), message: z.string() }))
  .optional();

/** A result as it is shown, but for what depends on the moment. */
const pairing = {
  providers: z.array(z.strictObject(pick)),
  filtered: whole,
  ranked: whole,
  survivors,
  blockedBy: z
    .string()
    .optional()
    .describe("when nobody is left: the filter that keeps most away, `market` where nobody is"),
  scorerErrors,
  version: whole,
};

const list = z.strictObject({
  consumer: z.string(),
  chain: z.string(),
  market: z.string(),
  epoch: z.int(),
  revision: whole.describe("counts up within an epoch"),
  seed: z.string(),
  mode: z.enum(["top", "weighted"]),
  ids: z.array(z.string()).describe("drawn, best first"),
  gone: z.array(z.string()).describe("of them, who has left the market since"),
  version: whole.describe("of the market; 0 without one"),
  filtered: whole.describe("providers that satisfy the policy"),
  ranking: z.array(z.strictObject(pick)),
  blockedBy: z.string().optional().describe("whose refusal keeps most away; when it is empty"),
  onExhausted: z.enum(["error", "market"]),
  madeAtMs: whole.describe("Unix time, ms"),
  validUntilMs: whole
    .optional()
    .describe("Unix time, ms: when the next is due; it is valid until that is there"),
  validUntilBlock: whole.optional().describe("the same, where blocks count"),
});

const result = z.strictObject({
  market: z.string(),
  policy: z.looseObject({}).nullable(),
  filteredCount: whole,
  rankedCount: whole,
  topProviders: z.array(z.strictObject(pick)),
  processingTime: z.number().describe("ms"),
  survivors,
  blockedBy: z.string().optional(),
  scorerErrors,
  error: z.string().nullable(),
});

const cacheStats = z.strictObject({
  size: whole,
  capacity: whole,
  hits: whole,
  misses: whole,
  hit_rate: z.number(),
  evictions: whole,
  min_frequency: whole,
  frequency_distribution: z.record(z.string(), whole),
});

const marketStats = z.strictObject({
  total_processed: whole,
  total_filtered: whole,
  total_ranked: whole,
  total_cache_hits: whole,
  total_cache_misses: whole,
  average_process_time: z.number().describe("us"),
  top_n: whole,
  caching_enabled: z.boolean(),
  stats_enabled: z.boolean(),
  cache_stats: cacheStats,
  provider_count: whole,
  location_distribution: z.record(z.string(), whole),
  version: whole,
});

const scoring = z.strictObject({
  name: z.string(),
  description: z.string(),
  version: whole,
  scorers: z.record(z.string(), z.number()),
});

const audited = z.strictObject({
  id: z.string(),
  market: z.string(),
  at: z.string().describe("ISO 8601"),
  reason: z.enum(["sample", "explain"]),
  version: whole,
  seed: z.string(),
  request: z.looseObject({}),
  scoring: z.looseObject({}),
  result: z.looseObject({}),
});

/** A provider as it is sent. */
const given = z.strictObject({
  address: z.string().max(256).optional().describe("empty: one is generated"),
  stake,
  location: z.string().min(1).max(256),
  features: z.array(z.string().min(1).max(256)).max(256).optional(),
});

/** By name, as /openapi.json refers to them. */
export const PAIRING_SCHEMAS = {
  PairingError: z.strictObject({
    error: z.string(),
    success: z.literal(false),
    code: z.string(),
    faults: z.array(fault).optional().describe("every field that is wrong"),
  }),
  PairingProvider: given,
  PairingProviders: z
    .array(given)
    .describe("wrong ones are named by their places, and the others taken"),
  PairingPolicy: policy,
  PairingRequest: request,
  PairingWhatIf: request.omit({ explain: true }).extend({
    explain: z.boolean().optional().describe("shows in both what each filter leaves"),
    whatIf: request
      .omit({ explain: true })
      .partial()
      .describe("what differs; of the policy and the weights only what is named"),
  }),
  PairingWish: request.omit({ seed: true, explain: true }),
  Lists: success(z.strictObject({ lists: z.array(list) })),
  Policies: success(
    z.strictObject({
      consumer: z.string(),
      policies: z.array(z.looseObject({ market: z.string() })),
    }),
  ),
  Removed: success(z.strictObject({ removed: whole.describe("markets that it held for") })),
  PairingPolicies: z
    .array(z.union([request, policy]))
    .describe("what is wrong with one is said in its place"),
  PairingWeights: z.strictObject({ weights: z.record(z.string(), z.number().min(0)) }),
  Markets: success(
    z.strictObject({
      markets: z.array(z.strictObject({ market: z.string(), providers: whole, version: whole })),
    }),
  ),
  Loaded: success(
    z.strictObject({
      accepted: whole,
      rejected: z.array(rejected).describe("the first of those refused"),
      rejectedCount: whole,
      size: whole,
      version: whole,
      provider: provider.optional().describe("the one that was added alone, with its address"),
    }),
  ),
  ProviderAnswer: success(provider),
  ProviderPage: success(
    z.strictObject({ providers: z.array(provider), total: whole, next: whole.optional() }),
  ),
  Locations: success(z.record(z.string(), whole)),
  Pairing: success(
    z.strictObject({
      ...pairing,
      cache: z.enum(["hit", "miss", "off"]),
      processingTimeUs: z.number(),
      auditId: z.string().optional().describe("where it is kept in the audit trail"),
    }),
  ),
  WhatIf: success(
    z.strictObject({
      before: z.strictObject(pairing),
      after: z.strictObject(pairing),
      shifts: z
        .array(
          z.strictObject({
            address: z.string(),
            before: whole.optional().describe("its place; absent where it is no pick"),
            after: whole.optional(),
            refusedBy: z
              .string()
              .optional()
              .describe("the filter that refuses it where it is no pick; else others are better"),
          }),
        )
        .describe("every provider whose place differs"),
    }),
  ),
  WhyNot: success(
    z.strictObject({
      address: z.string(),
      inMarket: z.boolean(),
      isPicked: z.boolean(),
      refusals: z.array(
        z.strictObject({
          filter: z.string(),
          need: z.string(),
          have: z.string(),
          transient: z.boolean(),
        }),
      ),
      score: score.optional(),
      components: components.optional(),
      rank: whole.optional(),
      gapToLast: z.number().optional(),
    }),
  ),
  PairingResults: success(z.strictObject({ results: z.array(result), count: whole })),
  Enqueued: success(z.strictObject({ accepted: whole, rejected: z.array(rejected) })),
  MarketStats: success(marketStats),
  FilterStats: success(z.record(z.string(), whole)),
  ScoringStats: success(
    z.strictObject({
      count: whole,
      avg: z.number(),
      min: z.number(),
      max: z.number(),
      range: z.number(),
      scoring_strategy: z.string(),
      available_scorers: z.array(z.string()),
    }),
  ),
  Scorings: success(z.strictObject({ profiles: z.array(scoring) })),
  Scoring: success(scoring),
  PairingStats: success(
    z.strictObject({
      running: z.boolean(),
      uptime: z.number().describe("ms"),
      total_processed: whole,
      total_errors: whole,
      max_workers: whole,
      worker_stats: z.array(
        z.strictObject({ id: whole, processed: whole, errors: whole, running: z.boolean() }),
      ),
      results_buffer_size: whole,
      results_dropped: whole,
      queue_stats: z.strictObject({
        size: whole,
        capacity: whole,
        enqueued: whole,
        dequeued: whole,
        pending: z.int(),
        closed: z.boolean(),
        refused: whole,
      }),
      markets: z.record(z.string(), marketStats),
    }),
  ),
  Reset: success(z.literal("reset")),
  Audit: success(z.strictObject({ rankings: z.array(audited) })),
  Audited: success(audited),
  Replayed: success(
    z.strictObject({
      id: z.string(),
      isEqual: z.boolean(),
      version: whole,
      providers: z.array(z.strictObject(pick)),
    }),
  ),
} as const satisfies Readonly<Record<string, z.ZodType>>;

/** The name of a schema. */
export type PairingSchema = keyof typeof PAIRING_SCHEMAS;
