/** Keys of a circuit breaker, the same for a chain and, as overrides, for a provider. */
import { CHAIN_DEFAULTS } from "../default.ts";
import { duration, flag, whole } from "./fields.ts";

/** The keys by name. */
export const breakerKeys = {
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
