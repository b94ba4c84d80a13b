/** Every key: it can be set, its default is the documented one, and a change of it is planned as documented. */
import { describe, expect, it } from "vitest";
import { planReload } from "../../config/plan.ts";
import { STRATEGY_ALIASES, type Config } from "../../config/schema.ts";
import { documentedKeys } from "../../config/keys/walk.ts";
import { load, mustLoad } from "./support.ts";

/** A value other than the default for every key, as YAML. */
const OTHER: Readonly<Record<string, string>> = {
  region: "eu",
  "listen.host": "0.0.0.0",
  "listen.port": "9",
  "admin.socket": "/run/p/a.sock",
  "admin.allow_replace_state": "true",
  "log.level": '"debug,rpc=trace"',
  "log.format": "json",
  "storage.url": "sqlite:/var/lib/p/p.db",
  "storage.snapshot_interval": "2h",
  "storage.snapshot_max_age": "7h",
  "storage.snapshot_max_files": "7",
  "storage.retention": "30d",
  "drain.pre_delay": "1s",
  "drain.close_spread": "1s",
  "drain.timeout": "1s",
  "limits.max_body": "1MiB",
  "limits.max_batch_items": "7",
  "limits.max_batch_response": "1MiB",
  "limits.batch_concurrency": "7",
  "limits.max_upstream_body": "1MiB",
  "limits.ws_max_message": "1MiB",
  "limits.memory_high": "0.7",
  "limits.filters_per_client": "7",
  "limits.filter_idle": "7m",
  "limits.ws_max_in_flight": "7",
  "limits.ws_max_subscriptions": "7",
  "limits.ws_max_buffered": "1MiB",
  "limits.ws_max_behind": "7s",
  "limits.ws_max_clients": "7",
  "limits.ws_ping_interval": "7s",
  "explain.requests": "7",
  "explain.max_memory": "1MiB",
  "slow_log.threshold": "7s",
  "slow_log.entries": "7",
  "cors.origins": "['*']",
  "cors.max_age": "7s",
  profiles: "{ p: {} }",
  "cluster.secret": '"a secret of sixteen and more"',
  "cluster.lease": "7s",
  "cluster.grants": "operator",
  "cluster.url": '"https://eu.example"',
  "cluster.help": "true",
  "cluster.help_max_in_flight": "7",
  "cluster.distances": "{ us: 7ms }",
  "redis.url": '"redis://:pass@redis.example:6379/1"',
  "redis.sentinels": '["10.0.0.1:26379"]',
  "redis.sentinel_password": '"of the sentinels"',
  "redis.cluster_nodes": '["10.0.0.1:7000", "[::1]:7001"]',
  "redis.tls_ca": '"-----BEGIN CERTIFICATE-----\\nx"',
  "redis.tls_cert": '"-----BEGIN CERTIFICATE-----\\nx"',
  "redis.tls_key": '"-----BEGIN PRIVATE KEY-----\\nx"',
  "redis.key_prefix": '"p7:"',
  "redis.timeout": "7ms",
  "pairing.markets": "{ eu: {} }",
  "pairing.on_demand": "7",
  "pairing.audit.one_in": "7",
  "pairing.workers": "7",
  "pairing.queue.capacity": "7",
  "pairing.queue.drain_timeout": "7s",
  "pairing.results.capacity": "7",
  "pairing.cache.enabled": "false",
  "pairing.cache.capacity": "7",
  "pairing.cache.ttl": "7s",
  "pairing.cache.shared_from": "7ms",
  "pairing.errors.threshold": "7",
  "pairing.errors.window": "7s",
  "pairing.errors.restart": "true",
  "pairing.batch.max_policies": "7",
  "pairing.batch.threads": "7",
  "pairing.batch.threads_from": "7",
  "pairing.epoch": "7s",
  "pairing.lists.chains": "{ ethereum: eu }",
  "pairing.lists.mode": "weighted",
  "pairing.lists.consumer": "header",
  "pairing.lists.on_exhausted": "market",
  "pairing.lists.unlisted": "error",
  "pairing.lists.min_live": "7",
  "pairing.lists.max_consumers": "7",
  "chains.<name>.chain_id": "2",
  "chains.<name>.allow_client_directives": "false",
  "chains.<name>.aliases": "[eth]",
  "chains.<name>.block_time": "12s",
  "chains.<name>.strategy": "hybrid",
  "chains.<name>.consistency": "session",
  "chains.<name>.finality_depth": "7",
  "chains.<name>.selection.max_lag_blocks": "7",
  "chains.<name>.selection.archival_threshold": "7",
  "chains.<name>.selection.min_healthy": "2",
  "chains.<name>.selection.cost_bias": "0.5",
  "chains.<name>.aggregation.max_cache_size": "777",
  "chains.<name>.aggregation.deduplication_window": "1s",
  "chains.<name>.aggregation.max_providers": "2",
  "chains.<name>.failover.enabled": "false",
  "chains.<name>.failover.max_backfill_blocks": "7",
  "chains.<name>.failover.backfill_timeout": "7s",
  "chains.<name>.write.mode": "sticky",
  "chains.<name>.write.providers": "3",
  "chains.<name>.breaker.failure_threshold": "7",
  "chains.<name>.breaker.recovery_timeout": "7s",
  "chains.<name>.breaker.success_threshold": "7",
  "chains.<name>.breaker.categories": "false",
  "chains.<name>.connection.heartbeat_interval": "7s",
  "chains.<name>.connection.reconnect_interval": "7ms",
  "chains.<name>.connection.max_reconnect_attempts": "7",
  "chains.<name>.health_check.interval": "7s",
  "chains.<name>.health_check.timeout": "7s",
  "chains.<name>.health_check.failure_threshold": "7",
  "chains.<name>.health_check.recovery_threshold": "7",
  "chains.<name>.help": "true",
  "chains.<name>.hedge.enabled": "false",
  "chains.<name>.hedge.budget": "0.5",
  "chains.<name>.prediction.enabled": "false",
  "chains.<name>.prediction.horizon": "30s",
  "chains.<name>.prediction.demote_at": "0.7",
  "chains.<name>.prediction.restore_at": "0.2",
  "chains.<name>.prediction.hold": "1m",
  "chains.<name>.prediction.limits.latency": "1s",
  "chains.<name>.prediction.limits.error_ratio": "0.1",
  "chains.<name>.prediction.limits.rate_limited_ratio": "0.1",
  "chains.<name>.prediction.limits.miss_ratio": "0.3",
  "chains.<name>.prediction.limits.ws_drops": "5",
  "chains.<name>.leaderboard.formula": "livechain",
  "chains.<name>.leaderboard.prior": "regions",
  "chains.<name>.leaderboard.half_life": "7m",
  "chains.<name>.leaderboard.weights.race": "1",
  "chains.<name>.leaderboard.weights.reliability": "1",
  "chains.<name>.leaderboard.weights.latency": "1",
  "chains.<name>.leaderboard.weights.freshness": "1",
  "chains.<name>.logs.max_range": "777",
  "chains.<name>.logs.part_range": "77",
  "chains.<name>.logs.parallel": "7",
  "chains.<name>.sticky.hysteresis": "0.7",
  "chains.<name>.sticky.min_interval": "7s",
  "cache.enabled": "false",
  "cache.max_size": "64MiB",
  "cache.policies": "[{ methods: ['eth_*'], finality: realtime, ttl: 7s }]",
  "chains.<name>.methods.allow": "[debug_traceCall]",
  "chains.<name>.methods.deny": "['*_sign*']",
  "chains.<name>.quorum": "[{ methods: [eth_call], agree: 3, of: 4, prefer: none }]",
  "chains.<name>.integrity.headers": "true",
  "chains.<name>.integrity.bloom": "true",
  "chains.<name>.integrity.receipts": "true",
  "chains.<name>.providers[].shadow.sample": "0.5",
  "chains.<name>.providers[].canary.share": "0.5",
  "chains.<name>.cache.enabled": "false",
  "chains.<name>.cache.policies": "[{ methods: [eth_call], finality: finalized, ttl: 0 }]",
  "chains.<name>.providers[].url": '"https://b.example/"',
  "chains.<name>.providers[].ws_url": '"wss://b.example/"',
  "chains.<name>.providers[].priority": "7",
  "chains.<name>.providers[].role": "backup",
  "chains.<name>.providers[].weight": "7",
  "chains.<name>.providers[].type": "paid",
  "chains.<name>.providers[].vendor": "infura",
  "chains.<name>.providers[].tags": "[eu]",
  "chains.<name>.providers[].region": "eu",
  "chains.<name>.providers[].archival": "true",
  "chains.<name>.providers[].subscribe_new_heads": "false",
  "chains.<name>.providers[].cost.price_per_million_units": "7",
  "chains.<name>.providers[].cost.units": "{ default: 2, eth_getLogs: 7 }",
  "chains.<name>.providers[].http.pool": "7",
  "chains.<name>.providers[].headers": "{ x-key: secret }",
  "chains.<name>.providers[].capabilities.unsupported": "['trace_*']",
  "chains.<name>.providers[].capabilities.max_block_range": "7",
  "chains.<name>.providers[].capabilities.archive_depth": "7",
  "chains.<name>.providers[].error_rules": "[{ code: -32097, class: rate_limit }]",
  "chains.<name>.providers[].breaker.failure_threshold": "7",
  "chains.<name>.providers[].breaker.recovery_timeout": "7s",
  "chains.<name>.providers[].breaker.success_threshold": "7",
  "chains.<name>.providers[].breaker.categories": "false",
  "chains.<name>.providers[].probe": "false",
  "chains.<name>.providers[].cordoned": "true",
};

