/**
 * What an operator may write: every key with its meaning, unit, default and what a change of it costs.
 *
 * `reload` says what a running host does when the key changes: `hot` swaps a value, `process`
 * restarts the processes that hold it, `host` needs a new start. Defaults are not applied here: the
 * loader lays the file over `default.ts`, so that each effective value keeps its origin.
 */
import { z } from "zod";
import { parseDuration } from "../src/lib/duration.ts";
import { parseSize } from "../src/lib/size.ts";
import { CHAIN_DEFAULTS, DEFAULTS, PROVIDER_DEFAULTS } from "./default.ts";
import { ERROR_RULE_CLASSES, STRATEGIES, STRATEGY_ALIASES } from "./schema.ts";

/** What a change of a key costs a running host. */
export type Reload = "hot" | "process" | "host";

/** What the documents and the error messages say about a key. */
export interface KeyMeta {
  readonly description: string;
  readonly default?: unknown;
  readonly "x-unit"?: string;
  readonly "x-reload"?: Reload;
  /** Completes "expected …" in an error. */
  readonly "x-expects"?: string;
  /** The value may hold a key and is never quoted. */
  readonly "x-secret"?: boolean;
}

interface KeyInfo {
  readonly default?: unknown;
  readonly reload?: Reload;
  readonly unit?: string;
}

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

const bounds = ({ min, max }: Bounds): string =>
  min !== undefined && max !== undefined
    ? ` from ${min} to ${max}`
    : min !== undefined
      ? ` of at least ${min}`
      : "";

function describe<S extends z.ZodType>(
  schema: S,
  description: string,
  expects: string,
  info: KeyInfo,
  more: Partial<KeyMeta> = {},
): z.ZodOptional<S> {
  const meta: KeyMeta = {
    description,
    ...(info.default !== undefined && { default: info.default }),
    ...(info.unit !== undefined && { "x-unit": info.unit }),
    "x-reload": info.reload ?? "process",
    "x-expects": expects,
    ...more,
  };
  return schema.meta({ ...meta }).optional();
}

const text = (description: string, info: KeyInfo = {}) =>
  describe(z.string().min(1), description, "text", info);

const secret = (description: string, expects: string, isValid: RegExp, info: KeyInfo = {}) =>
  describe(z.string().regex(isValid), description, expects, info, { "x-secret": true });

const flag = (description: string, info: KeyInfo = {}) =>
  describe(z.boolean(), description, "true or false", info);

const whole = (description: string, range: Bounds, info: KeyInfo = {}) =>
  describe(
    z
      .int()
      .min(range.min ?? 0)
      .max(range.max ?? Number.MAX_SAFE_INTEGER),
    description,
    `a whole number${bounds(range)}`,
    info,
  );

const number = (description: string, range: Bounds, info: KeyInfo = {}) =>
  describe(
    z
      .number()
      .min(range.min ?? 0)
      .max(range.max ?? Number.MAX_SAFE_INTEGER),
    description,
    `a number${bounds(range)}`,
    info,
  );

const oneOf = <const V extends readonly [string, ...string[]]>(
  values: V,
  description: string,
  info: KeyInfo = {},
) => describe(z.enum(values), description, `one of ${values.join(", ")}`, info);

const strategyAliases = Object.keys(STRATEGY_ALIASES) as (keyof typeof STRATEGY_ALIASES)[];

/** `minMs` keeps a value that would spin from being accepted. */
const duration = (description: string, minMs: number, info: KeyInfo = {}) =>
  describe(
    z
      .union([z.int().min(0), z.string().regex(/^(\d+|\d+(\.\d+)?(ms|s|m|h|d))$/)])
      .refine((value) => (parseDuration(value) ?? -1) >= minMs && isTimer(value)),
    description,
    `a duration such as 2s, 500ms or a whole number of milliseconds${minMs > 0 ? `, at least ${minMs}ms` : ""}`,
    { unit: "duration", ...info },
  );

const MAX_DURATION_MS = 366 * 86_400_000;
const isTimer = (value: unknown): boolean => (parseDuration(value) ?? Infinity) <= MAX_DURATION_MS;

