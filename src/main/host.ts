/**
 * The host program: brings drivers, request path, operator's paths and the tree together.
 *
 * It owns what must outlive every process of the tree (the port, the counters, the running
 * configuration) and nothing that can fail by itself.
 */
import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nanoid } from "nanoid";
import { chainRegistryKey, chainsTable } from "../../actors/rpc/chain-registry.ts";
import { configStoreKey } from "../../actors/ops/config-store.ts";
import { httpListenerKey, type ListenAddress } from "../../actors/ops/http-listener.ts";
import { tableKeeperKey } from "../../actors/ops/table-keeper.ts";
import { telemetryKey } from "../../actors/ops/telemetry.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { planReload } from "../../config/plan.ts";
import type { Config } from "../../config/schema.ts";
import { application } from "../../supervisors/application.ts";
import type { Log } from "../io/log.ts";
import { createSnapshotStore } from "../io/snapshot-store.ts";
import { zstdPacker } from "../io/zstd-packer.ts";
import { createNode, type Node, reasonText, reportText } from "../otp/index.ts";
import { REPORT_EVENTS, ReportBook } from "../ops/admin/reports.ts";
import { eventLogger, loggedEvents } from "../ops/log.ts";
import { METRIC_EVENTS } from "../ops/metrics/event-counters.ts";
import { RequestMeter } from "../ops/metrics/request-meter.ts";
import { createOpsRoutes } from "../ops/routes.ts";
import { describedPairing } from "../pairing/rest/openapi.ts";
import { AnswerCache } from "../rpc/cache/answer-cache.ts";
import type { ChainState } from "../rpc/chain-state.ts";
import { isForsaken } from "../rpc/help/helping-regions.ts";
import type { BookLimits } from "../rpc/explain/book.ts";
import { Gateway } from "../rpc/proxy/gateway.ts";
import type { GatewayLimits } from "../rpc/proxy/ports.ts";
import { booksOf, budgetsOf, chainDirectory, makeChainRecord, statesOf } from "./chain-records.ts";
import { adminDeps, urlOf } from "./admin-deps.ts";
import { callerViews } from "./callers.ts";
import { chainParts } from "./chain-parts.ts";
import { makeCluster, regionCard } from "./cluster.ts";
import { createListener } from "./listener.ts";
import { watchAlarms, watchdogOptions } from "./loop-watch.ts";
import { observe } from "./observe.ts";
import { pairingCall, PairingHttp } from "./pairing/http.ts";
import { makePairing } from "./pairing/service.ts";
import { PairingStorage } from "./pairing/storage.ts";
import { makeRedis } from "./redis.ts";
import type { ConfigReading } from "./reading.ts";
import { createHandler } from "./routes.ts";
import type { Running } from "./running.ts";
import { watchMemory } from "./memory-watch.ts";
import { secretsOf } from "./secrets.ts";
import { untilServing, untilTrue } from "./serving.ts";
import { eventTopics } from "./topics.ts";
import { startTicks } from "./ticks.ts";
import { version } from "./version.ts";

/** What a host is started with. */
export interface HostOptions {
  readonly loaded: LoadedConfig;
  /** Reads the configuration anew, for reloads. */
  readonly read: () => ConfigReading;
  readonly configFile: string | undefined;
  readonly log: Log;
  readonly drain: () => void;
  /** A reload may change the level, unless it was given on the command line. */
  readonly applyLogLevel: (level: Config["log"]["level"]) => void;
}

/** A running host. */
export interface Host {
  readonly node: Node;
  /** Where clients connect. */
  readonly url: string;
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
  const { loaded } = options;
  const running: Running = { loaded, read: loaded, config: loaded.config };
  const flags = {
    isDraining: false,
    isOutOfRotation: false,
    takesGuests: helpsAnybody(running.config),
  };
  let redact = secretsOf(running.config);
  log.setRedactor(redact);

  const node = createNode({
    log: log.sink,
    watchdog: watchdogOptions(running.config.region),
    maxWorkers: Math.max(availableParallelism(), running.config.pairing.batch.threads),
  });
  const table = () => node.table<ChainState>(chainsTable);
  const now = () => node.nowMs();
  const logEvent = eventLogger(log);
  node.telemetry.attach("log", loggedEvents(log), logEvent);

  const reports = new ReportBook({
    nowMs: now,
    wallNowMs: Date.now,
    redact: (text) => redact(text),
    reportText,
    reasonText,
  });
  node.telemetry.attach("reports", REPORT_EVENTS, reports.take);

