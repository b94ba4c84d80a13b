import { CLUSTER } from "./cluster-support.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DurationCells } from "../../src/lib/duration-cells.ts";
import { EVENTS } from "../../src/ops/events.ts";
import { METRIC_EVENTS, countEvent } from "../../src/ops/metrics/event-counters.ts";
import { methodClassOf } from "../../src/ops/metrics/method-class.ts";
import { createMetrics } from "../../src/ops/metrics/metrics.ts";
import { MetricsRegistry } from "../../src/ops/metrics/registry.ts";
import { RequestMeter } from "../../src/ops/metrics/request-meter.ts";
import { SAMPLERS, type MetricSources } from "../../src/ops/metrics/samplers.ts";
import { METRICS, METRIC_LABELS, type MetricDef } from "../../src/ops/metrics/table.ts";
import type { ChainView } from "../../src/ops/views.ts";
import { chain, down, endpoint, host, processes, provider } from "./views.ts";

const clock = { nowMs: 10_000 };
const yieldTurn = () => Promise.resolve();

const sourcesOf = (more: Partial<MetricSources> = {}): MetricSources => ({
  nowMs: () => clock.nowMs,
  version: "0.1.0",
  region: "local",
  configHash: () => "abc123",
  chains: () => [
    chain("alpha", {
      providers: [provider("p1"), provider("p2", { http: endpoint(down) })],
      aggregation: {
        byKind: { newHeads: { messages: 30, duplicates: 20 } },
        racesSettled: 10,
        missed: 1,
        processingMs: 2.5,
      },
      caches: [{ kind: "seen", hits: 20, misses: 10, evictions: 1, entries: 9, limit: 10_000 }],
      streams: [{ kind: "newHeads", active: 2, delivered: 60, dropped: 0 }],
      answers: {
        hits: 30,
        misses: 10,
        stores: 8,
        coalesced: 4,
        entries: 6,
        bytes: 4_096,
        removed: { full: 1, group: 1 },
      },
    }),
  ],
  meter: new RequestMeter(),
  clients: () => ({ http: 3, ws: 2 }),
  filters: () => [{ kind: "blocks", count: 4 }],
  processes: () => processes,
  host: () => host,
  suppressedLogLines: () => 4,
  callers: () => [
    {
      id: "dapp",
      calls: 12,
      units: 240,
      inFlight: 1,
      refused: { rate: 3, quota: 0, concurrent: 0, denied: 0, held: 0 },
      rate: undefined,
      unitRate: undefined,
      day: undefined,
      month: undefined,
    },
  ],
  answersLimitBytes: () => 1_000_000,
  cluster: CLUSTER.view,
  redis: () => ({ isUp: true, counters: { ok: 3, failed: 0, timeout: 1, refused: 0 } }),
  pairing: () => ({
    markets: [
      {
        name: "eu",
        rows: 5,
        version: 9,
        durations: new Map([["rank", new DurationCells()]]),
        emptyBy: new Map([["stake", 2]]),
        refusedBy: new Map([["stake", 3]]),
        scoredBy: new Map([["location", { picks: 5, points: 2.5, failures: 1 }]]),
      },
    ],
    cache: { size: 1, hits: 2, misses: 3, evictions: 4 },
    shared: { hit: 1, miss: 2, refused: 0, changed: 0, written: 3 },
    counts: { depth: 6, processed: 7, errors: 1 },
  }),
  alerts: () => [{ id: "x", severity: "critical", message: "", hint: "" }],
  ...more,
});

const attempt = (more: Record<string, unknown> = {}) => ({
  row: { chain: "alpha", provider: "p1", transport: "http" as const },
  method: "eth_call",
  errorClass: "ok",
  durationMs: 30,
  ...more,
});

const request = (more: Record<string, unknown> = {}) => ({
  chain: "alpha",
  method: "eth_call",
  protocol: "http" as const,
  outcome: "ok" as const,
  reason: undefined,
  durationMs: 40,
  ...more,
});