const size = (description: string, minBytes: number, maxBytes: number, info: KeyInfo = {}) =>
  describe(
    z
      .string()
      .regex(/^\d+(\.\d+)? ?(B|KiB|MiB|GiB)$/)
      .refine((value) => {
        const sizeBytes = parseSize(value);
        return sizeBytes !== undefined && sizeBytes >= minBytes && sizeBytes <= maxBytes;
      }),
    description,
    `a size with its unit such as 5MiB or 64KiB, from ${minBytes} to ${maxBytes} bytes`,
    { unit: "size", ...info },
  );

const texts = (description: string, info: KeyInfo = {}) =>
  describe(z.array(z.string().min(1)), description, "a list of texts", info);

const group = <S extends z.ZodRawShape>(description: string, shape: S) =>
  z.strictObject(shape).meta({ description, "x-expects": "a map of keys" }).optional();

const METHOD_PATTERN = /^[A-Za-z][A-Za-z0-9]*_[A-Za-z0-9_]*\*?$/;
const methods = (description: string, info: KeyInfo) =>
  describe(
    z.array(z.string().regex(METHOD_PATTERN)),
    description,
    "a list of method names such as eth_call, or prefixes such as debug_*",
    info,
  );

const breaker = {
  failure_threshold: whole(
    "Consecutive counted failures that open the breaker.",
    { min: 1, max: 1_000 },
    { default: CHAIN_DEFAULTS.breaker.failure_threshold },
  ),
  recovery_timeout: duration("Time an open breaker waits before it asks for a probe.", 1, {
    default: CHAIN_DEFAULTS.breaker.recovery_timeout,
  }),
  success_threshold: whole(
    "Consecutive successful probes that close a half-open breaker.",
    { min: 1, max: 100 },
    { default: CHAIN_DEFAULTS.breaker.success_threshold },
  ),
  categories: flag(
    "Thresholds and first open times of their own for network, server, timeout and auth failures; `false` leaves only the three figures above.",
    { default: CHAIN_DEFAULTS.breaker.categories },
  ),
};

const hot = (value: unknown): KeyInfo => ({ default: value, reload: "hot" });
const host = (value: unknown): KeyInfo => ({ default: value, reload: "host" });
const provided = PROVIDER_DEFAULTS;
const chained = CHAIN_DEFAULTS;

const HTTP_URL = /^https?:\/\/[^\s]+$/i;
const WS_URL = /^wss?:\/\/[^\s]+$/i;

const errorRule = z
  .strictObject({
    code: describe(z.int(), "JSON-RPC error code to match.", "a whole number", { reload: "hot" }),
    message_contains: text("Part of the error message, compared without case.", { reload: "hot" }),
    class: describe(
      z.enum(ERROR_RULE_CLASSES),
      "What the error then means; see docs/errors.md.",
      `one of ${ERROR_RULE_CLASSES.join(", ")}`,
      { reload: "hot" },
    ).unwrap(),
  })
  .meta({ description: "One rule; all given conditions must hold.", "x-expects": "a map of keys" });

