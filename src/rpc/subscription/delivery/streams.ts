/**
 * Who gets what: client subscriptions grouped into streams of equal kind and filter.
 *
 * All clients of a stream share one subscription id (it need only be unique per connection) and
 * therefore one prebuilt frame per event. A second subscription of the same connection to the same
 * stream has an id and frames of its own.
 */
import { bloomMayMatch, isEmptyBloom, type LogFilter } from "./filter.ts";
import { FilterIndex } from "./filter-index.ts";
import { eventFrame, eventPrefix } from "./frames.ts";

/** What a stream carries. */
export type StreamKind = "newHeads" | "logs" | "newPendingTransactions" | "syncing";

/** The client as far as streams know it. */
export interface StreamSink {
  readonly id: number;
  sendFrame(frame: Buffer): void;
  /** Bytes that the kernel has not taken yet. */
  readonly bufferedBytes: number;
  /** Bytes that the kernel has taken since the connection was opened. */
  readonly sentBytes: number;
  readonly isOpen: boolean;
  close(code: number, reason: string): void;
}

/** One client subscription; it outlives the process that serves it. */
export interface Subscription {
  readonly id: string;
  /** The shared id of its stream; equal to `id` unless the connection had that one already. */
  readonly streamId: string;
  readonly sink: StreamSink;
  readonly kind: StreamKind;
  readonly filter: LogFilter | undefined;
  /** Blocks that became canonical after this transition are for this subscription. */
  readonly since: number;
}

/** All subscriptions with the same kind and filter. */
export interface Stream {
  readonly key: string;
  readonly id: string;
  readonly kind: StreamKind;
  readonly filter: LogFilter | undefined;
  readonly prefix: Buffer;
  readonly subscriptions: Set<Subscription>;
}

interface Client {
  readonly subscriptions: Map<string, Subscription>;
  /** Shared ids this connection had; it never gets one of them twice. */
  readonly seen: Set<string>;
}

/** Streams one connection may have seen before every further id is its own. */
const MAX_SEEN_STREAMS = 1_024;

