/** Metrics of providers, their endpoints, and the chains they serve. */
import { ENDPOINT, PROVIDER, row, type MetricDef } from "./family.ts";

/** Endpoints and providers. */
export const endpointFamilies: readonly MetricDef[] = [
  row(
    "sample",
    "gauge",
    "circuit_breaker_state",
    ENDPOINT,
    "State of the breaker: 0 closed, 1 half-open, 2 open.",
  ),
  row(
    "event",
    "counter",
    "circuit_breaker_transitions_total",
    [...ENDPOINT, "to"],
    "Changes of breaker state.",
    { maxSeries: 400 },
  ),
  row(
    "event",
    "counter",
    "circuit_breaker_probes_total",
    [...ENDPOINT, "result"],
    "Probes of half-open breakers.",
    { maxSeries: 400 },
  ),
  row(
    "event",
    "counter",
    "circuit_breaker_leases_expired_total",
    ENDPOINT,
    "Probes that never settled.",
  ),
  row(
    "event",
    "gauge",
    "circuit_breaker_consecutive_failures",
    ENDPOINT,
    "Counted failures in a row when the breaker last opened; 0 since it closed.",
  ),
  row(
    "sample",
    "gauge",
    "endpoint_usable",
    ENDPOINT,
    "1 when the endpoint may serve users now, else 0.",
  ),
  row("sample", "gauge", "endpoint_in_flight", ENDPOINT, "Attempts waiting for an answer."),
  row("sample", "counter", "endpoint_completed_total", ENDPOINT, "Attempts that ended in any way."),
  row("sample", "gauge", "provider_head_block", PROVIDER, "Last head the provider reported."),
  row("sample", "gauge", "provider_lag_blocks", PROVIDER, "Blocks behind the served tip."),
  row(
    "sample",
    "gauge",
    "provider_latency_seconds",
    [...PROVIDER, "quantile"],
    "Latency of successful calls over the last 5 minutes.",
    { maxSeries: 400 },
  ),
  row(
    "sample",
    "gauge",
    "provider_failure_ratio",
    PROVIDER,
    "Failed and timed out calls over all judged ones, decayed, 0..1.",
  ),
  row("sample", "gauge", "provider_score_ratio", PROVIDER, "Score in the leaderboard, 0..1."),
  row("sample", "gauge", "provider_race_win_ratio", PROVIDER, "Races won over races run, 0..1."),
  row(
    "sample",
    "gauge",
    "provider_race_miss_ratio",
    PROVIDER,
    "Races in which the event never came, 0..1.",
  ),
  row(
    "sample",
    "gauge",
    "provider_race_margin_seconds",
    PROVIDER,
    "Average time behind the winner in lost races.",
  ),
  row(
    "event",
    "counter",
    "provider_status_changes_total",
    [...PROVIDER, "status"],
    "Changes of provider status.",
    { maxSeries: 400 },
  ),
  row("event", "counter", "provider_cooldowns_total", ENDPOINT, "Rests after a rate limit."),
  row(
    "event",
    "counter",
    "provider_quarantined_total",
    PROVIDER,
    "Times the provider served a wrong chain.",
  ),
  row(
    "event",
    "counter",
    "provider_misbehaviour_total",
    [...PROVIDER, "kind"],
    "Wrong answers that the provider was caught with, by how: answer, quorum, shadow, head, log.",
  ),
  row(
    "sample",
    "gauge",
    "provider_misbehaviour",
    PROVIDER,
    "Wrong answers that still count against the provider, halved every half_life.",
  ),
  row(
    "sample",
    "gauge",
    "provider_breach_probability_ratio",
    PROVIDER,
    "How likely the provider is to breach a limit within prediction.horizon, 0..1.",
    { maxSeries: 64 },
  ),
  row(
    "event",
    "counter",
    "quorum_agreements_total",
    ["chain"],
    "Reads that enough providers agreed on.",
  ),
  row(
    "event",
    "counter",
    "quorum_disputes_total",
    ["chain"],
    "Reads that providers answered differently.",
  ),
];

/** Chains and their heads. */
export const chainFamilies: readonly MetricDef[] = [
  row("sample", "gauge", "chain_tip_block", ["chain"], "Height of the served tip."),
  row("sample", "gauge", "chain_tip_age_seconds", ["chain"], "Time since the tip last moved."),
  row(
    "sample",
    "gauge",
    "chain_usable_providers",
    ["chain"],
    "Providers that may serve users now.",
  ),
  row("sample", "gauge", "chain_providers", ["chain"], "Providers configured and running."),
  row("sample", "gauge", "chain_down", ["chain"], "1 when nobody can serve the chain, else 0."),
  row("event", "counter", "head_reorgs_total", ["chain"], "Reorganisations seen."),
  row("event", "counter", "head_rollbacks_total", ["chain"], "Times the served tip went back."),
  row(
    "event",
    "counter",
    "head_stale_total",
    ["chain"],
    "Times no head came for three block times.",
  ),
  row("event", "counter", "head_velocity_drops_total", PROVIDER, "Impossible heads left out."),
];

/** Budgets. */
export const quotaFamilies: readonly MetricDef[] = [
  row(
    "sample",
    "gauge",
    "provider_quota_used_ratio",
    PROVIDER,
    "Share of a provider's quota that is used, 0..1.",
    { maxSeries: 100 },
  ),
];
