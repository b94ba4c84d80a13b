/**
 * What an operator may write: every key with its meaning, unit, default and what a change of it costs.
 *
 * `reload` says what a running host does when the key changes: `hot` swaps a value, `process`
 * restarts the processes that hold it, `host` needs a new start. Defaults are not applied here: the
 * loader lays the file over `default.ts`, so that each effective value keeps its origin.
 */
import { z } from "zod";
import { DEFAULTS } from "../default.ts";
import { cacheKeys } from "./cache.ts";
import { chainRule } from "./chain.ts";
import { clientsGroup, corsGroup, profilesMap } from "./clients.ts";
import * as field from "./fields.ts";
import { pairingGroup } from "./pairing.ts";
import { GRANTS } from "../schema.ts";

const limits = DEFAULTS.limits;
const LOG_LEVEL = "(?:[a-z][a-z0-9._-]*=)?(?:trace|debug|info|warn|error|fatal|silent)";
const REDIS_URL = /^(rediss?:\/\/[^\s]+|\/[^\s]+)$/i;
const PRIVATE_KEY = /^\s*-----BEGIN [A-Z ]*PRIVATE KEY-----[^]+$/;
const ANY_TEXT = /[^]/;
const HTTP_URL = /^https?:\/\/[^\s/]+(\/[^\s?#]*)?$/i;
const DISTANCE = field.duration("Round trip.", 0).unwrap();
const CLUSTER_SECRET = /^[^]{16,1024}$/;
const LOG_LEVELS = new RegExp(`^${LOG_LEVEL}(?:,${LOG_LEVEL})*$`);

/** The document of one configuration file. */
export const documentSchema = z
  .strictObject({
    region: field.text("Name of this instance's region; tags every event, metric and log line.", {
      default: DEFAULTS.region,
      reload: "host",
    }),
    listen: field.group("Where clients connect.", {
      host: field.text("Address to bind.", field.host(DEFAULTS.listen.host)),
      port: field.whole(
        "TCP port; 0 picks a free one.",
        { min: 0, max: 65_535 },
        field.host(DEFAULTS.listen.port),
      ),
    }),
    admin: field.group("The operator's socket.", {
      socket: field.text(
        "Path of the Unix socket, at most 107 bytes. Its directory is made 0700 and holds the role tokens and the audit log.",
        field.host(DEFAULTS.admin.socket),
      ),
      allow_replace_state: field.flag(
        "Whether `replace-state` of the admin socket may put another state into a running process.",
        field.host(DEFAULTS.admin.allow_replace_state),
      ),
    }),
    log: field.group("Logging.", {
      level: field.describe(
        z.string().regex(LOG_LEVELS),
        "Severity from which lines are written, also by subsystem: `info,rpc.breaker=debug`.",
        "trace, debug, info, warn, error, fatal or silent, or levels by subsystem such as info,rpc=debug",
        field.hot(DEFAULTS.log.level),
      ),
      format: field.oneOf(
        ["auto", "json", "pretty"],
        "`auto` is pretty on a terminal and JSON otherwise.",
        field.host(DEFAULTS.log.format),
      ),
    }),
    storage: field.group("What survives a restart.", {
      url: field.describe(
        z.string().regex(/^((file|sqlite):.+|postgres(ql)?:\/\/[^\s]+)$/),
        "Where providers, policies and rankings are kept: `file:DIR` in a SQLite file `paceline.db` of that directory, `sqlite:FILE` in that file, `postgres://…` in that database. Benchmark snapshots lie in DIR, beside FILE, or in `./data`.",
        "file:DIRECTORY, sqlite:FILE or postgres://…",
        field.host(DEFAULTS.storage.url),
      ),
      snapshot_interval: field.duration(
        "Time between benchmark snapshots.",
        1_000,
        field.host(DEFAULTS.storage.snapshot_interval),
      ),
      snapshot_max_age: field.duration(
        "Snapshots older than this are removed, but for the newest of each chain.",
        1_000,
        field.host(DEFAULTS.storage.snapshot_max_age),
      ),
      snapshot_max_files: field.whole(
        "Snapshots kept of one chain; a restart reads back the last day of them.",
        { min: 1, max: 10_000 },
        field.host(DEFAULTS.storage.snapshot_max_files),
      ),
      retention: field.duration(
        "Age from which rankings of the audit trail are forgotten, and what providers were before they changed.",
        3_600_000,
        field.host(DEFAULTS.storage.retention),
      ),
    }),
    drain: field.group("What happens between SIGTERM and the exit.", {
      pre_delay: field.duration(
        "Not ready but still serving, so that load balancers look away first.",
        0,
        field.hot(DEFAULTS.drain.pre_delay),
      ),
      close_spread: field.duration(
        "WebSocket clients are closed with 1012 spread over this time.",
        0,
        field.hot(DEFAULTS.drain.close_spread),
      ),
      timeout: field.duration(
        "Everything after the pre-delay; what is left then is dropped with exit code 3.",
        0,
        field.hot(DEFAULTS.drain.timeout),
      ),
    }),
    limits: field.group("Bounds on what one client may ask for.", {
      max_body: field.size("Body of a request.", 1_024, 1_073_741_824, field.host(limits.max_body)),
      max_batch_items: field.whole(
        "Calls in a batch.",
        { min: 1, max: 1_000 },
        field.host(limits.max_batch_items),
      ),
      max_batch_response: field.size(
        "Answers of a batch together.",
        1_024,
        1_073_741_824,
        field.host(limits.max_batch_response),
      ),
      batch_concurrency: field.whole(
        "Calls of one batch that run at the same time.",
        { min: 1, max: 1_000 },
        field.host(limits.batch_concurrency),
      ),
      max_upstream_body: field.size(
        "Answer of a provider, decompressed.",
        1_024,
        4_294_967_296,
        field.host(limits.max_upstream_body),
      ),
      ws_max_message: field.size(
        "WebSocket message of a client.",
        1_024,
        1_073_741_824,
        field.host(limits.ws_max_message),
      ),
      memory_high: field.number(
        "Share of memory (heap, or the container's) from which on something is given up for it: what the cache keeps; at a quarter, half and three quarters of the rest new subscriptions, batches, all requests. 1 gives nothing up.",
        { min: 0.01, max: 1 },
        { ...field.host(limits.memory_high), unit: "ratio" },
      ),
      filters_per_client: field.whole(
        "Stateful filters (`eth_newFilter` and its like) of one client with a key.",
        { min: 1, max: 10_000 },
        field.host(limits.filters_per_client),
      ),
      filter_idle: field.duration(
        "A filter that nobody asks for so long is gone.",
        1_000,
        field.host(limits.filter_idle),
      ),
      ws_max_in_flight: field.whole(
        "Calls of one WebSocket client that run at the same time.",
        { min: 1, max: 100_000 },
        field.host(limits.ws_max_in_flight),
      ),
      ws_max_subscriptions: field.whole(
        "Subscriptions of one WebSocket client.",
        { min: 1, max: 100_000 },
        field.host(limits.ws_max_subscriptions),
      ),
      ws_max_buffered: field.size(
        "Unsent bytes beyond which a WebSocket client is closed with 1013.",
        1_024,
        1_073_741_824,
        field.host(limits.ws_max_buffered),
      ),
      ws_max_behind: field.duration(
        "A WebSocket client for which an event waits longer is closed with 1013.",
        250,
        field.host(limits.ws_max_behind),
      ),
      ws_max_clients: field.whole(
        "WebSocket clients.",
        { min: 1, max: 1_000_000 },
        field.host(limits.ws_max_clients),
      ),
      ws_ping_interval: field.duration(
        "How often a WebSocket client is pinged; one that misses two pongs, 5 s each, is dropped.",
        1_000,
        field.host(limits.ws_ping_interval),
      ),
    }),
    redis: field.group(
      "A Redis that several hosts share; losing it changes hit rates and how exactly limits are shared, nothing else.",
      {
        url: field.secret(
          "Where it is, with user and password if need be; without it nothing is shared.",
          "a redis:// or rediss:// URL, or the path of a Unix socket",
          REDIS_URL,
          { reload: "host" },
        ),
        sentinels: field.hosts(
          "Sentinels, if Redis has them: the host in `url` is then the name of the master that they watch. With `rediss` they are spoken to over TLS too.",
          field.host(DEFAULTS.redis.sentinels),
        ),
        sentinel_password: field.secret(
          "What Sentinels want to hear, if anything; the password in `url` is the master's.",
          "a text",
          ANY_TEXT,
          { reload: "host" },
        ),
        cluster_nodes: field.hosts(
          "Nodes of a Redis Cluster beside the host in `url`; one is enough, further ones are found through it.",
          field.host(DEFAULTS.redis.cluster_nodes),
        ),
        tls_ca: field.pem(
          "Authority that has signed the certificates of Redis, in place of the system's: `${file:/etc/redis/ca.pem}`. For a URL with `rediss`.",
          { reload: "host" },
        ),
        tls_cert: field.pem(
          "Certificate that is shown to a Redis that asks for one, with `tls_key`.",
          { reload: "host" },
        ),
        tls_key: field.secret(
          "The private key of `tls_cert`.",
          "a private key as PEM text, such as ${file:/etc/redis/client.key}",
          PRIVATE_KEY,
          { reload: "host" },
        ),
        key_prefix: field.text(
          "Stands before every key, so that several installations may use one Redis.",
          field.host(DEFAULTS.redis.key_prefix),
        ),
        timeout: field.duration(
          "Longest wait for a reply; the request then goes on as if there were no Redis.",
          1,
          field.host(DEFAULTS.redis.timeout),
        ),
      },
    ),
    cluster: field.group(
      "Regions that share presence, names and leaderboards over `redis`; see docs/regions.md.",
      {
        secret: field.secret(
          "Signs every message between regions, and is the same in all of them; without it nothing is shared.",
          "a text of 16 to 1024 characters",
          CLUSTER_SECRET,
          { reload: "host" },
        ),
        lease: field.duration(
          "A region that is silent for so long is gone, with its names and leaderboards; the same in all regions. It is heard ten times in that time.",
          2_000,
          field.host(DEFAULTS.cluster.lease),
        ),
        grants: field.oneOf(
          GRANTS,
          "The most that operators of other regions may do here with `paceline … --region`: nothing, look (viewer), or act as operator or admin.",
          field.hot(DEFAULTS.cluster.grants),
        ),
        url: field.describe(
          z.string().regex(HTTP_URL),
          "Where other regions reach this one; its listening address when not given.",
          "an http:// or https:// URL",
          { reload: "host" },
        ),
        help: field.flag(
          "What `chains.*.help` is where a chain does not say.",
          field.hot(DEFAULTS.cluster.help),
        ),
        help_max_in_flight: field.whole(
          "Helped calls at once: those that one chain passes on to one region, and all that this region takes from others.",
          { min: 1, max: 100_000 },
          field.host(DEFAULTS.cluster.help_max_in_flight),
        ),
        distances: field.describe(
          z.record(z.string(), DISTANCE),
          "Round trip to other regions by name, for who is nearest; measured where it is not given.",
          "a map from region names to durations such as 80ms",
          field.host(DEFAULTS.cluster.distances),
        ),
      },
    ),
    explain: field.group("The last requests, which can be explained by their id.", {
      requests: field.whole(
        "Requests that are kept; 0 keeps none.",
        { min: 0, max: 1_000_000 },
        field.hot(DEFAULTS.explain.requests),
      ),
      max_memory: field.size(
        "What they may weigh together, the routing snapshots they refer to included; the oldest go.",
        65_536,
        4_294_967_296,
        field.hot(DEFAULTS.explain.max_memory),
      ),
    }),
    slow_log: field.group("The last slow and the last failed requests, parameters outlined.", {
      threshold: field.duration(
        "A request that takes longer is slow.",
        1,
        field.hot(DEFAULTS.slow_log.threshold),
      ),
      entries: field.whole(
        "Slow requests and failed ones that are kept, each; 0 keeps none.",
        { min: 0, max: 100_000 },
        field.hot(DEFAULTS.slow_log.entries),
      ),
    }),
    clients: clientsGroup,
    cors: corsGroup,
    profiles: profilesMap,
    cache: field.group("Answers that are kept; see docs/cache.md.", {
      ...cacheKeys(DEFAULTS.cache),
      max_size: field.size(
        "Memory for the answers of all chains together, keys and bookkeeping included.",
        1_048_576,
        68_719_476_736,
        field.host(DEFAULTS.cache.max_size),
      ),
    }),
    pairing: pairingGroup,
    chains: z.record(z.string(), chainRule).meta({
      description: "The chains by name; none (`{}`) only where `pairing.markets` are named.",
      "x-reload": "process",
      "x-expects": "a map from chain name to chain",
    }),
  })
  .meta({ title: "Paceline configuration", description: "Configuration of one Paceline host." });

/** A document that passed the schema; defaults are not filled in. */
export type ConfigDocument = z.infer<typeof documentSchema>;
