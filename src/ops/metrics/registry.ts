/**
 * The metrics page: the table's families, prom-client behind them.
 *
 * Two kinds of family. Event-fed ones are prom-client counters and gauges that the telemetry
 * subscriber bumps. Sampled ones hold nothing: at scrape time they copy live cells, so the paths
 * that are hot never touch a metrics library, and a provider that is gone leaves no series behind.
 *
 * prom-client's own `metrics()` renders everything in one go (800 histograms and 800 counters block
 * the loop for 57 ms under load); here each family is rendered by itself with a yield after it, the
 * text is kept for a second and shared by all scrapers that come meanwhile.
 */
import type { Metric } from "prom-client";
import type { DurationCells } from "../../lib/duration-cells.ts";
import { LabelGuard, type Labels } from "./label-guard.ts";
import { Counter, Gauge, Registry } from "./prom-parts.ts";
import {
  MAX_LINES,
  MAX_LINES_PER_FAMILY,
  linesPerSeries,
  maxSeriesOf,
  reservedSeriesOf,
  type MetricDef,
} from "./table.ts";

const CACHE_MS = 1_000;
const GIVE_UP_MS = 5_000;
const DROPPED = "paceline_metrics_series_dropped_total";
const RENDER_SECONDS = "paceline_metrics_render_seconds";

/** Adds one sample of a sampled family; label values stand in the order of the table. */
export type Put = (labels: readonly string[], value: number | DurationCells) => void;

/** Copies one family out of the live cells. */
export type Sampler<Sources> = (sources: Sources, put: Put) => void;

/** What the registry takes from its host. */
export interface RegistryDeps<Sources> {
  readonly sources: Sources;
  readonly samplers: Readonly<Record<string, Sampler<Sources>>>;
  /** Monotonic ms. */
  readonly nowMs: () => number;
  /** Lets the event loop turn once. */
  readonly yieldTurn: () => Promise<void>;
  /** A label of every series; none when undefined. */
  readonly region?: string | undefined;
  /** Replaces every configured secret: reasons of events may quote what a provider said. */
  readonly redact?: (text: string) => string;
  /** A sampler threw; its family is left out of this page. */
  readonly onSamplerFailure?: (metric: string, error: unknown) => void;
}

/** One rendered page. */
export interface RenderedMetrics {
  readonly contentType: string;
  readonly text: string;
}

interface Sample {
  readonly labels: Labels;
  readonly metricName?: string;
  value: number;
}

/** Holds every family of `defs`; refuses a table whose caps exceed the budget of sample lines. */
export class MetricsRegistry<Sources> {
  readonly #deps: RegistryDeps<Sources>;
  readonly #prom = new Registry();
  readonly #defs: readonly MetricDef[];
  readonly #guards = new Map<string, LabelGuard>();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  #cached: { readonly atMs: number; readonly page: RenderedMetrics } | undefined;
  #rendering: Promise<RenderedMetrics> | undefined;
  #renderSeconds = 0;

  constructor(defs: readonly MetricDef[], deps: RegistryDeps<Sources>) {
    checkBudget(defs);
    this.#deps = deps;
    this.#defs = defs;
    const { region } = deps;
    if (region !== undefined) this.#prom.setDefaultLabels({ region });
    for (const def of defs) this.#open(def);
  }

  /** Adds to an event-fed counter. */
  add(name: string, labels: readonly string[], value = 1): void {
    const counter = this.#counters.get(name);
    if (counter === undefined) throw new Error(`no counter ${name} in the metrics table`);
    counter.inc(this.#guarded(name, labels), value);
  }

  /** Sets an event-fed gauge. */
  set(name: string, labels: readonly string[], value: number): void {
    const gauge = this.#gauges.get(name);
    if (gauge === undefined) throw new Error(`no gauge ${name} in the metrics table`);
    gauge.set(this.#guarded(name, labels), value);
  }

  /** Takes away the event-fed series of chains and providers that no longer run. */
  retain(isLive: (labels: Readonly<Labels>) => boolean): void {
    for (const [name, guard] of this.#guards) {
      const family = this.#counters.get(name) ?? this.#gauges.get(name);
      if (family === undefined) continue;
      for (const labels of guard.forget((labels) => !isLive(labels))) family.remove(labels);
    }
  }

  /** The page; at most one second old, rendered once for all who ask meanwhile. */
  render(): Promise<RenderedMetrics> {
    const cached = this.#cached;
    if (cached !== undefined && this.#deps.nowMs() - cached.atMs < CACHE_MS) {
      return Promise.resolve(cached.page);
    }
    this.#rendering ??= this.#render().finally(() => {
      this.#rendering = undefined;
    });
    return this.#rendering;
  }

