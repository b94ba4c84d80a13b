/**
 * Commands of other regions that this one carries out, and the streams that they have opened.
 *
 * A stream sends a bounded number of batches that the watcher's region has not yet told to have heard;
 * what finds no room meanwhile is dropped and counted. It ends by itself when that region is gone, or
 * has said for a lease not that the stream is still watched: no stream outlives its watcher.
 */
import type { Speaker } from "../protocol.ts";
import type { Standing } from "./asking.ts";
import { type Fields, type Order, type Outcome, partsOf, type Reply } from "./wire.ts";

/** Where the events of a stream go. */
export interface StreamDoor {
  push(event: Fields): void;
  end(reason: string, facts?: Fields): void;
}

/** What a command may do to the way that it came by. */
export interface OrderDoor {
  /**
   * Opens the one stream of the command and returns its id; `begin` starts what feeds it and returns
   * how to stop that. Undefined when there are as many streams as there may be.
   */
  open(begin: (stream: StreamDoor) => () => void): string | undefined;
}

/** A command of another region, and the rights that it came with. */
export interface RemoteOrder {
  readonly from: string;
  readonly cmd: string;
  readonly args: Fields;
  readonly role: string;
}

/** Carries a command out; calls `settle` once, and never throws. */
export type CarryOut = (
  order: RemoteOrder,
  door: OrderDoor,
  settle: (
    outcome: { readonly ok: unknown } | Extract<Outcome, { readonly error: unknown }>,
  ) => void,
) => void;

interface Served {
  readonly from: Speaker;
  readonly id: number;
  isRunning: boolean;
  stream: Stream | undefined;
}

interface Stream {
  detach: () => void;
  keptAtMs: number;
  /** Batches that went out, and that were heard of. */
  sent: number;
  heard: number;
  /** Events that went out or were dropped; what waits is not among them. */
  before: number;
  waiting: Fields[];
  chars: number;
  /** Dropped since the first that waits. */
  dropped: number;
  ended: { readonly reason: string; readonly facts: Fields } | undefined;
}

/** Commands of others that run at a time. */
export const MAX_SERVED = 16;
/** Streams to others at a time. */
export const MAX_STREAMS = 8;
/** Batches of a stream that its watcher has not yet told to have heard. */
export const WINDOW = 8;
/** Characters of events that wait for their batch, of which one goes out a tick. */
export const MAX_WAITING_CHARS = 32 * 1024;
const SUB = "s1";

/** What others ask of this region. */
export class Serving {
  readonly #carryOut: CarryOut;
  readonly #send: (to: Speaker, reply: Reply) => void;
  readonly #leaseMs: number;
  readonly #served = new Map<string, Served>();

  constructor(leaseMs: number, carryOut: CarryOut, send: (to: Speaker, reply: Reply) => void) {
    this.#leaseMs = leaseMs;
    this.#carryOut = carryOut;
    this.#send = send;
  }

  /** Commands that run, and streams that are open. */
  get counts(): { readonly running: number; readonly streams: number } {
    const all = [...this.#served.values()];
    return {
      running: all.filter(({ isRunning }) => isRunning).length,
      streams: all.filter(({ stream }) => stream !== undefined).length,
    };
  }

  /** Takes an order of another instance. */
  take(from: Speaker, order: Order, nowMs: number): void {
    if (order.form === "run") this.#run(from, order, nowMs);
    else this.#stream(from, order, nowMs);
  }

  /** Sends what waits, and ends the streams that nobody watches. */
  tick(nowMs: number, standingOf: (to: Speaker) => Standing): void {
    for (const [key, served] of this.#served) {
      const { from, stream } = served;
      if (stream === undefined) continue;
      const isWatched = standingOf(from) === "there" && nowMs - stream.keptAtMs <= this.#leaseMs;
      if (!isWatched) this.#forget(key, stream);
      else if (!served.isRunning) this.#flush(key, served, stream);
    }
  }

  #run(from: Speaker, order: Order & { readonly form: "run" }, nowMs: number): void {
    const { id, cmd, args, role } = order;
    const key = keyOf(from, id);
    if (this.#served.has(key)) return;
    if (this.counts.running >= MAX_SERVED) {
      const message = `${MAX_SERVED} commands of other regions run already`;
      this.#answer(from, id, { error: { code: "OPS_BUSY", message } });
      return;
    }
    const served: Served = { from, id, isRunning: true, stream: undefined };
    this.#served.set(key, served);
    const door: OrderDoor = { open: (begin) => this.#open(served, begin, nowMs) };
    this.#carryOut({ from: from.region, cmd, args, role }, door, (outcome) => {
      if (!served.isRunning) return;
      served.isRunning = false;
      const { stream } = served;
      const isStream = stream !== undefined && !("error" in outcome);
      if (!isStream) this.#forget(key, stream);
      this.#answer(from, id, "error" in outcome ? outcome : { ok: outcome.ok, isStream });
    });
  }