describe("the metrics table", () => {
  it("has unique names of one form, known labels, and a sampler for each sampled family", () => {
    const names = METRICS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const def of METRICS) {
      expect(def.name).toMatch(/^paceline_[a-z_]+$/);
      expect(def.name.endsWith("_total"), def.name).toBe(def.type === "counter");
      expect(def.help, def.name).toMatch(/\.$/);
      for (const label of def.labels) expect(METRIC_LABELS, def.name).toHaveProperty(label);
      if (def.from === "sample" && def.name !== "paceline_metrics_render_seconds") {
        expect(SAMPLERS, def.name).toHaveProperty([def.name]);
      }
    }
    for (const name of Object.keys(SAMPLERS)) expect(names).toContain(name);
  });

  it("uses every label it explains", () => {
    const used = new Set(METRICS.flatMap(({ labels }) => labels));
    expect(Object.keys(METRIC_LABELS).filter((label) => !used.has(label))).toEqual([]);
  });

  it("refuses a family that may grow beyond its budget, or leaves no room for open labels", () => {
    const def: MetricDef = {
      name: "x",
      type: "counter",
      help: "",
      labels: ["chain"],
      from: "event",
      maxSeries: 2_001,
    };
    const deps = { sources: undefined, samplers: {}, nowMs: () => 0, yieldTurn };
    expect(() => new MetricsRegistry([def], deps)).toThrow("x may grow to 2001 lines");
    const tight: MetricDef = { ...def, labels: ["chain", "transport"], maxSeries: 3 };
    expect(() => new MetricsRegistry([tight], deps)).toThrow("leaves no room");
  });

  it("counts only events that exist, in metrics that exist, with the right labels", () => {
    const defs = new Map(METRICS.map((def) => [def.name, def]));
    const moved = new Set<string>();
    const sink = (type: string) => (name: string, labels: readonly string[]) => {
      expect(defs.get(name)?.type, name).toBe(type);
      expect(labels, name).toHaveLength(defs.get(name)?.labels.length ?? -1);
      moved.add(name);
    };
    for (const event of METRIC_EVENTS) {
      expect(EVENTS).toHaveProperty([event]);
      const fields = {
        firstBlock: 1,
        lastBlock: 3,
        result: "ok",
        context: "shutdown",
        alarm: true,
      };
      countEvent({ add: sink("counter"), set: sink("gauge") }, { name: event, fields });
    }
    const fed = METRICS.filter(({ from }) => from === "event").map(({ name }) => name);
    const silent = fed.filter((name) => !moved.has(name));
    expect(silent).toEqual(["paceline_metrics_series_dropped_total"]);
  });
});

