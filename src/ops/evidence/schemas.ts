/** OpenAPI of the evidence paths; docs/evidence.md says what each member means. */
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
} from "../json-schema.ts";
import { sharedBoardsSchema } from "../regions/schemas.ts";
import { PROVIDER_STATES } from "../status.ts";
import { MAX_POINTS, MAX_ROWS, USUAL_POINTS, USUAL_RACES } from "./api.ts";
import { RESULTS, STREAMS } from "./port.ts";
import { LEADERBOARD_ORDERS } from "./reports.ts";

const time = { type: "string", format: "date-time" } as const;
const state = oneOf(...PROVIDER_STATES);

/** What races have shown, as leaderboards have it. */
const standing = {
  provider: text,
  race_score: nullable(number),
  pace_score: nullable(ratio),
  wins: whole,
  races: whole,
  win_ratio: nullable(ratio),
  miss_ratio: nullable(ratio),
  avg_margin_ms: nullable(number),
  reliability: nullable(ratio),
  p50_ms: nullable(number),
};

/** An object with one more member that is there when it was asked for. */
const withOptional = (
  name: string,
  schema: Json,
  properties: Readonly<Record<string, Json>>,
): Json => ({
  type: "object",
  properties: { ...properties, [name]: schema },
  required: Object.keys(properties),
});

/** Schemas by name. */
export const EVIDENCE_SCHEMAS: Readonly<Record<string, Json>> = {
  QueryError: object({ error: text, field: text, success: { const: false } }),
  Leaderboard: withOptional("regions", sharedBoardsSchema, {
    chain: text,
    strategy: text,
    by: oneOf(...LEADERBOARD_ORDERS),
    version: whole,
    leaderboard: list(
      object({
        ...standing,
        rank: nullable(whole),
        state,
        score: nullable(ratio),
        p95_ms: nullable(number),
        calls: whole,
      }),
    ),
  }),
  LeaderboardHistory: object({
    chain: text,
    history: list(object({ at: time, leaderboard: list(object(standing)) })),
  }),
  Metrics: object({
    chain: text,
    races: list(
      object({
        provider: text,
        event: oneOf(...STREAMS),
        race_score: number,
        pace_score: nullable(ratio),
        weight: number,
        wins: whole,
        losses: whole,
        misses: whole,
        races: whole,
        win_ratio: ratio,
        miss_ratio: ratio,
        avg_margin_ms: number,
        absences: whole,
        availability: nullable(ratio),
        uncorroborated: whole,
      }),
    ),
    calls: list(
      object({
        provider: text,
        transport: oneOf("http", "ws"),
        method: text,
        n: number,
        reliability: ratio,
        failure_ratio: ratio,
        timeout_ratio: ratio,
        capacity: number,
        samples: whole,
        mean_ms: nullable(number),
        p50_ms: nullable(number),
        p95_ms: nullable(number),
        p99_ms: nullable(number),
      }),
    ),
    omitted: whole,
  }),
  Races: object({
    chain: text,
    first: whole,
    last: whole,
    next: whole,
    missed: whole,
    reset: flag,
    races: list(
      object({
        seq: whole,
        at: time,
        provider: text,
        event: oneOf(...STREAMS),
        result: oneOf(...RESULTS),
        margin_ms: nullable(number),
      }),
    ),
  }),
  Providers: object({
    chain: text,
    total: whole,
    next: nullable(text),
    providers: list(ref("Provider")),
  }),
};

const body = (schema: string, description: string): Json => ({
  description,
  content: { "application/json": { schema: ref(schema) } },
});

const query = (name: string, schema: Json, description: string): Json => ({
  name,
  in: "query",
  required: false,
  description,
  schema,
});

const limit = (maximum: number, usual: number): Json =>
  query("limit", { type: "integer", minimum: 1, maximum, default: usual }, "entries at most");
const moment = (name: string, description: string): Json =>
  query(name, text, `${description}: ms since 1970, an ISO time or a duration such as 10m`);

interface Path {
  readonly id: string;
  readonly summary: string;
  readonly schema: string;
  readonly parameters: readonly Json[];
}

const PATHS: Readonly<Record<string, Path>> = {
  leaderboard: {
    id: "getLeaderboard",
    summary: "Providers of a chain, best first, with the evidence",
    schema: "Leaderboard",
    parameters: [
      query("by", oneOf(...LEADERBOARD_ORDERS), "the chain's ranking, or a race score"),
      limit(MAX_ROWS, MAX_ROWS),
      query("region", text, "also what this other region has seen, or `all` of them"),
    ],
  },
  "leaderboard/history": {
    id: "getLeaderboardHistory",
    summary: "How the leaderboard stood at each snapshot of the last day",
    schema: "LeaderboardHistory",
    parameters: [
      moment("since", "not before"),
      moment("until", "not after"),
      limit(MAX_POINTS, USUAL_POINTS),
    ],
  },
  metrics: {
    id: "getMetrics",
    summary: "Evidence by provider and stream, and by provider, transport and method",
    schema: "Metrics",
    parameters: [
      query("provider", text, "only of this provider"),
      query("event", oneOf(...STREAMS), "races on this stream only"),
      query("transport", oneOf("http", "ws"), "calls over this only"),
      query("method", text, "calls of this method only"),
      limit(MAX_ROWS, MAX_ROWS),
    ],
  },
  races: {
    id: "listRaces",
    summary: "Results of races, one per provider and event, oldest first",
    schema: "Races",
    parameters: [
      moment("since", "after this seq, or not before"),
      limit(MAX_ROWS, USUAL_RACES),
      query("provider", text, "only of this provider"),
      query("event", oneOf(...STREAMS), "only on this stream"),
      query("result", oneOf(...RESULTS), "only those that ended so"),
    ],
  },
  providers: {
    id: "listProviders",
    summary: "Providers of a chain by id, with states and evidence",
    schema: "Providers",
    parameters: [
      query("state", state, "only those in this state"),
      query("after", text, "only ids after this one"),
      limit(MAX_ROWS, MAX_ROWS),
    ],
  },
};

/** The paths, below `/api/v1/chains/{chain}/`. */
export const evidencePaths = (chainParameter: Json): Readonly<Record<string, Json>> =>
  Object.fromEntries(
    Object.entries(PATHS).map(([name, { id, summary, schema, parameters }]) => [
      `/api/v1/chains/{chain}/${name}`,
      {
        get: {
          operationId: id,
          summary,
          responses: {
            "200": body(schema, "the answer; its ETag can be sent as If-None-Match"),
            "304": { description: "still the answer that If-None-Match names" },
            "400": body("QueryError", "a parameter cannot be read; `field` names it"),
            "404": body("Error", "no such chain runs"),
          },
          parameters: [chainParameter, ...parameters],
        },
      },
    ]),
  );
