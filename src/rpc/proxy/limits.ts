/** Named limits of the request path, with their defaults. */
import type { GatewayLimits } from "./ports.ts";

/** Defaults; the operator may change those that the configuration names. */
export const DEFAULT_LIMITS: GatewayLimits = {
  maxBodyBytes: 5 * 1024 * 1024,
  maxBatchItems: 100,
  batchParallel: 16,
  maxBatchResponseBytes: 25 * 1024 * 1024,
  maxResponseBytes: 64 * 1024 * 1024,
  bufferBytes: 256 * 1024,
  maxAttempts: 3,
  maxTimeoutMs: 60_000,
  maxInFlight: 10_000,
  memoryHigh: 0.8,
  filtersPerClient: 50,
  filterIdleMs: 300_000,
  wsMaxInFlight: 32,
  wsMaxInFlightBytes: 32 * 1024 * 1024,
  wsMaxSubscriptions: 128,
};

/** No attempt starts with less time than this left. */
export const MIN_ATTEMPT_MS = 100;
/** Smallest budget of an attempt while another provider could still be tried; one that hangs must be left within a second. */
export const MIN_BUDGET_MS = 800;
/** Slowest usual answer that an endpoint without evidence is credited with; a budget is 4 of them. */
export const COLD_Q99_MS = 200;
/** Share of the remaining time that one attempt may take while another provider could be tried. */
export const BUDGET_SHARE = 0.6;
/** An answer that streams must move at least this often. */
export const STREAM_IDLE_MS = 30_000;
/** An answer that streams must end within this time, however steadily it drips. */
export const STREAM_TOTAL_MS = 15 * 60_000;
/** A request slower than this is an event. */
export const SLOW_MS = 2000;
/** A request slower than this is a louder event. */
export const VERY_SLOW_MS = 4000;
