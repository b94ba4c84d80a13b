/**
 * The host program: brings drivers, request path, operator's paths and the tree together.
 *
 * It owns what must outlive every process of the tree (the port, the counters, the running
 * configuration) and nothing that can fail by itself.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { nanoid } from "nanoid";
import { circuitBreakerKey } from "../../actors/rpc/circuit-breaker.ts";
import { chainRegistryKey, chainsTable } from "../../actors/rpc/chain-registry.ts";
import { configStoreKey } from "../../actors/ops/config-store.ts";
import { httpListenerKey, type ListenAddress } from "../../actors/ops/http-listener.ts";
import { tableKeeperKey } from "../../actors/ops/table-keeper.ts";
import { dumpConfig } from "../../config/dump.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { planReload } from "../../config/plan.ts";
import type { Config } from "../../config/schema.ts";
import { application } from "../../supervisors/application.ts";
import { HostProbe } from "../io/host-probe.ts";
import type { Log } from "../io/log.ts";
import { createSnapshotStore } from "../io/snapshot-store.ts";
import { createNode, type Node } from "../otp/index.ts";
import { activeAlerts } from "../ops/alerts.ts";
import type { AdminDeps } from "../ops/admin/ports.ts";
import type { HealthInput } from "../ops/health.ts";
import { eventLogger, loggedEvents } from "../ops/log.ts";
import { METRIC_EVENTS } from "../ops/metrics/event-counters.ts";
import { createMetrics } from "../ops/metrics/metrics.ts";
import { RequestMeter } from "../ops/metrics/request-meter.ts";
import { processesView, restartsByChain } from "../ops/processes.ts";
import { createOpsRoutes } from "../ops/routes.ts";
import type { ChainView } from "../ops/views.ts";
import type { ChainState } from "../rpc/chain-state.ts";
import { Gateway } from "../rpc/proxy/gateway.ts";
import type { GatewayLimits } from "../rpc/proxy/ports.ts";
import { TICK_MS } from "../rpc/proxy/stall-rule.ts";
import { statsTable } from "../rpc/stream-stats.ts";
import { booksOf, chainDirectory, makeChainRecord, statesOf } from "./chain-records.ts";
import { chainParts } from "./chain-parts.ts";
import { createListener } from "./listener.ts";
import type { ConfigReading } from "./reading.ts";
import { createHandler } from "./routes.ts";
import { secretsOf } from "./secrets.ts";
import { chainView } from "./views.ts";
import { version } from "./version.ts";

/** What a host is started with. */
export interface HostOptions {
  readonly loaded: LoadedConfig;
  /** Reads the configuration anew, for reloads. */
  readonly read: () => ConfigReading;
  readonly configFile: string | undefined;
  readonly log: Log;
  readonly drain: () => void;
}

/** A running host. */
export interface Host {
  readonly node: Node;
  readonly address: ListenAddress;
  readonly reload: () => void;
  readonly leaveRotation: () => void;
  readonly finish: (timeoutMs: number, spreadMs: number) => Promise<void>;
  readonly inFlight: () => number;
  readonly stopTree: (timeoutMs: number) => Promise<void>;
  readonly drainConfig: () => LoadedConfig["config"]["drain"];
}

