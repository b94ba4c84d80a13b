/** What a played course says of a way to foresee: foreseen or not, how early, false alarms, Brier. */
import type { Course } from "./course.ts";
import type { Second } from "./play.ts";

/** Seconds ahead that a probability speaks of. */
export const HORIZON_SEC = 60;
const TENTHS = 10;

/** A way to foresee: a probability and an alarm for each second. */
export interface Way {
  readonly name: string;
  probability(second: Second): number;
  isAlarmed(second: Second): boolean;
}

/** The rule, and what it is compared with. */
export const WAYS = {
  rule: {
    name: "prediction",
    probability: ({ probability }) => probability,
    isAlarmed: ({ isAlarmed }) => isAlarmed,
  },
  none: { name: "none", probability: () => 0, isAlarmed: () => false },
  plain: {
    name: "threshold",
    probability: ({ isOverPlain }) => Number(isOverPlain),
    isAlarmed: ({ isOverPlain }) => isOverPlain,
  },
} as const satisfies Readonly<Record<string, Way>>;

/** Sums over courses. */
export interface Verdict {
  readonly failures: number;
  readonly foreseen: number;
  /** Time from the alarm to the breach, s, of those that were foreseen. */
  readonly leadsSec: readonly number[];
  readonly falseAlarms: number;
  /** Time in which every alarm is false. */
  readonly innocentSec: number;
  readonly squares: number;
  readonly scored: number;
  /** By tenth of the probability that was said. */
  readonly tenths: readonly Tenth[];
}

/** Seconds of which about the same was said: the sum of that, and how many were followed by a breach. */
export interface Tenth {
  readonly said: number;
  readonly seen: number;
}

/** Judges one course. */
export const judge = ({ onsetSec }: Course, seconds: readonly Second[], way: Way): Verdict => {
  const found = seconds.findIndex(({ hasBreached }) => hasBreached);
  const breachSec = found < 0 ? seconds.length : found;
  const innocentSec = onsetSec ?? seconds.length;
  let falseAlarms = 0;
  let raisedSec: number | undefined;
  let squares = 0;
  const tenths = Array.from({ length: TENTHS }, () => ({ said: 0, seen: 0 }));
  for (let sec = 0; sec < breachSec; sec++) {
    const second = seconds[sec] as Second;
    if (!way.isAlarmed(second)) raisedSec = undefined;
    else if (raisedSec === undefined) {
      raisedSec = sec;
      if (sec < innocentSec) falseAlarms++;
    }
    const isTrue = found >= 0 && breachSec - sec <= HORIZON_SEC;
    const probability = way.probability(second);
    squares += (probability - Number(isTrue)) ** 2;
    const tenth = tenths[Math.min(TENTHS - 1, Math.floor(probability * TENTHS))];
    if (tenth === undefined) continue;
    tenth.said += probability;
    tenth.seen += Number(isTrue);
  }
  const isForeseen = found >= 0 && raisedSec !== undefined;
  return {
    failures: Number(found >= 0),
    foreseen: Number(isForeseen),
    leadsSec: isForeseen ? [breachSec - (raisedSec ?? 0)] : [],
    falseAlarms,
    innocentSec: Math.min(innocentSec, breachSec),
    squares,
    scored: breachSec,
    tenths,
  };
};

/** Several verdicts as one. */
export const together = (verdicts: readonly Verdict[]): Verdict => ({
  failures: sum(verdicts, ({ failures }) => failures),
  foreseen: sum(verdicts, ({ foreseen }) => foreseen),
  leadsSec: verdicts.flatMap(({ leadsSec }) => leadsSec),
  falseAlarms: sum(verdicts, ({ falseAlarms }) => falseAlarms),
  innocentSec: sum(verdicts, ({ innocentSec }) => innocentSec),
  squares: sum(verdicts, ({ squares }) => squares),
  scored: sum(verdicts, ({ scored }) => scored),
  tenths: Array.from({ length: TENTHS }, (_, at) => ({
    said: sum(verdicts, ({ tenths }) => tenths[at]?.said ?? 0),
    seen: sum(verdicts, ({ tenths }) => tenths[at]?.seen ?? 0),
  })),
});

const sum = (verdicts: readonly Verdict[], value: (verdict: Verdict) => number): number =>
  verdicts.reduce((total, verdict) => total + value(verdict), 0);
