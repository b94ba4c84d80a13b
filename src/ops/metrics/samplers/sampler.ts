/** What sampled families are copied out of, and how. */
import type { ClusterView } from "../../../cluster/protocol.ts";
import type { PairingView } from "../../../pairing/protocol.ts";
import type { Alert } from "../../alerts.ts";
import type { CallerView, ChainView, HostView, ProcessesView, ProviderView } from "../../views.ts";
import type { Put, Sampler } from "../registry.ts";
import type { RequestMeter } from "../request-meter.ts";

/** Where the metrics come from; every function is called at scrape time and must be cheap. */
export interface MetricSources {
  readonly nowMs: () => number;
  readonly version: string;
  readonly region: string;
  readonly configHash: () => string;
  readonly chains: () => readonly ChainView[];
  readonly meter: RequestMeter;
  /** Connected clients by kind of connection, e.g. `http` and `ws`. */
  readonly clients: () => Readonly<Record<string, number>>;
  /** Stateful filters that are open, by kind. */
  readonly filters: () => readonly { readonly kind: string; readonly count: number }[];
  readonly processes: () => ProcessesView;
  readonly host: () => HostView;
  readonly suppressedLogLines: () => number;
  readonly callers: () => readonly CallerView[];
  /** Undefined without a configured Redis. */
  readonly redis: () => RedisView | undefined;
  /** This region among the others. */
  readonly cluster: () => ClusterView;
  readonly alerts: () => readonly Alert[];
  /** Undefined without a configured market. */
  readonly pairing: () => PairingView | undefined;
  /** Most bytes of answers that the node keeps. */
  readonly answersLimitBytes: () => number;
}

/** The link to Redis: whether it answers, and what became of the commands by result. */
export interface RedisView {
  readonly isUp: boolean;
  readonly counters: Readonly<Record<"ok" | "failed" | "timeout" | "refused", number>>;
}

/** Copies one family. */
export type Sample = Sampler<MetricSources>;

/** Families by name without `paceline_`. */
export type Samplers = Readonly<Record<string, Sample>>;

/** Of each chain. */
export const perChain =
  (put: (chain: ChainView, put: Put, nowMs: number) => void): Sample =>
  (sources, add) => {
    const nowMs = sources.nowMs();
    for (const chain of sources.chains()) put(chain, add, nowMs);
  };

/** Of each provider of each chain of which it is known. */
export const perProvider = (value: (provider: ProviderView) => number | undefined): Sample =>
  perChain((chain, put) => {
    for (const provider of chain.providers) {
      const known = value(provider);
      if (known !== undefined) put([chain.name, provider.id], known);
    }
  });

/** A family of one series without labels. */
export const one =
  (value: (sources: MetricSources) => number): Sample =>
  (sources, put) =>
    put([], value(sources));
