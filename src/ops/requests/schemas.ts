/** Schemas of explanations and of the slow log; docs/explain.md says what each member means. */
import {
  flag,
  type Json,
  list,
  nullable,
  number,
  object,
  oneOf,
  text,
  whole,
} from "../json-schema.ts";

/** A section whose members are the business of the step that fills it. */
const section: Json = { type: ["object", "null"] };
const value: Json = { type: ["number", "string", "null"] };

const finding = { rule: text, value, limit: nullable(number) };

const nullableObject = (properties: Readonly<Record<string, Json>>): Json => ({
  anyOf: [object(properties), { type: "null" }],
});

const priorWord = nullableObject({ value: number, samples: number, regions: list(text) });

const attempts = list(
  object({
    provider: text,
    transport: oneOf("http", "ws"),
    kind: oneOf("primary", "failover", "hedge", "help", "retry", "part", "probe"),
    class: text,
    code: nullable(whole),
    after_ms: number,
    ms: number,
    budget_ms: whole,
    won: flag,
    cancelled_because: nullable(text),
  }),
);

const candidates = list(
  object({
    provider: text,
    transport: oneOf("http", "ws"),
    rank: whole,
    score: number,
    components: {
      type: "object",
      additionalProperties: object({ raw: value, value: number, weight: number }),
    },
    tier: oneOf("qualified", "unknown", "degraded", "limited", "recovering"),
    spare: flag,
    relaxed: list(object(finding)),
    canary: { type: ["string", "null"], enum: ["promoted", "demoted", null] },
    prior: nullableObject({ race: priorWord, calls: priorWord }),
    forecast: nullableObject({
      probability: number,
      demoted: flag,
      components: list(
        object({
          signal: text,
          probability: number,
          contribution: number,
          level: number,
          slope_per_s: number,
          limit: number,
          limit_in_s: nullable(number),
          reason: text,
        }),
      ),
    }),
    sticky: flag,
    breaker: object({
      state: oneOf("closed", "open", "half_open"),
      open_until_ms: whole,
      generation: whole,
      forced: flag,
    }),
    cooldown_ms: whole,
    head: nullable(whole),
    lag: nullable(number),
  }),
);

/** By name. */
export const REQUEST_SCHEMAS: Readonly<Record<string, Json>> = {
  Explanation: object({
    v: { const: 1 },
    request_id: text,
    client_request_id: nullable(text),
    chain: text,
    method: text,
    strategy: text,
    fallback: nullable(text),
    protocol: oneOf("http", "ws"),
    outcome: oneOf("ok", "error", "gone", "running", "dry_run"),
    reason: nullable(text),
    provider: nullable(text),
    seed: nullable(whole),
    snapshot: nullableObject({ version: whole, age_ms: whole, tip: nullable(whole) }),
    candidates,
    excluded: list(
      object({ provider: text, transport: nullable(text), ...finding, transient: flag }),
    ),
    attempts,
    attempts_omitted: whole,
    hedge: nullableObject({
      fired: flag,
      after_ms: nullable(number),
      budget_left: nullable(whole),
      denied_because: nullable(text),
    }),
    timings: object({
      select_us: nullable(whole),
      upstream_ms: nullable(number),
      total_ms: number,
    }),
    cost: nullableObject({ units: number, price: number }),
    pin: section,
    cache: object({ status: text }),
    flight: section,
    help: nullableObject({ by: nullable(text), because: nullable(text), for: nullable(text) }),
    quorum: section,
    integrity: section,
    logs: section,
    write: section,
    client: section,
    pairing: nullableObject({
      consumer: text,
      epoch: whole,
      revision: whole,
      seed: text,
      mode: oneOf("top", "weighted"),
      ids: list(text),
      gone: list(text),
      left_out: list(text),
      served_by: oneOf("list", "market"),
    }),
    params: section,
  }),
  SlowRequests: object({
    total: whole,
    entries: list(
      object({
        seq: whole,
        why: oneOf("slow", "failed"),
        request_id: text,
        client_request_id: nullable(text),
        chain: text,
        method: text,
        strategy: text,
        protocol: oneOf("http", "ws"),
        outcome: oneOf("ok", "error", "gone"),
        reason: nullable(text),
        provider: nullable(text),
        cache: text,
        total_ms: number,
        attempts,
        attempts_omitted: whole,
        params: nullableObject({ bytes: whole, hash: text, outline: nullable(text) }),
        age_ms: whole,
      }),
    ),
  }),
};
