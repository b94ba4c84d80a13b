/**
 * A model of everything around a subscription hub: a chain that reorganises, three providers that see
 * it late, in pieces, twice, in the wrong order or lie about it, nodes that answer badly, processes
 * that are killed, and clients that check what they are told.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { seededRandom } from "../../../../src/lib/random.ts";
import { messageKey } from "../../../../src/rpc/message-key.ts";
import { BlockSums } from "../../../../src/rpc/race/block-sums.ts";
import { EventRacer } from "../../../../src/rpc/race/event-racer.ts";
import { readSubscriptionFrame, resultBytes } from "../../../../src/rpc/subscription-frame.ts";
import { ChainFollower } from "../../../../src/rpc/subscription/chain/follower.ts";
import type { Need } from "../../../../src/rpc/subscription/chain/needs.ts";
import type { Subscription } from "../../../../src/rpc/subscription/delivery/streams.ts";
import { Ended } from "../../../../src/rpc/subscription/resume/ended.ts";
import { Hub } from "../../../../src/rpc/subscription/hub.ts";
import { ADDRESSES, ChainModel, type ModelBlock, type ModelLog } from "./chain-model.ts";
import { ClientModel, keyOf } from "./client-model.ts";
import type { Fault, Step } from "./steps.ts";

/** What providers are like in one run, and how long gaps may be. */
export interface Temper {
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly maxBackfillBlocks: number;
  readonly backfillTimeoutMs: number;
  /** Clients keep what they believed after each event. */
  readonly isRemembered?: boolean;
}

interface Provider {
  readonly name: string;
  isUp: boolean;
  seen: string;
  /** It says one thing after the other. */
  spokeMs: number;
}

type Send = () => void;

const NAMES = ["p0", "p1", "p2"] as const;
/** The only one that lies, if any does. */
const LIAR = "p2";
const NS_PER_MS = 1e6;
const TICK_MS = 250;
const SETTLE_MS = 2_000;
const BUSY_MS = 100;
/** The liar tells of blocks that are so near to the tip. */
const NEAR_BLOCKS = 8;
/** After this time a lie has been found out. */
const LIE_MS = 8_000;

/** A node has all receipts of a block so long after it was first asked for them. */
const RECEIPTS_MS = 2_000;

/** One run. */
export class PromiseWorld {
  readonly chain: ChainModel;
  readonly clients: ClientModel[] = [];
  readonly random: () => number;
  now = 1_000_000;
  /** Blocks that were lied about. */
  get lies(): number {
    return this.#lies.size;
  }

  /** Deaths of the hub with a block half told. */
  halfTold = 0;
  /** The most blocks that a reorganisation replaced, as the hub saw it. */
  deepest = 0;
  hub!: Hub;
  readonly #temper: Temper;
  readonly #follower: ChainFollower;
  readonly #rows = new Map<string, Subscription>();
  readonly #providers: Provider[];
  readonly #later: { readonly atMs: number; readonly run: Send }[] = [];
  /** The logs that blocks have by what the liar says. */
  readonly #lies = new Map<string, readonly ModelLog[]>();
  /** When the logs of each block were first asked for. */
  readonly #askedMs = new Map<string, number>();
  #racer!: EventRacer;
  #sums!: BlockSums;
  #mail: Send[] = [];
  #lieUntilMs = 0;
  #isCalm = false;
  #isBusy = false;
  #isLooking = false;
  /** The hub is killed once a block is half told. */
  #isTrapped = false;
  #ids = 0;

