/** The whole tree under virtual time: real supervisors, actors and request path over simulated wires. */
import { createHash } from "node:crypto";
import { chainsTable } from "../../actors/rpc/chain-registry.ts";
import { tableKeeperKey } from "../../actors/ops/table-keeper.ts";
import { loadConfig } from "../../config/load.ts";
import { planReload } from "../../config/plan.ts";
import { booksOf, chainDirectory, makeChainRecord } from "../../src/main/chain-records.ts";
import { RequestMeter } from "../../src/ops/metrics/request-meter.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { createVirtualNode, type TreeNode, type VirtualNode } from "../../src/otp/index.ts";
import type { ChainState } from "../../src/rpc/chain-state.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import type { FaultProfile } from "../../src/rpc/fake/faults.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import { Gateway } from "../../src/rpc/proxy/gateway.ts";
import { callChain, type OwnAnswer } from "../../src/rpc/proxy/own-call.ts";
import { TICK_MS } from "../../src/rpc/proxy/stall-rule.ts";
import { application } from "../../supervisors/application.ts";
import { Wires } from "./drivers.ts";

/** What is simulated. */
export interface SimOptions {
  readonly seed: number;
  /** Faults by provider id, the same on each chain. */
  readonly providers: Readonly<Record<string, FaultProfile>>;
  readonly chains?: readonly string[];
}

/** One answered call of the simulated clients. */
export interface SimAnswer {
  readonly chain: string;
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
  readonly answer: OwnAnswer;
}

const startMs = 1_000_000;
const chainIds: Readonly<Record<string, number>> = { alpha: 1_001, beta: 1_002 };

/** A running simulation. */
export class SimWorld {
  readonly node: VirtualNode;
  readonly answers: SimAnswer[] = [];
  readonly trace = createHash("sha256");
  readonly gateway: Gateway;
  #open = 0;
  readonly #wires: Wires;

  private constructor(node: VirtualNode, gateway: Gateway, wires: Wires) {
    this.node = node;
    this.gateway = gateway;
    this.#wires = wires;
    node.telemetry.attach("sim", "*", ({ name, atMs, fields }) => {
      const text = JSON.stringify(fields, (_key, value: unknown) =>
        value instanceof Error ? value.message : value,
      );
      this.trace.update(`${name} ${atMs} ${text}\n`);
    });
  }

