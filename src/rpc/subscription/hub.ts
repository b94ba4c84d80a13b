/**
 * What a subscription hub does with each message, apart from processes: joins the follower of a
 * chain with the streams of its clients.
 *
 * Time is an argument; what leaves are frames (to the sinks), rows (what must survive a crash),
 * events (telemetry) and the demand for upstream streams.
 */
import type { ChainName, ProviderId } from "../ids.ts";
import { logFields } from "../message-key.ts";
import type { SubscribeReply } from "../proxy/ports.ts";
import type { RaceEvent } from "../race/settled-race.ts";
import type { SubscriptionFrame } from "../subscription-frame.ts";
import type { Block, BlockLog } from "./chain/block.ts";
import { parseFilter, type LogFilter } from "./delivery/filter.ts";
import type { ChainFollower, FollowerListener } from "./chain/follower.ts";
import type { ResumeRequest, SubscribeRequest } from "./hub-port.ts";
import type { Need } from "./chain/needs.ts";
import { ANYBODY } from "./chain/opinions.ts";
import { addressAndTopics, headOfBlock, headOfBytes, logsOfBlock, withRemoved } from "./parse.ts";
import { MAX_REASON_BYTES, slowReason } from "./delivery/close-reason.ts";
import { LagWatch } from "./delivery/lag-watch.ts";
import {
  Streams,
  type StreamKind,
  type StreamSink,
  type Subscription,
} from "./delivery/streams.ts";
import type { Ended } from "./resume/ended.ts";
import { Resumption } from "./resume/resumption.ts";

/** The upstream streams that clients need now; heads always are. */
export interface Demand {
  readonly logs: boolean;
  readonly pending: boolean;
}

/** What a hub is joined to. */
export interface HubPorts {
  readonly chain: ChainName;
  readonly emit: (event: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Keeps a subscription for the next incarnation. */
  readonly keep: (subscription: Subscription) => void;
  readonly forget: (subscription: Subscription) => void;
  /** Ids that clients may come back with; it outlives the hub. */
  readonly ended: Ended;
  /** A provider said what is not so. */
  readonly accuse: (provider: ProviderId, reason: string) => void;
  /** Providers whose word is in doubt should say again what their head is. */
  readonly askHeads: (providers: readonly ProviderId[]) => void;
  /** A block became canonical. */
  readonly onBlock: (block: Block) => void;
  readonly newId: () => string;
}

/** Bounds on clients. */
export interface HubLimits {
  /** Unsent bytes beyond which a client is closed. */
  readonly maxBufferedBytes: number;
  /** How long an event may wait for a client before it is closed. */
  readonly maxBehindMs: number;
  /** Subscriptions of one connection. */
  readonly maxSubscriptions: number;
}

const KINDS: readonly StreamKind[] = ["newHeads", "logs", "newPendingTransactions", "syncing"];
/** How long upstream streams are kept after their last client, ms. */
const LINGER_MS = 60_000;
/** Missing blocks or logs that stay missing for so long are worth an event. */
const DEGRADED_MS = 2_000;
/** A polled block that no stream brings within this time is looked up, ms. */
const BEHIND_MS = 1_000;
/** Pauses between questions for the newest block that nobody answers, ms. */
const LOOK_PAUSE_MS = 250;
const MAX_LOOK_PAUSE_MS = 30_000;
/** A tip that nobody watches is taken for the present one for so long, ms. */
const ORIENTED_MS = 10_000;
/** WebSocket close code "try again later" (RFC 6455 registry). */
const TRY_AGAIN_LATER = 1013;
/** Missed events that a client may be sent at once, whatever it may leave unread. */
const MAX_REPLAY_BYTES = 2 * 1024 * 1024;
/** Rate or quota of the client, in our error table. */
const CLIENT_LIMIT = -32005;
const INVALID_PARAMS = -32602;
const UNSUBSCRIBED = "unsubscribed";

/** The clients of one chain and what they see. */
export class Hub implements FollowerListener {
  readonly streams: Streams;
  readonly follower: ChainFollower;
  readonly resumption: Resumption;
  readonly #ports: HubPorts;
  readonly #limits: HubLimits;
  readonly #headSources = new Set<ProviderId>();
  readonly #lag: LagWatch;
  #slow: Subscription[] = [];
  /** Somebody should be asked for the newest block. */
  #wantsLook = false;
  /** Not before this time, after so many questions without an answer. */
  #lookAtMs = 0;
  #looksFailed = 0;
  /** A provider has a block more than the streams, since then. */
  #behind: { readonly number: number; readonly sinceMs: number } | undefined;
  #lastWantedMs = { logs: Number.NEGATIVE_INFINITY, pending: Number.NEGATIVE_INFINITY };
  #waitingSinceMs: number | undefined;
  #retractions = 0;
  /** The log that is being delivered, so that filters need not parse it again. */
  #current:
    | { readonly bytes: Uint8Array; readonly address: string; readonly topics: readonly string[] }
    | undefined;

