/**
 * Rate-limit cooldowns: capacity, never a fault of the provider (json-rpc reference 7.3).
 *
 * A Retry-After is obeyed; without one the pause doubles from 1 s with each refusal in a row, at
 * most 5 minutes, spread by +-10 % so that several nodes do not come back in step. A success ends
 * the streak.
 */

/** How often in a row a provider has refused for capacity, and until when it rests. */
export interface Cooldown {
  readonly refusals: number;
  /** Monotonic ms; 0 when none. */
  readonly untilMs: number;
}

/** A cooldown with the successes of its endpoint when it was refused: one more ends the streak. */
export interface Resting extends Cooldown {
  readonly successes: number;
}

/** No cooldown. */
export const noCooldown: Cooldown = { refusals: 0, untilMs: 0 };

const firstMs = 1_000;
const capMs = 300_000;

/** The cooldown after one more refusal at `nowMs`; `random` in [0, 1). */
export const refuse = (
  cooldown: Cooldown,
  nowMs: number,
  retryAfterMs: number | undefined,
  random: number,
): Cooldown => {
  // Refusals that were under way when the cooldown began tell nothing new.
  if (nowMs < cooldown.untilMs && retryAfterMs === undefined) return cooldown;
  const doubled = firstMs * 2 ** Math.min(cooldown.refusals, 16);
  const pauseMs = Math.min(retryAfterMs ?? doubled * (0.9 + 0.2 * random), capMs);
  return {
    refusals: cooldown.refusals + 1,
    untilMs: Math.max(cooldown.untilMs, nowMs + pauseMs),
  };
};

/** The rest of an endpoint that has refused again; `known` itself where that tells nothing new. */
export const restAgain = (
  known: Resting | undefined,
  successes: number,
  nowMs: number,
  retryAfterMs: number | undefined,
  random: number,
): Resting => {
  const streak = known?.successes === successes ? known : noCooldown;
  const next = refuse(streak, nowMs, retryAfterMs, random);
  return next === known ? known : { ...next, successes };
};
