/** Whether two traces tell the same story (otp.md 7.4). */
import type { Scenario, Trace, TraceEvent } from "./scenario.ts";
import { whyUnordered } from "./unordered.ts";

/** Equal in total order, equal process by process where that is all OTP promises, or not equal. */
export type Verdict = "strict" | "per-process" | "different";

/** Judges `actual` by `expected`. */
export function judge(scenario: Scenario, expected: Trace, actual: Trace): Verdict {
  if (strict(expected) === strict(actual)) return "strict";
  const isLoose = scenario.compare === "per-process" || whyUnordered(scenario) !== undefined;
  if (isLoose && strict(perProcess(expected)) === strict(perProcess(actual))) return "per-process";
  return "different";
}

/** Where two traces part, for people. */
export function firstDifference(expected: Trace, actual: Trace): string {
  const longest = Math.max(expected.events.length, actual.events.length);
  for (let i = 0; i < longest; i += 1) {
    const want = text(expected.events[i]);
    const got = text(actual.events[i]);
    if (want !== got) return `event ${i}\n  erlang:  ${want}\n  runtime: ${got}`;
  }
  return `final\n  erlang:  ${text(expected.final)}\n  runtime: ${text(actual.final)}`;
}

/** Events grouped by who emitted them, each with its step; reports belong to their supervisor. */
export function perProcess(trace: Trace): { events: unknown; final: unknown } {
  const groups: Record<string, unknown[]> = {};
  let step: unknown = -1;
  for (const event of trace.events) {
    if (event["e"] === "step") step = event["i"];
    (groups[emitterOf(event)] ??= []).push([step, event]);
  }
  return { events: groups, final: trace.final };
}

function emitterOf(event: TraceEvent): string {
  if (event["e"] === "report") return `report ${String(event["sup"])}`;
  return typeof event["p"] === "string" ? event["p"] : "runner";
}

function strict(trace: { events: unknown; final: unknown }): string {
  return text({ events: trace.events, final: trace.final });
}

function text(value: unknown): string {
  return JSON.stringify(sorted(value)) ?? "(nothing)";
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
