/**
 * What a circuit breaker knows and how each event changes it; the machine says in which state which
 * of it applies.
 */
import {
  emptyWindow,
  judge,
  lengthen,
  noStreak,
  openMs,
  recentShare,
  roll,
  type BreakerRules,
  type FailureCategory,
  type RollingWindow,
  type Streak,
  type Verdict,
} from "./breaker-rules.ts";

/** What a breaker knows. */
export interface BreakerContext {
  readonly rules: BreakerRules;
  /** Number of the current episode; calls carry the one they were admitted in. */
  readonly generation: number;
  readonly streak: Streak;
  readonly window: RollingWindow;
  /** The row's success count when it was last looked at, and when that was. */
  readonly seenSuccesses: number;
  readonly seenAtMs: number;
  readonly openUntilMs: number;
  /** Openings in a row without 60 s closed between them. */
  readonly reopens: number;
  readonly closedAtMs: number;
  readonly halfOpenSuccesses: number;
  /** The probe that holds the permit; 0 when none is in flight. */
  readonly probeToken: number;
  readonly leaseUntilMs: number;
  readonly lastToken: number;
  readonly forced: "open" | "closed" | undefined;
  /** When the force ends by itself; infinity when only an operator ends it. */
  readonly forcedUntilMs: number;
  /** Why the current state was entered. */
  readonly cause: string;
}

/** What a breaker starts with. */
export interface BreakerInput {
  readonly rules: BreakerRules;
  readonly nowMs: number;
  readonly generation?: number;
  readonly seenSuccesses?: number;
}

interface At {
  /** Monotonic ms. */
  readonly nowMs: number;
}

interface FailureFacts extends At {
  readonly category: FailureCategory;
  readonly retryAfterMs?: number | undefined;
  /** Uniform in [0, 1), for the jitter of reopening. */
  readonly random: number;
}

interface Admitted {
  /** Generation of the row when the call was admitted. */
  readonly generation: number;
  /** Successes the row has counted so far. */
  readonly successes: number;
}

/** What can happen to a breaker. */
export type BreakerEvent =
  | ({ readonly type: "success" } & At & Admitted)
  | ({ readonly type: "failure" } & FailureFacts & Admitted)
  | ({ readonly type: "neutral" } & At)
  | ({ readonly type: "due" } & At)
  | ({ readonly type: "probe.ok"; readonly token: number } & At)
  | ({ readonly type: "probe.failed"; readonly token: number } & FailureFacts)
  | ({ readonly type: "lease.expired"; readonly token: number; readonly random: number } & At)
  | ({ readonly type: "force.open" | "force.close"; readonly untilMs?: number | undefined } & At)
  | ({ readonly type: "force.reset" } & At);

type Failure = Extract<BreakerEvent, { type: "failure" | "probe.failed" | "lease.expired" }>;

/** Facts of a transition, as the `announce` effect gets them. */
export interface Announcement {
  readonly to: "closed" | "open" | "half_open";
  readonly cause: string;
  readonly openUntilMs: number;
  readonly generation: number;
}

const clearsReopensMs = 60_000;

/** True when a call was admitted in the current episode. */
export const isCurrent = (
  context: BreakerContext,
  event: { readonly generation: number },
): boolean => event.generation === context.generation;

/** True when the probe that holds the permit has overrun its lease. */
export const isLeaseOver = (context: BreakerContext, event: BreakerEvent): boolean =>
  event.type === "lease.expired" &&
  event.token === context.probeToken &&
  event.nowMs >= context.leaseUntilMs;

/** What `askProbe` is told. */
export const permit = (context: BreakerContext): { token: number; leaseUntilMs: number } => ({
  token: context.probeToken,
  leaseUntilMs: context.leaseUntilMs,
});

/** What `announce` is told of the state that has just been entered. */
export const announcement = (to: Announcement["to"], context: BreakerContext): Announcement => ({
  to,
  cause: context.cause,
  openUntilMs: context.openUntilMs,
  generation: context.generation,
});

type Counted = Pick<BreakerContext, "streak" | "window" | "seenSuccesses" | "seenAtMs">;

/** Looks at the row's success cell: any success since the last look ends the streak. */
const looked = (context: BreakerContext, successes: number, nowMs: number): Counted => {
  const fresh = Math.max(0, successes - context.seenSuccesses);
  return {
    streak: fresh > 0 ? noStreak : context.streak,
    window: roll(context.window, nowMs, recentShare(fresh, context.seenAtMs, nowMs), 0),
    seenSuccesses: Math.max(successes, context.seenSuccesses),
    seenAtMs: nowMs,
  };
};

/** After a success in closed. */
export const cleared = (context: BreakerContext, event: BreakerEvent): Partial<BreakerContext> => {
  if (event.type !== "success") return { streak: noStreak };
  return { ...looked(context, event.successes, event.nowMs), streak: noStreak };
};