  const redis = makeRedis(running.config.redis, now);
  const requests = { prefix: nanoid(8), count: 0 };
  const meter = new RequestMeter();
  const { storage } = running.config;
  const chains = chainDirectory(table);
  const keeping = {
    storage: new PairingStorage(storage.database),
    retentionMs: storage.retentionMs,
    redact: (text: string) => redact(text),
    head: (chain: string) => chains.find(chain)?.snapshot?.tip,
  };
  const sharing = { store: redis, secret: running.config.cluster.secret };
  const pairing = makePairing(running.config.pairing, node, keeping, sharing);
  const ownUrl = () =>
    running.config.cluster.url ?? (listener.address === undefined ? "" : urlOf(listener.address));
  const cluster = makeCluster({
    config: running.config,
    redis,
    node,
    books: () => booksOf(table()),
    redact: (text) => redact(text),
    admin: () => admin,
    grants: () => running.config.cluster.grants,
    offersHelp: (chain) => chains.find(chain)?.helpers !== undefined,
    card: () => {
      const able = statesOf(table()).filter((state) => canHelp(state, now()));
      const helps = flags.isOutOfRotation ? [] : able;
      const names = helps.map(({ name }) => name);
      return regionCard(observed.chains(), ownUrl(), listener.inFlight, names, now());
    },
  });
  const gateway = new Gateway({
    chains,
    get helpDoor() {
      return flags.takesGuests ? cluster.help?.door : undefined;
    },
    pairing: pairing?.door,
    now,
    random: Math.random,
    randomHex: () => randomBytes(16).toString("hex"),
    nextRequestId: () => `${requests.prefix}-${(++requests.count).toString(36)}`,
    emit: (event, fields) => node.emit(event, fields),
    observer: meter,
    redact: (text) => redact(text),
    isDraining: () => flags.isDraining,
    clientVersion: `Paceline/${version}`,
    wallNow: Date.now,
    scripts: redis,
    shared: redis,
    cache: new AnswerCache(running.config.cache.maxSizeBytes),
    packer: zstdPacker,
    limits: gatewayLimits(running.config.limits),
    book: bookLimits(running.config),
  });
  gateway.configure(running.config);
  const endTicks = startTicks(gateway);
  const endMemoryWatch = watchMemory(gateway);

  const callers = () => callerViews(gateway.engine.gate.callers, now());
  const observed = observe({
    node,
    log,
    meter,
    config: () => running.config,
    redact: (text) => redact(text),
    isDraining: () => flags.isOutOfRotation,
    listener: () => listener,
    filters: () => gateway.engine.filters.counts(),
    redis,
    cluster: () => cluster.port.view(),
    callers,
    pairing: () => pairing?.book.view(),
    isPairingWhole: () => pairing?.isWhole(),
    loopAlarm: watchAlarms(node),
  });
  const evidence = (chain: string) => booksOf(table()).get(chain);
  const onFault = (error: unknown, url: string): void =>
    log.write("error", "rpc", "a request met a bug of ours", { url: withoutQuery(url), error });
  const { gate } = gateway.engine;
  const pairingHttp =
    pairing === undefined ? [] : [new PairingHttp({ api: pairing.api, gate, now, onFault })];
  const listener = createListener({
    config: running.config,
    gateway,
    onRequest: createHandler(
      [gateway.http, ...pairingHttp],
      createOpsRoutes({
        health: observed.health,
        renderMetrics: observed.metrics.render,
        requests: gateway.explainer,
        redact: (text) => redact(text),
        evidence,
        cluster: cluster.port,
        wallNow: Date.now,
        described: pairing === undefined ? undefined : describedPairing,
      }),
      onFault,
    ),
  });

  const read = async () => {
    const reading = options.read();
    if (!reading.ok) return reading;
    for (const warning of reading.warnings) log.write("warn", "ops.config", warning);
    running.read = reading.loaded;
    return { ok: true as const, config: reading.loaded.config };
  };
  const admin = adminDeps({
    node,
    running,
    configFile: options.configFile,
    chains: observed.chains,
    callers,
    reports,
    requests: gateway.explainer,
    evidence,
    pairing: pairing === undefined ? undefined : pairingCall(pairing.api),
    cluster: cluster.port,
    address: () => listener.address,
    drain: options.drain,
    isDraining: () => flags.isOutOfRotation,
    isPairingWhole: () => pairing?.isWhole(),
  });

  const stopTree = async (timeoutMs: number): Promise<void> => {
    const states = statesOf(table());
    await node.stop(timeoutMs);
    for (const state of states) state.dispose();
    endTicks();
    endMemoryWatch();
    observed.probe.close();
    await pairing?.close();
  };

