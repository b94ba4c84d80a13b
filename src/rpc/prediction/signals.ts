/** What a prediction looks at, and the words for it: one row a signal. */

/** The signals of a provider, in the order in which they are told. */
export const SIGNALS = ["latency", "errors", "rate_limits", "misses", "lag", "ws_drops"] as const;

/** One of them. */
export type SignalName = (typeof SIGNALS)[number];

/** Where a signal stands and where it is going. */
export interface Trend {
  /** The mean of its last steps, in the signal's own unit. */
  readonly level: number;
  /** Growth that is beyond its noise, per second; never negative. */
  readonly slopePerSec: number;
  /** Time that the slope was seen over, ms. */
  readonly spanMs: number;
}

/** A trend and the value that it must not reach. */
export interface Signal extends Trend {
  readonly limit: number;
}

/** What is known of a provider at one moment; a signal that nobody measured is absent. */
export type Signals = { readonly [Name in SignalName]?: Signal | undefined };