/** The client subscriptions of one chain. */
export class Streams {
  /** Deliveries since start, by kind. */
  readonly delivered: Record<StreamKind, number> = {
    newHeads: 0,
    logs: 0,
    newPendingTransactions: 0,
    syncing: 0,
  };
  /** Pending transactions that were not sent to a client that lags; nothing else is ever dropped. */
  dropped = 0;
  readonly #streams = new Map<string, Stream>();
  readonly #clients = new Map<number, Client>();
  /** Log streams with a filter. */
  readonly #filtered = new FilterIndex<Stream>();
  /** The streams that a log is for; kept, so that not every log makes a list. */
  readonly #matched: Stream[] = [];
  readonly #counts: Record<StreamKind, number> = {
    newHeads: 0,
    logs: 0,
    newPendingTransactions: 0,
    syncing: 0,
  };
  readonly #newId: () => string;
  readonly #maxBufferedBytes: number;
  readonly #onSlow: (subscription: Subscription) => void;

  /** `onSlow` hears of a client that does not drain its socket; it must not be delivered to again. */
  constructor(
    newId: () => string,
    maxBufferedBytes: number,
    onSlow: (subscription: Subscription) => void,
  ) {
    this.#newId = newId;
    this.#maxBufferedBytes = maxBufferedBytes;
    this.#onSlow = onSlow;
  }

  /**
   * Subscribes a client, under the ids of `former` if it goes on with that; holding events back until
   * it has its reply is the sink's affair.
   */
  add(
    sink: StreamSink,
    kind: StreamKind,
    filter: LogFilter | undefined,
    since: number,
    former?: Pick<Subscription, "id" | "streamId">,
  ): Subscription {
    const key = keyOf(kind, filter);
    const stream =
      this.#streams.get(key) ?? this.#open(key, kind, filter, former?.streamId ?? this.#newId());
    const client = this.#client(sink.id);
    const isShared = !client.seen.has(stream.id) && client.seen.size < MAX_SEEN_STREAMS;
    const id = former?.id ?? (isShared ? stream.id : this.#newId());
    const subscription = { id, streamId: stream.id, sink, kind, filter, since };
    this.#join(stream, client, subscription);
    return subscription;
  }

  /** Takes over a subscription that outlived its server. */
  restore(subscription: Subscription): void {
    const { kind, filter, streamId, sink } = subscription;
    const key = keyOf(kind, filter);
    const stream = this.#streams.get(key) ?? this.#open(key, kind, filter, streamId);
    this.#join(stream, this.#client(sink.id), subscription);
  }

  /** Ends one subscription; `undefined` when the client has none of this id. */
  remove(sinkId: number, id: string): Subscription | undefined {
    const client = this.#clients.get(sinkId);
    const subscription = client?.subscriptions.get(id);
    if (client === undefined || subscription === undefined) return undefined;
    client.subscriptions.delete(id);
    this.#leave(subscription);
    return subscription;
  }

  /** Ends all subscriptions of a client. */
  drop(sinkId: number): readonly Subscription[] {
    const gone = [...(this.#clients.get(sinkId)?.subscriptions.values() ?? [])];
    this.#clients.delete(sinkId);
    for (const subscription of gone) this.#leave(subscription);
    return gone;
  }

  /** A subscription of this id, whoever has it. */
  find(id: string): Subscription | undefined {
    for (const { subscriptions } of this.#clients.values()) {
      const found = subscriptions.get(id);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** True when the client has a subscription of this id. */
  has(sinkId: number, id: string): boolean {
    return this.#clients.get(sinkId)?.subscriptions.has(id) === true;
  }

  /** Subscriptions of one client. */
  countOf(sinkId: number): number {
    return this.#clients.get(sinkId)?.subscriptions.size ?? 0;
  }

  /** Subscriptions of a kind. */
  count(kind: StreamKind): number {
    return this.#counts[kind];
  }

  /** Every client with the first of its subscriptions. */
  *clients(): Generator<Subscription> {
    for (const { subscriptions } of this.#clients.values()) {
      for (const first of subscriptions.values()) {
        yield first;
        break;
      }
    }
  }

  /** Streams and clients that exist. */
  get size(): { readonly streams: number; readonly clients: number } {
    return { streams: this.#streams.size, clients: this.#clients.size };
  }

  /** The stream without a filter of this kind, if it has clients. */
  stream(kind: StreamKind): Stream | undefined {
    return this.#streams.get(kind);
  }

  /** All subscriptions of the kinds. */
  of(kinds: readonly StreamKind[]): readonly Subscription[] {
    return [...this.#streams.values()].flatMap((stream) =>
      kinds.includes(stream.kind) ? [...stream.subscriptions] : [],
    );
  }

  /** True when some log stream may match a block with this bloom. */
  wantsLogsOf(bloom: string | undefined): boolean {
    if (isEmptyBloom(bloom)) return false;
    for (const { kind, filter } of this.#streams.values()) {
      if (kind === "logs" && (filter === undefined || bloomMayMatch(filter, bloom))) return true;
    }
    return false;
  }

  /** True when a client of logs has more than this unread. */
  areLogsUnread(beyondBytes: number): boolean {
    for (const { kind, subscriptions } of this.#streams.values()) {
      if (kind !== "logs") continue;
      for (const { sink } of subscriptions) if (sink.bufferedBytes > beyondBytes) return true;
    }
    return false;
  }

  /** Sends an event to one client, who has just come. */
  tell({ id, kind, sink }: Subscription, result: Uint8Array): void {
    sink.sendFrame(eventFrame(eventPrefix(id), result));
    this.delivered[kind]++;
  }

  /** Sends an event to all clients of a stream that are older than the transition it belongs to. */
  deliver(stream: Stream, result: Uint8Array, sequence: number): void {
    const shared = eventFrame(stream.prefix, result);
    const max = this.#maxBufferedBytes;
    let delivered = 0;
    const isDroppable = stream.kind === "newPendingTransactions";
    for (const subscription of stream.subscriptions) {
      const { sink } = subscription;
      if (subscription.since >= sequence || !sink.isOpen) continue;
      const isOwn = subscription.id !== stream.id;
      const frame = isOwn ? eventFrame(eventPrefix(subscription.id), result) : shared;
      const buffered = sink.bufferedBytes;
      if (buffered > max) this.#onSlow(subscription);
      else if (isDroppable && buffered > max / 4) this.dropped++;
      else {
        sink.sendFrame(frame);
        delivered++;
      }
    }
    this.delivered[stream.kind] += delivered;
  }

  /** Sends a log to every stream whose filter it matches. */
  deliverLog(
    result: Uint8Array,
    sequence: number,
    fields: () => { readonly address: string; readonly topics: readonly string[] },
  ): void {
    const all = this.#streams.get(ALL_LOGS);
    if (all !== undefined) this.deliver(all, result, sequence);
    if (this.#filtered.size === 0) return;
    const { address, topics } = fields();
    const matched = this.#matched;
    this.#filtered.match(address, topics, matched);
    for (const stream of matched) this.deliver(stream, result, sequence);
    matched.length = 0;
  }

  #open(key: string, kind: StreamKind, filter: LogFilter | undefined, id: string): Stream {
    const subscriptions = new Set<Subscription>();
    const stream = { key, id, kind, filter, prefix: eventPrefix(id), subscriptions };
    this.#streams.set(key, stream);
    if (kind === "logs" && key !== ALL_LOGS) this.#filtered.add(stream);
    return stream;
  }

  #client(sinkId: number): Client {
    const known = this.#clients.get(sinkId);
    if (known !== undefined) return known;
    const client: Client = { subscriptions: new Map(), seen: new Set() };
    this.#clients.set(sinkId, client);
    return client;
  }

  #join(stream: Stream, client: Client, subscription: Subscription): void {
    stream.subscriptions.add(subscription);
    this.#counts[stream.kind]++;
    client.subscriptions.set(subscription.id, subscription);
    client.seen.add(stream.id);
  }

  #leave(subscription: Subscription): void {
    const stream = this.#streams.get(keyOf(subscription.kind, subscription.filter));
    if (stream === undefined) return;
    if (stream.subscriptions.delete(subscription)) this.#counts[stream.kind]--;
    if (stream.subscriptions.size > 0) return;
    this.#streams.delete(stream.key);
    this.#filtered.delete(stream);
  }
}

const keyOf = (kind: StreamKind, filter: LogFilter | undefined): string =>
  filter === undefined ? kind : `${kind}?${filter.key}`;

/** The stream of every log: its filter asks for nothing. */
const ALL_LOGS = "logs?*";