const provider = z
  .strictObject({
    id: describe(z.string(), "Name of the provider, unique within the chain.", "text", {
      reload: "process",
    }).unwrap(),
    url: secret(
      "JSON-RPC endpoint over HTTP. An unset variable in it leaves this URL out with a warning.",
      "an http:// or https:// URL",
      HTTP_URL,
    ),
    ws_url: secret(
      "JSON-RPC endpoint over WebSocket. An unset variable in it leaves this URL out with a warning.",
      "a ws:// or wss:// URL",
      WS_URL,
    ),
    api_key_required: flag(
      "A URL in which a substituted value came out empty is left out, as if its variable were unset.",
      { default: provided.api_key_required },
    ),
    required: flag("An unset variable in a URL is an error instead of leaving the URL out.", {
      default: provided.required,
    }),
    priority: whole(
      "Rank for the `priority` strategy and for ties; lower is preferred.",
      { min: 0, max: 1_000_000 },
      hot(provided.priority),
    ),
    role: oneOf(
      ["primary", "backup"],
      "A `backup` serves only when fewer than `selection.min_healthy` primaries can.",
      hot(provided.role),
    ),
    weight: number(
      "Share of this provider in `round-robin`.",
      { min: 0.001, max: 1_000 },
      hot(provided.weight),
    ),
    type: oneOf(
      ["public", "paid", "dedicated"],
      "Kind of access; `cheapest` prefers public at equal cost.",
      hot(provided.type),
    ),
    vendor: text("Who sells the service; the `id` when not given.", { reload: "hot" }),
    tags: texts("Free labels, shown by the API and the CLI.", hot(provided.tags)),
    region: text("Where the endpoint stands, shown by the API and the CLI.", { reload: "hot" }),
    archival: flag("It serves state older than `selection.archival_threshold` blocks.", hot(false)),
    subscribe_new_heads: flag(
      "Races `newHeads` over its WebSocket; true with a `ws_url` when not given.",
    ),
    cost: group("What calls cost; `cheapest` and `hybrid` read it.", {
      price_per_million_units: number(
        "Price of a million units, in any one currency.",
        { min: 0 },
        hot(provided.cost.price_per_million_units),
      ),
      units: describe(
        z.union([z.number().min(0), z.record(z.string(), z.number().min(0))]),
        "Units of a call: one number, or a map from method to units with `default` for the rest.",
        "a number of at least 0, or a map from method to such numbers",
        hot(provided.cost.units),
      ),
    }),
    http: group("The HTTP connections to the provider.", {
      pool: whole(
        "Connections kept to the endpoint.",
        { min: 1, max: 10_000 },
        { default: provided.http.pool },
      ),
    }),
    headers: describe(
      z.record(z.string(), z.string()),
      "Headers sent with every HTTP request and WebSocket handshake, as a map from name to text.",
      "a map from header name to text",
      { default: provided.headers },
      { "x-secret": true },
    ),
    capabilities: group("Limits of the provider that are known beforehand; others are learned.", {
      unsupported: methods(
        "Methods, or prefixes such as `debug_*`, that it does not serve.",
        hot(provided.capabilities.unsupported),
      ),
      max_block_range: whole(
        "Most blocks one `eth_getLogs` may span there.",
        { min: 1 },
        { reload: "hot" },
      ),
    }),
    error_rules: describe(
      z.array(errorRule),
      "The vendor's own meaning of errors; tried before the built-in table, first match wins.",
      "a list of rules",
      hot(provided.error_rules),
    ),
    breaker: group("Overrides `breaker` of the chain for this provider.", {
      failure_threshold: withoutDefault(breaker.failure_threshold),
      recovery_timeout: withoutDefault(breaker.recovery_timeout),
      success_threshold: withoutDefault(breaker.success_threshold),
      categories: withoutDefault(breaker.categories),
    }),
    probe: flag("`false` spends no background traffic on it.", { default: provided.probe }),
    cordoned: flag("Kept connected and shown, but never chosen.", hot(provided.cordoned)),
  })
  .meta({ description: "One endpoint pair of one vendor.", "x-expects": "a map of keys" });

