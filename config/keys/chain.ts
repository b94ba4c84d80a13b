/** Keys of a chain. */
import { z } from "zod";
import { CHAIN_DEFAULTS } from "../default.ts";
import { CONSISTENCIES, STRATEGIES, STRATEGY_ALIASES } from "../schema.ts";
import { PRIORS, WRITE_MODES } from "../schema.ts";
import { breakerKeys } from "./breaker.ts";
import { cacheKeys } from "./cache.ts";
import * as field from "./fields.ts";
import { integrityKeys } from "./integrity.ts";
import { predictionKeys } from "./prediction.ts";
import { providerRule } from "./provider.ts";

const chained = CHAIN_DEFAULTS;
const strategyAliases = Object.keys(STRATEGY_ALIASES) as (keyof typeof STRATEGY_ALIASES)[];

/** The rule of one chain. */
export const chainRule = z
  .strictObject({
    chain_id: field
      .describe(
        z.int().min(1).max(Number.MAX_SAFE_INTEGER),
        "EIP-155 id, checked at every connect; a provider on another chain is refused.",
        "a whole number of at least 1",
        { reload: "process" },
      )
      .unwrap(),
    aliases: field.texts("Other names of the chain in URLs.", field.hot(chained.aliases)),
    block_time: field.duration("Time between blocks; learned from the heads when not given.", 10),
    strategy: field.describe(
      z.enum([...STRATEGIES, ...strategyAliases]),
      "How providers are ordered for a request.",
      `one of ${STRATEGIES.join(", ")}`,
      field.hot(chained.strategy),
    ),
    consistency: field.oneOf(
      CONSISTENCIES,
      "What reads one block for `latest`: nothing, the calls of a batch, or all of a client's session.",
      field.hot(chained.consistency),
    ),
    finality_depth: field.whole(
      "Blocks below the tip that count as final where no provider answers the tag; by default 64, or 1,024 on a chain that is not known.",
      { min: 0, max: 1_000_000 },
      { reload: "hot" },
    ),
    selection: field.group("Which providers count as current.", {
      max_lag_blocks: field.whole(
        "Blocks a provider may be behind the tip.",
        { min: 0, max: 100_000 },
        field.hot(chained.selection.max_lag_blocks),
      ),
      archival_threshold: field.whole(
        "Age in blocks beyond which state is asked of archival providers only.",
        { min: 1 },
        field.hot(chained.selection.archival_threshold),
      ),
      min_healthy: field.whole(
        "Backups serve only when fewer primaries than this can.",
        { min: 1, max: 1_000 },
        field.hot(chained.selection.min_healthy),
      ),
      cost_bias: field.number(
        "Share of the price in the `hybrid` score.",
        { min: 0, max: 1 },
        { ...field.hot(chained.selection.cost_bias), unit: "ratio" },
      ),
    }),
    aggregation: field.group("The race of events.", {
      max_cache_size: field.whole(
        "Seen event keys kept; when full the oldest 10 % go.",
        { min: 100, max: 10_000_000 },
        { default: chained.aggregation.max_cache_size },
      ),
      deduplication_window: field.duration("Time after which a race settles.", 10, {
        default: chained.aggregation.deduplication_window,
      }),
      max_providers: field.whole(
        "Providers that race.",
        { min: 1, max: 64 },
        { default: chained.aggregation.max_providers },
      ),
    }),
    failover: field.group("What happens when a provider fails.", {
      enabled: field.flag(
        "`false`: one attempt a request, and no gap of a stream is filled.",
        field.hot(chained.failover.enabled),
      ),
      max_backfill_blocks: field.whole(
        "Longest gap of a stream that is filled.",
        { min: 1, max: 5_000 },
        { default: chained.failover.max_backfill_blocks },
      ),
      backfill_timeout: field.duration("Time for filling a gap from one provider.", 1, {
        default: chained.failover.backfill_timeout,
      }),
    }),
    help: field.flag(
      "While no provider may be asked, reads are passed on to the nearest region that can serve them, and those of other regions are taken; `cluster.help` when not given. See docs/regions.md.",
      { reload: "hot" },
    ),
    write: field.group("How signed transactions are sent.", {
      mode: field.oneOf(
        WRITE_MODES,
        "`broadcast`: to several providers at once; `sticky`: to one that is the same for a sender, " +
          "to the next only when it was surely not taken; `private`: only to providers tagged " +
          "`private`; `off`: not at all.",
        field.hot(chained.write.mode),
      ),
      providers: field.whole(
        "Providers that get a copy at once, of distinct vendors where there are any; `sticky` has one.",
        { min: 1, max: 10 },
        field.hot(chained.write.providers),
      ),
    }),
    breaker: field.group("When an endpoint is left alone, and for how long.", breakerKeys),
    connection: field.group("The WebSockets to the providers.", {
      heartbeat_interval: field.duration(
        "Time between pings. A pong that is missing for 2 s (two thirds of a shorter interval, at least 1 s) makes " +
          "the provider suspect, a second one ends the connection.",
        50,
        {
          default: chained.connection.heartbeat_interval,
        },
      ),
      reconnect_interval: field.duration(
        "First delay of the full-jitter backoff, which doubles up to 30 s.",
        1,
        { default: chained.connection.reconnect_interval },
      ),
      max_reconnect_attempts: field.whole(
        "Failed attempts in a row after which a provider's WebSocket is suspended: it is tried once " +
          "every 5 minutes, and at once when the provider's health check recovers or its " +
          "`ws-connection` process is restarted. Not given: it is never suspended for that.",
        { min: 1 },
      ),
    }),
    health_check: field.group("The background probe of every endpoint.", {
      interval: field.duration("Time between probes.", 50, {
        default: chained.health_check.interval,
      }),
      timeout: field.duration("Time a probe may take.", 1, {
        default: chained.health_check.timeout,
      }),
      failure_threshold: field.whole(
        "Failed probes in a row that mark an endpoint down.",
        { min: 1, max: 1_000 },
        { default: chained.health_check.failure_threshold },
      ),
      recovery_threshold: field.whole(
        "Good probes in a row that mark it up again.",
        { min: 1, max: 1_000 },
        { default: chained.health_check.recovery_threshold },
      ),
    }),
    leaderboard: field.group("How evidence becomes a score.", {
      formula: field.oneOf(
        ["pace", "livechain"],
        "`pace`: decayed lower bound of the race credit; `livechain`: the raceScore of Livechain.",
        field.hot(chained.leaderboard.formula),
      ),
      prior: field.oneOf(
        PRIORS,
        "Where a provider without evidence of this region starts: `own`, with nothing; `regions`, with what the other regions say of it, the nearer the more, until this region's own evidence is enough.",
        field.hot(chained.leaderboard.prior),
      ),
      half_life: field.duration(
        "Age at which evidence counts half.",
        1_000,
        field.hot(chained.leaderboard.half_life),
      ),
      weights: field.group("Shares of the composite score; they need not sum to 1.", {
        race: field.number(
          "Event races.",
          { min: 0, max: 1_000 },
          field.hot(chained.leaderboard.weights.race),
        ),
        reliability: field.number(
          "Answers without failure.",
          { min: 0, max: 1_000 },
          field.hot(chained.leaderboard.weights.reliability),
        ),
        latency: field.number(
          "Median latency of the method.",
          { min: 0, max: 1_000 },
          field.hot(chained.leaderboard.weights.latency),
        ),
        freshness: field.number(
          "Distance to the tip.",
          { min: 0, max: 1_000 },
          field.hot(chained.leaderboard.weights.freshness),
        ),
      }),
    }),
    sticky: field.group("When the first place changes hands.", {
      hysteresis: field.number(
        "A challenger must score this much more than the holder.",
        { min: 0, max: 10 },
        { ...field.hot(chained.sticky.hysteresis), unit: "ratio" },
      ),
      min_interval: field.duration(
        "Least time between two changes.",
        0,
        field.hot(chained.sticky.min_interval),
      ),
    }),
    hedge: field.group("A second provider for requests that are slow.", {
      enabled: field.flag(
        "Asks a second provider after the q95 of the method; never for writes.",
        field.hot(chained.hedge.enabled),
      ),
      budget: field.number(
        "Hedges per request at most; up to 10 are saved up.",
        { min: 0, max: 1 },
        { ...field.hot(chained.hedge.budget), unit: "ratio" },
      ),
    }),
    prediction: field.group(
      "Providers that are about to breach a limit, which then stand behind the others.",
      predictionKeys,
    ),
    logs: field.group("Ranges of `eth_getLogs`, which are served in parts.", {
      max_range: field.whole(
        "Blocks of one call at most.",
        { min: 1, max: 10_000_000 },
        field.hot(chained.logs.max_range),
      ),
      part_range: field.whole(
        "Blocks asked at once of a provider whose limit is not known.",
        { min: 1, max: 1_000_000 },
        field.hot(chained.logs.part_range),
      ),
      parallel: field.whole(
        "Parts of one call asked for at the same time.",
        { min: 1, max: 10 },
        field.hot(chained.logs.parallel),
      ),
    }),
    allow_client_directives: field.flag(
      "`false`: a call that asks for something by header or query (`X-Paceline-Strategy`, `?provider=`) is refused; paths stay.",
      field.hot(chained.allow_client_directives),
    ),
    methods: field.group("Which methods are served.", {
      allow: field.methods(
        "Methods, or globs such as `debug_*`, relayed although denied by default.",
        field.hot(chained.methods.allow),
      ),
      deny: field.methods(
        "Methods, or globs such as `*_sign*`, that are not served; stands above `allow`.",
        field.hot(chained.methods.deny),
      ),
    }),
    ...integrityKeys,
    cache: field.group("Answers of this chain that are kept.", cacheKeys()),
    providers: z.array(providerRule).min(1).meta({
      description: "Who serves the chain.",
      "x-reload": "process",
      "x-expects": "a list of at least one provider",
    }),
  })
  .meta({ description: "One blockchain.", "x-expects": "a map of keys" });
