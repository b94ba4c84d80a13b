/**
 * What a subscription hub does with each message, apart from processes: joins the follower of a
 * chain with the streams of its clients.
 *
 * Time is an argument; what leaves are frames (to the sinks), rows (what must survive a crash),
 * events (telemetry) and the demand for upstream streams.
 */
import type { ProviderId } from "../ids.ts";
import { logPlace } from "../message-key.ts";
import type { SubscribeReply } from "../proxy/ports.ts";
import type { RaceEvent } from "../race/settled-race.ts";
import { resultBytes, type SubscriptionFrame } from "../subscription-frame.ts";
import type { ChainFollower } from "./chain/follower.ts";
import { Lookout } from "./chain/lookout.ts";
import type { Need } from "./chain/needs.ts";
import { ANYBODY } from "./chain/voices/opinions.ts";
import { requestedFilter } from "./delivery/refusal.ts";
import { Pace } from "./delivery/pace.ts";
import { Clients, type ClientLimits, type ClientPorts } from "./delivery/clients.ts";
import type { StreamKind, Streams, Subscription } from "./delivery/streams.ts";
import { LingeringDemand, type Demand } from "./demand.ts";
import type { ResumeRequest, SubscribeRequest } from "./hub-port.ts";
import { Narrator, type NarratorPorts } from "./narrator.ts";
import { headOfBlock, headOfBytes, logsOfBlock } from "./parse.ts";
import { Resumption } from "./resume/resumption.ts";
import { syncStateOf, type ServedHead } from "./sync-state.ts";

/** What a hub is joined to. */
export interface HubPorts extends ClientPorts, NarratorPorts {
  /** The head that requests are served by; undefined before the first one. */
  readonly servedHead?: () => ServedHead | undefined;
}

const KINDS: readonly StreamKind[] = ["newHeads", "logs", "newPendingTransactions", "syncing"];
/** Why clients are closed whose hub died in the middle of a turn. */
const INTERRUPTED = "a crash while events were sent";
/** Missed events that a client may be sent at once, whatever it may leave unread. */
const MAX_REPLAY_BYTES = 2 * 1024 * 1024;

/** The clients of one chain and what they see. */
export class Hub {
  readonly follower: ChainFollower;
  readonly lookout: Lookout;
  readonly resumption: Resumption;
  readonly #clients: Clients;
  readonly #narrator: Narrator;
  readonly #ports: HubPorts;
  readonly #headSources = new Set<ProviderId>();
  readonly #demand = new LingeringDemand();
  readonly #pace: Pace;
  /** What subscribers of `syncing` were told last. */
  #syncState: Buffer | undefined;

  constructor(follower: ChainFollower, ports: HubPorts, limits: ClientLimits) {
    this.follower = follower;
    this.#ports = ports;
    this.lookout = new Lookout(follower);
    const clients = new Clients(ports, limits, () => this.resumption.cursor);
    this.#clients = clients;
    this.#pace = new Pace(limits.maxBufferedBytes);
    this.resumption = new Resumption(follower, clients.streams, {
      ended: ports.ended,
      crowded: (sink) => clients.crowded(sink),
      opened: (subscription, events) => clients.opened(subscription, events),
      maxBytes: Math.min(MAX_REPLAY_BYTES, limits.maxBufferedBytes),
    });
    this.#narrator = new Narrator(ports, clients, this.resumption, follower);
    follower.listener = this.#narrator;
  }

  /** The subscriptions of the clients, by what they are told. */
  get streams(): Streams {
    return this.#clients.streams;
  }

  /** Takes over clients that outlived another hub; what was on its way there is asked for again. */
  restore(subscriptions: readonly Subscription[], nowMs: number): void {
    for (const subscription of subscriptions) this.#clients.restore(subscription);
    // Who has been sent what of the events that were on their way cannot be told.
    if (this.follower.isTelling) this.retire(INTERRUPTED);
    this.turnEnded();
    this.follower.needs.reask(nowMs);
    this.follower.sourcesBroke(nowMs);
    this.follower.logs.recheck(nowMs);
    // Heads that were on their way to the former hub are lost.
    if (subscriptions.length > 0) this.lookout.look();
    this.rewant(nowMs);
  }

