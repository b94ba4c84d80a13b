/** The whole tree under virtual time: real supervisors, actors and request path over simulated wires. */
import { configStoreKey } from "../../../actors/ops/config-store.ts";
import { chainsTable } from "../../../actors/rpc/chain-registry.ts";
import { seededRandom } from "../../../src/lib/random.ts";
import { chainDirectory } from "../../../src/main/chain-records.ts";
import { RequestMeter } from "../../../src/ops/metrics/request-meter.ts";
import { createVirtualNode, type VirtualNode } from "../../../src/otp/index.ts";
import { AnswerCache } from "../../../src/rpc/cache/answer-cache.ts";
import type { ChainState } from "../../../src/rpc/chain-state.ts";
import { FakeChain } from "../../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../../src/rpc/fake/provider.ts";
import { Gateway } from "../../../src/rpc/proxy/gateway.ts";
import { TICK_MS } from "../../../src/rpc/proxy/attempt/stall-rule.ts";
import { application } from "../../../supervisors/application.ts";
import type { FaultName, Heal } from "../faults/kind.ts";
import { Load } from "../load/load.ts";
import { Writers } from "../load/writer.ts";
import { Subscriber } from "../load/subscriber.ts";
import type { Plan } from "../plan.ts";
import { Agenda } from "./agenda.ts";
import { ConfigFile, lateChain } from "./config.ts";
import { Link } from "./link.ts";
import { partsOf } from "./parts.ts";
import { placesOf, type Place } from "./places.ts";
import { Record } from "./record.ts";
import { Tally } from "./tally.ts";
import { Trace } from "./trace.ts";
import { Wires, type Endpoint } from "./wires.ts";

const START_MS = 1_000_000;
const BLOCK_MS = 1_000;
const START_BLOCK = 10_000;
/** How often deadlines are looked at while nothing is in flight, ms. */
const IDLE_TICK_MS = 100;
const RETRY_MS = 200;

/** How a world may be watched. */
export interface WorldOptions {
  /** Gets every line of the trace. */
  readonly print?: ((line: string) => void) | undefined;
}

/** A running simulation. */
export class SimWorld {
  readonly plan: Plan;
  readonly node: VirtualNode;
  readonly gateway: Gateway;
  readonly agenda: Agenda;
  readonly wires: Wires;
  readonly config: ConfigFile;
  readonly load: Load;
  readonly writers: Writers;
  readonly tally = new Tally();
  readonly record: Record;
  readonly trace: Trace;
  /** The ways to the providers of the lasting chains. */
  readonly links: readonly Link[];
  readonly subscribers: Subscriber[] = [];
  /** The root has ended although nobody stopped it. */
  hasEnded = false;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #chains = new Map<string, FakeChain>();
  readonly #heals = new Set<Heal>();
  #wallOffsetMs: number | undefined;
  #tickedMs = 0;

  private constructor(plan: Plan, options: WorldOptions) {
    this.plan = plan;
    this.trace = new Trace(options.print);
    this.record = new Record(
      this.tally,
      () => this.node.table<ChainState>(chainsTable) !== undefined,
    );
    const { seed } = plan;
    const node = createVirtualNode({
      seed,
      startMs: START_MS,
      log: (level, fields, message) => {
        this.trace.line(node.nowMs(), `log.${level} ${message}`, fields);
        this.record.logged(level, message, fields, node.nowMs());
      },
    });
    this.node = node;
    const now = () => node.nowMs();
    this.agenda = new Agenda(now);
    this.wires = new Wires(this.agenda, this.tally, now);
    this.config = new ConfigFile(plan);
    this.gateway = gatewayOf(this);
    this.links = this.#build();
    this.load = new Load(this);
    this.writers = new Writers(this);
    node.telemetry.attach("sim", "*", (event) => {
      this.trace.event(event);
      this.record.event(event);
      this.wires.deliveries.event(event);
    });
  }

