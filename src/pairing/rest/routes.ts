/** The paths of the pairing interface: one table that is dispatched and described in /openapi.json. */
import type { PairingSchema } from "./schemas.ts";

/** What a parameter of the query is. */
export interface QuerySpec {
  readonly type: "string" | "integer";
  readonly meaning: string;
  readonly isRequired?: boolean;
}

/** One path and method. */
export interface RouteSpec {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** With `{name}` for parameters. */
  readonly path: string;
  readonly summary: string;
  /**
   * `write` changes a market: where keys are configured it needs one that may; a path without a market
   * is about all of them. `write_lists` changes who serves a consumer: it needs a key that may change
   * every market that lists are drawn from.
   */
  readonly access: "read" | "write" | "write_lists";
  readonly status: 200 | 202;
  readonly answer: PairingSchema;
  readonly body?: readonly PairingSchema[];
  readonly query?: Readonly<Record<string, QuerySpec>>;
}

const POLICY = {
  policy: { type: "string", meaning: "a policy as JSON" },
  requiredLocation: { type: "string", meaning: "instead of policy: this field of it" },
  requiredFeatures: { type: "string", meaning: "the same, with commas between" },
  minStake: { type: "string", meaning: "the same" },
} as const satisfies Readonly<Record<string, QuerySpec>>;

const WHY = {
  address: { type: "string", meaning: "the provider", isRequired: true },
  ...POLICY,
  top: { type: "integer", meaning: "picks that it might be one of" },
  strategy: { type: "string", meaning: "top, weighted or round-robin; or a scoring profile" },
} as const satisfies Readonly<Record<string, QuerySpec>>;

const MARKET = "/api/v1/markets/{market}";
const POLICIES = "/api/v1/pairing/policies/{consumer}";
const LISTED = {
  chain: { type: "string", meaning: "only its market; all that lists are drawn from by default" },
} as const satisfies Readonly<Record<string, QuerySpec>>;