/** Keys about how the file is read; their effects are tested with the substitution. */
const READING = ["id", "api_key_required", "required"].map(
  (key) => `chains.<name>.providers[].${key}`,
);

/** Keys that need others beside them; `clients.test.ts` and `pairing.test.ts` go through them. */
const isSomebodysElse = (path: string): boolean =>
  path.startsWith("clients.") ||
  path.startsWith("profiles.") ||
  path.startsWith("pairing.markets.") ||
  path.startsWith("pairing.lists.blocks.") ||
  path === "pairing.cache.shared" ||
  /\.(rate|quota)\./.test(path);

const leaves = documentedKeys().filter(
  ({ path, kind }) =>
    kind !== "map" &&
    !["chains", "chains.<name>.providers"].includes(path) &&
    !path.includes("error_rules[]") &&
    !path.includes("quorum[]") &&
    !isSomebodysElse(path) &&
    !path.includes("policies[]"),
);

/** A configuration in which the key at `path` is `value`. */
function documentWith(path: string, value: string): string {
  const nested = (keys: string): string =>
    `{ ${keys.split(".").join(": { ")}: ${value} ${"} ".repeat(keys.split(".").length)}`;
  const inner = (prefix: string): string =>
    path.startsWith(prefix) ? nested(path.slice(prefix.length)).slice(2, -2) : "";
  const provider = inner("chains.<name>.providers[].");
  const chain = provider === "" ? inner("chains.<name>.") : "";
  const host = path.startsWith("chains") || path === "" ? "" : `${inner("")}\n`;
  const urls = ["url", "ws_url"].filter((key) => !provider.startsWith(`${key}:`));
  const given = urls.map((key) => `${key}: "${key === "url" ? "https" : "wss"}://a.example/"`);
  const id = chain.startsWith("chain_id") ? "" : "chain_id: 1, ";
  const fields = ["id: a", ...given, provider].filter((text) => text !== "").join(", ");
  return `${host}chains: { ethereum: { ${id}${chain}${chain === "" ? "" : ", "}providers: [{ ${fields} }] } }\n`;
}