const chain = z
  .strictObject({
    chain_id: describe(
      z.int().min(1).max(Number.MAX_SAFE_INTEGER),
      "EIP-155 id, checked at every connect; a provider on another chain is refused.",
      "a whole number of at least 1",
      { reload: "process" },
    ).unwrap(),
    aliases: texts("Other names of the chain in URLs.", hot(chained.aliases)),
    block_time: duration("Time between blocks; learned from the heads when not given.", 10),
    strategy: describe(
      z.enum([...STRATEGIES, ...strategyAliases]),
      "How providers are ordered for a request.",
      `one of ${STRATEGIES.join(", ")}`,
      hot(chained.strategy),
    ),
    selection: group("Which providers count as current.", {
      max_lag_blocks: whole(
        "Blocks a provider may be behind the tip.",
        { min: 0, max: 100_000 },
        hot(chained.selection.max_lag_blocks),
      ),
      archival_threshold: whole(
        "Age in blocks beyond which state is asked of archival providers only.",
        { min: 1 },
        hot(chained.selection.archival_threshold),
      ),
      min_healthy: whole(
        "Backups serve only when fewer primaries than this can.",
        { min: 1, max: 1_000 },
        hot(chained.selection.min_healthy),
      ),
      cost_bias: number(
        "Share of the price in the `hybrid` score.",
        { min: 0, max: 1 },
        { ...hot(chained.selection.cost_bias), unit: "ratio" },
      ),
    }),
    aggregation: group("The race of events.", {
      max_cache_size: whole(
        "Seen event keys kept; when full the oldest 10 % go.",
        { min: 100, max: 10_000_000 },
        { default: chained.aggregation.max_cache_size },
      ),
      deduplication_window: duration("Time after which a race settles.", 10, {
        default: chained.aggregation.deduplication_window,
      }),
      max_providers: whole(
        "Providers that race.",
        { min: 1, max: 64 },
        { default: chained.aggregation.max_providers },
      ),
    }),
    failover: group("What happens when a provider fails.", {
      enabled: flag(
        "`false`: one attempt a request, and no gap of a stream is filled.",
        hot(chained.failover.enabled),
      ),
      max_backfill_blocks: whole(
        "Longest gap of a stream that is filled.",
        { min: 1, max: 5_000 },
        { default: chained.failover.max_backfill_blocks },
      ),
      backfill_timeout: duration("Time for filling a gap from one provider.", 1, {
        default: chained.failover.backfill_timeout,
      }),
    }),
    breaker: group("When an endpoint is left alone, and for how long.", breaker),
    connection: group("The WebSockets to the providers.", {
      heartbeat_interval: duration("Time between pings.", 50, {
        default: chained.connection.heartbeat_interval,
      }),
      reconnect_interval: duration(
        "First delay of the full-jitter backoff, which doubles up to 30 s.",
        1,
        { default: chained.connection.reconnect_interval },
      ),
      max_reconnect_attempts: whole(
        "Attempts after which a provider's WebSocket is given up; without end when not given.",
        { min: 1 },
      ),
    }),
    health_check: group("The background probe of every endpoint.", {
      interval: duration("Time between probes.", 50, { default: chained.health_check.interval }),
      timeout: duration("Time a probe may take.", 1, { default: chained.health_check.timeout }),
      failure_threshold: whole(
        "Failed probes in a row that mark an endpoint down.",
        { min: 1, max: 1_000 },
        { default: chained.health_check.failure_threshold },
      ),
      recovery_threshold: whole(
        "Good probes in a row that mark it up again.",
        { min: 1, max: 1_000 },
        { default: chained.health_check.recovery_threshold },
      ),
    }),
    leaderboard: group("How evidence becomes a score.", {
      formula: oneOf(
        ["pace", "livechain"],
        "`pace`: decayed lower bound of the race credit; `livechain`: the raceScore of Livechain.",
        hot(chained.leaderboard.formula),
      ),
      half_life: duration(
        "Age at which evidence counts half.",
        1_000,
        hot(chained.leaderboard.half_life),
      ),
      weights: group("Shares of the composite score; they need not sum to 1.", {
        race: number("Event races.", { min: 0, max: 1_000 }, hot(chained.leaderboard.weights.race)),
        reliability: number(
          "Answers without failure.",
          { min: 0, max: 1_000 },
          hot(chained.leaderboard.weights.reliability),
        ),
        latency: number(
          "Median latency of the method.",
          { min: 0, max: 1_000 },
          hot(chained.leaderboard.weights.latency),
        ),
        freshness: number(
          "Distance to the tip.",
          { min: 0, max: 1_000 },
          hot(chained.leaderboard.weights.freshness),
        ),
      }),
    }),
    sticky: group("When the first place changes hands.", {
      hysteresis: number(
        "A challenger must score this much more than the holder.",
        { min: 0, max: 10 },
        { ...hot(chained.sticky.hysteresis), unit: "ratio" },
      ),
      min_interval: duration(
        "Least time between two changes.",
        0,
        hot(chained.sticky.min_interval),
      ),
    }),
    methods: group("Methods beyond the standard ones.", {
      allow: methods(
        "Methods, or prefixes such as `debug_*`, relayed although denied by default.",
        hot(chained.methods.allow),
      ),
    }),
    providers: z.array(provider).min(1).meta({
      description: "Who serves the chain.",
      "x-reload": "process",
      "x-expects": "a list of at least one provider",
    }),
  })
  .meta({ description: "One blockchain.", "x-expects": "a map of keys" });

const limits = DEFAULTS.limits;
const LOG_LEVEL = "(?:[a-z][a-z0-9._-]*=)?(?:trace|debug|info|warn|error|fatal|silent)";
const LOG_LEVELS = new RegExp(`^${LOG_LEVEL}(?:,${LOG_LEVEL})*$`);

