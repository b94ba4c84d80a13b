/** What a caller may ask for by header (`X-Paceline-<Name>`) or query; the query wins. */
import { MAX_SESSION_CHARS } from "../../consistency/sessions.ts";
import { strategies, strategyNamed } from "../../selection/strategies/registry.ts";
import type { OwnReason } from "../../errors/codes.ts";
import type { CallOptions, Quorum } from "../call.ts";
import { DEFAULT_LIMITS, MIN_ATTEMPT_MS } from "../limits.ts";

/** Prefix of directive headers, lower case. */
export const DIRECTIVE_PREFIX = "x-paceline-";

/** A directive as it is looked up: names are of any case, with `_` or `-`. */
export const directiveName = (name: string): string => name.toLowerCase().replaceAll("_", "-");

/** The options with one directive applied, or what is wrong with it; unknown names change nothing. */
export function direct(options: CallOptions, name: string, value: string): CallOptions | string {
  const applied = applyDirective(options, name, value);
  if (typeof applied === "string" || applied === options) return applied;
  return { ...applied, isDirected: true };
}

function applyDirective(options: CallOptions, name: string, value: string): CallOptions | string {
  switch (name) {
    case "strategy": {
      const strategy = strategyNamed(value);
      return strategy === undefined
        ? `strategy must be one of ${Object.keys(strategies).join(", ")}`
        : { ...options, strategy };
    }
    case "provider":
      return value === ""
        ? "provider must be an id, a tag or a glob"
        : { ...options, provider: value };
    case "transport":
      return value === "http" || value === "ws" || value === "any"
        ? { ...options, transport: value }
        : "transport must be http, ws or any";
    case "timeout": {
      const timeoutMs = durationMs(value);
      return timeoutMs >= MIN_ATTEMPT_MS && timeoutMs <= DEFAULT_LIMITS.maxTimeoutMs
        ? { ...options, timeoutMs }
        : `timeout must lie between ${MIN_ATTEMPT_MS}ms and ${DEFAULT_LIMITS.maxTimeoutMs}ms`;
    }
    case "failover": {
      const isOn = flag(value);
      return isOn === undefined
        ? "failover must be on or off"
        : { ...options, failover: isOn, leavesProvider: isOn };
    }
    case "no-failover":
      return switched(options, name, value, (isOff) => ({
        failover: !isOff,
        leavesProvider: !isOff,
      }));
    case "no-cache":
      return switched(options, name, value, (isOn) => ({ noCache: isOn }));
    case "no-hedge":
      return switched(options, name, value, (isOn) => ({ noHedge: isOn }));
    case "quorum": {
      const quorum = quorumOf(value);
      return quorum === undefined
        ? `quorum must be n/m with 1 <= n <= m <= ${MAX_QUORUM}, such as 2/3`
        : { ...options, quorum };
    }
    case "consistency":
      return value === "off" || value === "batch" || value === "session"
        ? { ...options, consistency: value }
        : "consistency must be off, batch or session";
    case "session":
      return value.length >= 1 && value.length <= MAX_SESSION_CHARS
        ? { ...options, session: value }
        : `session must be a name of 1 to ${MAX_SESSION_CHARS} characters`;
    case "max-cost": {
      const maxCost = value === "" ? Number.NaN : Number(value);
      return maxCost >= 0
        ? { ...options, maxCost }
        : "max_cost must be the price of a million calls, a number of at least 0";
    }
    case "include-meta":
      return value === "headers" || value === "body" || value === "none"
        ? { ...options, meta: value }
        : "include_meta must be headers, body or none";
    default:
      return options;
  }
}

/** What a directive that cannot be applied is answered with; a strategy is a name like a chain's. */
export function directiveReason(name: string): OwnReason {
  return name === "strategy" ? "unknown_strategy" : "bad_directive";
}

/** A directive that is on when it stands there without a value. */
function switched(
  options: CallOptions,
  name: string,
  value: string,
  change: (isOn: boolean) => Partial<CallOptions>,
): CallOptions | string {
  const isOn = value === "" ? true : flag(value);
  return isOn === undefined ? `${name} must be on or off` : { ...options, ...change(isOn) };
}

/** Providers that one call may ask for their agreement. */
const MAX_QUORUM = 16;

/** `2/3`. */
function quorumOf(value: string): Quorum | undefined {
  const match = /^(\d{1,2})\/(\d{1,2})$/.exec(value);
  if (match === null) return undefined;
  const agree = Number(match[1]);
  const of = Number(match[2]);
  return agree >= 1 && agree <= of && of <= MAX_QUORUM ? { agree, of } : undefined;
}

function flag(value: string): boolean | undefined {
  if (value === "on" || value === "true" || value === "1") return true;
  if (value === "off" || value === "false" || value === "0") return false;
  return undefined;
}

/** `2s`, `500ms`, or a bare number of milliseconds; NaN for anything else. */
function durationMs(value: string): number {
  const match = /^(\d{1,6})(ms|s)?$/.exec(value);
  if (match === null) return NaN;
  return Number(match[1]) * (match[2] === "s" ? 1000 : 1);
}
