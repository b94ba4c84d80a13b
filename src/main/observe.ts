/** What can be seen of the running host: chains, processes, host figures, alerts, health, metrics. */
import { createHash } from "node:crypto";
import { chainsTable } from "../../actors/rpc/chain-registry.ts";
import type { Config } from "../../config/schema.ts";
import { regionTag } from "../../config/region-tag.ts";
import type { ClusterView } from "../cluster/protocol.ts";
import { HostProbe } from "../io/host-probe.ts";
import type { Log } from "../io/log.ts";
import type { Node } from "../otp/index.ts";
import { activeAlerts } from "../ops/alerts.ts";
import type { HealthInput } from "../ops/health.ts";
import type { LoopAlarm } from "../ops/loop-alarm.ts";
import { createMetrics, type Metrics } from "../ops/metrics/metrics.ts";
import type { RedisView } from "../ops/metrics/samplers.ts";
import type { RequestMeter } from "../ops/metrics/request-meter.ts";
import { processesView, restartsByChain } from "../ops/processes.ts";
import type { CallerView, ChainView } from "../ops/views.ts";
import type { PairingView } from "../pairing/protocol.ts";
import type { ChainState } from "../rpc/chain-state.ts";
import { statsTable } from "../rpc/stream-stats.ts";
import { statesOf } from "./chain-records.ts";
import type { HostListener } from "./listener.ts";
import { version } from "./version.ts";
import { chainView } from "./views.ts";

/** Where observation looks. */
export interface ObserveOptions {
  readonly node: Node;
  readonly log: Log;
  readonly meter: RequestMeter;
  readonly config: () => Config;
  readonly redact: (text: string) => string;
  readonly isDraining: () => boolean;
  readonly listener: () => HostListener;
  readonly redis: RedisView | undefined;
  /** This region among the others. */
  readonly cluster: () => ClusterView;
  readonly callers: () => readonly CallerView[];
  /** The watchdog's last alarm. */
  readonly loopAlarm: () => LoopAlarm | undefined;
  /** Undefined without a configured market. */
  readonly pairing: () => PairingView | undefined;
  /** Markets have what was kept of them; undefined likewise. */
  readonly isPairingWhole: () => boolean | undefined;
  /** Stateful filters that are open, by kind. */
  readonly filters: () => readonly { readonly kind: string; readonly count: number }[];
}

/** Live facts; readings that come close together share one. */
export interface Observation {
  readonly chains: () => readonly ChainView[];
  readonly health: () => HealthInput;
  /** How many endpoints there are, and how many were tried. */
  readonly endpoints: () => HealthInput["endpoints"];
  readonly metrics: Metrics;
  readonly probe: HostProbe;
}

/** Begins to observe. */
export const observe = (options: ObserveOptions): Observation => {
  const { node, log, meter, config, redact, isDraining, listener, loopAlarm } = options;
  const now = () => node.nowMs();
  const states = () => statesOf(node.table<ChainState>(chainsTable));
  const probe = new HostProbe();
  const processes = remembered(now, () =>
    processesView(node.inspector.processes(), node.inspector.tree()),
  );
  const views = remembered(now, (): readonly ChainView[] => {
    const restarts = restartsByChain(node.inspector.tree());
    const stats = node.table(statsTable);
    return states().map((state) =>
      chainView(state, (row) => stats?.get(row), restarts.get(state.name), now()),
    );
  });
  const alerts = () =>
    activeAlerts({
      nowMs: now(),
      chains: views(),
      processes: processes(),
      host: probe.sample(),
      loopAlarm: loopAlarm(),
    });
  const health = (): HealthInput => ({
    region: config().region,
    version,
    nowMs: now(),
    isDraining: isDraining(),
    isRootAlive: node.inspector.tree() !== undefined,
    isConfigLoaded: true,
    isListening: listener().address !== undefined,
    endpoints: endpointsOf(states()),
    chains: views(),
    isPairingWhole: options.isPairingWhole(),
    alerts: alerts(),
    processes: processes(),
    host: probe.sample(),
    loopAlarm: loopAlarm(),
  });
  const metrics = createMetrics(
    {
      nowMs: now,
      version,
      region: config().region,
      configHash: () => configHash(config()),
      chains: views,
      meter,
      clients: () => listener().clients(),
      filters: options.filters,
      processes,
      host: () => probe.sample(),
      suppressedLogLines: () => log.suppressedLines,
      redis: () => options.redis,
      cluster: remembered(now, options.cluster),
      pairing: options.pairing,
      callers: options.callers,
      alerts,
      answersLimitBytes: () => config().cache.maxSizeBytes,
    },
    {
      region: regionTag(config()),
      yieldTurn: () => new Promise((resolve) => setImmediate(resolve)),
      redact,
      onSamplerFailure: (metric, error) =>
        log.write("error", "ops.metrics", "a metric could not be read", { metric, error }),
    },
  );
  return { chains: views, health, endpoints: () => endpointsOf(states()), metrics, probe };
};

/** Tells two configurations apart; secrets enter it as their fingerprints only. */
const configHash = (config: Config): string =>
  createHash("sha256").update(JSON.stringify(config)).digest("hex").slice(0, 12);

/** Pages, metrics and health that arrive together share one reading, ms. */
const viewMs = 200;

const remembered = <Value>(now: () => number, read: () => Value): (() => Value) => {
  let kept: { readonly atMs: number; readonly value: Value } | undefined;
  return () => {
    const atMs = now();
    if (kept === undefined || atMs - kept.atMs >= viewMs) kept = { atMs, value: read() };
    return kept.value;
  };
};

/** How many endpoints there are, and how many have shown what they are. */
const endpointsOf = (states: readonly ChainState[]): HealthInput["endpoints"] => {
  const rows = states.flatMap((state) =>
    state.config.providers.flatMap(({ id, url, wsUrl }) => {
      const { http, ws } = state.rows(id);
      return [...(url === undefined ? [] : [http]), ...(wsUrl === undefined ? [] : [ws])];
    }),
  );
  const tried = rows.filter(
    ({ isUsable, completed, unusableReason }) =>
      isUsable || completed > 0 || unusableReason?.endsWith(untried) !== true,
  );
  return { all: rows.length, tried: tried.length };
};

/** How the pool's reason ends while an endpoint has not been tried. */
const untried = " yet";
