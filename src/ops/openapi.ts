/** OpenAPI 3.1 description of the REST paths that exist; a test compares it with the routes. */

import {
  flag,
  type Json,
  list,
  nullable,
  number,
  object,
  oneOf,
  ratio,
  ref,
  text,
  whole,
} from "./json-schema.ts";
import { EVIDENCE_SCHEMAS, evidencePaths } from "./evidence/schemas.ts";
import { REGION_SCHEMAS } from "./regions/schemas.ts";
import { REQUEST_SCHEMAS } from "./requests/schemas.ts";
import { PROVIDER_STATES } from "./status.ts";

const PROVIDER_STATE = oneOf(...PROVIDER_STATES);

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
  ...REQUEST_SCHEMAS,
  ...EVIDENCE_SCHEMAS,
  ...REGION_SCHEMAS,
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
    misbehaviour: number,
    forecast: {
      anyOf: [
        object({ probability: ratio, demoted: flag, reason: nullable(text) }),
        { type: "null" },
      ],
    },
    trial: { anyOf: [oneOf("shadow", "canary"), { type: "null" }] },
    p50_ms: nullable(number),
    p95_ms: nullable(number),
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
    answers: object({
      hits: whole,
      misses: whole,
      hit_ratio: nullable(ratio),
      coalesced: whole,
      kept: whole,
      entries: whole,
      bytes: whole,
    }),
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
const query = (name: string, schema: Json, description: string) => ({
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
  ...evidencePaths(chainParameter),
  "/api/v1/chains/{chain}/explain": get(
    "explainMethod",
    "Who would serve a method now, in which order, and what refuses the others; nothing is sent",
    {
      "200": body("Explanation", "the explanation of a call that was not made"),
      "400": body("Error", "the question cannot be read"),
      "404": body("Error", "no such chain or provider"),
    },
    [
      chainParameter,
      { ...query("method", text, "the method"), required: true },
      query("params", text, "its parameters as JSON; [] when not given"),
      query("strategy", text, "another strategy than the chain's"),
      query("provider", text, "only this provider: id, tag or glob"),
      query("transport", oneOf("http", "ws", "any"), "only over this"),
    ],
  ),
  "/api/v1/requests/slow": get(
    "listSlowRequests",
    "The last requests that were slow or failed, parameters outlined",
    { "200": body("SlowRequests", "oldest first"), "400": body("Error", "no whole number") },
    [
      query("since", { type: "integer", minimum: 0, default: 0 }, "only those after this seq"),
      query("limit", { type: "integer", minimum: 0, maximum: 1000, default: 50 }, "the newest"),
    ],
  ),
  "/api/v1/requests/{id}": get(
    "explainRequest",
    "How one of the last requests was served",
    {
      "200": body("Explanation", "the explanation"),
      "404": body("Error", "not among the last ones"),
    },
    [
      {
        name: "id",
        in: "path",
        required: true,
        description: "`X-Paceline-Request-Id` of the answer, or of the request",
        schema: text,
      },
    ],
  ),
  "/api/v1/regions": get("listRegions", "The regions that share with this one", {
    "200": body("Regions", "this region first; its state says whether anything is shared"),
  }),
  "/api/v1/alerts": get("listAlerts", "Conditions that need the operator now", {
    "200": body("Alerts", "active alerts, critical ones first"),
  }),
};

/** What another part of the port says of its own paths. */
export interface Described {
  readonly paths: Readonly<Record<string, Json>>;
  readonly schemas: Readonly<Record<string, Json>>;
  readonly securitySchemes: Readonly<Record<string, Json>>;
}

/** The document of `GET /openapi.json`. */
export const openApiDocument = (version: string, more?: Described): Json => ({
  openapi: "3.1.0",
  info: {
    title: "Paceline",
    version,
    description: "Operator's REST paths. JSON-RPC is served under /rpc/{chain}.",
    license: { name: "MIT", identifier: "MIT" },
  },
  servers: [{ url: "/" }],
  paths: { ...PATHS, ...more?.paths },
  components: {
    schemas: { ...SCHEMAS, ...more?.schemas },
    ...(more === undefined ? {} : { securitySchemes: more.securitySchemes }),
  },
});
