/**
 * Which providers stream logs: a few race, the others are spared, and whoever drops out is replaced.
 * Every further source costs the whole stream once more and hardly ever is the first. Who was caught
 * with wrong answers lately streams only where others are lacking: two see when a log is left out.
 */
import type { ProviderId } from "../../ids.ts";

/** Providers that stream logs at a time. */
export const MAX_LOG_SOURCES = 3;
/** Fewer than these are too few: then one is taken that was caught lately. */
const MIN_LOG_SOURCES = 2;
/** Wrong answers that still weigh, from which on a provider is avoided. */
const MANY_WRONG = 3;

/** A provider that could stream logs. */
export interface LogCandidate {
  readonly id: ProviderId;
  readonly isUp: boolean;
  readonly role: "primary" | "backup";
  /** Lower is better. */
  readonly priority: number;
  /** Wrong answers that still weigh. */
  readonly misbehaviour: number;
}

/** Those that stream from now on: who does so already stays, a stream that starts anew has a hole. */
export const chooseLogSources = (
  present: ReadonlySet<ProviderId>,
  candidates: readonly LogCandidate[],
): ReadonlySet<ProviderId> => {
  const ranked = candidates
    .filter(({ isUp }) => isUp)
    .toSorted(
      (a, b) =>
        Number(isAvoided(a)) - Number(isAvoided(b)) ||
        Number(present.has(b.id)) - Number(present.has(a.id)) ||
        Number(a.role !== "primary") - Number(b.role !== "primary") ||
        a.priority - b.priority,
    );
  const chosen = ranked.filter(
    (one, at) => at < (isAvoided(one) ? MIN_LOG_SOURCES : MAX_LOG_SOURCES),
  );
  return new Set(chosen.map(({ id }) => id));
};

const isAvoided = ({ misbehaviour }: LogCandidate): boolean => misbehaviour >= MANY_WRONG;