  /** Builds the world of a plan and starts the tree. */
  static async start(plan: Plan, options: WorldOptions = {}): Promise<SimWorld> {
    const world = new SimWorld(plan, options);
    const first = world.config.read();
    if (!first.ok) throw new Error(first.errors.join("\n"));
    await world.node.start(application(partsOf(world, { config: first.config })));
    void world.node.ended.then(() => {
      world.hasEnded = true;
    });
    return world;
  }

  /** Time since the world began, ms. */
  get sinceStartMs(): number {
    return this.node.nowMs() - START_MS;
  }

  /** Lets virtual time pass up to `untilMs` after the start, from one instant to the next. */
  async runTo(untilMs: number): Promise<void> {
    const endMs = START_MS + untilMs;
    const { node, agenda, gateway } = this;
    await node.settle();
    while (node.nowMs() < endMs) {
      const hasActed = agenda.runDue();
      const nowMs = node.nowMs();
      if (nowMs - this.#tickedMs >= TICK_MS) {
        this.#tickedMs = nowMs;
        gateway.tick();
      }
      if (hasActed || gateway.inFlight > 0) await node.settle();
      const tickMs = this.#tickedMs + (gateway.inFlight > 0 ? TICK_MS : IDLE_TICK_MS);
      const timerMs = node.nextTimerMs() ?? endMs;
      await node.jumpTo(Math.min(endMs, agenda.nextMs, timerMs, tickMs));
    }
  }

  /** Every place of the tree. */
  places(): readonly Place[] {
    return placesOf(this.node.inspector.tree());
  }

  chain(name: string): ChainState | undefined {
    return this.node.table<ChainState>(chainsTable)?.get(name);
  }

  /** The logs of a height as the chain is now, `blockHash:logIndex` each. */
  logsAt(chain: string, number: number): readonly string[] {
    const truth = this.#chains.get(chain);
    const head = truth?.timeline.headAt(this.node.nowMs()) ?? -1;
    return (truth?.at(number, head)?.logs ?? []).map(
      ({ blockHash, logIndex }) => `${blockHash}:${logIndex}`,
    );
  }

  /** The hash of a height as the chain is now. */
  hashAt(chain: string, number: number): string | undefined {
    const truth = this.#chains.get(chain);
    return truth?.at(number, truth.timeline.headAt(this.node.nowMs()))?.hash;
  }

  /** What is at the end of a wire. */
  endpoint(chain: string, provider: string): Endpoint {
    const endpoint = this.#endpoints.get(`${chain}/${provider}`);
    if (endpoint === undefined) throw new Error(`nobody at ${chain}/${provider}`);
    return endpoint;
  }

  /** Lets a fault work on links; the returned function ends it, once. */
  spoil(links: readonly Link[], begin: () => Heal): Heal {
    for (const link of links) link.spoil(this.node.nowMs());
    const end = begin();
    this.#stir(links);
    return () => {
      for (const link of links) link.mend(this.node.nowMs());
      end();
      this.#stir(links);
    };
  }