  constructor(follower: ChainFollower, ports: HubPorts, limits: HubLimits) {
    this.follower = follower;
    this.#ports = ports;
    this.#limits = limits;
    this.#lag = new LagWatch(limits.maxBehindMs);
    this.streams = new Streams(ports.newId, limits.maxBufferedBytes, (subscription) => {
      this.#slow.push(subscription);
    });
    this.resumption = new Resumption(follower, this.streams, {
      ended: ports.ended,
      crowded: (sink) => this.#crowded(sink),
      opened: (subscription, events) => this.#opened(subscription, events),
      maxBytes: Math.min(MAX_REPLAY_BYTES, limits.maxBufferedBytes),
    });
    follower.listener = this;
  }

  /** Takes over clients that outlived another hub; what was on its way there is asked for again. */
  restore(subscriptions: readonly Subscription[], nowMs: number): void {
    for (const subscription of subscriptions) {
      if (!subscription.sink.isOpen) {
        this.#ports.forget(subscription);
        continue;
      }
      this.streams.restore(subscription);
    }
    this.follower.needs.reask(nowMs);
    this.follower.sourcesBroke(nowMs);
    // Heads that were on their way to the former hub are lost.
    this.#wantsLook = subscriptions.length > 0;
    this.rewant(nowMs);
  }

  /** Subscribes a client to what becomes canonical from now on. */
  subscribe({ sink, kind, filter }: SubscribeRequest, nowMs: number): SubscribeReply {
    const crowded = this.#crowded(sink);
    if (crowded !== undefined) return crowded;
    const parsed = readFilter(kind, filter);
    if (!parsed.ok) return invalid(parsed.message);
    const subscription = this.streams.add(sink, kind, parsed.filter, this.follower.sequence);
    this.#opened(subscription, undefined);
    this.rewant(nowMs);
    return { ok: true, id: subscription.id };
  }

  /** Subscribes a client that goes on where it was; the answer may take a while. */
  comeBack(
    request: SubscribeRequest | ResumeRequest,
    nowMs: number,
    answer: (reply: SubscribeReply) => void,
  ): void {
    if ("id" in request) this.resumption.resume(request, nowMs, answer);
    else {
      const { sink, kind, filter, resume: cursor } = request;
      const parsed = readFilter(kind, filter);
      if (!parsed.ok) answer(invalid(parsed.message));
      else this.resumption.subscribe({ sink, kind, filter: parsed.filter, cursor }, nowMs, answer);
    }
    if (!this.isOriented(nowMs)) this.look();
    // Logs are kept from now on, before it is looked which are known.
    this.rewant(nowMs);
    this.resumption.returning.look(nowMs);
  }

  /** False when the client has no such subscription. */
  unsubscribe(sinkId: number, id: string, nowMs: number): boolean {
    const gone = this.streams.remove(sinkId, id);
    if (gone !== undefined) this.#closed(gone, UNSUBSCRIBED);
    this.rewant(nowMs);
    return gone !== undefined;
  }