describe("the page of metrics", () => {
  it("names the region in every series, once it has a name", async () => {
    const sources = sourcesOf();
    sources.meter.request(request());
    const { text } = await createMetrics(sources, { yieldTurn, region: "eu-1" }).render();
    const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    expect(series.length).toBeGreaterThan(50);
    const tagged = series.filter((line) => line.match(/[{,]region="[^"]+"/g)?.length === 1);
    expect(tagged).toEqual(series);
    const { text: bare } = await createMetrics(sources, { yieldTurn }).render();
    expect(bare).toContain('paceline_rpc_requests_total{chain="alpha",transport="http",');
    expect(bare.match(/region="/g)?.length).toBe(1);
  });

  it("copies every kind of source and renders valid exposition lines", async () => {
    const sources = sourcesOf();
    sources.meter.request(request());
    sources.meter.request(request({ outcome: "error", reason: "exhausted", protocol: "ws" }));
    sources.meter.attempt(attempt());
    sources.meter.attempt(attempt({ errorClass: "timeout", durationMs: 700 }));
    const metrics = createMetrics(sources, { yieldTurn });
    metrics.onEvent({
      name: "circuit_breaker.open",
      fields: {
        chain: "alpha",
        provider: "p2",
        transport: "http",
        consecutiveFailures: 5,
      },
    });
    metrics.onEvent({ name: "otp.crash", process: "rpc/chain/alpha/head-tracker", fields: {} });
    for (const alarm of [true, false]) {
      metrics.onEvent({ name: "otp.turn.long", process: "rpc/head-tracker", fields: { alarm } });
    }
    metrics.onEvent({ name: "otp.zombie", fields: { op: "cast" } });
    const { text, contentType } = await metrics.render();
    expect(contentType).toContain("text/plain");
    for (const line of [
      'paceline_otp_long_turns_total{process="head-tracker"} 2',
      "paceline_otp_loop_alarms_total 1",
      'paceline_otp_zombie_operations_total{op="cast"} 1',
      'paceline_rpc_requests_total{chain="alpha",transport="http",outcome="ok"} 1',
      'paceline_rpc_request_errors_total{chain="alpha",reason="exhausted"} 1',
      'paceline_rpc_request_duration_seconds_bucket{chain="alpha",method_class="state",le="0.025"} 0',
      'paceline_rpc_request_duration_seconds_bucket{chain="alpha",method_class="state",le="0.05"} 2',
      'paceline_rpc_request_duration_seconds_count{chain="alpha",method_class="state"} 2',
      'paceline_rpc_request_duration_seconds_sum{chain="alpha",method_class="state"} 0.08',
      'paceline_rpc_attempts_total{chain="alpha",provider="p1",transport="http",result="timeout"} 1',
      'paceline_rpc_method_attempts_total{chain="alpha",provider="p1",method="eth_call",outcome="failed"} 1',
      'paceline_circuit_breaker_state{chain="alpha",provider="p2",transport="http"} 2',
      'paceline_circuit_breaker_transitions_total{chain="alpha",provider="p2",transport="http",to="open"} 1',
      'paceline_circuit_breaker_consecutive_failures{chain="alpha",provider="p2",transport="http"} 5',
      'paceline_provider_latency_seconds{chain="alpha",provider="p1",quantile="0.5"} 0.021',
      'paceline_chain_tip_block{chain="alpha"} 100',
      'paceline_chain_tip_age_seconds{chain="alpha"} 1',
      'paceline_aggregation_duplicates_total{chain="alpha",kind="newHeads"} 20',
      'paceline_cache_hits_total{chain="alpha",kind="seen"} 20',
      'paceline_answers_found_total{chain="alpha",result="hit"} 30',
      'paceline_answers_found_total{chain="alpha",result="miss"} 10',
      'paceline_answers_coalesced_total{chain="alpha"} 4',
      'paceline_answers_removed_total{chain="alpha",reason="reorg"} 1',
      'paceline_answers_bytes{chain="alpha"} 4096',
      "paceline_answers_limit_bytes 1000000",
      'paceline_subs_active{chain="alpha",kind="newHeads"} 2',
      'paceline_otp_crashes_total{process="head-tracker"} 1',
      'paceline_host_memory_bytes{kind="rss"} 94371840',
      'paceline_config_info{hash="abc123"} 1',
      "paceline_log_lines_suppressed_total 4",
      'paceline_alerts_active{kind="critical"} 1',
    ]) {
      expect(text.split("\n")).toContain(line);
    }
    for (const line of text.split("\n")) {
      expect(line).toMatch(/^$|^# (HELP|TYPE) paceline_|^paceline_\w+(\{[^{}]*\})? -?[\d.e+-]+$/);
    }
  });

  it("renders once for all who ask within a second", async () => {
    let asked = 0;
    const sources = sourcesOf({
      configHash: () => {
        asked += 1;
        return "abc";
      },
    });
    const metrics = createMetrics(sources, { yieldTurn });
    const [one, two] = await Promise.all([metrics.render(), metrics.render()]);
    expect(two).toBe(one);
    clock.nowMs += 900;
    expect(await metrics.render()).toBe(one);
    expect(asked).toBe(1);
    clock.nowMs += 200;
    await metrics.render();
    expect(asked).toBe(2);
  });

  it("yields between families and gives up after 5 s", async () => {
    let yields = 0;
    const slow = createMetrics(sourcesOf(), {
      yieldTurn: () => {
        yields += 1;
        clock.nowMs += 100;
        return Promise.resolve();
      },
    });
    await expect(slow.render()).rejects.toThrow("gave up");
    expect(yields).toBeGreaterThan(40);
  });

  it("leaves out a family whose sampler throws, says so, and renders the rest", async () => {
    const failed: string[] = [];
    const metrics = createMetrics(
      sourcesOf({
        processes: () => {
          throw new Error("no inspector");
        },
      }),
      { yieldTurn, onSamplerFailure: (name) => failed.push(name) },
    );
    const { text } = await metrics.render();
    expect(failed).toContain("paceline_otp_processes");
    expect(text).toContain("paceline_host_uptime_seconds 65");
  });

  it("puts label sets beyond the cap under _OTHER and counts them", async () => {
    const metrics = createMetrics(sourcesOf(), { yieldTurn });
    for (let n = 0; n < 100; n++)
      metrics.onEvent({ name: "head.reorg", fields: { chain: `chain-${n}` } });
    const { text } = await metrics.render();
    expect(text.match(/paceline_head_reorgs_total\{/g)).toHaveLength(64);
    expect(text).toContain('paceline_head_reorgs_total{chain="_OTHER"} 37');
    expect(text).toContain(
      'paceline_metrics_series_dropped_total{metric="paceline_head_reorgs_total"} 37',
    );
  });

  it("masks a key in a label", async () => {
    const redact = (text: string) => text.replaceAll("c4n4ry", "***");
    const metrics = createMetrics(sourcesOf(), { yieldTurn, redact });
    const fields = { chain: "alpha", reason: "sent c4n4ry" };
    metrics.onEvent({ name: "rpc.admission.rejected", fields });
    const { text } = await metrics.render();
    expect(text).toContain('reason="sent ***"');
    expect(text).not.toContain("c4n4ry");
  });

  it("stays within the sample lines of a family when sources grow", async () => {
    const many: ChainView[] = Array.from({ length: 60 }, (_, n) =>
      chain(`c${n}`, { providers: Array.from({ length: 20 }, (_, m) => provider(`p${m}`)) }),
    );
    const sources = sourcesOf({ chains: () => many });
    for (let n = 0; n < 30_000; n++) {
      const row = { chain: `c${n % 60}`, provider: `p${n % 20}`, transport: "ws" as const };
      sources.meter.attempt(attempt({ row, method: `m${n}`, errorClass: `e${n % 100}` }));
    }
    const { text } = await createMetrics(sources, { yieldTurn }).render();
    const lines = text.split("\n").filter((line) => line.startsWith("paceline_"));
    expect(lines.length).toBeLessThan(21_000);
    const families = Map.groupBy(lines, (line) =>
      line.split(/[{ ]/)[0]?.replace(/_(bucket|sum|count)$/, ""),
    );
    for (const [name, family] of families) expect(family.length, name).toBeLessThanOrEqual(2_000);
    const attempts = lines.filter((line) => line.startsWith("paceline_rpc_attempts_total"));
    const sum = attempts.reduce((total, line) => total + Number(line.split(" ").at(-1)), 0);
    expect(sum, "nothing is lost, only folded").toBe(30_000);
  });

  it("drops the series of a provider that was removed", async () => {
    let providers = [provider("p1"), provider("p2")];
    const sources = sourcesOf({ chains: () => [chain("alpha", { providers })] });
    const metrics = createMetrics(sources, { yieldTurn });
    for (const id of ["p1", "p2"]) {
      metrics.onEvent({ name: "websocket.connected", fields: { chain: "alpha", provider: id } });
      sources.meter.attempt(attempt({ row: { chain: "alpha", provider: id, transport: "http" } }));
    }
    expect((await metrics.render()).text).toContain('provider="p2"');
    providers = [provider("p1")];
    clock.nowMs += 2_000;
    metrics.prune();
    const { text } = await metrics.render();
    expect(text).not.toContain('provider="p2"');
    expect(text).toContain('paceline_websocket_connects_total{chain="alpha",provider="p1"} 1');
  });
});

describe("pruning", () => {
  it("keeps all counters while no chain is known at all", async () => {
    const sources = sourcesOf({ chains: () => [] });
    const metrics = createMetrics(sources, { yieldTurn });
    metrics.onEvent({ name: "head.reorg", fields: { chain: "alpha" } });
    sources.meter.attempt(attempt());
    metrics.prune();
    const { text } = await metrics.render();
    expect(text).toContain('paceline_head_reorgs_total{chain="alpha"} 1');
    expect(text).toContain('paceline_rpc_attempts_total{chain="alpha"');
  });
});

describe("the request meter", () => {
  it("bounds methods, reasons and providers, and loses no count", () => {
    const meter = new RequestMeter();
    for (let n = 0; n < 1_000; n++) {
      meter.request(request({ method: `m${n}`, outcome: "error", reason: `r${n}` }));
      meter.attempt(
        attempt({ method: `m${n}`, row: { chain: "alpha", provider: `p${n}`, transport: "ws" } }),
      );
    }
    const cells = meter.chains.get("alpha");
    expect(cells?.reasons.size).toBe(65);
    expect(cells?.reasons.get("_OTHER")).toBe(936);
    expect(cells?.providers.size).toBe(257);
    expect(cells?.providers.get("_OTHER")?.ws.durations.count).toBe(744);
    expect(cells?.requests.http.error).toBe(1_000);
  });

  it("costs less than a microsecond a request and attempt", () => {
    const meter = new RequestMeter();
    const one = request();
    const two = attempt();
    const run = (times: number) => {
      const startedAt = performance.now();
      for (let n = 0; n < times; n++) {
        meter.request(one);
        meter.attempt(two);
      }
      return ((performance.now() - startedAt) / times) * 1_000;
    };
    run(50_000);
    const best = Math.min(...Array.from({ length: 5 }, () => run(50_000)));
    expect(best, "microseconds").toBeLessThan(1);
  });

  it("knows families of methods", () => {
    expect(methodClassOf("eth_getBlockByNumber")).toBe("block");
    expect(methodClassOf("eth_getTransactionCount")).toBe("state");
    expect(methodClassOf("debug_traceTransaction")).toBe("trace");
    expect(methodClassOf("__proto__")).toBe("other");
    const known = METRIC_LABELS["method_class"]?.values ?? [];
    fc.assert(fc.property(fc.string(), (name) => known.includes(methodClassOf(name))));
  });
});

describe("duration cells", () => {
  it("count exactly below the bounds of the histograms", () => {
    const bounds = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000];
    const duration = fc.double({ min: 0, max: 90_000, noNaN: true });
    fc.assert(
      fc.property(fc.array(duration, { maxLength: 200 }), (durations) => {
        const cells = new DurationCells();
        for (const one of durations) cells.record(one);
        for (const bound of bounds) {
          const below = durations.filter((one) => one < bound - 1e-9).length;
          const atMost = durations.filter((one) => one <= bound).length;
          expect(cells.countBelow(bound)).toBeGreaterThanOrEqual(below);
          expect(cells.countBelow(bound)).toBeLessThanOrEqual(atMost);
        }
        expect(cells.count).toBe(durations.length);
      }),
    );
  });

  it("give quantiles within 5 % from 1 ms up", () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 90_000, noNaN: true }), (duration) => {
        const cells = new DurationCells();
        cells.record(duration);
        const read = cells.quantileMs(0.5) ?? 0;
        expect(Math.abs(read - duration) / duration).toBeLessThanOrEqual(0.051);
      }),
    );
    expect(new DurationCells().quantileMs(0.5)).toBeUndefined();
  });

  it("take negative, huge and broken durations without harm, and add up", () => {
    const cells = new DurationCells();
    for (const odd of [-1, Number.NaN, 1e12, Number.POSITIVE_INFINITY]) cells.record(odd);
    expect(cells.count).toBe(4);
    const sum = new DurationCells();
    sum.record(3);
    sum.add(cells);
    expect(sum.count).toBe(5);
    expect(sum.countBelow(5)).toBe(3);
  });
});