  async #render(): Promise<RenderedMetrics> {
    const startedAtMs = this.#deps.nowMs();
    const parts: string[] = [];
    for (const def of this.#defs) {
      const text = await this.#prom.getSingleMetricAsString(def.name);
      // Families without a sample would only be two comment lines of noise.
      if (text.includes("\n", text.indexOf("\n") + 1)) parts.push(text);
      await this.#deps.yieldTurn();
      const tookMs = this.#deps.nowMs() - startedAtMs;
      if (tookMs > GIVE_UP_MS) {
        throw new Error(
          `rendering the metrics took ${Math.round(tookMs)} ms, gave up at ${def.name}`,
        );
      }
    }
    const atMs = this.#deps.nowMs();
    this.#renderSeconds = (atMs - startedAtMs) / 1_000;
    const page = { contentType: this.#prom.contentType, text: `${parts.join("\n\n")}\n` };
    this.#cached = { atMs, page };
    return page;
  }

  #open(def: MetricDef): void {
    const { name, help, labels } = def;
    if (def.from === "event") {
      this.#guards.set(name, new LabelGuard(def, this.#deps.redact));
      const options = { name, help, labelNames: [...labels], registers: [this.#prom] };
      if (def.type === "counter") this.#counters.set(name, new Counter(options));
      else if (def.type === "gauge") this.#gauges.set(name, new Gauge(options));
      else throw new Error(`${name}: a histogram is sampled, never fed by events`);
      return;
    }
    const sampler =
      name === RENDER_SECONDS
        ? (_: Sources, put: Put): void => put([], this.#renderSeconds)
        : this.#deps.samplers[name];
    if (sampler === undefined) throw new Error(`${name} has no sampler`);
    const family = { name, help, labelNames: labels, get: () => this.#sample(def, sampler) };
    // prom-client renders whatever has `get`; its type asks for its own classes.
    this.#prom.registerMetric(family as unknown as Metric);
  }

  #sample(def: MetricDef, sampler: Sampler<Sources>): Promise<object> {
    const guard = new LabelGuard(def);
    const samples = new Map<string, Sample>();
    try {
      sampler(this.#deps.sources, (values, value) => {
        const labels = guard.labelsOf(values);
        if (typeof value !== "number") putHistogram(samples, def, labels, value);
        else if (Number.isFinite(value)) putSample(samples, labels, value, def.type === "counter");
      });
    } catch (error) {
      samples.clear();
      this.#deps.onSamplerFailure?.(def.name, error);
    }
    const dropped = guard.takeDropped();
    if (dropped > 0) this.add(DROPPED, [def.name], dropped);
    const values = [...samples.values()];
    return Promise.resolve({ name: def.name, help: def.help, type: def.type, values });
  }

  #guarded(name: string, values: readonly string[]): Labels {
    const guard = this.#guards.get(name);
    if (guard === undefined) return {};
    const labels = guard.labelsOf(values);
    if (guard.takeDropped() > 0 && name !== DROPPED) this.add(DROPPED, [name]);
    return labels;
  }
}

function putSample(
  samples: Map<string, Sample>,
  labels: Labels,
  value: number,
  adds: boolean,
  metricName?: string,
): void {
  const key = `${metricName ?? ""}\u0000${Object.values(labels).join("\u0000")}`;
  const sample = samples.get(key);
  if (sample === undefined) {
    samples.set(key, metricName === undefined ? { labels, value } : { labels, value, metricName });
  } else {
    sample.value = adds ? sample.value + value : value;
  }
}

function putHistogram(
  samples: Map<string, Sample>,
  def: MetricDef,
  labels: Labels,
  cells: DurationCells,
): void {
  for (const bound of def.buckets ?? []) {
    const below = cells.countBelow(bound * 1_000);
    putSample(samples, { ...labels, le: String(bound) }, below, true, `${def.name}_bucket`);
  }
  putSample(samples, { ...labels, le: "+Inf" }, cells.count, true, `${def.name}_bucket`);
  putSample(samples, labels, cells.sumMs / 1_000, true, `${def.name}_sum`);
  putSample(samples, labels, cells.count, true, `${def.name}_count`);
}

function checkBudget(defs: readonly MetricDef[]): void {
  let total = 0;
  for (const def of defs) {
    const lines = maxSeriesOf(def) * linesPerSeries(def);
    total += lines;
    if (lines > MAX_LINES_PER_FAMILY) {
      throw new Error(`${def.name} may grow to ${lines} lines, more than ${MAX_LINES_PER_FAMILY}`);
    }
    if (reservedSeriesOf(def) >= maxSeriesOf(def) && def.labels.length > 0) {
      throw new Error(`${def.name}: its cap leaves no room beside its closed labels`);
    }
  }
  if (total > MAX_LINES)
    throw new Error(`the metrics may grow to ${total} lines, more than ${MAX_LINES}`);
}
