/**
 * When a circuit breaker opens, and for how long: pure arithmetic on counts (json-rpc reference 9).
 *
 * Only infrastructure failures get here. Their category decides how many in a row are too many and
 * how long the first pause is; besides that a total of any categories and a rolling ratio open.
 */

/** What kind of infrastructure failure an attempt met. */
export type FailureCategory = "network" | "server" | "malformed" | "timeout" | "auth";

/** The figures of one breaker. */
export interface BreakerRules {
  /** Consecutive counted failures of any category that open. */
  readonly failureThreshold: number;
  /** Pause after a mixed streak; also the longest first pause of every category but auth. */
  readonly recoveryTimeoutMs: number;
  /** Consecutive successes in half-open that close. */
  readonly successThreshold: number;
  /** False: no thresholds, pauses and rolling rule by category, only the three figures above. */
  readonly categories: boolean;
  /** How long a probe holds its permit: longer than its question lives. */
  readonly leaseMs: number;
}

/** A probe whose answer was given up is over before its lease is, ms. */
const leaseMarginMs = 1_000;

/** The rules of a breaker whose probes are given up after `questionMs`. */
export const rulesFor = (
  figures: Omit<BreakerRules, "leaseMs">,
  questionMs: number,
): BreakerRules => ({ ...figures, leaseMs: questionMs + leaseMarginMs });

/** The defaults of the reference; the lease fits a probe timeout of 5 s. */
export const defaultBreakerRules: BreakerRules = {
  failureThreshold: 5,
  recoveryTimeoutMs: 60_000,
  successThreshold: 2,
  categories: true,
  leaseMs: 6_000,
};

interface CategoryRule {
  readonly threshold: number;
  readonly firstOpenMs: number;
}

const categoryRules: Readonly<Record<FailureCategory, CategoryRule>> = {
  network: { threshold: 3, firstOpenMs: 10_000 },
  server: { threshold: 5, firstOpenMs: 30_000 },
  malformed: { threshold: 3, firstOpenMs: 60_000 },
  timeout: { threshold: 5, firstOpenMs: 15_000 },
  auth: { threshold: 2, firstOpenMs: 300_000 },
};

const standardRecoveryMs = 60_000;
const longestOpenMs = 600_000;
const maxDoublings = 4;
const jitterRatio = 0.05;

/** Failures in a row, in total and by category, since the last success. */
export interface Streak {
  readonly total: number;
  readonly network: number;
  readonly server: number;
  readonly malformed: number;
  readonly timeout: number;
  readonly auth: number;
}

/** No failure since the last success. */
export const noStreak: Streak = {
  total: 0,
  network: 0,
  server: 0,
  malformed: 0,
  timeout: 0,
  auth: 0,
};

/** The streak with one more failure. */
export const lengthen = (streak: Streak, category: FailureCategory): Streak => ({
  ...streak,
  total: streak.total + 1,
  [category]: streak[category] + 1,
});

/** Why a breaker opens; `timeouts` asks for a probe before it does. */
export type Verdict = FailureCategory | "streak" | "ratio" | "timeouts" | undefined;

/** What the counts say after a failure of `category`. */
export const judge = (
  streak: Streak,
  window: RollingWindow,
  category: FailureCategory,
  rules: BreakerRules,
): Verdict => {
  if (!rules.categories) return streak.total >= rules.failureThreshold ? "streak" : undefined;
  const limit = Math.min(categoryRules[category].threshold, rules.failureThreshold);
  const isFull = streak[category] >= limit || streak.total >= rules.failureThreshold;
  if (isFull) {
    // Nothing but timeouts may mean slow, not dead: one probe decides.
    if (streak.timeout === streak.total) return "timeouts";
    return streak[category] >= limit ? category : "streak";
  }
  return isFailing(window) ? "ratio" : undefined;
};

/** The pause before the next recovery test. `random` in [0, 1). */
export const openMs = (
  category: FailureCategory | undefined,
  rules: BreakerRules,
  reopens: number,
  retryAfterMs: number | undefined,
  random: number,
): number => {
  const base = Math.max(firstOpenMs(category, rules), Math.min(retryAfterMs ?? 0, longestOpenMs));
  if (reopens === 0) return base;
  const doubled = base * 2 ** Math.min(reopens, maxDoublings);
  return Math.max(base, Math.min(doubled * (1 + jitterRatio * random), longestOpenMs));
};

const firstOpenMs = (category: FailureCategory | undefined, rules: BreakerRules): number => {
  const { recoveryTimeoutMs } = rules;
  if (category === undefined || !rules.categories) return recoveryTimeoutMs;
  const { firstOpenMs: pause } = categoryRules[category];
  // A shorter recovery_timeout shortens all: a key of 5 minutes' refusal in proportion.
  if (category === "auth") return pause * Math.min(1, recoveryTimeoutMs / standardRecoveryMs);
  return Math.min(pause, recoveryTimeoutMs);
};

/** Successes and failures of the last 30 s in 10 buckets, oldest first. */
export interface RollingWindow {
  /** Number of the newest bucket: floor(now / bucket). */
  readonly bucket: number;
  readonly ok: readonly number[];
  readonly failed: readonly number[];
}

const bucketCount = 10;
const bucketMs = 3_000;
const windowMs = bucketCount * bucketMs;
const leastSamples = 20;
const failingRatio = 0.5;
const noCounts: readonly number[] = Array.from({ length: bucketCount }, () => 0);

/** A window without samples. */
export const emptyWindow: RollingWindow = { bucket: 0, ok: noCounts, failed: noCounts };

/** The window at `nowMs` with `ok` successes and `failed` failures more. */
export const roll = (
  window: RollingWindow,
  nowMs: number,
  ok: number,
  failed: number,
): RollingWindow => {
  const bucket = Math.max(window.bucket, Math.floor(nowMs / bucketMs));
  const shift = Math.min(bucket - window.bucket, bucketCount);
  return {
    bucket,
    ok: moved(window.ok, shift, ok),
    failed: moved(window.failed, shift, failed),
  };
};

/**
 * How many of `count` successes since `sinceMs` fall into the window: they are counted by a bare
 * cell between failures, so they are taken as evenly spread.
 */
export const recentShare = (count: number, sinceMs: number, nowMs: number): number => {
  const elapsedMs = nowMs - sinceMs;
  return elapsedMs <= windowMs ? count : (count * windowMs) / elapsedMs;
};

const moved = (counts: readonly number[], shift: number, added: number): readonly number[] => {
  const next = counts.slice(shift);
  while (next.length < bucketCount) next.push(0);
  next[bucketCount - 1] = (next[bucketCount - 1] ?? 0) + added;
  return next;
};

const isFailing = (window: RollingWindow): boolean => {
  let ok = 0;
  let failed = 0;
  for (const count of window.ok) ok += count;
  for (const count of window.failed) failed += count;
  return ok + failed >= leastSamples && failed / (ok + failed) >= failingRatio;
};
