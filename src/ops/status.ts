/** What state a provider or a chain is in, in one word and with the reason. */
import type { ChainView, EndpointStatus, ProviderView } from "./views.ts";

/** States of a provider, from best to worst. */
export const PROVIDER_STATES = [
  "healthy",
  "unknown",
  "lagging",
  "suspect",
  "rate_limited",
  "degraded",
  "half_open",
  "open",
  "unusable",
] as const;

/** One of them. */
export type ProviderState = (typeof PROVIDER_STATES)[number];

/** A state and why. */
export interface Verdict<State extends string> {
  readonly state: State;
  readonly reason: string | undefined;
}

/** Whether a user's request may go to the endpoint now. */
export const isEndpointUsable = (row: EndpointStatus, nowMs: number): boolean =>
  row.isUsable && row.state === "closed" && !row.suspect && row.cooldownUntilMs <= nowMs;

/** The transports of a provider that exist. */
export const endpointsOf = (
  provider: ProviderView,
): readonly (readonly ["http" | "ws", EndpointStatus])[] => [
  ...(provider.http === undefined ? [] : [["http", provider.http] as const]),
  ...(provider.ws === undefined ? [] : [["ws", provider.ws] as const]),
];

/** Whether any transport of the provider may serve a user's request now. */
export const isProviderUsable = (provider: ProviderView, nowMs: number): boolean =>
  provider.trial !== "shadow" &&
  endpointsOf(provider).some(([, row]) => isEndpointUsable(row, nowMs));

const seconds = (ms: number): string => `${Math.max(0, Math.ceil(ms / 1_000))} s`;

/** The state of a provider: its best transport decides whether it serves, its worst how well. */
export function providerVerdict(
  provider: ProviderView,
  maxLagBlocks: number,
  nowMs: number,
): Verdict<ProviderState> {
  const rows = endpointsOf(provider);
  const usable = rows.filter(([, row]) => row.isUsable);
  if (usable.length === 0) {
    const reason = rows.find(([, row]) => row.unusableReason !== undefined)?.[1].unusableReason;
    // Whoever marks an endpoint as not tried says "…yet": nothing is known against the provider.
    const state = reason?.endsWith(" yet") === true ? "unknown" : "unusable";
    return { state, reason: reason ?? "no endpoint" };
  }
  const troubled = usable.flatMap(([transport, row]) => {
    const verdict = endpointVerdict(row, nowMs);
    return verdict === undefined
      ? []
      : [{ ...verdict, reason: `${transport}: ${verdict.reason ?? verdict.state}` }];
  });
  const worst = troubled[0];
  if (worst !== undefined) {
    if (troubled.length < usable.length) return { state: "degraded", reason: worst.reason };
    return troubled.find(({ state }) => state !== "open") ?? worst;
  }
  if (provider.lag !== undefined && provider.lag > maxLagBlocks) {
    return { state: "lagging", reason: `${provider.lag} blocks behind` };
  }
  if (provider.head < 0 && (provider.calls?.n ?? 0) === 0) {
    return { state: "unknown", reason: "nothing heard of it yet" };
  }
  return { state: "healthy", reason: undefined };
}

function endpointVerdict(row: EndpointStatus, nowMs: number): Verdict<ProviderState> | undefined {
  const forced = row.forced ? ", forced by an operator" : "";
  if (row.state === "open") {
    return {
      state: "open",
      reason: `breaker open, probe in ${seconds(row.openUntilMs - nowMs)}${forced}`,
    };
  }
  if (row.state === "half_open") return { state: "half_open", reason: `being probed${forced}` };
  if (row.cooldownUntilMs > nowMs) {
    return { state: "rate_limited", reason: `rests ${seconds(row.cooldownUntilMs - nowMs)}` };
  }
  return row.suspect ? { state: "suspect", reason: "attempts do not come back" } : undefined;
}

/** States of a chain. */
export type ChainState = "ok" | "degraded" | "down";

/** The state of a chain: down when nobody can serve it, degraded when not all can. */
export function chainVerdict(chain: ChainView, nowMs: number): Verdict<ChainState> {
  const usable = chain.providers.filter((provider) => isProviderUsable(provider, nowMs)).length;
  // A shadow serves nobody: its troubles are not the chain's.
  const serving = chain.providers.filter(({ trial }) => trial !== "shadow");
  const all = serving.length;
  if (usable === 0) return { state: "down", reason: `none of ${all} providers can serve` };
  const well = serving.filter((provider) =>
    ["healthy", "unknown"].includes(providerVerdict(provider, chain.maxLagBlocks, nowMs).state),
  ).length;
  return well < all
    ? { state: "degraded", reason: `${well} of ${all} providers are well` }
    : { state: "ok", reason: undefined };
}