  const start = async (): Promise<ListenAddress> => {
    await node.start(
      application({
        ops: {
          tables: pairing?.tables,
          configStore: {
            current: running,
            read,
            plan: planReload,
            apply: async (config, plan) => {
              redact = secretsOf(running.config, config);
              log.setRedactor(redact);
              const change = { chains: config.chains, steps: plan.steps };
              await node.via(chainRegistryKey()).call.apply(change, { timeoutMs: 60_000 });
              running.loaded = running.read;
              gateway.engine.book.resize(bookLimits(config));
              gateway.configure(config);
              flags.takesGuests = helpsAnybody(config);
              options.applyLogLevel(config.log.level);
              node.via(telemetryKey()).cast.refresh();
              observed.metrics.prune();
            },
          },
          telemetry: {
            telemetry: () => node.telemetry,
            listeners: [
              { id: "log", names: () => loggedEvents(log), handle: logEvent },
              { id: "metrics", names: () => METRIC_EVENTS, handle: observed.metrics.onEvent },
              { id: "reports", names: () => REPORT_EVENTS, handle: reports.take },
              eventTopics(running.config.region, (topic, payload) =>
                node.broadcast(topic, payload),
              ),
            ],
            probe: observed.probe,
            prune: observed.metrics.prune,
          },
          benchmarkStore: { books: () => booksOf(table()) },
          benchmarkSnapshot: {
            books: () => booksOf(table()),
            budgets: () => budgetsOf(table()),
            clients: gateway.engine.gate.callers,
            store: createSnapshotStore({
              directory: join(storage.dir, "benchmarks"),
              maxAgeMs: storage.snapshotMaxAgeMs,
              maxFiles: storage.snapshotMaxFiles,
            }),
            intervalMs: storage.snapshotIntervalMs,
          },
          adminSocket: { path: running.config.admin.socket, deps: admin },
          redisLink:
            redis === undefined ? undefined : { link: redis, redact: (text) => redact(text) },
          httpListener: { listener },
        },
        chain: chainParts(
          gateway,
          () => running.config.limits,
          (text) => redact(text),
          cluster.help?.neighbours,
        ),
        pairing: pairing?.parts,
        cluster: cluster.parts,
        registry: {
          configured: () => running.config.chains,
          record: (config) => makeChainRecord(node, config),
          closeSubscribers: (chain, reason) => gateway.ws.closeSubscribers(chain, reason),
          openTable: async (name) => {
            await node.via(tableKeeperKey()).call.open(name);
          },
        },
      }),
    );
    return node.via(httpListenerKey()).call.open(undefined, { timeoutMs: 10_000 });
  };
  const address = await start().catch(async (error: unknown) => {
    // Half a tree must not keep the program alive.
    await stopTree(LEAST_STOP_MS);
    throw error;
  });
  await untilServing(
    {
      states: () => statesOf(table()),
      isAllTried: () => {
        const { all, tried } = observed.endpoints();
        return tried >= all;
      },
      now,
      sleep: (ms) => sleep(ms),
    },
    READY_WAIT_MS,
  );
  await untilTrue(
    () => pairing?.isWhole() !== false,
    (ms) => sleep(ms),
    RESTORE_WAIT_MS,
  );

  return {
    node,
    url: urlOf(address),
    reload: () => void node.via(configStoreKey()).try.reload(undefined, { timeoutMs: 60_000 }),
    leaveRotation: () => {
      flags.isOutOfRotation = true;
    },
    finish: async (timeoutMs, spreadMs) => {
      flags.isDraining = true;
      await listener.finish(timeoutMs, spreadMs);
    },
    inFlight: () => listener.inFlight,
    stopTree,
    drainConfig: () => running.config.drain,
  };
};

const helpsAnybody = ({ chains }: Config): boolean => chains.some(({ help }) => help);

/** Whether reads of other regions are welcome: theirs are not passed on again. */
const canHelp = ({ config, snapshot }: ChainState, nowMs: number): boolean =>
  config.help && !isForsaken(snapshot, nowMs);

const bookLimits = ({ explain, slowLog }: Config): BookLimits => ({
  ring: { requests: explain.requests, maxBytes: explain.maxMemoryBytes },
  slow: { thresholdMs: slowLog.thresholdMs, entries: slowLog.entries },
});

/** A query may hold an API key. */
const withoutQuery = (url: string): string => (url.split("?", 1)[0] ?? "").slice(0, 200);

const gatewayLimits = (limits: Config["limits"]): Partial<GatewayLimits> => ({
  maxBodyBytes: limits.maxBodyBytes,
  maxBatchItems: limits.maxBatchItems,
  batchParallel: limits.batchConcurrency,
  maxBatchResponseBytes: limits.maxBatchResponseBytes,
  maxResponseBytes: limits.maxUpstreamBodyBytes,
  memoryHigh: limits.memoryHigh,
  filtersPerClient: limits.filtersPerClient,
  filterIdleMs: limits.filterIdleMs,
  wsMaxInFlight: limits.wsMaxInFlight,
  wsMaxSubscriptions: limits.wsMaxSubscriptions,
});

/** Longest wait for the providers before the ready line; who is slower joins later. */
const READY_WAIT_MS = 1_000;
/** Longest wait for markets to come back; until then a market answers that it is not there yet. */
const RESTORE_WAIT_MS = 15_000;
/** Time for a tree whose start failed to stop. */
const LEAST_STOP_MS = 2_000;