  /** The client is gone. */
  drop(sinkId: number, reason: string, nowMs: number): void {
    this.#lag.forget(sinkId);
    for (const gone of this.streams.drop(sinkId)) this.#closed(gone, reason);
    this.rewant(nowMs);
  }

  /** The chain is going away for good: every client is told, none waits for what never comes. */
  retire(reason: string): void {
    for (const { sink } of this.streams.of(KINDS)) this.#close(sink, reason);
  }

  /** A provider announced a head, first or not. */
  announced(provider: ProviderId, frame: SubscriptionFrame, nowMs: number): void {
    const { bytes, resultStart, resultEnd } = frame;
    // A copy: the frame is a window on a whole read of the socket.
    const head = headOfBytes(Buffer.from(bytes.subarray(resultStart, resultEnd)));
    if (head === undefined) return;
    this.#headSources.add(provider);
    this.follower.head(provider, head, nowMs);
    this.#closeSlow(nowMs);
  }

  /** A log arrived for the first time. */
  logged(provider: ProviderId, frame: SubscriptionFrame, nowMs: number): void {
    const log = logFields(frame);
    // A provider's own retraction says nothing that its heads do not say.
    if (log === undefined || log.isRemoved) return;
    const place = { hash: log.blockHash, number: log.blockNumber, index: log.logIndex };
    this.follower.log(provider, place, nowMs, () => {
      const bytes = Buffer.from(frame.bytes.subarray(frame.resultStart, frame.resultEnd));
      this.#current = { bytes, ...lowerCase(log) };
      return bytes;
    });
    if (this.#slow.length > 0) this.#closeSlow(nowMs);
  }

  /** A pending transaction arrived for the first time. */
  pending(frame: SubscriptionFrame, nowMs: number): void {
    const stream = this.streams.stream("newPendingTransactions");
    if (stream === undefined) return;
    const result = frame.bytes.subarray(frame.resultStart, frame.resultEnd);
    this.streams.deliver(stream, result, Number.POSITIVE_INFINITY);
    if (this.#slow.length > 0) this.#closeSlow(nowMs);
  }

  /** A provider's stream came up or went away. */
  source(provider: ProviderId, event: RaceEvent, isLive: boolean, nowMs: number): void {
    const { sources } = this.follower.logs;
    if (event === "newHeads") {
      if (isLive) {
        this.#headSources.add(provider);
        // It tells of what comes, not of what came while it was away.
        this.#wantsLook ||= this.follower.isWatched;
      } else {
        this.follower.branches.forget(provider);
        if (this.#headSources.delete(provider)) this.#failedOver(provider, "newHeads");
      }
    } else if (event === "logs") {
      if (isLive) sources.up(provider, nowMs);
      else if (sources.live().includes(provider)) {
        this.follower.logs.sourceDown(provider, nowMs);
        this.#failedOver(provider, "logs");
      }
    }
  }

  /** Nothing is known of the sources; they will be told again. */
  forgetSources(nowMs: number): void {
    this.#headSources.clear();
    for (const source of this.follower.logs.sources.live()) {
      this.follower.logs.sourceDown(source, nowMs);
    }
  }

  /** A provider was asked for its height: if no stream brings that block, the head is looked up. */
  heightSeen(number: number, nowMs: number): void {
    const tip = this.follower.ring.heightOfTip;
    if (this.#headSources.size === 0) {
      // The same height again may be another block.
      if (number >= tip) this.#wantsLook = true;
    } else if (number > tip + 1) this.#wantsLook = true;
    else if (number > tip) this.#behind ??= { number, sinceMs: nowMs };
  }

  /** The newest block of a provider that was asked, or of anybody. */
  polled(provider: ProviderId | undefined, block: unknown, nowMs: number): void {
    const head = headOfBlock(block);
    if (provider === undefined) this.#looked(head !== undefined, nowMs);
    if (head === undefined) return;
    if (this.follower.tip === undefined) this.follower.seed(head, nowMs);
    else this.follower.head(provider ?? ANYBODY, head, nowMs);
    this.resumption.returning.look(nowMs);
    this.#closeSlow(nowMs);
  }

  /** True once when somebody has to be asked for the newest block. */
  takeLook(nowMs: number): boolean {
    if (!this.#wantsLook || nowMs < this.#lookAtMs) return false;
    this.#wantsLook = false;
    return true;
  }

  /**
   * False when it is not known what a client that subscribes now has to see: nobody has told of the
   * chain, or nobody has listened for a while.
   */
  isOriented(nowMs: number): boolean {
    const { tip, isWatched } = this.follower;
    // Nobody could tell a moment ago.
    if (nowMs < this.#lookAtMs) return true;
    return tip !== undefined && (isWatched || nowMs - tip.seenAtMs <= ORIENTED_MS);
  }

  /** Somebody has to be asked for the newest block. */
  look(): void {
    this.#wantsLook = true;
  }

  /** The answer to a need; anything unusable is asked for again. */
  answered(need: Need, value: unknown, nowMs: number): void {
    if (need.kind === "logs") {
      const bloom = this.follower.ring.get(need.hash)?.head?.bloom;
      this.follower.logsAnswer(need, logsOfBlock(value, need.hash, bloom), nowMs);
    } else this.follower.blockAnswer(need, headOfBlock(value), nowMs);
    this.#closeSlow(nowMs);
  }

  /** Time passes: gaps that nobody fills, clients that do not read, streams that nobody wants. */
  tick(nowMs: number): void {
    this.follower.tick(nowMs);
    this.resumption.returning.look(nowMs);
    this.#findBehind(nowMs);
    this.#findLate(nowMs);
    this.#closeSlow(nowMs);
    this.rewant(nowMs);
    this.#noteDegraded(nowMs);
  }

  /** Whoever watches must know the newest block: without an answer somebody is asked again. */
  #looked(isAnswered: boolean, nowMs: number): void {
    if (isAnswered) {
      this.#looksFailed = 0;
      this.#lookAtMs = 0;
      return;
    }
    const pauseMs = Math.min(MAX_LOOK_PAUSE_MS, LOOK_PAUSE_MS * 2 ** this.#looksFailed++);
    this.#lookAtMs = nowMs + pauseMs;
    this.#wantsLook ||= this.follower.isWatched;
  }

  /** A stream may be a moment behind a poll; one that stays behind has missed the block. */
  #findBehind(nowMs: number): void {
    if (this.#behind === undefined) return;
    if (this.follower.ring.heightOfTip >= this.#behind.number) this.#behind = undefined;
    else if (nowMs - this.#behind.sinceMs >= BEHIND_MS) {
      this.#behind = undefined;
      this.#wantsLook = true;
    }
  }

  /** Waiting for an answer is normal; waiting for long is worth a word. */
  #noteDegraded(nowMs: number): void {
    const { state } = this.follower;
    if (state !== "degraded" && state !== "filling") {
      this.#waitingSinceMs = undefined;
      return;
    }
    this.#waitingSinceMs ??= nowMs;
    if (nowMs - this.#waitingSinceMs < DEGRADED_MS) return;
    this.#waitingSinceMs = Number.POSITIVE_INFINITY;
    this.#ports.emit("subs.degraded", {
      chain: this.#ports.chain,
      kind: state === "degraded" ? "logs" : "newHeads",
      reason: "missing blocks or logs cannot be fetched yet",
      clients: this.streams.size.clients,
    });
  }

  /** Which upstream streams are wanted; the last client leaves them on for a minute. */
  rewant(nowMs: number): Demand {
    const heads = this.streams.count("newHeads");
    const logs = this.streams.count("logs");
    const pending = this.streams.count("newPendingTransactions");
    this.#lastWantedMs = {
      logs: logs > 0 ? nowMs : this.#lastWantedMs.logs,
      pending: pending > 0 ? nowMs : this.#lastWantedMs.pending,
    };
    const { returning } = this.resumption;
    if (returning.wantsLogs) this.#lastWantedMs.logs = nowMs;
    const demand = {
      logs: nowMs - this.#lastWantedMs.logs < LINGER_MS,
      pending: nowMs - this.#lastWantedMs.pending < LINGER_MS,
    };
    this.follower.isWatched = heads + logs + returning.size > 0;
    this.follower.setWantsLogs(demand.logs);
    return demand;
  }

  head(block: Block): void {
    const stream = this.streams.stream("newHeads");
    if (stream !== undefined && block.head !== undefined) {
      this.streams.deliver(stream, block.head.bytes, block.sequence);
    }
    this.resumption.passed(block);
    this.#ports.onBlock(block);
  }

  log(block: Block, log: BlockLog): void {
    this.streams.deliverLog(log.bytes, block.sequence, () =>
      this.#current?.bytes === log.bytes ? this.#current : addressAndTopics(log.bytes),
    );
    this.resumption.passed(block, log);
  }

  retraction(block: Block, log: BlockLog): void {
    this.#retractions++;
    this.streams.deliverLog(withRemoved(log.bytes, true), block.sequence, () =>
      addressAndTopics(log.bytes),
    );
    this.resumption.passed(block, log, true);
  }

  reorg(orphaned: readonly Block[], tip: Block): void {
    const { chain, emit } = this.#ports;
    const { hash, number } = tip;
    emit("head.reorg", { chain, number, hash, depth: orphaned.length });
    if (this.#retractions > 0) {
      emit("subs.retraction", { chain, blocks: orphaned.length, count: this.#retractions });
      this.#retractions = 0;
    }
  }

  filled(from: number, to: number): void {
    const { chain, emit } = this.#ports;
    emit("subs.backfill", { chain, firstBlock: from, lastBlock: to, blocks: to - from + 1 });
  }

  gap(kinds: "all" | "logs", from: number, to: number, sequence: number): void {
    const lost: readonly StreamKind[] = kinds === "all" ? ["newHeads", "logs"] : ["logs"];
    for (const { sink, since } of this.streams.of(lost)) {
      if (since < sequence) this.#close(sink, `gap ${from}-${to}`);
    }
  }

  implausible(source: string, number: number): void {
    const { chain, emit } = this.#ports;
    emit("head.velocity_drop", { chain, provider: source, head: number });
  }

  outvoted(source: string, block: Pick<Block, "number" | "hash">, isLost: boolean): void {
    const { number, hash } = block;
    const told = `head ${number} ${hash} that others contradict`;
    this.#ports.accuse(source, isLost ? `${told}; it is believed alone no more` : told);
  }

  contested(sources: readonly string[]): void {
    this.#ports.askHeads(sources);
  }

  wantsLogsOf(bloom: string | undefined): boolean {
    return this.streams.wantsLogsOf(bloom) || this.resumption.returning.wantsLogsOf(bloom);
  }

  /** What operators see. */
  stats(): Readonly<Record<string, unknown>> {
    const { follower, streams } = this;
    return {
      state: follower.state,
      tip: follower.tip?.number,
      blocks: follower.blockCount,
      logsKept: follower.logs.stored,
      logsHeld: follower.logs.unsent,
      needs: follower.needs.size,
      headSources: this.#headSources.size,
      logSources: follower.logs.sources.live().length,
      newHeads: streams.count("newHeads"),
      logs: streams.count("logs"),
      pending: streams.count("newPendingTransactions"),
      ...streams.size,
      returning: this.resumption.returning.size,
      ended: this.#ports.ended.size,
      delivered: streams.delivered,
      dropped: streams.dropped,
    };
  }

  #crowded(sink: StreamSink): SubscribeReply | undefined {
    const { maxSubscriptions } = this.#limits;
    if (this.streams.countOf(sink.id) < maxSubscriptions) return undefined;
    const message = `a connection holds at most ${maxSubscriptions} subscriptions`;
    return { ok: false, code: CLIENT_LIMIT, message, data: { reason: "too_many_subscriptions" } };
  }

  /** `resumed`: a subscription that goes on was sent so many events. */
  #opened(subscription: Subscription, resumed: number | undefined): void {
    const { chain, emit, keep } = this.#ports;
    keep(subscription);
    emit("subs.open", {
      chain,
      kind: subscription.kind,
      subscription: subscription.id,
      client: subscription.sink.id,
      clients: this.streams.size.clients,
      ...(resumed === undefined ? {} : { resumed }),
    });
  }

  #closed(subscription: Subscription, reason: string): void {
    const { chain, emit, forget, ended } = this.#ports;
    forget(subscription);
    if (reason !== UNSUBSCRIBED) ended.add(subscription);
    emit("subs.close", {
      chain,
      kind: subscription.kind,
      subscription: subscription.id,
      client: subscription.sink.id,
      clients: this.streams.size.clients,
      reason,
    });
  }

  #close(sink: Subscription["sink"], reason: string): void {
    for (const gone of this.streams.drop(sink.id)) this.#closed(gone, reason);
    this.#lag.forget(sink.id);
    sink.close(TRY_AGAIN_LATER, reason.slice(0, MAX_REASON_BYTES));
  }

  #failedOver(provider: ProviderId, kind: RaceEvent): void {
    const { chain, emit } = this.#ports;
    const stream = kind === "logs" ? this.streams.count("logs") : this.streams.count("newHeads");
    if (stream > 0) emit("subs.failover", { chain, kind, from: provider, clients: stream });
  }