  static async start(options: SimOptions): Promise<SimWorld> {
    const { seed, providers, chains = ["alpha", "beta"] } = options;
    const node = createVirtualNode({ seed, startMs });
    const now = () => node.nowMs();
    const wires = new Wires(now);
    const minds = new Map<string, FakeProvider>();
    for (const name of chains) {
      const chainId = chainIds[name] ?? 1;
      const chain = new FakeChain({ seed, chainId, blockTimeMs: 1_000, startMs });
      for (const [id, faults] of Object.entries(providers)) {
        minds.set(`${name}/${id}`, new FakeProvider({ id, chain, faults, seed, startMs }));
      }
    }
    const mindOf = (chain: string, provider: string): FakeProvider => {
      const mind = minds.get(`${chain}/${provider}`);
      if (mind === undefined) throw new Error(`no mind for ${chain}/${provider}`);
      return mind;
    };
    const loaded = loadConfig({
      file: "sim.yaml",
      text: configText(chains, Object.keys(providers)),
      env: {},
      readFile: () => "",
    });
    if (!loaded.ok) throw new Error(loaded.errors.map(({ message }) => message).join("\n"));
    const { config } = loaded;
    const table = () => node.table<ChainState>(chainsTable);
    const chance = seededRandom(seed);
    let requests = 0;
    const gateway = new Gateway({
      chains: chainDirectory(table),
      now,
      random: chance,
      nextRequestId: () => `sim-${++requests}`,
      emit: (event, fields) => node.emit(event, fields),
      observer: new RequestMeter(),
      redact: (text) => text,
      isDraining: () => false,
      clientVersion: "Paceline/sim",
    });
    const world = new SimWorld(node, gateway, wires);
    const written = new Map<string, { atMs: number; document: unknown }>();
    await node.start(
      application({
        ops: {
          configStore: {
            current: { config },
            read: async () => ({ ok: true, config }),
            plan: planReload,
            apply: async () => {},
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
            store: {
              write: async (series, atMs, document) => {
                written.set(series, { atMs, document });
                return series;
              },
              latest: async (series) => ({ snapshot: written.get(series), damaged: 0 }),
            },
            intervalMs: 10_000,
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
            maxBufferedBytes: 4 * 1024 * 1024,
            maxSubscriptions: 128,
          }),
          openHttp: (state, provider) => wires.http(mindOf(state.name, provider.id)),
          ws: (state, provider) => ({
            state,
            provider: provider.id,
            redact: (text) => text,
            connect: (handlers) => wires.connect(mindOf(state.name, provider.id), handlers),
          }),
        },
        registry: {
          configured: () => config.chains,
          record: (chain) => makeChainRecord(node, chain),
          openTable: async (name) => {
            await node.via(tableKeeperKey()).call.open(name);
          },
        },
      }),
    );
    return world;
  }

  /** Lets virtual time pass, with the wires and the gateway's clock in step. */
  async run(forMs: number, eachTick?: (nowMs: number) => void | Promise<void>): Promise<void> {
    const endMs = this.node.nowMs() + forMs;
    while (this.node.nowMs() < endMs) {
      this.#wires.deliver();
      this.gateway.tick();
      await eachTick?.(this.node.nowMs());
      await this.node.advance(TICK_MS);
    }
  }

  /** A client's read; its answer is kept. */
  ask(chain: string, method: string, params: readonly unknown[] = []): void {
    const state = this.chain(chain);
    const askedAtMs = this.node.nowMs();
    if (state === undefined) {
      const answer: OwnAnswer = { ok: false, detail: "the chain is not there" };
      this.answers.push({ chain, askedAtMs, answeredAtMs: askedAtMs, answer });
      return;
    }
    this.#open += 1;
    callChain(this.gateway.engine, state, method, params, (answer) => {
      this.#open -= 1;
      const answeredAtMs = this.node.nowMs();
      this.answers.push({ chain, askedAtMs, answeredAtMs, answer });
      this.trace.update(`${chain} ${method} ${answeredAtMs} ${JSON.stringify(answer)}\n`);
    });
  }

  /** Calls without an answer. */
  get open(): number {
    return this.#open;
  }

  chain(name: string): ChainState | undefined {
    return this.node.table<ChainState>(chainsTable)?.get(name);
  }

  /** Every place of the tree. */
  places(): readonly TreeNode[] {
    const found: TreeNode[] = [];
    const visit = (at: TreeNode): void => {
      found.push(at);
      at.children.forEach(visit);
    };
    const tree = this.node.inspector.tree();
    if (tree !== undefined) visit(tree);
    return found;
  }

  async stop(): Promise<void> {
    await this.node.stop();
  }
}

const configText = (chains: readonly string[], providers: readonly string[]): string =>
  [
    "region: sim",
    "chains:",
    ...chains.flatMap((name) => [
      `  ${name}:`,
      `    chain_id: ${chainIds[name]}`,
      "    block_time: 1s",
      "    breaker: { recovery_timeout: 5s }",
      "    health_check: { interval: 5s, timeout: 2s }",
      "    providers:",
      ...providers.map(
        (id) =>
          `      - { id: ${id}, url: "http://${id}.sim/${name}", ws_url: "ws://${id}.sim/${name}" }`,
      ),
    ]),
  ].join("\n");

const closedPort = {
  open: async () => ({ host: "sim", port: 1 }),
  close: async () => {},
  address: undefined,
  inFlight: 0,
};