/** The document of one configuration file. */
export const documentSchema = z
  .strictObject({
    region: text("Name of this instance's region; tags every event, metric and log line.", {
      default: DEFAULTS.region,
      reload: "host",
    }),
    listen: group("Where clients connect.", {
      host: text("Address to bind.", host(DEFAULTS.listen.host)),
      port: whole(
        "TCP port; 0 picks a free one.",
        { min: 0, max: 65_535 },
        host(DEFAULTS.listen.port),
      ),
    }),
    admin: group("The operator's socket.", {
      socket: text(
        "Path of the Unix socket, at most 107 bytes. Its directory is made 0700 and holds the role tokens and the audit log.",
        host(DEFAULTS.admin.socket),
      ),
    }),
    log: group("Logging.", {
      level: describe(
        z.string().regex(LOG_LEVELS),
        "Severity from which lines are written, also by subsystem: `info,rpc.breaker=debug`.",
        "trace, debug, info, warn, error, fatal or silent, or levels by subsystem such as info,rpc=debug",
        hot(DEFAULTS.log.level),
      ),
      format: oneOf(
        ["auto", "json", "pretty"],
        "`auto` is pretty on a terminal and JSON otherwise.",
        host(DEFAULTS.log.format),
      ),
    }),
    storage: group("What survives a restart.", {
      url: describe(
        z.string().regex(/^(file|sqlite):.+$/),
        "`file:DIR` keeps benchmark snapshots in that directory, `sqlite:FILE` beside that file.",
        "file:DIRECTORY or sqlite:FILE",
        host(DEFAULTS.storage.url),
      ),
      snapshot_interval: duration(
        "Time between benchmark snapshots.",
        1_000,
        host(DEFAULTS.storage.snapshot_interval),
      ),
    }),
    drain: group("What happens between SIGTERM and the exit.", {
      pre_delay: duration(
        "Not ready but still serving, so that load balancers look away first.",
        0,
        hot(DEFAULTS.drain.pre_delay),
      ),
      close_spread: duration(
        "WebSocket clients are closed with 1012 spread over this time.",
        0,
        hot(DEFAULTS.drain.close_spread),
      ),
      timeout: duration(
        "Everything after the pre-delay; what is left then is dropped with exit code 3.",
        0,
        hot(DEFAULTS.drain.timeout),
      ),
    }),
    limits: group("Bounds on what one client may ask for.", {
      max_body: size("Body of a request.", 1_024, 1_073_741_824, host(limits.max_body)),
      max_batch_items: whole(
        "Calls in a batch.",
        { min: 1, max: 1_000 },
        host(limits.max_batch_items),
      ),
      max_batch_response: size(
        "Answers of a batch together.",
        1_024,
        1_073_741_824,
        host(limits.max_batch_response),
      ),
      batch_concurrency: whole(
        "Calls of one batch that run at the same time.",
        { min: 1, max: 1_000 },
        host(limits.batch_concurrency),
      ),
      max_upstream_body: size(
        "Answer of a provider, decompressed.",
        1_024,
        4_294_967_296,
        host(limits.max_upstream_body),
      ),
      ws_max_message: size(
        "WebSocket message of a client.",
        1_024,
        1_073_741_824,
        host(limits.ws_max_message),
      ),
      ws_max_in_flight: whole(
        "Calls of one WebSocket client that run at the same time.",
        { min: 1, max: 100_000 },
        host(limits.ws_max_in_flight),
      ),
      ws_max_subscriptions: whole(
        "Subscriptions of one WebSocket client.",
        { min: 1, max: 100_000 },
        host(limits.ws_max_subscriptions),
      ),
      ws_max_buffered: size(
        "Unsent bytes beyond which a WebSocket client is closed with 1013.",
        1_024,
        1_073_741_824,
        host(limits.ws_max_buffered),
      ),
      ws_max_clients: whole(
        "WebSocket clients.",
        { min: 1, max: 1_000_000 },
        host(limits.ws_max_clients),
      ),
    }),
    chains: z.record(z.string(), chain).meta({
      description: "The chains by name.",
      "x-reload": "process",
      "x-expects": "a map from chain name to chain",
    }),
  })
  .meta({ title: "Paceline configuration", description: "Configuration of one Paceline host." });

/** A document that passed the schema; defaults are not filled in. */
export type ConfigDocument = z.infer<typeof documentSchema>;

function withoutDefault<S extends z.ZodType>(optional: z.ZodOptional<S>): z.ZodOptional<S> {
  const inner = optional.unwrap();
  // the registry lays the new meta over the old one, so the default must be covered, not left out
  return inner.meta({ ...inner.meta(), default: undefined }).optional();
}
