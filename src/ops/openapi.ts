/** OpenAPI 3.1 description of the REST paths that exist; a test compares it with the routes. */

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

const text = { type: "string" } as const;
const whole = { type: "integer" } as const;
const ratio = { type: "number", minimum: 0, maximum: 1 } as const;
const flag = { type: "boolean" } as const;

const nullable = (schema: { readonly type: string; readonly [key: string]: Json }): Json => ({
  ...schema,
  type: [schema.type, "null"],
});
const object = (properties: Readonly<Record<string, Json>>): Json => ({
  type: "object",
  properties,
  required: Object.keys(properties),
});
const list = (items: Json): Json => ({ type: "array", items });
const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const oneOf = (...values: readonly string[]): Json => ({ type: "string", enum: values });

const PROVIDER_STATE = oneOf(
  "healthy",
  "unknown",
  "lagging",
  "suspect",
  "rate_limited",
  "degraded",
  "half_open",
  "open",
  "unusable",
);

const endpoint = {
  breaker: oneOf("closed", "open", "half_open"),
  usable: flag,
  forced: flag,
  retry_in_ms: nullable(whole),
  cooldown_ms: nullable(whole),
  in_flight: whole,
  reason: nullable(text),
};

const SCHEMAS: Readonly<Record<string, Json>> = {
  Error: object({ error: text, success: { const: false } }),
  Endpoint: object(endpoint),
  WsEndpoint: object({ ...endpoint, connection: nullable(text) }),
  Provider: object({
    id: text,
    state: PROVIDER_STATE,
    reason: nullable(text),
    vendor: nullable(text),
    region: nullable(text),
    role: oneOf("primary", "backup"),
    type: text,
    priority: whole,
    http: { anyOf: [ref("Endpoint"), { type: "null" }] },
    ws: { anyOf: [ref("WsEndpoint"), { type: "null" }] },
    head: nullable(whole),
    lag_blocks: nullable(whole),
    rank: nullable(whole),
    score: nullable(ratio),
    misbehaviour: { type: "number" },
    trial: { anyOf: [oneOf("shadow", "canary"), { type: "null" }] },
    p50_ms: nullable({ type: "number" }),
    p95_ms: nullable({ type: "number" }),
    failure_ratio: nullable(ratio),
    calls: whole,
    wins: whole,
    races: whole,
    win_ratio: nullable(ratio),
    capabilities: list(
      object({
        kind: oneOf("method", "range", "results", "addresses", "state", "history"),
        method: nullable(text),
        limit: whole,
        expires_in_ms: nullable(whole),
      }),
    ),
    restarts: whole,
  }),
  Chain: object({
    name: text,
    chain_id: whole,
    aliases: list(text),
    state: oneOf("ok", "degraded", "down"),
    reason: nullable(text),
    strategy: text,
    tip: object({ number: nullable(whole), hash: nullable(text), age_ms: nullable(whole) }),
    block_time_ms: nullable(whole),
    restarts: whole,
    rpc_path: text,
    providers: list(ref("Provider")),
    skipped: list(object({ id: text, reason: text })),
    unmatched_errors: list(
      object({
        code: nullable({ type: "integer" }),
        text,
        count: whole,
        provider: text,
        method: text,
      }),
    ),
  }),
  Chains: object({ region: text, chains: list(ref("Chain")) }),
  Leaderboard: object({
    chain: text,
    strategy: text,
    leaderboard: list(
      object({
        rank: nullable(whole),
        provider: text,
        state: PROVIDER_STATE,
        score: nullable(ratio),
        race_score: nullable({ type: "number" }),
        pace_score: nullable(ratio),
        wins: whole,
        races: whole,
        win_ratio: nullable(ratio),
        miss_ratio: nullable(ratio),
        avg_margin_ms: nullable({ type: "number" }),
        reliability: nullable(ratio),
        p50_ms: nullable({ type: "number" }),
        p95_ms: nullable({ type: "number" }),
        calls: whole,
      }),
    ),
  }),
  Alerts: object({
    alerts: list({
      type: "object",
      properties: {
        id: text,
        severity: oneOf("warning", "critical"),
        chain: text,
        provider: text,
        message: text,
        hint: text,
      },
      required: ["id", "severity", "message", "hint"],
    }),
  }),
  Health: {
    type: "object",
    properties: {
      status: oneOf("ok", "degraded", "unhealthy", "draining"),
      region: text,
      checks: list({
        type: "object",
        properties: {
          name: text,
          ok: flag,
          reason: text,
          since: { type: "string", format: "date-time" },
        },
        required: ["name", "ok"],
      }),
    },
    required: ["status", "region", "checks"],
  },
};

const body = (schema: string, description: string): Json => ({
  description,
  content: { "application/json": { schema: ref(schema) } },
});

const get = (
  operationId: string,
  summary: string,
  responses: Readonly<Record<string, Json>>,
  parameters: readonly Json[] = [],
): Json => ({ get: { operationId, summary, responses, parameters } });

const chainParameter: Json = {
  name: "chain",
  in: "path",
  required: true,
  description: "name or alias of a chain",
  schema: text,
};
const query = (name: string, schema: Json, description: string): Json => ({
  name,
  in: "query",
  required: false,
  description,
  schema,
});

const noChain = body("Error", "no such chain runs");
const healthAnswers = { "200": body("Health", "well"), "503": body("Health", "not well") };

const PATHS: Readonly<Record<string, Json>> = {
  "/livez": get("livez", "The event loop turns and the root supervisor lives", healthAnswers),
  "/startupz": get("startupz", "Configuration loaded, every endpoint tried once", healthAnswers),
  "/readyz": get(
    "readyz",
    "Not draining, and enough usable providers",
    { ...healthAnswers, "400": body("Health", "min is not a whole number") },
    [
      query("chain", text, "this chain instead of any: name, alias, decimal or 0x chain id"),
      query("min", { type: "integer", minimum: 0, default: 1 }, "usable providers wanted"),
    ],
  ),
  "/health": get("health", "Availability, performance, resources and alerts", healthAnswers),
  "/metrics": get("metrics", "Prometheus metrics, text format 0.0.4", {
    "200": { description: "the page", content: { "text/plain": { schema: text } } },
  }),
  "/api/v1/chains": get("listChains", "Running chains with their providers and states", {
    "200": body("Chains", "all chains"),
  }),
  "/api/v1/chains/{chain}": get(
    "getChain",
    "One chain with its providers and states",
    { "200": body("Chain", "the chain"), "404": noChain },
    [chainParameter],
  ),
  "/api/v1/chains/{chain}/leaderboard": get(
    "getLeaderboard",
    "Providers of a chain, best first, with the evidence",
    { "200": body("Leaderboard", "the ranking"), "404": noChain },
    [chainParameter],
  ),
  "/api/v1/alerts": get("listAlerts", "Conditions that need the operator now", {
    "200": body("Alerts", "active alerts, critical ones first"),
  }),
};

/** The document of `GET /openapi.json`. */
export const openApiDocument = (version: string): Json => ({
  openapi: "3.1.0",
  info: {
    title: "Paceline",
    version,
    description: "Operator's REST paths. JSON-RPC is served under /rpc/{chain}.",
    license: { name: "MIT", identifier: "MIT" },
  },
  servers: [{ url: "/" }],
  paths: PATHS,
  components: { schemas: SCHEMAS },
});
