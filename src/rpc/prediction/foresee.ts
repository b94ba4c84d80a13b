/**
 * How likely a provider is to breach a limit soon, and why: a pure rule.
 *
 * Each signal is carried on along its trend to the horizon; what it comes to, as a share of its limit,
 * gives a probability by a logistic curve. The signals are taken as independent ways to fail:
 * P = 1 - product(1 - p). A signal's contribution is its share of -ln(1 - P), so contributions sum to 1.
 * The curves were fitted on recorded scenarios (bench/prediction.ts).
 */
import { SIGNALS, type Signal, type SignalName, type Signals } from "./signals.ts";

/** What one signal adds to a forecast. */
export interface Component extends Signal {
  readonly signal: SignalName;
  /** Probability that it alone breaches its limit within the horizon. */
  readonly probability: number;
  /** Its share of the whole, 0..1. */
  readonly contribution: number;
  /** Time until it reaches its limit along its trend, s; 0 when it has, undefined when it does not. */
  readonly limitInSec: number | undefined;
}

/** What is foreseen of a provider. */
export interface Forecast {
  /** Probability that it breaches a limit within the horizon, 0..1. */
  readonly probability: number;
  /** Signals that were measured, the strongest first. */
  readonly components: readonly Component[];
}

/** Nothing is known, nothing is foreseen. */
export const noForecast: Forecast = { probability: 0, components: [] };

/** The curve of a signal: the share of the limit at which it is even, and how steep it is there. */
interface Curve {
  readonly evenAt: number;
  readonly steepness: number;
}

const curves: Readonly<Record<SignalName, Curve>> = {
  latency: { evenAt: 0.74, steepness: 7.3 },
  errors: { evenAt: 0.58, steepness: 10.3 },
  rate_limits: { evenAt: 0.62, steepness: 9.4 },
  misses: { evenAt: 0.68, steepness: 7.6 },
  lag: { evenAt: 0.48, steepness: 12 },
  ws_drops: { evenAt: 0.64, steepness: 11.4 },
};
/** Beyond this many times the limit nothing gets any surer. */
const MAX_REACH = 4;
/** What takes longer to its limit does not go there, s. */
const LONGEST_SEC = 3_600;

/** The forecast for the next `horizonMs`. */
export const foresee = (signals: Signals, horizonMs: number): Forecast => {
  const found = SIGNALS.flatMap((signal) => {
    const measured = signals[signal];
    if (measured === undefined) return [];
    return [{ signal, measured, hazard: hazardOf(signal, measured, horizonMs) }];
  });
  const whole = found.reduce((sum, { hazard }) => sum + hazard, 0);
  const components = found.map(
    ({ signal, measured, hazard }): Component => ({
      signal,
      ...measured,
      probability: probabilityOf(hazard),
      contribution: whole > 0 ? hazard / whole : 0,
      limitInSec: limitInSec(measured),
    }),
  );
  return {
    probability: probabilityOf(whole),
    components: components.sort((a, b) => b.probability - a.probability),
  };
};

const probabilityOf = (hazard: number): number => -Math.expm1(-hazard);

/** -ln(1 - p) of the signal's logistic curve; finite, where 1 - p is not told from 0 any more. */
const hazardOf = (signal: SignalName, found: Signal, horizonMs: number): number => {
  const { evenAt, steepness } = curves[signal];
  const reached = found.level + (found.slopePerSec * horizonMs) / 1_000;
  const reach = Math.min(MAX_REACH, reached / found.limit);
  // What stands at nothing fails at nothing, whatever the curve says there.
  return reach > 0 ? Math.log1p(Math.exp(steepness * (reach - evenAt))) : 0;
};

const limitInSec = ({ level, slopePerSec, limit }: Signal): number | undefined => {
  if (level >= limit) return 0;
  const sec = (limit - level) / slopePerSec;
  return sec <= LONGEST_SEC ? sec : undefined;
};