  /** Subscribes a client to what becomes canonical from now on. */
  subscribe({ sink, kind, filter }: SubscribeRequest, nowMs: number): SubscribeReply {
    const crowded = this.#clients.crowded(sink);
    if (crowded !== undefined) return crowded;
    const requested = requestedFilter(kind, filter);
    if (!requested.ok) return requested;
    const syncState = kind === "syncing" ? this.#tellSyncing(nowMs) : undefined;
    const subscription = this.streams.add(sink, kind, requested.filter, this.follower.sequence);
    this.#clients.opened(subscription);
    this.rewant(nowMs);
    if (syncState !== undefined) this.streams.tell(subscription, syncState);
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
      const requested = requestedFilter(kind, filter);
      if (!requested.ok) answer(requested);
      else {
        const wanted = { sink, kind, filter: requested.filter, cursor };
        this.resumption.subscribe(wanted, nowMs, answer);
      }
    }
    if (!this.lookout.isOriented(nowMs)) this.lookout.lookAround();
    // Logs are kept from now on, before it is looked which are known.
    this.rewant(nowMs);
    // What it was told once is of this history.
    this.follower.branches.whereabouts.isUntold = false;
    this.resumption.returning.admit(nowMs);
  }

  /** False when the client has no such subscription. */
  unsubscribe(sinkId: number, id: string, nowMs: number): boolean {
    const wasThere = this.#clients.unsubscribe(sinkId, id);
    this.rewant(nowMs);
    return wasThere;
  }

  /** The client is gone. */
  drop(sinkId: number, reason: string, nowMs: number): void {
    this.#clients.drop(sinkId, reason);
    this.rewant(nowMs);
  }

  /** The chain is going away for good: every client is told, none waits for what never comes. */
  retire(reason: string): void {
    for (const { sink } of this.streams.of(KINDS)) this.#clients.close(sink, reason);
  }

  /** A message has been dealt with: whatever it brought about has been sent to everybody. */
  turnEnded(): void {
    this.follower.isTelling = false;
  }

  /** A provider announced a head, first or not. */
  announced(provider: ProviderId, frame: SubscriptionFrame, nowMs: number): void {
    const head = headOfBytes(resultBytes(frame));
    if (head === undefined) return;
    this.#headSources.add(provider);
    this.follower.head(provider, head, nowMs);
    if (this.follower.tip === undefined) this.lookout.lookAround();
    this.#closeSlow(nowMs);
  }

  /** A log arrived for the first time; `result` is what the frame says of it, to be kept. */
  logged(provider: ProviderId, frame: SubscriptionFrame, result: Buffer, nowMs: number): void {
    const place = logPlace(frame);
    // A provider's own retraction says nothing that its heads do not say.
    if (place === undefined || place.isRemoved) return;
    this.#narrator.current = { bytes: result, frame };
    this.follower.log(provider, place, nowMs, () => result);
    this.#closeSlow(nowMs);
  }

  /** A pending transaction arrived for the first time. */
  pending(frame: SubscriptionFrame, nowMs: number): void {
    const stream = this.streams.stream("newPendingTransactions");
    if (stream === undefined) return;
    const result = frame.bytes.subarray(frame.resultStart, frame.resultEnd);
    this.streams.deliver(stream, result, Number.POSITIVE_INFINITY);
    this.#closeSlow(nowMs);
  }

  /** A provider's stream came up or went away. */
  source(provider: ProviderId, event: RaceEvent, isLive: boolean, nowMs: number): void {
    if (event === "newHeads") {
      if (isLive) {
        this.#headSources.add(provider);
        // It tells of what comes, not of what came while it was away.
        this.lookout.lookIfWatched();
      } else {
        this.follower.branches.forget(provider);
        if (this.#headSources.delete(provider)) this.#failedOver(provider, "newHeads");
      }
    } else if (event === "logs") {
      const { logs } = this.follower;
      if (isLive) logs.sourceUp(provider, nowMs);
      else if (logs.sources.live().includes(provider)) {
        logs.sourceDown(provider, nowMs);
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
    this.follower.logs.recheck(nowMs);
  }

  /** A provider was asked for its height: if no stream brings that block, the head is looked up. */
  heightSeen(number: number, nowMs: number): void {
    this.lookout.heightSeen(number, this.#headSources.size > 0, nowMs);
  }

  /** The newest block of a provider that was asked, or of anybody. */
  polled(provider: ProviderId | undefined, block: unknown, nowMs: number): void {
    const head = headOfBlock(block);
    if (provider === undefined) this.lookout.looked(head !== undefined, nowMs);
    if (head === undefined) return;
    this.follower.head(provider ?? ANYBODY, head, nowMs, true);
    this.resumption.returning.look(nowMs);
    this.#closeSlow(nowMs);
  }

  /** The answer to a need; anything unusable is asked for again. */
  answered(need: Need, value: unknown, nowMs: number): void {
    if (need.kind === "logs" || need.kind === "agreedLogs") {
      const bloom = this.follower.ring.get(need.hash)?.head?.bloom;
      this.follower.logsAnswer(need, logsOfBlock(value, need.hash, bloom), nowMs);
    } else this.follower.blockAnswer(need, headOfBlock(value), nowMs);
    this.#closeSlow(nowMs);
  }

  /** True when no more missed logs should be asked for: clients have yet to read those before. */
  isAhead(nowMs: number): boolean {
    const isCrowded =
      this.follower.needs.isOfLogs && this.streams.areLogsUnread(this.#pace.crowdedBytes);
    return this.#pace.mustWait(isCrowded, nowMs);
  }

  /** Time passes: gaps that nobody fills, clients that do not read, streams that nobody wants. */
  tick(nowMs: number): void {
    this.follower.tick(nowMs);
    this.resumption.returning.look(nowMs);
    this.lookout.tick(nowMs);
    if (this.streams.count("syncing") > 0) this.#tellSyncing(nowMs);
    this.#clients.findLate(nowMs);
    this.#closeSlow(nowMs);
    this.rewant(nowMs);
    this.#narrator.noteState(this.follower.state, nowMs);
  }

  /** Which upstream streams are wanted; the last client leaves them on for a minute. */
  rewant(nowMs: number): Demand {
    const { returning } = this.resumption;
    const heads = this.streams.count("newHeads");
    const logs = this.streams.count("logs");
    const needed = {
      logs: logs > 0 || returning.wantsLogs,
      pending: this.streams.count("newPendingTransactions") > 0,
    };
    const demand = this.#demand.after(needed, nowMs);
    this.follower.isWatched = heads + logs + returning.size > 0;
    this.follower.setWantsLogs(demand.logs);
    return demand;
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
      disputes: follower.logs.disputed,
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

  /** Tells whether the chain goes on, if that has changed; answers what is so now. */
  #tellSyncing(nowMs: number): Buffer {
    const state = syncStateOf(this.#ports.servedHead?.(), nowMs);
    if (this.#syncState?.equals(state) === true) return state;
    this.#syncState = state;
    const stream = this.streams.stream("syncing");
    if (stream !== undefined) this.streams.deliver(stream, state, Number.POSITIVE_INFINITY);
    return state;
  }

  #failedOver(provider: ProviderId, kind: RaceEvent): void {
    const { chain, emit } = this.#ports;
    const clients = this.streams.count(kind);
    if (clients > 0) emit("subs.failover", { chain, kind, from: provider, clients });
  }

  #closeSlow(nowMs: number): void {
    if (this.#clients.closeSlow()) this.rewant(nowMs);
  }
}
