/** Forecasts and courses of signals for tests of prediction. */
import type { PredictionConfig } from "../../../config/schema.ts";
import type { ProviderForecast } from "../../../src/rpc/prediction/forecast-book.ts";
import { foresee } from "../../../src/rpc/prediction/foresee.ts";
import type { Limits } from "../../../src/rpc/prediction/provider-trends.ts";
import type { Signal } from "../../../src/rpc/prediction/signals.ts";

/** The limits of the defaults. */
export const limits: Limits = {
  latencyMs: 500,
  errorRatio: 0.25,
  rateLimitedRatio: 0.25,
  missRatio: 0.5,
  lagBlocks: 4,
  wsDrops: 3,
};

/** The configuration of the defaults. */
export const prediction: PredictionConfig = {
  enabled: true,
  horizonMs: 60_000,
  demoteAt: 0.6,
  restoreAt: 0.3,
  holdMs: 30_000,
  limits,
};

/** A forecast that rests on the latency alone; set back when nothing is said. */
export const forecastOf = (latency: Partial<Signal> = {}, isDemoted = true): ProviderForecast => ({
  ...foresee(
    { latency: { level: 100, slopePerSec: 0, spanMs: 28_000, limit: 500, ...latency } },
    60_000,
  ),
  isDemoted,
});
