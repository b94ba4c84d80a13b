/** Events of providers: whether they serve, and whether they are right. */
import type { EventSpec } from "./spec.ts";

/** Circuit breakers. */
export const breakerEvents = {
  "circuit_breaker.open": {
    level: "warn",
    fields: ["chain", "provider", "transport", "oldStatus", "newStatus", "consecutiveFailures"],
    optional: ["category", "openMs", "reopens", "generation", "forced", "reason"],
    meaning: "The breaker opened: the endpoint gets no user's request until a probe succeeds.",
  },
  "circuit_breaker.half_open": {
    level: "info",
    fields: ["chain", "provider", "transport", "oldStatus", "newStatus"],
    optional: ["generation", "reopens", "reason"],
    meaning: "The recovery timeout is over; probes may test the endpoint.",
  },
  "circuit_breaker.close": {
    level: "info",
    fields: ["chain", "provider", "transport", "oldStatus", "newStatus"],
    optional: ["generation", "forced", "reason"],
    meaning: "Enough probes succeeded: the endpoint serves again.",
  },
  "circuit_breaker.probe": {
    level: "debug",
    fields: ["chain", "provider", "transport", "result"],
    optional: ["durationMs", "reason"],
    meaning: "A half-open breaker's probe ended.",
  },
  "circuit_breaker.lease_expired": {
    level: "warn",
    fields: ["chain", "provider", "transport"],
    optional: ["durationMs"],
    meaning: "A probe never settled; its permit was taken back and counted as a failure.",
  },
  "circuit_breaker.forced": {
    level: "warn",
    fields: ["chain", "provider", "transport", "to"],
    optional: ["from", "reason"],
    meaning: "An operator opened, closed or reset the breaker.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** Health, rests and what a provider cannot serve. */
export const providerEvents = {
  "provider.health_change": {
    level: "info",
    fields: ["chain", "provider", "oldStatus", "newStatus"],
    optional: ["transport", "reason", "consecutiveFailures", "lagBlocks"],
    meaning: "The status of a provider changed.",
  },
  "provider.cooldown.start": {
    level: "info",
    fields: ["chain", "provider", "transport", "cooldownMs"],
    optional: ["reason", "count"],
    meaning: "The provider limits our rate; it rests until the cooldown is over.",
  },
  "provider.cooldown.end": {
    level: "debug",
    fields: ["chain", "provider", "transport"],
    meaning: "The cooldown is over.",
  },
  "provider.capability_learned": {
    level: "info",
    fields: ["chain", "provider", "kind", "limit", "ttlMs"],
    optional: ["method"],
    meaning:
      "An answer showed what the provider cannot serve: a method, a block range (`range`), a number of `results` or `addresses`, `state` or `history` below a block. Such calls go elsewhere for a while.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** Providers that said what is not so. */
export const wrongAnswerEvents = {
  "provider.quarantined": {
    level: "error",
    fields: ["chain", "provider", "reason"],
    optional: ["transport"],
    meaning: "The provider serves another chain than configured and is refused until it does.",
  },
  "provider.misbehaviour": {
    level: "warn",
    fields: ["chain", "provider", "method", "kind", "reason"],
    meaning:
      "The provider was caught with a wrong answer: it contradicts the question or the chain (`answer`), others that agreed (`quorum`), the read of which it got a copy (`shadow`), it announced a block that others contradict (`head`), or it streamed logs that their block does not have (`log`).",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** Agreement of several providers. */
export const quorumEvents = {
  "quorum.agree": {
    level: "debug",
    fields: ["chain", "method", "requestId", "agree", "of", "providers"],
    meaning: "Enough providers gave the same answer.",
  },
  "quorum.dispute": {
    level: "warn",
    fields: ["chain", "method", "requestId", "agree", "of", "groups"],
    meaning: "Providers gave different answers to one read, whether or not enough agreed.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** Budgets of providers. */
export const quotaEvents = {
  "provider.quota_low": {
    level: "warn",
    fields: ["chain", "provider", "used", "limit"],
    meaning: "A provider's quota is used to 90 %; background traffic to it has stopped.",
  },
  "provider.quota_spent": {
    level: "warn",
    fields: ["chain", "provider", "used", "limit"],
    meaning: "A provider's quota is used up; calls go to others until its period ends.",
  },
  "provider.quota_renewed": {
    level: "info",
    fields: ["chain", "provider", "used", "limit"],
    meaning: "A provider's quota is there again: its period has ended, or its limit was raised.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** Failures that are foreseen. */
export const predictionEvents = {
  "provider.predicted": {
    level: "warn",
    fields: ["chain", "provider", "probability", "reason"],
    meaning:
      "The provider is likely to breach a limit within `prediction.horizon`: it stands behind the others of its tier. When all are, nothing changes.",
  },
  "provider.prediction_cleared": {
    level: "info",
    fields: ["chain", "provider", "probability", "reason"],
    meaning: "The provider is not set back any more for what was foreseen.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;