  #open(
    served: Served,
    begin: (stream: StreamDoor) => () => void,
    nowMs: number,
  ): string | undefined {
    if (served.stream !== undefined || this.counts.streams >= MAX_STREAMS) return undefined;
    const stream: Stream = {
      detach: () => undefined,
      keptAtMs: nowMs,
      sent: 0,
      heard: 0,
      before: 0,
      waiting: [],
      chars: 0,
      dropped: 0,
      ended: undefined,
    };
    served.stream = stream;
    try {
      stream.detach = begin({
        push: (event) => wait(stream, event),
        end: (reason, facts = {}) => {
          stream.ended ??= { reason, facts };
        },
      });
    } catch (error) {
      served.stream = undefined;
      throw error;
    }
    return SUB;
  }

  #stream(from: Speaker, order: Exclude<Order, { readonly form: "run" }>, nowMs: number): void {
    const { id } = order;
    const key = keyOf(from, id);
    const stream = this.#served.get(key)?.stream;
    if (order.form === "stop") this.#forget(key, stream);
    else if (stream === undefined) {
      // The watcher takes it for open: its end was lost on the way.
      this.#send(from, { form: "end", id, before: 0, reason: "no such stream", facts: {} });
    } else {
      stream.keptAtMs = nowMs;
      stream.heard = Math.max(stream.heard, Math.min(order.through, stream.sent));
    }
  }

  #flush(key: string, { from, id }: Served, stream: Stream): void {
    if (stream.waiting.length > 0 && stream.sent - stream.heard < WINDOW) {
      const { before, waiting: events } = stream;
      this.#send(from, { form: "events", id, batch: ++stream.sent, before, events });
      stream.before += events.length + stream.dropped;
      stream.waiting = [];
      stream.chars = 0;
      stream.dropped = 0;
    }
    if (stream.ended === undefined || stream.waiting.length > 0) return;
    const { before, dropped, ended } = stream;
    this.#send(from, { form: "end", id, before: before + dropped, ...ended });
    this.#forget(key, stream);
  }

  #answer(to: Speaker, id: number, outcome: Outcome): void {
    const parts = partsOf(id, outcome);
    if (parts !== undefined) {
      for (const part of parts) this.#send(to, part);
      return;
    }
    this.#forget(keyOf(to, id), this.#served.get(keyOf(to, id))?.stream);
    this.#answer(to, id, { error: TOO_LONG });
  }

  #forget(key: string, stream: Stream | undefined): void {
    this.#served.delete(key);
    stream?.detach();
  }
}

const TOO_LONG = {
  code: "OPS_LIMIT",
  message: "the answer is too long to travel between regions: more than 4 Mi characters",
  hint: "ask for less: --limit, --depth, --root, or one chain",
};

const keyOf = ({ region, instance, incarnation }: Speaker, id: number): string =>
  `${region}\0${instance}\0${incarnation}\0${id}`;

const wait = (stream: Stream, event: Fields): void => {
  if (stream.ended !== undefined) return;
  const chars = JSON.stringify(event).length;
  // The order of events and drops within one batch is not told, only their number.
  if (stream.chars + chars > MAX_WAITING_CHARS) {
    stream.dropped++;
    return;
  }
  stream.chars += chars;
  stream.waiting.push(event);
};
