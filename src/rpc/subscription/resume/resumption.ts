/**
 * How a client goes on where it was: with the cursor of its last event, under a new id or the old one.
 * Memory, then the providers, tell what it missed; it is sent that and, from the same moment on, all
 * that is new.
 */
import type { Block, BlockLog } from "../chain/block.ts";
import type { ChainFollower } from "../chain/follower.ts";
import { cursorText, parseCursor, type Missed } from "../chain/history.ts";
import { matchesLog, type LogFilter } from "../delivery/filter.ts";
import { eventFrame, eventPrefix } from "../delivery/frames.ts";
import { INVALID_PARAMS, refused } from "../delivery/refusal.ts";
import type { StreamKind, Streams, StreamSink, Subscription } from "../delivery/streams.ts";
import type { SubscribeReply } from "../../proxy/ports.ts";
import { addressAndTopics, withRemoved } from "../parse.ts";
import type { ResumeRequest } from "../hub-port.ts";
import { Ended, type EndedSubscription } from "./ended.ts";
import { Returning, type Comer } from "./returning.ts";

/** What the resumption of one chain is joined to. */
export interface ResumptionPorts {
  readonly ended: Ended;
  /** Why a client may not have one more subscription. */
  readonly crowded: (sink: StreamSink) => SubscribeReply | undefined;
  /** A subscription goes on; it was sent so many events. */
  readonly opened: (subscription: Subscription, events: number) => void;
  /** Bytes of missed events that a client may be sent at once. */
  readonly maxBytes: number;
}

/** A subscribe with a cursor, its filter already read. */
export interface ResumingSubscribe {
  readonly sink: StreamSink;
  readonly kind: StreamKind;
  readonly filter: LogFilter | undefined;
  readonly cursor: unknown;
}

/** Before every place in the sequence of events: what it saw before may be taken back as well. */
const SINCE_EVER = -1;
const NOT_FOUND = -32000;
const UNAVAILABLE = -32002;

/** The way back for clients of one chain. */
export class Resumption {
  readonly returning: Returning;
  readonly #streams: Streams;
  readonly #ports: ResumptionPorts;
  /** Address and topics of logs that many clients may be sent. */
  readonly #fields = new WeakMap<BlockLog, ReturnType<typeof addressAndTopics>>();
  #last:
    | { readonly block: Block; readonly log: BlockLog | undefined; readonly isRemoved: boolean }
    | undefined;

  constructor(follower: ChainFollower, streams: Streams, ports: ResumptionPorts) {
    this.#streams = streams;
    this.#ports = ports;
    this.returning = new Returning(follower, (comer, missed) => this.#join(comer, missed));
  }

  /** Every client has been sent this event. */
  passed(block: Block, log?: BlockLog, isRemoved = false): void {
    this.#last = { block, log, isRemoved };
  }

  /** The cursor of whoever has been sent everything; undefined before the first event. */
  get cursor(): string | undefined {
    if (this.#last === undefined) return undefined;
    const { block, log, isRemoved } = this.#last;
    return cursorText({ blockHash: block.hash, logIndex: log?.index, isRemoved });
  }

  /** `eth_subscribe` with a cursor. */
  subscribe(
    { sink, kind, filter, cursor }: ResumingSubscribe,
    nowMs: number,
    answer: Comer["answer"],
  ): void {
    this.#enter({ sink, kind, filter, former: undefined }, cursor, nowMs, answer);
  }

  /** `paceline_resume`: a subscription that ended, or whose end was not noticed yet, goes on. */
  resume({ sink, id, cursor }: ResumeRequest, nowMs: number, answer: Comer["answer"]): void {
    if (this.#streams.has(sink.id, id)) {
      answer(refused(INVALID_PARAMS, "subscription_params", `${id} is open on this connection`));
      return;
    }
    const former: EndedSubscription | undefined =
      this.#ports.ended.get(id) ?? this.#streams.find(id);
    if (former === undefined) {
      // go-ethereum's words.
      answer(refused(NOT_FOUND, "subscription_not_found", "subscription not found"));
      return;
    }
    this.#enter({ sink, kind: former.kind, filter: former.filter, former }, cursor, nowMs, answer);
  }

  #enter(
    one: Pick<ResumingSubscribe, "sink" | "kind" | "filter"> & Pick<Comer, "former">,
    text: unknown,
    nowMs: number,
    answer: Comer["answer"],
  ): void {
    const { kind } = one;
    const cursor = parseCursor(text);
    const crowded = this.#ports.crowded(one.sink);
    if (kind !== "newHeads" && kind !== "logs") {
      answer(refused(INVALID_PARAMS, "subscription_params", `${kind} cannot be resumed`));
    } else if (cursor === undefined) {
      const message = "not a cursor: blockHash, blockHash:logIndex or blockHash:logIndex:removed";
      answer(refused(INVALID_PARAMS, "subscription_params", message));
    } else if (crowded !== undefined) answer(crowded);
    else this.returning.enter({ ...one, kind, cursor, answer }, nowMs);
  }

  #join(comer: Comer, missed: Missed): SubscribeReply {
    const { sink, kind, filter, former } = comer;
    const crowded = this.#ports.crowded(sink);
    if (crowded !== undefined) return crowded;
    const events = kind === "newHeads" ? headsOf(missed) : this.#logsOf(missed, filter);
    let bytes = 0;
    for (const { length } of events) bytes += length;
    if (bytes > this.#ports.maxBytes) {
      const message = `the cursor is too old: ${events.length} events since, ${bytes} bytes of at most ${this.#ports.maxBytes}; subscribe anew and read what is missing`;
      return refused(UNAVAILABLE, "cursor_too_old", message);
    }
    const subscription = this.#streams.add(sink, kind, filter, SINCE_EVER, former);
    const prefix = eventPrefix(subscription.id);
    for (const event of events) sink.sendFrame(eventFrame(prefix, event));
    this.#streams.delivered[kind] += events.length;
    this.#ports.opened(subscription, events.length);
    return { ok: true, id: subscription.id, kind };
  }

  #logsOf({ retracted, logs }: Missed, filter: LogFilter | undefined): readonly Uint8Array[] {
    const events: Uint8Array[] = [];
    for (const { log } of retracted) {
      if (this.#isWanted(log, filter)) events.push(withRemoved(log.bytes, true));
    }
    for (const { log } of logs) if (this.#isWanted(log, filter)) events.push(log.bytes);
    return events;
  }

  #isWanted(log: BlockLog, filter: LogFilter | undefined): boolean {
    if (filter === undefined) return true;
    let fields = this.#fields.get(log);
    if (fields === undefined) {
      fields = addressAndTopics(log.bytes);
      this.#fields.set(log, fields);
    }
    return matchesLog(filter, fields.address, fields.topics);
  }
}

const headsOf = ({ blocks }: Missed): readonly Uint8Array[] =>
  blocks.flatMap(({ head }) => (head === undefined ? [] : [head.bytes]));