/** Builds everything, starts the tree, opens the port; rejects with the first thing that failed. */
export const startHost = async (options: HostOptions): Promise<Host> => {
  const { log } = options;
  const running = { loaded: options.loaded, config: options.loaded.config };
  const flags = { isDraining: false, isOutOfRotation: false };
  let redact = secretsOf(running.config);
  log.setRedactor(redact);

  const node = createNode({ log: log.sink });
  const table = () => node.table<ChainState>(chainsTable);
  const now = () => node.nowMs();
  const logEvent = eventLogger(log);
  node.telemetry.attach("log", loggedEvents(log), logEvent);

  const requests = { prefix: nanoid(8), count: 0 };
  const meter = new RequestMeter();
  const gateway = new Gateway({
    chains: chainDirectory(table),
    now,
    random: Math.random,
    nextRequestId: () => `${requests.prefix}-${(++requests.count).toString(36)}`,
    emit: (event, fields) => node.emit(event, fields),
    observer: meter,
    redact: (text) => redact(text),
    isDraining: () => flags.isDraining,
    clientVersion: `Paceline/${version}`,
    limits: gatewayLimits(running.config.limits),
  });
  const ticker = setInterval(() => gateway.tick(), TICK_MS);

  const probe = new HostProbe();
  const processes = remembered(now, () =>
    processesView(node.inspector.processes(), node.inspector.tree()),
  );
  const views = remembered(now, (): readonly ChainView[] => {
    const restarts = restartsByChain(node.inspector.tree());
    const stats = node.table(statsTable);
    return statesOf(table()).map((state) =>
      chainView(state, (row) => stats?.get(row), restarts.get(state.name)),
    );
  });
  const alerts = () =>
    activeAlerts({
      nowMs: now(),
      chains: views(),
      processes: processes(),
      host: probe.sample(),
    });
  const health = (): HealthInput => ({
    region: running.config.region,
    version,
    nowMs: now(),
    isDraining: flags.isOutOfRotation,
    isRootAlive: node.inspector.tree() !== undefined,
    isConfigLoaded: true,
    isListening: listener.address !== undefined,
    endpoints: endpointsOf(statesOf(table())),
    chains: views(),
    alerts: alerts(),
    processes: processes(),
    host: probe.sample(),
  });
  const metrics = createMetrics(
    {
      nowMs: now,
      version,
      region: running.config.region,
      configHash: () => configHash(running.config),
      chains: views,
      meter,
      clients: () => listener.clients(),
      processes,
      host: () => probe.sample(),
      suppressedLogLines: () => log.suppressedLines,
      alerts,
    },
    {
      yieldTurn: () => new Promise((resolve) => setImmediate(resolve)),
      redact: (text) => redact(text),
      onSamplerFailure: (metric, error) =>
        log.write("error", "ops.metrics", "a metric could not be read", { metric, error }),
    },
  );
  const onFault = (error: unknown, url: string): void =>
    log.write("error", "rpc", "a request met a bug of ours", { url: url.slice(0, 200), error });
  const listener = createListener({
    config: running.config,
    gateway,
    onRequest: createHandler(
      gateway.http,
      createOpsRoutes({
        health,
        renderMetrics: metrics.render,
        redact: (text) => redact(text),
        nowIso: () => new Date().toISOString(),
      }),
      onFault,
    ),
  });

  const read = async () => {
    const reading = options.read();
    if (!reading.ok) return reading;
    for (const warning of reading.warnings) log.write("warn", "ops.config", warning);
    running.loaded = reading.loaded;
    return { ok: true as const, config: reading.loaded.config };
  };
  const admin: AdminDeps = {
    host: () => ({
      version,
      region: running.config.region,
      pid: process.pid,
      configFile: options.configFile,
      url: listener.address === undefined ? undefined : urlOf(listener.address),
    }),
    inspector: node.inspector,
    chains: views,
    now,
    forceBreaker: async ({ chain, provider, transport, action, forMs }) => {
      const breaker = node.whereis(circuitBreakerKey(chain, provider, transport));
      return (await breaker?.try.force({ action, forMs }))?.ok === true;
    },
    reload: () => node.via(configStoreKey()).call.reload(undefined, { timeoutMs: 60_000 }),
    plan: () => node.via(configStoreKey()).call.plan(),
    config: () => dumpConfig(running.loaded.source),
    drain: options.drain,
    events: {
      attach: (sink) => {
        const id = `admin-${nanoid(6)}`;
        node.telemetry.attach(id, "*", ({ name, fields }) => sink(name, fields));
        return () => void node.telemetry.detach(id);
      },
    },
  };

  const { dir, snapshotIntervalMs } = running.config.storage;
  await node.start(
    application({
      ops: {
        configStore: {
          current: running,
          read,
          plan: planReload,
          apply: async (config, plan) => {
            redact = secretsOf(running.config, config);
            log.setRedactor(redact);
            const change = { chains: config.chains, steps: plan.steps };
            await node.via(chainRegistryKey()).call.apply(change, { timeoutMs: 60_000 });
            metrics.prune();
          },
        },
        telemetry: {
          telemetry: () => node.telemetry,
          listeners: [
            { id: "log", names: () => loggedEvents(log), handle: logEvent },
            { id: "metrics", names: () => METRIC_EVENTS, handle: metrics.onEvent },
          ],
          probe,
          prune: metrics.prune,
        },
        benchmarkStore: { books: () => booksOf(table()) },
        benchmarkSnapshot: {
          books: () => booksOf(table()),
          store: createSnapshotStore({
            directory: join(dir, "benchmarks"),
            maxAgeMs: snapshotMaxAgeMs,
            maxFiles: snapshotMaxFiles,
          }),
          intervalMs: snapshotIntervalMs,
        },
        adminSocket: { path: running.config.admin.socket, deps: admin },
        httpListener: { listener },
      },
      chain: chainParts(gateway.engine, () => running.config.limits),
      registry: {
        configured: () => running.config.chains,
        record: (config) => makeChainRecord(node, config),
        openTable: async (name) => {
          await node.via(tableKeeperKey()).call.open(name);
        },
      },
    }),
  );
  const address = await node.via(httpListenerKey()).call.open(undefined, { timeoutMs: 10_000 });

  return {
    node,
    address,
    reload: () => void node.via(configStoreKey()).try.reload(undefined, { timeoutMs: 60_000 }),
    leaveRotation: () => {
      flags.isOutOfRotation = true;
    },
    finish: async (timeoutMs, spreadMs) => {
      flags.isDraining = true;
      await listener.finish(timeoutMs, spreadMs);
    },
    inFlight: () => listener.inFlight,
    stopTree: async (timeoutMs) => {
      await node.stop(timeoutMs);
      clearInterval(ticker);
      probe.close();
    },
    drainConfig: () => running.config.drain,
  };
};

const gatewayLimits = (limits: Config["limits"]): Partial<GatewayLimits> => ({
  maxBodyBytes: limits.maxBodyBytes,
  maxBatchItems: limits.maxBatchItems,
  batchParallel: limits.batchConcurrency,
  maxBatchResponseBytes: limits.maxBatchResponseBytes,
  maxResponseBytes: limits.maxUpstreamBodyBytes,
  wsMaxInFlight: limits.wsMaxInFlight,
  wsMaxSubscriptions: limits.wsMaxSubscriptions,
});

/** Tells two configurations apart; secrets enter it as their fingerprints only. */
const configHash = (config: Config): string =>
  createHash("sha256").update(JSON.stringify(config)).digest("hex").slice(0, 12);

/** Snapshots are kept for a week, hourly ones with room to spare. */
const snapshotMaxAgeMs = 7 * 24 * 3_600_000;
const snapshotMaxFiles = 200;

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

const urlOf = ({ host, port }: ListenAddress): string =>
  `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