  constructor(temper: Temper) {
    this.#temper = temper;
    this.random = seededRandom(temper.seed);
    this.chain = new ChainModel(this.random);
    const limits = {
      maxBackfillBlocks: temper.maxBackfillBlocks,
      backfillTimeoutMs: temper.backfillTimeoutMs,
      settleMs: SETTLE_MS,
      witnessMs: 10_000,
      voters: NAMES.length,
    };
    this.#follower = new ChainFollower(limits, undefined as never);
    this.#providers = NAMES.map((name) => ({
      name,
      isUp: false,
      seen: this.chain.tip.hash,
      spokeMs: 0,
    }));
    this.#startAggregator();
    this.#startHub();
    for (const name of NAMES) this.hub.polled(name, this.chain.tip.header, this.now);
    this.subscribe(undefined);
    for (const provider of this.#providers) this.#up(provider);
    this.wait(6_000);
  }

  run(step: Step): void {
    switch (step.do) {
      case "grow":
        // What is taken back is remembered for 128 blocks.
        if (step.count > NEAR_BLOCKS && this.now < this.#lieUntilMs) this.wait(LIE_MS);
        return this.chain.grow(step.count);
      case "reorg":
        return this.chain.reorg(step.depth);
      case "back":
        return this.chain.back();
      case "flip":
        return this.#flip(step);
      case "see":
        return this.#see(this.#providers[step.provider] as Provider, step);
      case "down":
        return this.#down(this.#providers[step.provider] as Provider);
      case "up":
        return this.#up(this.#providers[step.provider] as Provider);
      case "lie":
        return this.#lie(step.kind);
      case "invent":
        return this.#invent(step.index);
      case "wait":
        return this.wait(step.ms);
      case "kill":
        return this.#kill(step.what);
      case "subscribe":
        return this.subscribe(step.address);
    }
  }

  /** A client of heads and logs joins. */
  subscribe(address: string | undefined): void {
    this.#drain();
    const id = this.clients.length + 1;
    const canonical: string[] = [];
    const { ring } = this.#follower;
    for (let at = ring.tip; at?.isCanonical === true; at = ring.parentOf(at)) {
      canonical.unshift(at.hash);
    }
    const client = new ClientModel(
      id,
      address,
      canonical,
      (hash) => this.chain.blocks.get(hash),
      this.#temper.isRemembered === true,
    );
    const filter = address === undefined ? {} : { address };
    const heads = this.hub.subscribe(
      { sink: client, kind: "newHeads", filter: undefined, resume: undefined },
      this.now,
    );
    const logs = this.hub.subscribe(
      { sink: client, kind: "logs", filter, resume: undefined },
      this.now,
    );
    if (!heads.ok || !logs.ok) throw new Error("a subscribe was refused");
    client.answered(heads.id, logs.id);
    client.since = this.#follower.sequence;
    this.clients.push(client);
  }

  /** Time passes. */
  wait(ms: number): void {
    const endMs = this.now + ms;
    while (this.now < endMs) {
      const tickMs = Math.min(endMs, this.now + TICK_MS);
      this.#runLater(tickMs);
      this.now = tickMs;
      this.#settle();
      this.hub.tick(this.now);
      this.hub.turnEnded();
      this.#drain();
    }
  }

  /** The storm is over: everybody sees the chain, whole and in order, and it goes on. */
  finish(): void {
    this.#isCalm = true;
    this.#isTrapped = false;
    for (const provider of this.#providers) this.#up(provider);
    this.wait(12_000);
    for (let i = 0; i < 3; i++) {
      this.chain.grow();
      for (const provider of this.#providers) {
        this.#see(provider, { lateMs: 0, isTerse: false, areLogsFirst: false });
      }
      this.wait(20_000);
    }
    for (let i = 0; i < 20; i++) this.wait(5_000);
  }

  #has(fault: Fault, share: number): boolean {
    return !this.#isCalm && this.#temper.faults.includes(fault) && this.random() < share;
  }

  // --- providers

  /** A provider catches up with the chain: every head on the way or the last one only. */
  #see(
    provider: Provider,
    how: { readonly lateMs: number; readonly isTerse: boolean; readonly areLogsFirst: boolean },
  ): void {
    if (!provider.isUp) return;
    const news = this.chain.after(provider.seen, this.chain.tip);
    provider.seen = this.chain.tip.hash;
    let atMs = Math.max(this.now + how.lateMs, provider.spokeMs);
    for (const [i, block] of news.entries()) {
      const head = how.isTerse && i < news.length - 1 ? [] : [block];
      const logs = this.#told(provider, block).map((log) => ["logs", log] as const);
      const heads = head.map(({ header }) => ["newHeads", header] as const);
      for (const [event, result] of how.areLogsFirst ? [...logs, ...heads] : [...heads, ...logs]) {
        if (this.#mayMiss(provider) && this.#has("drop", 0.1)) continue;
        atMs += this.#has("reorder", 0.2) ? this.random() * 400 - 200 : 1;
        this.#send(provider, event, result, atMs);
        if (this.#has("repeat", 0.1))
          this.#send(provider, event, result, atMs + 50 * this.random());
      }
    }
    provider.spokeMs = atMs + 1;
  }

  /** What all miss nobody can know of: the first one, as long as it is there, tells everything. */
  #mayMiss({ name }: Provider): boolean {
    return name !== NAMES[0] && this.#providers[0]?.isUp === true;
  }

  #send(provider: Provider, event: "newHeads" | "logs", result: unknown, atMs: number): void {
    const message = {
      jsonrpc: "2.0",
      method: "eth_subscription",
      params: { subscription: provider.name, result },
    };
    const bytes = Buffer.from(JSON.stringify(message));
    this.#later.push({ atMs, run: () => this.#arrive(provider, event, bytes) });
  }

  /** A node that comes up tells what is new from now on, nothing of before. */
  #up(provider: Provider): void {
    if (provider.isUp) return;
    provider.isUp = true;
    provider.seen = this.chain.tip.hash;
    this.#tellSources(provider, true);
  }

  #flip({ times, lateMs }: { readonly times: number; readonly lateMs: number }): void {
    this.chain.reorg(2);
    for (let i = 0; i < times; i++) {
      this.chain.back();
      for (const [at, provider] of this.#providers.entries()) {
        const how = { lateMs: at * lateMs, isTerse: false, areLogsFirst: this.random() < 0.5 };
        this.#see(provider, how);
      }
      this.wait(500);
    }
  }

  #down(provider: Provider): void {
    // A lie is found out when two others have listened.
    if (!provider.isUp || (provider.name !== LIAR && this.now < this.#lieUntilMs)) return;
    provider.isUp = false;
    this.#tellSources(provider, false);
  }

  #tellSources({ name }: Provider, isLive: boolean): void {
    for (const event of ["newHeads", "logs"] as const) {
      this.#mail.push(() => this.hub.source(name, event, isLive, this.now));
      if (isLive) this.#racer.live(name, event, this.now * NS_PER_MS);
      else this.#racer.gone(name, event);
    }
  }

  #lie(kind: "sibling" | "child" | "far" | "height" | "parent"): void {
    const provider = this.#providers.find(({ name }) => name === LIAR) as Provider;
    if (!provider.isUp || !this.#temper.faults.includes("lie")) return;
    const { tip } = this.chain;
    const tell = (header: unknown) => this.#send(provider, "newHeads", header, this.now);
    if (kind === "parent") tell({ ...tip.header, parentHash: `0x${"e".repeat(64)}` });
    else if (kind === "height") tell({ ...tip.header, number: "0x7" });
    else {
      const parent = this.chain.blocks.get(tip.parentHash);
      const block = this.chain.make(
        kind === "sibling" ? (parent ?? tip) : tip,
        kind === "far" ? tip.number + 700 : undefined,
      );
      tell(block.header);
      for (const log of block.logs) this.#send(provider, "logs", log, this.now + 1);
    }
  }

  /** The logs of a block by what a provider says. */
  #told({ name }: Provider, block: ModelBlock): readonly ModelLog[] {
    if (name !== LIAR || !this.#mayLie(block)) return block.logs;
    const known = this.#lies.get(block.hash);
    if (known !== undefined) return known;
    const told = [...block.logs];
    if (this.#has("change", 0.3) && told.length > 0) {
      const at = Math.floor(this.random() * told.length);
      told[at] = { ...(told[at] as ModelLog), data: "0xff" };
    }
    if (this.#has("invent", 0.3))
      told.push(inventedLog(block, told.length + (this.random() < 0.5 ? 0 : 1)));
    if (this.#has("invent", 0.1)) told.shift();
    return this.#lieAbout(block, told);
  }

  /** A log of a block that was told long ago, or of one that nobody else has told of yet. */
  #invent(index: number): void {
    const provider = this.#providers.find(({ name }) => name === LIAR) as Provider;
    const block = this.chain.blocks.get(provider.seen);
    if (block === undefined || !this.#temper.faults.includes("invent") || !this.#mayLie(block))
      return;
    const log = inventedLog(block, index);
    const known = this.#lies.get(block.hash) ?? block.logs;
    const others = known.filter(({ logIndex }) => logIndex !== log.logIndex);
    this.#lieAbout(block, [...others, log]);
    this.#send(provider, "logs", log, this.now);
  }

  #lieAbout(block: ModelBlock, told: readonly ModelLog[]): readonly ModelLog[] {
    if (isDeepStrictEqual(told, block.logs)) return told;
    this.#lies.set(block.hash, told);
    this.#lieUntilMs = this.now + LIE_MS;
    return told;
  }

  /** Somebody is there who can tell otherwise. */
  #mayLie({ number }: ModelBlock): boolean {
    const isNear = number + NEAR_BLOCKS > this.chain.tip.number;
    return !this.#isCalm && isNear && this.#providers.every(({ isUp }) => isUp);
  }

  // --- the aggregator

  #startAggregator(): void {
    this.#racer = new EventRacer({});
    this.#sums = new BlockSums(SETTLE_MS * NS_PER_MS, 7);
  }

  #killAggregator(): void {
    this.#startAggregator();
    this.#mail.push(() => this.hub.forgetSources(this.now));
    for (const provider of this.#providers) if (provider.isUp) this.#tellSources(provider, true);
  }

  #arrive(provider: Provider, event: "newHeads" | "logs", bytes: Buffer): void {
    const frame = readSubscriptionFrame(bytes);
    if (frame === undefined || !provider.isUp) return;
    const { name } = provider;
    const atNs = this.now * NS_PER_MS;
    const lane = this.#racer.lane(name);
    const { resultStart } = frame;
    const copy =
      event === "logs"
        ? this.#racer.copied(lane, bytes, resultStart, bytes.length, atNs)
        : undefined;
    if (copy !== undefined) {
      if (!this.#sums.addCopy(name, copy, atNs)) this.#sums.add(name, copy, frame, atNs);
      return;
    }
    const key = messageKey(event, frame, digest);
    const arrival = this.#racer.arrive(event, key, lane, atNs, frame);
    if (event === "newHeads") this.#mail.push(() => this.hub.announced(name, frame, this.now));
    else {
      this.#sums.add(name, key, frame, atNs, arrival === "first");
      if (arrival !== "first") return;
      const result = resultBytes(frame);
      this.#racer.keep(result);
      this.#mail.push(() => this.hub.logged(name, frame, result, this.now));
    }
  }

  #settle(): void {
    const nowNs = this.now * NS_PER_MS;
    this.#racer.settle(nowNs);
    const live = this.#providers.filter(({ isUp }) => isUp).map(({ name }) => name);
    for (const told of this.#sums.disputed(nowNs, () => live)) {
      this.#mail.push(() => this.#follower.disputed(told, this.now));
    }
  }

  // --- the hub

  #kill(what: "hub" | "aggregator" | "half-told"): void {
    if (what === "hub") this.#killHub();
    else if (what === "aggregator") this.#killAggregator();
    else {
      this.#isTrapped = true;
      this.chain.grow();
      const how = { lateMs: 0, isTerse: false, areLogsFirst: this.random() < 0.5 };
      for (const provider of this.#providers) this.#see(provider, how);
      this.wait(300);
    }
  }

  #startHub(): void {
    this.hub = new Hub(
      this.#follower,
      {
        chain: "ethereum",
        emit: (event, { depth }) => {
          if (event === "head.reorg") this.deepest = Math.max(this.deepest, depth as number);
        },
        keep: (one) => this.#rows.set(`${one.sink.id}:${one.id}`, one),
        forget: (one) => void this.#rows.delete(`${one.sink.id}:${one.id}`),
        ended: new Ended(),
        onBlock: () => {},
        accuse: () => {},
        askHeads: (names) => this.#askHeads(names),
        newId: () => `0x${String(++this.#ids).padStart(32, "0")}`,
      },
      { maxBufferedBytes: 1e9, maxBehindMs: 1e9, maxSubscriptions: 1_000 },
    );
  }

  /** It did not get round to its messages for a while; they, and what it had asked, are lost. */
  #killHub(): void {
    this.#isBusy = true;
    this.#runLater(this.now + BUSY_MS);
    this.#isBusy = false;
    this.#fallDead();
  }

  #drain(): void {
    if (this.#isBusy) return;
    for (let next = this.#mail.shift(); next !== undefined; next = this.#mail.shift()) {
      next();
      this.hub.turnEnded();
      if (this.#isTrapped && this.#isHalfTold()) {
        this.#isTrapped = false;
        this.halfTold++;
        this.#fallDead();
      }
      this.#ask();
    }
    this.#ask();
  }

  /** A client has some of a block's logs, or its head alone, and others are still to come. */
  #isHalfTold(): boolean {
    return this.clients.some(({ stack, live }) => {
      const hash = stack.at(-1) ?? "";
      const logs = this.chain.blocks.get(hash)?.logs ?? [];
      const told = logs.filter(({ logIndex, data }) =>
        live.has(keyOf(hash, logIndex, data)),
      ).length;
      return told > 0 && told < logs.length;
    });
  }

  /** What had not been read yet is lost. */
  #fallDead(): void {
    this.#mail = [];
    this.#isLooking = false;
    this.#startHub();
    this.#racer.forgetLogs(this.now * NS_PER_MS);
    this.hub.restore([...this.#rows.values()], this.now);
  }

  #runLater(untilMs: number): void {
    for (;;) {
      this.#later.sort((a, b) => a.atMs - b.atMs);
      const next = this.#later[0];
      if (next === undefined || next.atMs > untilMs) return;
      this.#later.shift();
      this.now = Math.max(this.now, next.atMs);
      next.run();
      // Sometimes a process is behind with its messages.
      if (this.random() < 0.7) this.#drain();
    }
  }

  // --- nodes that answer

  #ask(): void {
    const { hub } = this;
    for (const need of this.#follower.needs.due(this.now)) {
      this.#answerLater(() => {
        const asked = this.#follower.needs.get(need.key);
        if (hub === this.hub && asked !== undefined)
          hub.answered(asked, this.#answer(need), this.now);
      });
    }
    if (this.#isLooking || hub.lookout.take(this.now) === undefined) return;
    this.#isLooking = true;
    this.#answerLater(() => {
      if (hub !== this.hub) return;
      this.#isLooking = false;
      hub.polled(undefined, this.#has("fail", 0.3) ? undefined : this.#newest().header, this.now);
    });
  }

  #answerLater(run: Send): void {
    const atMs = this.now + 5 + this.random() * 200;
    this.#later.push({
      atMs,
      run: () => {
        run();
        this.hub.turnEnded();
        this.#drain();
      },
    });
  }

  #newest(): ModelBlock {
    if (!this.#has("lag", 0.3)) return this.chain.tip;
    return this.chain.canonical.at(-2) ?? this.chain.tip;
  }

  #askHeads(names: readonly string[]): void {
    for (const name of names) {
      const { header } = this.chain.tip;
      this.#answerLater(() => this.hub.polled(name, header, this.now));
    }
  }

  #answer(need: Need): unknown {
    if (this.#has("fail", 0.3)) return undefined;
    if (need.kind === "height") {
      return this.chain.canonical.find(({ number }) => number === need.number)?.header;
    }
    const block = this.chain.blocks.get(need.hash);
    if (need.kind === "block") return block?.header;
    if (need.kind === "agreedLogs") return this.#agreedLogs(block);
    const asked = this.#lies.size === 0 ? 0 : Math.floor(this.random() * NAMES.length);
    return this.#logsOf(block, NAMES[asked] as string);
  }

  /** What two of three nodes answer alike. */
  #agreedLogs(block: ModelBlock | undefined): readonly ModelLog[] | undefined {
    const answers = NAMES.map((name) => this.#logsOf(block, name));
    return answers.find((answer, i) => {
      const alike = answers.filter((other) => isDeepStrictEqual(other, answer)).length;
      return alike > 1 && answers.indexOf(answer) === i;
    });
  }

  /** What one node says about the logs of a block; whoever lies on a stream lies here as well. */
  #logsOf(block: ModelBlock | undefined, name: string): readonly ModelLog[] {
    const logs = (name === LIAR ? this.#lies.get(block?.hash ?? "") : undefined) ?? block?.logs;
    if (block === undefined || logs === undefined) return [];
    const askedMs = this.#askedMs.get(block.hash) ?? this.now;
    this.#askedMs.set(block.hash, askedMs);
    // A node that has not got all receipts yet; one that never gets them nobody can tell from the others.
    const isEarly = this.now - askedMs < RECEIPTS_MS;
    return isEarly && this.#has("partial", 0.2) ? logs.slice(0, -1) : logs;
  }
}

const inventedLog = (block: ModelBlock, index: number): ModelLog => ({
  address: ADDRESSES[index % ADDRESSES.length] as string,
  topics: [`0x${"f".repeat(64)}`],
  data: "0xee",
  blockNumber: block.header["number"] as string,
  blockHash: block.hash,
  transactionHash: `0x${"e".repeat(64)}`,
  logIndex: `0x${index.toString(16)}`,
  removed: false,
});

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
