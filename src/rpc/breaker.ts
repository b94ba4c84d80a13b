/**
 * Runs one breaker's machine by the pure transition function and keeps its admission cell in step.
 *
 * It owns no timer: the process that holds it arms one for `nextAtMs` and calls `tick` then.
 */
import { initialTransition, transition, type SnapshotFrom } from "xstate";
import type { Announcement, BreakerContext, BreakerEvent } from "./breaker-context.ts";
import { breakerMachine } from "./breaker.machine.ts";
import type { BreakerRules, FailureCategory } from "./breaker-rules.ts";
import type { AttemptOutcome, BreakerState, EndpointRow } from "./chain-view.ts";
import type { ErrorClass } from "./errors/classes.ts";
import { DECISIONS } from "./errors/decisions.ts";

/** What a breaker asks its process to do or to tell. */
export type BreakerEffect =
  | ({ readonly type: "announce"; readonly from: BreakerState } & Announcement)
  | { readonly type: "askProbe"; readonly token: number; readonly leaseUntilMs: number };

/** A breaker as operators see it. */
export interface BreakerReport {
  readonly state: BreakerState;
  readonly generation: number;
  readonly cause: string;
  readonly consecutiveFailures: number;
  readonly openUntilMs: number;
  readonly reopens: number;
  readonly forced: "open" | "closed" | undefined;
  readonly isProbing: boolean;
}

type Snapshot = SnapshotFrom<typeof breakerMachine>;

/** The breaker of one endpoint. */
export class Breaker {
  readonly row: EndpointRow;
  #snapshot: Snapshot;

  /** Takes over the cell as it is, so that a restart of the owner forgets no open breaker. */
  constructor(row: EndpointRow, rules: BreakerRules, nowMs: number) {
    this.row = row;
    const input = { rules, nowMs, generation: row.generation, seenSuccesses: row.successes };
    const [fresh] = initialTransition(breakerMachine, input);
    this.#snapshot = row.state === "closed" ? fresh : resumed(fresh.context, row, nowMs);
    this.#sync();
  }

  /** Feeds one event; returns the effects in order. */
  feed(event: BreakerEvent): readonly BreakerEffect[] {
    // A dead provider's calls all fail at once: what was admitted before it opened changes nothing.
    if (isOutdated(event, this.#snapshot.context)) return nothing;
    const from = this.row.state;
    const [next, actions] = transition(breakerMachine, this.#snapshot, event);
    if (next === this.#snapshot) return nothing;
    this.#snapshot = next;
    this.#sync();
    return actions.length === 0 ? nothing : effectsOf(actions, from);
  }

  /** Feeds what time alone brings: the end of a pause, of a force, of a probe's lease. */
  tick(nowMs: number, random: number): readonly BreakerEffect[] {
    const { probeToken, leaseUntilMs } = this.#snapshot.context;
    if (probeToken !== 0 && nowMs >= leaseUntilMs) {
      return this.feed({ type: "lease.expired", token: probeToken, nowMs, random });
    }
    return this.feed({ type: "due", nowMs });
  }

  /** When `tick` is next worth calling; infinity when nothing is pending. */
  get nextAtMs(): number {
    const { openUntilMs, probeToken, leaseUntilMs, forcedUntilMs } = this.#snapshot.context;
    if (this.row.state === "open") return openUntilMs;
    return Math.min(probeToken === 0 ? Number.POSITIVE_INFINITY : leaseUntilMs, forcedUntilMs);
  }

  /** Replaces the figures after a reload; the state stays. */
  setRules(rules: BreakerRules): void {
    this.#snapshot = breakerMachine.resolveState({
      value: this.#snapshot.value,
      context: { ...this.#snapshot.context, rules },
    });
  }

  /** The breaker for operators. */
  report(): BreakerReport {
    const { context } = this.#snapshot;
    return {
      state: this.row.state,
      generation: context.generation,
      cause: context.cause,
      consecutiveFailures: context.streak.total,
      openUntilMs: context.openUntilMs,
      reopens: context.reopens,
      forced: context.forced,
      isProbing: context.probeToken !== 0,
    };
  }

  #sync(): void {
    const { row } = this;
    const { context, value } = this.#snapshot;
    row.state = value;
    row.openUntilMs = context.openUntilMs;
    row.generation = context.generation;
    row.forced = context.forced !== undefined;
    row.dirty = value !== "closed" || context.streak.total > 0 || context.probeToken !== 0;
  }
}

const nothing: readonly BreakerEffect[] = [];

/** A cell left half open by a dead owner has lost its probe: it is open and due at once. */
const resumed = (fresh: BreakerContext, row: EndpointRow, nowMs: number): Snapshot => {
  const openUntilMs = row.state === "open" ? row.openUntilMs : nowMs;
  return breakerMachine.resolveState({
    value: "open",
    context: {
      ...fresh,
      openUntilMs,
      cause: "restart",
      forced: row.forced ? "open" : undefined,
      forcedUntilMs: row.forced ? openUntilMs : Number.POSITIVE_INFINITY,
    },
  });
};

const effectsOf = (
  actions: readonly { readonly type: string; readonly params?: unknown }[],
  from: BreakerState,
): BreakerEffect[] =>
  actions.flatMap(({ type, params }): BreakerEffect[] => {
    if (type === "announce") return [{ type, from, ...(params as Announcement) }];
    if (type !== "askProbe") return [];
    return [{ type, ...(params as { token: number; leaseUntilMs: number }) }];
  });

/** What a failed question of our own is for a breaker; a rate limit, say, proves that somebody lives. */
export const failureOf = (errorClass: ErrorClass): FailureCategory | undefined => {
  const { breaker } = DECISIONS[errorClass];
  if (breaker === "none" || breaker === "success") return undefined;
  return breaker === "forced_open" ? "malformed" : breaker;
};

const isOutdated = (event: BreakerEvent, { generation }: BreakerContext): boolean =>
  "generation" in event && event.generation !== generation;

/** The event that an attempt's outcome is for its breaker (decision table, json-rpc reference 7.3). */
export const breakerEvent = (
  outcome: AttemptOutcome,
  nowMs: number,
  random: number,
): BreakerEvent => {
  const { row, generation, errorClass, retryAfterMs } = outcome;
  const { successes } = row;
  const { breaker } = DECISIONS[errorClass];
  switch (breaker) {
    case "none":
      return { type: "neutral", nowMs };
    case "success":
      return { type: "success", nowMs, generation, successes };
    // Quarantine: only a recheck that sees the right chain id resets it.
    case "forced_open":
      return { type: "force.open", nowMs };
    default:
      return {
        type: "failure",
        nowMs,
        generation,
        successes,
        category: breaker,
        retryAfterMs,
        random,
      };
  }
};
