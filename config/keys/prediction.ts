/** Keys of the prediction of failures. */
import { CHAIN_DEFAULTS } from "../default.ts";
import * as field from "./fields.ts";

const { limits, ...chained } = CHAIN_DEFAULTS.prediction;

const ratio = (description: string, value: number) =>
  field.number(description, { min: 0.01, max: 1 }, { ...field.hot(value), unit: "ratio" });

/** The rule of `prediction`. */
export const predictionKeys = {
  enabled: field.flag(
    "Sets a provider back within its tier while it is likely to fail soon; never leaves one out.",
    field.hot(chained.enabled),
  ),
  horizon: field.duration("How far ahead is looked.", 5_000, field.hot(chained.horizon)),
  demote_at: ratio(
    "Probability of a breach within the horizon from which on a provider is set back.",
    chained.demote_at,
  ),
  restore_at: ratio(
    "Probability below which it may come back; less than `demote_at`.",
    chained.restore_at,
  ),
  hold: field.duration(
    "Least time that it stays back; doubled when it is set back soon again, up to 8 times.",
    1_000,
    field.hot(chained.hold),
  ),
  limits: field.group("What counts as a breach; the lag's is `selection.max_lag_blocks`.", {
    latency: field.duration(
      "95th percentile of a typical call; four times the provider's usual one, if that is more.",
      1,
      field.hot(limits.latency),
    ),
    error_ratio: ratio("Failed and timed out over all judged calls.", limits.error_ratio),
    rate_limited_ratio: ratio("Calls refused for their rate.", limits.rate_limited_ratio),
    miss_ratio: ratio("Events that others brought and it did not.", limits.miss_ratio),
    ws_drops: field.whole(
      "WebSockets lost within a minute.",
      { min: 1, max: 16 },
      field.hot(limits.ws_drops),
    ),
  }),
};