  /** Clients whose buffers are full are closed after the delivery, so that none is skipped. */
  #closeSlow(nowMs: number): void {
    if (this.#slow.length === 0) return;
    const slow = this.#slow;
    this.#slow = [];
    for (const { sink, kind, id } of slow) {
      if (this.streams.countOf(sink.id) === 0) continue;
      this.#ports.emit("subs.slow_consumer", {
        chain: this.#ports.chain,
        client: sink.id,
        bufferedBytes: sink.bufferedBytes,
        subscription: id,
        kind,
      });
      const isResumable = kind === "newHeads" || kind === "logs";
      this.#close(sink, slowReason(id, isResumable ? this.resumption.cursor : undefined));
    }
    this.rewant(nowMs);
  }

  #findLate(nowMs: number): void {
    for (const subscription of this.streams.clients()) {
      const { sink } = subscription;
      if (!sink.isOpen) this.drop(sink.id, "client gone", nowMs);
      else if (this.#lag.isBehind(sink, nowMs)) this.#slow.push(subscription);
    }
  }
}

/** The filter of a subscription, which only logs have. */
const readFilter = (
  kind: StreamKind,
  filter: unknown,
):
  | { readonly ok: true; readonly filter: LogFilter | undefined }
  | { readonly ok: false; readonly message: string } => {
  if (kind === "newPendingTransactions" && filter === true) {
    const message = "newPendingTransactions: only hashes are served, not full transactions";
    return { ok: false, message };
  }
  if (kind !== "logs") return { ok: true, filter: undefined };
  const parsed = parseFilter(filter);
  return parsed.ok ? parsed : { ok: false, message: `invalid argument 1: ${parsed.message}` };
};

const invalid = (message: string): SubscribeReply => ({
  ok: false,
  code: INVALID_PARAMS,
  message,
  data: { reason: "invalid_params" },
});

const lowerCase = (log: { readonly address: string; readonly topics: readonly string[] }) => ({
  address: log.address.toLowerCase(),
  topics: log.topics.map((topic) => topic.toLowerCase()),
});
