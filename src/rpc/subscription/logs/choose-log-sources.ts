/**
 * Which providers stream logs: a few race, the others are spared, and whoever drops out is replaced.
 * Every further source costs the whole stream once more and hardly ever is the first.
 */
import type { ProviderId } from "../../ids.ts";

/** Providers that stream logs at a time. */
export const MAX_LOG_SOURCES = 3;

/** A provider that could stream logs. */
export interface LogCandidate {
  readonly id: ProviderId;
  readonly isUp: boolean;
  readonly role: "primary" | "backup";
  /** Lower is better. */
  readonly priority: number;
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
        Number(present.has(b.id)) - Number(present.has(a.id)) ||
        Number(a.role !== "primary") - Number(b.role !== "primary") ||
        a.priority - b.priority,
    );
  return new Set(ranked.slice(0, MAX_LOG_SOURCES).map(({ id }) => id));
};