const plain = mustLoad(documentWith("", ""));

function reachOf(config: Config): string {
  const { needsHost, steps } = planReload(plain, config);
  if (needsHost.length > 0) return "host";
  return steps.some(({ action }) => action !== "patch")
    ? "process"
    : steps.length > 0
      ? "hot"
      : "none";
}

describe("every key", () => {
  it("has another value in this test, so that none is forgotten", () => {
    const known = [...Object.keys(OTHER), ...READING].sort();
    expect(leaves.map(({ path }) => path).sort()).toEqual(known);
  });

  it.each(Object.entries(OTHER))(
    "%s: %s changes the configuration as documented",
    (path, value) => {
      const config = mustLoad(documentWith(path, value));
      const documented = leaves.find((key) => key.path === path)?.meta["x-reload"];
      expect(reachOf(config)).toBe(documented);
    },
  );

  it.each(
    leaves.filter(({ meta }) => meta.default !== undefined).map((key) => [key.path, key] as const),
  )("%s has the documented default", (path, { meta }) => {
    expect(mustLoad(documentWith(path, JSON.stringify(meta.default)))).toEqual(plain);
  });

  it("has a meaning in words", () => {
    for (const { path, meta } of documentedKeys()) {
      expect(meta.description, path).toMatch(/\.$/);
    }
  });

  it("refuses every key with a value of no type", () => {
    for (const { path } of leaves) {
      expect(load(documentWith(path, "{ no: [such] }")).ok, path).toBe(false);
    }
  });

  it("keeps credentials of a URL as the header that they stand for", () => {
    const config = mustLoad(
      'chains: { e: { chain_id: 1, providers: [{ id: a, url: "https://me:p%40ss@a.example/x" }] } }',
    );
    const [provider] = config.chains[0]?.providers ?? [];
    expect(provider?.url?.reveal()).toBe("https://a.example/x");
    expect(provider?.headers["authorization"]?.reveal()).toBe(`Basic ${btoa("me:p@ss")}`);
  });

  it("puts a chain's cache policies before those of all chains", () => {
    const policy = (ttl: string) => `{ methods: ["*"], finality: finalized, ttl: ${ttl} }`;
    const chain = `cache: { policies: [${policy("1s")}] }, chain_id: 1, providers: [{ id: a, url: "https://a.example" }]`;
    const config = mustLoad(
      `cache: { enabled: false, policies: [${policy("2s")}] }\nchains: { e: { ${chain} } }`,
    );
    expect(config.chains[0]?.cache.policies.map(({ ttlMs }) => ttlMs)).toEqual([1_000, 2_000]);
    expect(config.chains[0]?.cache.enabled).toBe(false);
  });

  it("refuses a cache policy that does not say for which finality", () => {
    const chain = 'chain_id: 1, providers: [{ id: a, url: "https://a.example" }]';
    const loaded = load(
      `cache: { policies: [{ methods: [eth_call], ttl: 1s }] }\nchains: { e: { ${chain} } }`,
    );
    expect(loaded.ok).toBe(false);
    if (!loaded.ok) expect(JSON.stringify(loaded)).toContain("finality");
  });

  it("takes a strategy under its other spellings, and gives it its own name", () => {
    for (const [spelling, name] of Object.entries(STRATEGY_ALIASES)) {
      const chain = `strategy: ${spelling}, chain_id: 1, providers: [{ id: a, url: "https://a.example" }]`;
      expect(mustLoad(`chains: { e: { ${chain} } }`).chains[0]?.strategy).toBe(name);
    }
  });
});
