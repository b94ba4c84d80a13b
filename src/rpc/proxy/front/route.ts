/**
 * Reads a path and its query: which chain, and how the caller wants to be served.
 *
 * `/rpc/:chain`, `/rpc/:strategy/:chain`, `/rpc/provider/:provider/:chain`, `/rpc/:chain/:provider`,
 * any of them behind `/rpc/profile/:profile/`; `/ws/...` and `/ws/rpc/...` mean the same. A reserved word or a strategy wins over a chain's name.
 */
import type { OwnReason } from "../../errors/codes.ts";
import { strategyNamed } from "../../selection/strategies/registry.ts";
import { PLAIN_OPTIONS, type CallOptions } from "../call.ts";
import { direct, directiveName, directiveReason } from "./directives.ts";

/** A path that names a chain. */
export interface Route {
  readonly chainKey: string;
  readonly options: CallOptions;
  /** Without what the query asks for. */
  readonly pathOptions: CallOptions;
  /** `/rpc/profile/:profile/...` */
  readonly profile: string | undefined;
  /** The path names its provider, which therefore must exist. */
  readonly isProviderForced: boolean;
}

/** A path or a directive that cannot be followed. */
export interface RouteFault {
  readonly reason: OwnReason;
  readonly message: string;
}

/** The outcome of reading a URL. */
export type RouteResult =
  | { readonly ok: true; readonly route: Route }
  | { readonly ok: false; readonly fault: RouteFault };

/** When a call on the aggressive path asks a second provider, ms. */
const AGGRESSIVE_HEDGE_MS = 100;

/** First segments that change how a call is served and name neither chain nor strategy. */
const PRESETS: ReadonlyMap<string, Partial<CallOptions>> = new Map<string, Partial<CallOptions>>([
  ["no-failover", { failover: false }],
  ["aggressive", { maxAttempts: 5, hedgeMs: AGGRESSIVE_HEDGE_MS }],
  ["benchmark", { asksAll: true, meta: "headers" }],
  ["debug", { meta: "body" }],
]);

/** Reads path and query of a request. */
export function readRoute(url: string): RouteResult {
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const base = readPath(path);
  if (base === undefined) {
    return fault("unknown_route", `${path.slice(0, 200)} names no chain; try /rpc/:chain`);
  }
  if (mark < 0) return { ok: true, route: base };
  let { options } = base;
  for (const [name, value] of new URLSearchParams(url.slice(mark + 1))) {
    const directive = directiveName(name);
    const applied = direct(options, directive, value);
    if (typeof applied === "string") return fault(directiveReason(directive), applied);
    options = applied;
  }
  return { ok: true, route: { ...base, options } };
}

function fault(reason: OwnReason, message: string): RouteResult {
  return { ok: false, fault: { reason, message } };
}

function readPath(path: string): Route | undefined {
  const segments = path.split("/").slice(1);
  if (segments.at(-1) === "") segments.pop();
  const root = segments.shift();
  if (root !== "rpc" && root !== "ws") return undefined;
  if (root === "ws" && segments[0] === "rpc") segments.shift();
  const names = segments.map(decoded);
  if (names.some((name) => name === undefined || name === "")) return undefined;
  return resolve(names as string[]);
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    // a stray percent sign names nothing
    return undefined;
  }
}

function resolve(names: readonly string[]): Route | undefined {
  const [first, profile] = names;
  if (first !== "profile") return resolveChain(names);
  const rest = resolveChain(names.slice(2));
  return rest === undefined || rest.profile !== undefined ? undefined : { ...rest, profile };
}

function resolveChain(names: readonly string[]): Route | undefined {
  const [first, second, third] = names;
  if (first === undefined) return undefined;
  if (second === undefined) return routeTo(first, PLAIN_OPTIONS);
  if (third !== undefined) {
    if (first !== "provider" || names.length > 3) return undefined;
    return forced(third, second);
  }
  if (first === "provider" || first === "profile") return undefined;
  const strategy = strategyNamed(first);
  if (strategy !== undefined) return routeTo(second, { ...PLAIN_OPTIONS, strategy });
  const preset = PRESETS.get(first);
  if (preset !== undefined) return routeTo(second, { ...PLAIN_OPTIONS, ...preset });
  return forced(first, second);
}

function routeTo(chainKey: string, options: CallOptions): Route {
  return {
    chainKey,
    options,
    pathOptions: options,
    profile: undefined,
    isProviderForced: false,
  };
}

/** That provider and no other, unless a directive asks for failover. */
function forced(chainKey: string, provider: string): Route {
  const options = { ...PLAIN_OPTIONS, provider, failover: false };
  return { ...routeTo(chainKey, options), isProviderForced: true };
}