/** After a failure in closed that does not open. */
export const counted = (context: BreakerContext, event: BreakerEvent): Partial<BreakerContext> =>
  event.type === "failure" ? countOf(context, event) : {};

const countOf = (
  context: BreakerContext,
  event: Extract<BreakerEvent, { type: "failure" }>,
): Counted => {
  const before = looked(context, event.successes, event.nowMs);
  return {
    ...before,
    streak: lengthen(before.streak, event.category),
    window: roll(before.window, event.nowMs, 0, 1),
  };
};

/** What the counts say once a failure is added. */
export const verdictOf = (
  context: BreakerContext,
  event: Extract<BreakerEvent, { type: "failure" }>,
): Verdict => {
  const { streak, window } = countOf(context, event);
  return judge(streak, window, event.category, context.rules);
};

const isHeldClosed = (context: BreakerContext, nowMs: number): boolean =>
  context.forced === "closed" && nowMs < context.forcedUntilMs;

/** True when a failure in closed is one too many. */
export const opens = (context: BreakerContext, event: BreakerEvent): boolean => {
  if (event.type !== "failure" || !isCurrent(context, event)) return false;
  if (isHeldClosed(context, event.nowMs)) return false;
  const verdict = verdictOf(context, event);
  return verdict !== undefined && verdict !== "timeouts";
};

const categoryOf = (event: BreakerEvent): FailureCategory | undefined => {
  if (event.type === "failure" || event.type === "probe.failed") return event.category;
  return event.type === "lease.expired" ? "timeout" : undefined;
};

const causeOf = (context: BreakerContext, event: BreakerEvent): string => {
  if (event.type === "probe.failed") return `probe_${event.category}`;
  if (event.type === "lease.expired") return "probe_lease";
  return event.type === "failure" ? (verdictOf(context, event) ?? event.category) : event.type;
};

const pauseMs = (context: BreakerContext, event: BreakerEvent, reopens: number, mixed: boolean) => {
  const failure = event as Failure;
  const retryAfterMs = "retryAfterMs" in failure ? failure.retryAfterMs : undefined;
  const category = mixed ? undefined : categoryOf(event);
  return openMs(category, context.rules, reopens, retryAfterMs, failure.random);
};

/** From closed: an opening soon after the last one continues its series of pauses. */
export const opened = (context: BreakerContext, event: BreakerEvent): Partial<BreakerContext> => {
  const cause = causeOf(context, event);
  const isSeries = context.openUntilMs > 0 && event.nowMs - context.closedAtMs < clearsReopensMs;
  const reopens = isSeries ? context.reopens + 1 : 0;
  const isMixed = cause === "streak" || cause === "ratio";
  return openFor(context, event.nowMs, pauseMs(context, event, reopens, isMixed), reopens, cause);
};

/** After a failure in half-open: longer than the last time. */
export const reopened = (context: BreakerContext, event: BreakerEvent): Partial<BreakerContext> => {
  const reopens = context.reopens + 1;
  const cause = event.type === "failure" ? event.category : causeOf(context, event);
  return openFor(context, event.nowMs, pauseMs(context, event, reopens, false), reopens, cause);
};

const openFor = (
  context: BreakerContext,
  nowMs: number,
  durationMs: number,
  reopens: number,
  cause: string,
): Partial<BreakerContext> => ({
  generation: context.generation + 1,
  openUntilMs: nowMs + durationMs,
  reopens,
  cause,
  streak: noStreak,
  probeToken: 0,
  forced: undefined,
  forcedUntilMs: Number.POSITIVE_INFINITY,
});

/** A fresh closed episode. */
export const closed = (
  context: BreakerContext,
  event: BreakerEvent,
  cause: string,
): Partial<BreakerContext> => ({
  generation: context.generation + 1,
  closedAtMs: event.nowMs,
  streak: noStreak,
  window: emptyWindow,
  seenAtMs: event.nowMs,
  seenSuccesses:
    event.type === "success"
      ? Math.max(event.successes, context.seenSuccesses)
      : context.seenSuccesses,
  halfOpenSuccesses: 0,
  probeToken: 0,
  forced: undefined,
  forcedUntilMs: Number.POSITIVE_INFINITY,
  cause,
});

const untilOf = (event: BreakerEvent): number =>
  ("untilMs" in event ? event.untilMs : undefined) ?? Number.POSITIVE_INFINITY;

/** Open by an operator's word, or for a wrong chain. */
export const forcedOpen = (
  context: BreakerContext,
  event: BreakerEvent,
): Partial<BreakerContext> => ({
  ...openFor(context, event.nowMs, 0, context.reopens, "forced"),
  openUntilMs: untilOf(event),
  forced: "open",
  forcedUntilMs: untilOf(event),
});

/** Closed by an operator's word: failures count but do not open. */
export const forcedClosed = (
  context: BreakerContext,
  event: BreakerEvent,
): Partial<BreakerContext> => ({
  ...closed(context, event, "forced"),
  forced: "closed",
  forcedUntilMs: untilOf(event),
});
