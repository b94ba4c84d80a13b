/** What the product's tree is started with in a simulation: the host program without a host. */
import { tableKeeperKey } from "../../../actors/ops/table-keeper.ts";
import { chainRegistryKey, chainsTable } from "../../../actors/rpc/chain-registry.ts";
import { planReload } from "../../../config/plan.ts";
import type { Config } from "../../../config/schema.ts";
import { booksOf, budgetsOf, makeChainRecord } from "../../../src/main/chain-records.ts";
import type { ChainState } from "../../../src/rpc/chain-state.ts";
import { callChain } from "../../../src/rpc/proxy/front/own-call.ts";
import type { ApplicationParts } from "../../../supervisors/application.ts";
import type { SimWorld } from "./world.ts";

/** Unsent bytes beyond which a subscriber is closed: little, so that a slow one shows soon. */
export const MAX_BUFFERED_BYTES = 32 * 1024;
/** How long an event may wait for a subscriber. */
const MAX_BEHIND_MS = 10_000;
const SNAPSHOT_MS = 10_000;

/** The parts of the tree; `running` is the host's record of the configuration last applied. */
export const partsOf = (world: SimWorld, running: { config: Config }): ApplicationParts => {
  const { node, wires, gateway } = world;
  const table = () => node.table<ChainState>(chainsTable);
  const written = new Map<string, { atMs: number; document: unknown }>();
  return {
    ops: {
      configStore: {
        current: running,
        read: async () => world.config.read(),
        plan: planReload,
        apply: async (config, plan) => {
          const change = { chains: config.chains, steps: plan.steps };
          await node.via(chainRegistryKey()).call.apply(change, { timeoutMs: 60_000 });
        },
      },
      telemetry: {
        telemetry: () => node.telemetry,
        listeners: [],
        probe: undefined,
        prune: () => {},
      },
      benchmarkStore: { books: () => booksOf(table()) },
      benchmarkSnapshot: {
        books: () => booksOf(table()),
        budgets: () => budgetsOf(table()),
        store: {
          write: async (series, atMs, document) => {
            world.noteWall(atMs);
            written.set(series, { atMs, document });
            return series;
          },
          latest: async (series) => ({ snapshot: written.get(series), damaged: 0 }),
          range: async (series, fromMs) => {
            const newest = written.get(series);
            const isRecent = newest !== undefined && newest.atMs >= fromMs;
            return { snapshots: isRecent ? [newest] : [], damaged: 0 };
          },
        },
        intervalMs: SNAPSHOT_MS,
      },
      adminSocket: undefined,
      httpListener: { listener: closedPort },
    },
    chain: {
      headTracker: (state) => ({ state }),
      messageAggregator: (state) => ({ state }),
      subscriptionHub: (state) => ({
        state,
        fetch: (method, params, signal) =>
          new Promise((resolve, reject) => {
            const giveUp = callChain(gateway.engine, state, method, params, (answer) => {
              if (answer.ok) resolve(answer.result);
              else reject(new Error(answer.detail));
            });
            signal.addEventListener("abort", giveUp, { once: true });
          }),
        closeSubscribers: (chain, reason) => gateway.ws.closeSubscribers(chain, reason),
        maxBufferedBytes: MAX_BUFFERED_BYTES,
        maxBehindMs: MAX_BEHIND_MS,
        maxSubscriptions: 128,
      }),
      openHttp: (state, provider) => wires.http(world.endpoint(state.name, provider.id)),
      ws: (state, provider) => ({
        state,
        provider: provider.id,
        redact: (text) => text,
        connect: (handlers) => wires.connect(world.endpoint(state.name, provider.id), handlers),
      }),
    },
    registry: {
      configured: () => running.config.chains,
      record: (chain) => makeChainRecord(node, chain),
      closeSubscribers: (chain, reason) => gateway.ws.closeSubscribers(chain, reason),
      openTable: async (name) => {
        await node.via(tableKeeperKey()).call.open(name);
      },
    },
  };
};

const closedPort = {
  adopt: () => {},
  open: async () => ({ host: "sim", port: 1 }),
  close: async () => {},
  address: undefined,
  inFlight: 0,
};