/** By the name that handlers and documents have for it. */
export const PAIRING_ROUTES = {
  listMarkets: {
    method: "GET",
    path: "/api/v1/markets",
    summary: "Markets with their sizes and versions",
    access: "read",
    status: 200,
    answer: "Markets",
  },
  replaceProviders: {
    method: "PUT",
    path: `${MARKET}/providers`,
    summary: "Replaces all providers of a market, which is made when there is none",
    access: "write",
    status: 200,
    answer: "Loaded",
    body: ["PairingProviders"],
  },
  addProviders: {
    method: "POST",
    path: `${MARKET}/providers`,
    summary: "Adds or replaces one provider, or a list of them",
    access: "write",
    status: 200,
    answer: "Loaded",
    body: ["PairingProvider", "PairingProviders"],
  },
  clearProviders: {
    method: "DELETE",
    path: `${MARKET}/providers`,
    summary: "Takes all providers out",
    access: "write",
    status: 200,
    answer: "Loaded",
  },
  listProviders: {
    method: "GET",
    path: `${MARKET}/providers`,
    summary: "Providers, page by page",
    access: "read",
    status: 200,
    answer: "ProviderPage",
    query: {
      location: { type: "string", meaning: "only those at this place" },
      offset: { type: "integer", meaning: "0 at first, then next of the page before" },
      limit: { type: "integer", meaning: "providers of a page, 1 to 1,000; 100 by default" },
    },
  },
  getProvider: {
    method: "GET",
    path: `${MARKET}/providers/{address}`,
    summary: "One provider",
    access: "read",
    status: 200,
    answer: "ProviderAnswer",
  },
  removeProvider: {
    method: "DELETE",
    path: `${MARKET}/providers/{address}`,
    summary: "Takes one provider out, and answers it",
    access: "write",
    status: 200,
    answer: "ProviderAnswer",
  },
  listLocations: {
    method: "GET",
    path: `${MARKET}/locations`,
    summary: "How many providers are where",
    access: "read",
    status: 200,
    answer: "Locations",
  },
  pair: {
    method: "POST",
    path: `${MARKET}/pairings`,
    summary: "The best providers for a policy",
    access: "read",
    status: 200,
    answer: "Pairing",
    body: ["PairingRequest", "PairingPolicy"],
  },
  whyNot: {
    method: "GET",
    path: `${MARKET}/pairings/why`,
    summary:
      "Every filter that refuses a provider, or its place; the policy in the query or the body",
    access: "read",
    status: 200,
    answer: "WhyNot",
    query: WHY,
  },
  whatIf: {
    method: "POST",
    path: `${MARKET}/pairings/what-if`,
    summary: "The picks beside those of a request with other weights, policy or options",
    access: "read",
    status: 200,
    answer: "WhatIf",
    body: ["PairingWhatIf"],
  },
  pairBatch: {
    method: "POST",
    path: `${MARKET}/pairings/batch`,
    summary: "Many requests at once; results in their order, an error each that has one",
    access: "read",
    status: 200,
    answer: "PairingResults",
    body: ["PairingPolicies"],
  },
  enqueue: {
    method: "POST",
    path: `${MARKET}/pairings/queue`,
    summary: "Puts requests into the queue of the workers; those that find no room are refused",
    access: "read",
    status: 202,
    answer: "Enqueued",
    body: ["PairingPolicies"],
    query: {
      timeout: {
        type: "string",
        meaning: "how long they may wait for room, at most 60s, such as 500ms or 2s; 0 by default",
      },
    },
  },
  marketStats: {
    method: "GET",
    path: `${MARKET}/stats`,
    summary: "What a market holds and did",
    access: "read",
    status: 200,
    answer: "MarketStats",
  },
  filterStats: {
    method: "GET",
    path: `${MARKET}/filter-stats`,
    summary: "How many providers each filter of a policy leaves",
    access: "read",
    status: 200,
    answer: "FilterStats",
    query: POLICY,
  },
  scoringStats: {
    method: "GET",
    path: `${MARKET}/scoring-stats`,
    summary: "How the scores of those that satisfy a policy spread",
    access: "read",
    status: 200,
    answer: "ScoringStats",
    query: POLICY,
  },
  listScoring: {
    method: "GET",
    path: `${MARKET}/scoring`,
    summary: "Scoring profiles with their weights",
    access: "read",
    status: 200,
    answer: "Scorings",
  },
  setWeights: {
    method: "PUT",
    path: `${MARKET}/scoring/{profile}`,
    summary: "Changes weights of a profile; the next pairing uses them",
    access: "write",
    status: 200,
    answer: "Scoring",
    body: ["PairingWeights"],
  },
  listAudit: {
    method: "GET",
    path: `${MARKET}/audit`,
    summary: "The newest pairings of the audit trail",
    access: "read",
    status: 200,
    answer: "Audit",
    query: { limit: { type: "integer", meaning: "1 to 1,000; 100 by default" } },
  },
  getAudit: {
    method: "GET",
    path: `${MARKET}/audit/{id}`,
    summary: "One pairing of the audit trail",
    access: "read",
    status: 200,
    answer: "Audited",
  },
  replay: {
    method: "POST",
    path: `${MARKET}/audit/{id}/replay`,
    summary: "Makes a pairing again on the market as it was, and compares",
    access: "read",
    status: 200,
    answer: "Replayed",
  },
  getLists: {
    method: "GET",
    path: "/api/v1/pairing/lists/{consumer}",
    summary: "Who serves a consumer in this epoch, or in one that is remembered, chain by chain",
    access: "read",
    status: 200,
    answer: "Lists",
    query: {
      ...LISTED,
      epoch: { type: "integer", meaning: "one of the last; the current one by default" },
    },
  },
  getPolicies: {
    method: "GET",
    path: POLICIES,
    summary: "What a consumer wants, by market",
    access: "read",
    status: 200,
    answer: "Policies",
  },
  setPolicy: {
    method: "PUT",
    path: POLICIES,
    summary: "Sets what a consumer wants, draws its lists at once, and answers them",
    access: "write_lists",
    status: 200,
    answer: "Lists",
    body: ["PairingWish", "PairingPolicy"],
    query: LISTED,
  },
  removePolicy: {
    method: "DELETE",
    path: POLICIES,
    summary: "Forgets what a consumer wants, and takes its lists away",
    access: "write_lists",
    status: 200,
    answer: "Removed",
    query: LISTED,
  },
  takeResults: {
    method: "GET",
    path: "/api/v1/pairing/results",
    summary: "Results of queued requests, oldest first; they are given once",
    access: "read",
    status: 200,
    answer: "PairingResults",
  },
  serviceStats: {
    method: "GET",
    path: "/api/v1/pairing/stats",
    summary: "The whole service: queue, workers, markets",
    access: "read",
    status: 200,
    answer: "PairingStats",
  },
  resetStats: {
    method: "POST",
    path: "/api/v1/pairing/stats/reset",
    summary: "Counts begin anew; kept rankings and results that nobody took are forgotten",
    access: "write",
    status: 200,
    answer: "Reset",
  },
} as const satisfies Readonly<Record<string, RouteSpec>>;

/** The name of a route. */
export type PairingRoute = keyof typeof PAIRING_ROUTES;