  /** Keeps a lasting fault, so that it ends at its time or with the storm. */
  lasting(heal: Heal, forMs: number): void {
    this.#heals.add(heal);
    this.agenda.after(forMs, () => this.#heal(heal));
  }

  /** Ends every fault that lasts, and cures those who are always a little ill. */
  healAll(): void {
    for (const heal of this.#heals) this.#heal(heal);
    for (const link of this.links) link.cure();
    this.#stir(this.links);
    this.record.excuseAll("the storm ended meanwhile");
  }

  /** A process is about to die by a fault. */
  noteDeath({ name, ancestors }: Place, cause: FaultName): void {
    this.record.struck(name, ancestors, cause, this.node.nowMs());
  }

  /** Connects a WebSocket client and subscribes; a refusal is asked again, as clients do. */
  subscribe(chain: string, kind: "newHeads" | "logs", mayClose = false): Subscriber {
    const { gateway, agenda } = this;
    const id = this.subscribers.length + 1;
    const client = new Subscriber(id, chain, kind, mayClose, () => this.node.nowMs());
    this.subscribers.push(client);
    const url = `/ws/${chain}`;
    const admission = gateway.ws.admit(url, []);
    if (!admission.ok) {
      client.close(1_000, admission.body);
      return client;
    }
    const session = gateway.ws.open(admission.route, client, url);
    const params = kind === "logs" ? [kind, {}] : [kind];
    const ask = (): void => {
      if (!client.isOpen) return;
      const body = { jsonrpc: "2.0", id: 1, method: "eth_subscribe", params };
      session.onMessage(Buffer.from(JSON.stringify(body)));
    };
    client.onRefused = () => agenda.after(RETRY_MS, ask);
    client.onClosed = () => {
      if (chain === "late") this.tally.count("late.closed");
      // Told honestly that blocks are missing, while nobody was there who could be trusted for them.
      const isTold = client.closedWith?.startsWith("1013 gap") === true;
      client.isExcused = isTold && !this.load.hasGood(chain, this.node.nowMs());
      agenda.after(1, () => session.onClose());
    };
    ask();
    return client;
  }

  /** An operator has the file read again, until the tree has followed or the file is refused. */
  reload(): void {
    const { isBroken } = this.config;
    const again = (): void => this.agenda.after(RETRY_MS, () => this.reload());
    this.node
      .via(configStoreKey())
      .try.reload(undefined, { timeoutMs: 70_000 })
      .then((outcome) => {
        if (!outcome.ok) again();
        else if (outcome.value.ok) this.tally.count("reload.applied");
        else {
          this.tally.count(`reload.${outcome.value.code}`);
          if (outcome.value.code === "CONFIG_INVALID") this.tally.count("reload.refused");
          if (!isBroken) again();
        }
      })
      .catch(again);
  }

  /** The wall clock as the product saw it; a jump shows as another distance to virtual time. */
  noteWall(wallMs: number): void {
    const offsetMs = wallMs - this.node.nowMs();
    if (this.#wallOffsetMs !== undefined && offsetMs !== this.#wallOffsetMs) {
      this.tally.count("snapshot.jumped");
    }
    this.#wallOffsetMs = offsetMs;
  }

  /** Stops the tree. */
  async stop(): Promise<void> {
    await this.node.stop();
  }

  #heal(heal: Heal): void {
    if (this.#heals.delete(heal)) heal();
  }

  #stir(links: readonly Link[]): void {
    for (const { chain, provider } of links) this.wires.stir(this.endpoint(chain, provider));
  }

  #build(): readonly Link[] {
    const { seed, chains } = this.plan;
    const links: Link[] = [];
    for (const { name, chainId, reorgEpoch, deepReorg, providers } of [...chains, lateChain]) {
      const times = { blockTimeMs: BLOCK_MS, startMs: START_MS, startNumber: START_BLOCK };
      const after = deepReorg && { depth: deepReorg.depth, to: START_BLOCK + deepReorg.block };
      const chain = new FakeChain({ seed, chainId, ...times, reorgEpoch, deepReorg: after });
      this.#chains.set(name, chain);
      for (const { id, profile, isSpared } of providers) {
        const link = new Link(name, id, profile, isSpared);
        const faults = link.profile;
        const mind = new FakeProvider({ id, chain, faults, seed, startMs: START_MS });
        this.#endpoints.set(link.name, { link, mind, chain });
        if (name !== lateChain.name) links.push(link);
      }
    }
    return links;
  }
}

/** So little that answers are put out as well. */
const CACHE_BYTES = 64 * 1024;

const gatewayOf = ({ node, plan }: SimWorld): Gateway => {
  let requests = 0;
  let filters = 0;
  return new Gateway({
    chains: chainDirectory(() => node.table<ChainState>(chainsTable)),
    now: () => node.nowMs(),
    random: seededRandom(plan.seed),
    randomHex: () => String(++filters).padStart(32, "0"),
    nextRequestId: () => `sim-${++requests}`,
    emit: (event, fields) => node.emit(event, fields),
    observer: new RequestMeter(),
    redact: (text) => text,
    isDraining: () => false,
    clientVersion: "Paceline/sim",
    cache: new AnswerCache(CACHE_BYTES),
  });
};
