/** One provider's life as a scenario writes it down: what is true of it in each second. */

/** A method that clients ask for. */
export interface AskedMethod {
  readonly method: string;
  readonly medianMs: number;
  readonly share: number;
}

/** What is true in one second. */
export interface Moment {
  readonly callsPerSec: number;
  readonly methods: readonly AskedMethod[];
  /** Standard deviation of the logarithm of a duration. */
  readonly spread: number;
  /** Factor on every duration. */
  readonly slowdown: number;
  readonly errorRatio: number;
  readonly limitedRatio: number;
  readonly missRatio: number;
  readonly lag: number;
  /** Its WebSocket is lost in this second. */
  readonly hasDropped: boolean;
  /** It answers nobody. */
  readonly isDead: boolean;
}

/** A course that was drawn from a seed. */
export interface Course {
  readonly seconds: number;
  readonly blockSec: number;
  /** Second in which what leads to the failure begins; undefined when nothing does. */
  readonly onsetSec: number | undefined;
  at(sec: number): Moment;
}

/** A kind of life. */
export interface Scenario {
  readonly name: string;
  readonly isForeseeable: boolean;
  draw(random: () => number): Course;
}

/** A number between two, each factor as likely. */
export const between = (random: () => number, low: number, high: number): number =>
  low * (high / low) ** random();

/** Half a wallet's reads, some contract calls, a few logs; a provider in good health. */
export const healthy = (random: () => number): Moment => {
  const baseMs = between(random, 15, 60);
  return {
    callsPerSec: between(random, 4, 60),
    methods: [
      { method: "eth_blockNumber", medianMs: baseMs, share: 0.55 },
      { method: "eth_call", medianMs: baseMs * 1.8, share: 0.37 },
      { method: "eth_getLogs", medianMs: baseMs * 6, share: 0.08 },
    ],
    spread: between(random, 0.2, 0.45),
    slowdown: 1,
    errorRatio: 0.003,
    limitedRatio: 0,
    missRatio: 0.005,
    lag: 0,
    hasDropped: false,
    isDead: false,
  };
};

/** Block time of one of the usual chains, s. */
export const blockTime = (random: () => number): number =>
  [1, 2, 12][Math.floor(random() * 3)] ?? 2;

/** 0 before `from`, 1 from `to` on, straight between. */
export const ramp = (sec: number, from: number, to: number): number =>
  Math.min(1, Math.max(0, (sec - from) / (to - from)));

/** 95th percentile of a typical call, ms: the same notion as the rule's. */
export const trueTailMs = ({ methods, spread, slowdown }: Moment): number => {
  const log = methods.reduce((sum, { medianMs, share }) => sum + share * Math.log(medianMs), 0);
  return slowdown * Math.exp(log + 1.645 * spread);
};
