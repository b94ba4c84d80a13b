/** From a request's head to who calls, under which profile, and what the chain grants: the same for HTTP and handshakes. */
import type { Caller } from "../../clients/caller.ts";
import type { Entered } from "../../clients/client-gate.ts";
import type { LimitedProfile } from "../../clients/profiles.ts";
import { readVisit } from "../../clients/visit.ts";
import { isAsked } from "../../selection/asked.ts";
import type { CallOptions } from "../call.ts";
import type { Engine } from "../engine.ts";
import type { ChainView } from "../ports.ts";
import type { Route, RouteFault } from "./route.ts";

/** A request, as far as the gate looks at it. */
interface Arrival {
  readonly url: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /** The other end of the connection. */
  readonly remoteAddress?: string | undefined;
}

/** Who came in, or what they are told. */
export type Entrance = Entered | ({ readonly ok: false } & RouteFault);

/** Whoever comes in while nothing is configured. */
export const FREE: Entered = { ok: true, caller: undefined, peer: undefined };

/** Judges an arrival by its key, address and origin; free as long as nothing is configured. */
export function enter(engine: Engine, arrival: Arrival): Entrance {
  const { gate } = engine;
  if (gate.isIdle) return FREE;
  const visit = readVisit(arrival.rawHeaders, arrival.url);
  return gate.enter(visit, arrival.remoteAddress ?? "");
}

/** How a call of this route is served: the path's options with its profile, or the caller's. */
export function optionsOf(
  engine: Engine,
  route: Route,
  caller: Caller | undefined,
): CallOptions | RouteFault {
  const base = caller?.mayDirect === false ? route.pathOptions : route.options;
  if (route.profile === undefined && caller?.profile === undefined) return base;
  const profile = engine.gate.profileOf(route.profile, caller);
  if (profile === undefined) {
    const name = (route.profile ?? caller?.profile ?? "").slice(0, 100);
    return { reason: "unknown_profile", message: `no profile is called ${name}` };
  }
  return "reason" in profile ? profile : withProfile(base, profile);
}

function withProfile(options: CallOptions, profile: LimitedProfile): CallOptions {
  return { ...options, profile, strategy: options.strategy ?? profile.strategy };
}

/** The error for a chain that does not run. */
export function chainFault(route: Route): RouteFault {
  return { reason: "unknown_chain", message: `unknown chain ${route.chainKey.slice(0, 100)}` };
}

/**
 * The error for what the chain does not grant: directives at all, or a provider that it does not
 * have; a directive may name tags, or a glob.
 */
export function optionsFault(
  chain: ChainView,
  { isProviderForced }: Pick<Route, "isProviderForced">,
  { provider, isDirected }: CallOptions,
): RouteFault | undefined {
  if (isDirected && chain.takesDirectives === false) {
    return { reason: "directives_off", message: `chain ${chain.name} takes no directives` };
  }
  if (provider === undefined) return undefined;
  const isKnown = chain.snapshot?.endpoints.some(
    (endpoint) =>
      endpoint.provider === provider || (!isProviderForced && isAsked(provider, endpoint)),
  );
  if (isKnown !== false) return undefined;
  const message = `chain ${chain.name} has no provider ${provider.slice(0, 100)}`;
  return { reason: "unknown_provider", message };
}
