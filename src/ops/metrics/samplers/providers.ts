/** Providers, their endpoints, and the chains that they serve. */
import { chainVerdict, endpointsOf, isEndpointUsable, isProviderUsable } from "../../status.ts";
import type { EndpointStatus } from "../../views.ts";
import { perChain, perProvider, type Sample, type Samplers } from "./sampler.ts";

const perEndpoint = (value: (row: EndpointStatus, nowMs: number) => number): Sample =>
  perChain((chain, put, nowMs) => {
    for (const provider of chain.providers) {
      for (const [transport, row] of endpointsOf(provider)) {
        put([chain.name, provider.id, transport], value(row, nowMs));
      }
    }
  });

const BREAKER_VALUE = { closed: 0, half_open: 1, open: 2 } as const;

const ratioOf = (value: number | undefined, samples: number | undefined): number | undefined =>
  samples === undefined || samples === 0 ? undefined : value;

/** By name without `paceline_`. */
export const providerSamplers: Samplers = {
  circuit_breaker_state: perEndpoint(({ state }) => BREAKER_VALUE[state]),
  endpoint_usable: perEndpoint((row, nowMs) => Number(isEndpointUsable(row, nowMs))),
  endpoint_in_flight: perEndpoint(({ inFlight }) => inFlight),
  endpoint_completed_total: perEndpoint(({ completed }) => completed),
  provider_head_block: perProvider(({ head }) => (head < 0 ? undefined : head)),
  provider_lag_blocks: perProvider(({ lag }) => lag),
  provider_latency_seconds: perChain((chain, put) => {
    for (const { id, calls } of chain.providers) {
      if (calls?.p50Ms !== undefined) put([chain.name, id, "0.5"], calls.p50Ms / 1_000);
      if (calls?.q95Ms !== undefined) put([chain.name, id, "0.95"], calls.q95Ms / 1_000);
    }
  }),
  provider_failure_ratio: perProvider(({ calls }) => ratioOf(calls?.failureRatio, calls?.n)),
  provider_misbehaviour: perProvider(({ misbehaviour }) => misbehaviour),
  provider_breach_probability_ratio: perProvider(({ forecast }) => forecast?.probability),
  provider_score_ratio: perProvider(({ score }) => score),
  provider_race_win_ratio: perProvider(({ race }) => ratioOf(race?.winRate, race?.races)),
  provider_race_miss_ratio: perProvider(({ race }) => ratioOf(race?.missRate, race?.races)),
  provider_race_margin_seconds: perProvider(({ race }) =>
    race === undefined || race.races === 0 ? undefined : race.avgMarginMs / 1_000,
  ),
  chain_tip_block: perChain(({ name, tip }, put) => {
    if (tip >= 0) put([name], tip);
  }),
  chain_tip_age_seconds: perChain(({ name, tipAtMs }, put, nowMs) => {
    if (tipAtMs !== undefined) put([name], Math.max(0, nowMs - tipAtMs) / 1_000);
  }),
  chain_usable_providers: perChain(({ name, providers }, put, nowMs) => {
    put([name], providers.filter((provider) => isProviderUsable(provider, nowMs)).length);
  }),
  chain_providers: perChain(({ name, providers }, put) => put([name], providers.length)),
  chain_down: perChain((chain, put, nowMs) => {
    put([chain.name], Number(chainVerdict(chain, nowMs).state === "down"));
  }),
  provider_quota_used_ratio: perProvider(({ budget }) =>
    budget?.quota === undefined ? undefined : budget.quota.used / budget.quota.units,
  ),
};
