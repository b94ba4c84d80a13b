/** What a caller may ask for by header (`X-Paceline-<Name>`) or query; the query wins. */
import { strategies, strategyNamed } from "../../selection/strategies/registry.ts";
import type { OwnReason } from "../../errors/codes.ts";
import type { CallOptions } from "../call.ts";
import { DEFAULT_LIMITS, MIN_ATTEMPT_MS } from "../limits.ts";

/** Prefix of directive headers, lower case. */
export const DIRECTIVE_PREFIX = "x-paceline-";

/** The options with one directive applied, or what is wrong with it; unknown names change nothing. */
export function applyDirective(
  options: CallOptions,
  name: string,
  value: string,
): CallOptions | string {
  switch (name) {
    case "strategy": {
      const strategy = strategyNamed(value);
      return strategy === undefined
        ? `strategy must be one of ${Object.keys(strategies).join(", ")}`
        : { ...options, strategy };
    }
    case "provider":
      return value === "" ? "provider must be an id or a tag" : { ...options, provider: value };
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
    case "no-failover": {
      const isOff = value === "" ? true : flag(value);
      return isOff === undefined
        ? "no-failover must be on or off"
        : { ...options, failover: !isOff, leavesProvider: !isOff };
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
