/**
 * When a provider is set back for what is foreseen of it, and when it is taken back: a pure rule.
 *
 * It is set back after several looks in a row at or above one threshold, and taken back after a while
 * below a lower one, not before its time is over. Whoever is set back soon again stays so for longer.
 */

/** The figures of it. */
export interface AlarmRules {
  /** Probability from which on a provider is set back. */
  readonly demoteAt: number;
  /** Probability below which it may come back. */
  readonly restoreAt: number;
  /** Least time that it stays back, ms. */
  readonly holdMs: number;
}

/** Whether a provider is set back. */
export interface Alarm {
  readonly isRaised: boolean;
  /** When it was last set back or taken back, ms. */
  readonly sinceMs: number;
  /** Looks in a row at or above `demoteAt`. */
  readonly looksAbove: number;
  /** Since when the probability is below `restoreAt`; undefined when it is not. */
  readonly calmSinceMs: number | undefined;
  /** How long it stays back this time, ms. */
  readonly holdMs: number;
}

const LOOKS = 3;
/** Time below `restoreAt` before the provider comes back, ms. */
const CALM_MS = 10_000;
/** The longest time back is so many times the configured one. */
const MAX_HOLDS = 8;

/** Nothing has happened yet. */
export const noAlarm: Alarm = {
  isRaised: false,
  sinceMs: Number.NEGATIVE_INFINITY,
  looksAbove: 0,
  calmSinceMs: undefined,
  holdMs: 0,
};

/** The alarm after a look at `nowMs`. */
export const nextAlarm = (
  alarm: Alarm,
  probability: number,
  rules: AlarmRules,
  nowMs: number,
): Alarm => {
  const looksAbove = probability >= rules.demoteAt ? Math.min(LOOKS, alarm.looksAbove + 1) : 0;
  const calmSinceMs = probability < rules.restoreAt ? (alarm.calmSinceMs ?? nowMs) : undefined;
  const seen = { ...alarm, looksAbove, calmSinceMs };
  if (!alarm.isRaised) {
    if (looksAbove < LOOKS) return seen;
    const holdMs = nextHoldMs(alarm, rules, nowMs);
    return { ...seen, isRaised: true, sinceMs: nowMs, holdMs };
  }
  const isOver = nowMs - alarm.sinceMs >= alarm.holdMs;
  const isCalm = calmSinceMs !== undefined && nowMs - calmSinceMs >= CALM_MS;
  return isOver && isCalm ? { ...seen, isRaised: false, sinceMs: nowMs } : seen;
};

/** Twice as long as the last time when that has just ended. */
const nextHoldMs = ({ sinceMs, holdMs }: Alarm, rules: AlarmRules, nowMs: number): number => {
  const isSoon = nowMs - sinceMs < 2 * holdMs;
  return isSoon ? Math.min(2 * holdMs, MAX_HOLDS * rules.holdMs) : rules.holdMs;
};
