/** The product's metrics: table, samplers, event counters and registry put together. */
import type { ChainView, HostView, ProcessesView } from "../views.ts";
import type { TelemetryRecord } from "../log.ts";
import { countEvent } from "./event-counters.ts";
import { MetricsRegistry, type RenderedMetrics } from "./registry.ts";
import { SAMPLERS, type MetricSources } from "./samplers.ts";
import { METRICS } from "./table.ts";

/** Views are asked for once per page, not once per family. */
const VIEW_MS = 500;

/** What the metrics need besides their sources. */
export interface MetricsDeps {
  readonly yieldTurn: () => Promise<void>;
  /** A label of every series; none when undefined. */
  readonly region?: string | undefined;
  readonly redact?: (text: string) => string;
  readonly onSamplerFailure?: (metric: string, error: unknown) => void;
}

/** Counts events and renders the page. */
export interface Metrics {
  /** Handler for telemetry; attach it to `METRIC_EVENTS`. */
  readonly onEvent: (event: TelemetryRecord) => void;
  readonly render: () => Promise<RenderedMetrics>;
  /** Takes away the series of chains and providers that no longer run. */
  readonly prune: () => void;
}

/** The metrics over live sources. */
export function createMetrics(sources: MetricSources, deps: MetricsDeps): Metrics {
  const nowMs = sources.nowMs;
  const chains = memoized<readonly ChainView[]>(sources.chains, nowMs);
  const cached: MetricSources = {
    ...sources,
    chains,
    processes: memoized<ProcessesView>(sources.processes, nowMs),
    host: memoized<HostView>(sources.host, nowMs),
  };
  const registry = new MetricsRegistry(METRICS, {
    sources: cached,
    samplers: SAMPLERS,
    nowMs,
    ...deps,
  });
  // The configuration that the program started with was read well, or there would be no program.
  registry.set("paceline_config_reload_success", [], 1);
  return {
    onEvent: (event) => countEvent(registry, event),
    render: () => registry.render(),
    prune: () => {
      const running = sources.chains();
      // No chain at all is a table between two owners, not a configuration: counters stay.
      if (running.length === 0) return;
      const live = new Map(
        running.map(({ name, providers }) => [name, new Set(providers.map(({ id }) => id))]),
      );
      const isLive = (chain: string | undefined, provider: string | undefined): boolean =>
        chain === undefined ||
        (live.has(chain) && (provider === undefined || live.get(chain)?.has(provider) === true));
      registry.retain((labels) => isLive(labels["chain"], labels["provider"]));
      sources.meter.retain(isLive);
    },
  };
}

function memoized<Value>(read: () => Value, nowMs: () => number): () => Value {
  let kept: { readonly atMs: number; readonly value: Value } | undefined;
  return () => {
    const atMs = nowMs();
    if (kept === undefined || atMs - kept.atMs >= VIEW_MS) kept = { atMs, value: read() };
    return kept.value;
  };
}
