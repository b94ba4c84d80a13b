/** Regions as trees of real processes under virtual clocks, joined by a channel that tests spoil. */
import { regionCommandsKey } from "../../actors/cluster/region-commands.ts";
import type { ChannelPort } from "../../actors/cluster/region-presence.ts";
import type { Figures, RowPlace } from "../../src/cluster/boards.ts";
import { Cluster } from "../../src/cluster/cluster.ts";
import type { MembershipTimes } from "../../src/cluster/membership.ts";
import { Envelopes } from "../../src/cluster/envelope.ts";
import type { Message, RegionCard } from "../../src/cluster/protocol.ts";
import type { Answer, Question } from "../../src/cluster/steering/asking.ts";
import type { CarryOut } from "../../src/cluster/steering/serving.ts";
import { Steering } from "../../src/cluster/steering/steering.ts";
import {
  child,
  createVirtualNode,
  defineActor,
  keyFor,
  supervisor,
  type VirtualNode,
} from "../../src/otp/index.ts";
import { cluster as clusterTree } from "../../supervisors/cluster.ts";

export const TIMES: MembershipTimes = {
  heartbeatMs: 1_000,
  suspectMs: 3_500,
  leaseMs: 10_000,
  joinMs: 1_000,
};
export const SECRET = "a secret that all regions know";
export const STEP_MS = 125;
const CHANNEL = "paceline:cluster";

/** What happens to messages on their way. */
export interface Weather {
  dropShare: number;
  twiceShare: number;
  maxDelayMs: number;
  /** Nothing is delivered; what was said meanwhile comes afterwards. */
  isFrozen: boolean;
}

interface Parcel {
  readonly to: Region;
  readonly bytes: Buffer;
  readonly dueMs: number;
}

const worker = defineActor({ name: "test/worker", init: (args: number) => args });
const workerKey = keyFor(worker, "id");

/** Regions and what lies between them; time is its own and moves all of them. */
export class Broker {
  readonly regions: Region[] = [];
  readonly weather: Weather = { dropShare: 0, twiceShare: 0, maxDelayMs: 0, isFrozen: false };
  /** Everything that was ever said. */
  readonly recorded: Buffer[] = [];
  readonly #random: () => number;
  #isLost: (message: Message) => boolean = () => false;
  #parcels: Parcel[] = [];
  #nowMs = 0;

  constructor(random: () => number = () => 0) {
    this.#random = random;
  }

  /** Anyone may say anything; signatures tell what counts. */
  say(bytes: Buffer, from?: Region): void {
    this.recorded.push(bytes);
    if (from?.isCutOff === true || this.#isLost(messageIn(bytes))) return;
    const { dropShare, twiceShare, maxDelayMs } = this.weather;
    for (const to of this.regions) {
      if (to.isCutOff || this.#random() < dropShare) continue;
      const copies = this.#random() < twiceShare ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        this.#parcels.push({ to, bytes, dueMs: this.#nowMs + this.#random() * maxDelayMs });
      }
    }
  }

  /** Loses the messages of which `isLost` says so; without it none. */
  lose(isLost: (message: Message) => boolean = () => false): void {
    this.#isLost = isLost;
  }

  /** Everything that was ever said, opened. */
  opened(): readonly Message[] {
    return this.recorded.map(messageIn);
  }

  async run(ms: number): Promise<void> {
    for (const untilMs = this.#nowMs + ms; this.#nowMs < untilMs; ) {
      this.#nowMs += STEP_MS;
      if (!this.weather.isFrozen) this.#deliver();
      for (const region of this.regions.slice()) await region.node.advance(STEP_MS);
    }
  }

  #deliver(): void {
    const due = this.#parcels.filter(({ dueMs }) => dueMs <= this.#nowMs);
    this.#parcels = this.#parcels.filter(({ dueMs }) => dueMs > this.#nowMs);
    due.sort((a, b) => a.dueMs - b.dueMs);
    for (const { to, bytes } of due) {
      if (!to.isCutOff && this.regions.includes(to)) to.hear(bytes);
    }
  }
}

const messageIn = (bytes: Buffer): Message => {
  const opened = new Envelopes(SECRET, CHANNEL).open(bytes);
  return opened.ok
    ? opened.message
    : {
        region: "",
        instance: "",
        incarnation: 0,
        sequence: 0,
        kind: "beat",
        heard: [],
        payload: 0,
      };
};

let instances = 0;

/** One region. */
export class Region {
  readonly name: string;
  readonly node: VirtualNode;
  readonly cluster: Cluster;
  readonly heard: { readonly name: string; readonly fields: Readonly<Record<string, unknown>> }[] =
    [];
  readonly rows = new Map<string, Figures>();
  readonly steering: Steering;
  /** Carries out the commands of others; tests put their own in its place. */
  carryOut: CarryOut = ({ cmd, args, role, from }, _door, settle) =>
    settle({ ok: { at: this.name, cmd, args, role, from } });
  isCutOff = false;
  /** Its link waits for a late answer: nothing is said, but all is heard. */
  isMute = false;
  /** How often its leaderboard was read. */
  readings = 0;
  /** How often it has asked for another connection. */
  renewals = 0;
  readonly #broker: Broker;
  #onMessage: (bytes: Buffer) => void = () => undefined;

  constructor(broker: Broker, name: string, secret = SECRET, instance?: string) {
    this.name = name;
    this.#broker = broker;
    this.node = createVirtualNode({ seed: 1 });
    this.node.telemetry.attach("test", "*", ({ name: event, fields }) => {
      if (event.startsWith("cluster.")) this.heard.push({ name: event, fields });
    });
    this.cluster = new Cluster({
      self: { region: name, instance: instance ?? `i${++instances}`, incarnation: 1 },
      secret,
      channel: CHANNEL,
      times: TIMES,
      card: () => CARD,
    });
    this.steering = new Steering(this.cluster, (order, door, settle) =>
      this.carryOut(order, door, (outcome) => {
        settle(outcome);
        this.node.via(regionCommandsKey()).cast.say();
      }),
    );
  }

  /** Asks another region; the answers are kept as they come. */
  ask(region: string, question: Partial<Question> = {}): Answer[] {
    const answers: Answer[] = [];
    const whole = { cmd: "tree", args: {}, role: "viewer", limitMs: 5_000, ...question };
    this.steering.ask(region, whole, this.node.nowMs(), (answer) => answers.push(answer));
    this.node.via(regionCommandsKey()).cast.say();
    return answers;
  }

  static async start(...args: ConstructorParameters<typeof Region>): Promise<Region> {
    const region = new Region(...args);
    const [broker] = args;
    broker.regions.push(region);
    const channel: ChannelPort = {
      adopt: (_, onMessage) => {
        region.#onMessage = onMessage;
      },
      open: () => undefined,
      close: () => undefined,
      get isUp() {
        return !region.isCutOff && !region.isMute;
      },
      publish: (bytes) => broker.say(bytes, region),
      probe: () => undefined,
      renew: () => {
        region.renewals++;
      },
    };
    const { cluster, node } = region;
    const boards = {
      chains: () => ["eth"],
      races: () => {
        region.readings++;
        return region.#rows();
      },
      calls: () => [],
    };
    await node.start(
      supervisor("root", {
        children: [
          supervisor("workers", { children: [] }),
          clusterTree({
            regionPresence: { cluster, channel, redact: (text) => text },
            registrySync: { cluster, channel, names: node.registry },
            leaderboardSync: { cluster, channel, boards },
            regionCommands: { steering: region.steering, channel },
          }),
        ],
      }),
    );
    return region;
  }

  hear(bytes: Buffer): void {
    this.#onMessage(bytes);
  }

  async startWorker(id: string): Promise<void> {
    const spec = child(worker, 0, { id, register: workerKey(id), restart: "temporary" });
    await this.node.supervisor("workers")?.startChild(spec);
  }

  async stopWorker(id: string): Promise<void> {
    await this.node.supervisor("workers")?.terminateChild(id);
  }

  /** As by kill -9: nothing more is said. */
  async crash(): Promise<void> {
    this.isCutOff = true;
    await this.leave();
  }

  async leave(): Promise<void> {
    await this.node.stop();
    this.#broker.regions.splice(this.#broker.regions.indexOf(this), 1);
  }

  states(): Readonly<Record<string, string>> {
    const { regions } = this.cluster.view(this.node.nowMs());
    return Object.fromEntries(regions.map(({ region, state }) => [region, state]));
  }

  /** All names of all other regions, as this one knows them. */
  others(): readonly string[] {
    return this.cluster
      .select("", 100_000)
      .map(({ region, name, pid }) => `${region} ${name} ${pid}`)
      .sort();
  }

  /** What others should know of this one. */
  ownNames(): readonly string[] {
    return this.node.registry.select("").map(({ name, pid }) => `${this.name} ${name} ${pid}`);
  }

  ownRows(): readonly string[] {
    return [...this.rows].map(
      ([provider, figures]) => `${this.name} ${provider} ${figures.join(" ")}`,
    );
  }

  otherRows(): readonly string[] {
    return this.cluster
      .boardsOf("eth", this.node.nowMs())
      .flatMap(({ region, rows }) =>
        rows.map(
          (row) => `${region} ${row.provider} ${row.score} ${row.weight} ${row.ratio} ${row.ms}`,
        ),
      )
      .sort();
  }

  #rows(): readonly (readonly [RowPlace, Figures])[] {
    return [...this.rows].map(([provider, figures]) => [
      { chain: "eth", subject: "newHeads", provider },
      figures,
    ]);
  }
}

export const CARD: RegionCard = {
  version: "1",
  url: "http://127.0.0.1:1",
  chains: ["eth"],
  inFlight: 0,
  usableProviders: 1,
  providers: 1,
};
