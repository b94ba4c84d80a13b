/**
 * The rule of the policy queue: first in, first out, bounded, nobody waits unless asked to. Whoever
 * takes from an empty queue is parked, and so is whoever waits for room in a full one; both in order.
 * Without clock: who waits for how long is the business of those around it.
 */
import { Deque } from "../lib/deque.ts";
import type { QueueStats } from "./protocol.ts";

/** Why an item was not taken in, or none was given. The texts are part of the contract. */
export const QUEUE_TEXT = {
  full: "queue is full",
  closed: "queue is closed",
  enqueueTimeout: "timeout while enqueueing policy",
  dequeueTimeout: "timeout while dequeuing policy",
} as const;

/** Who takes: parked while there is nothing. */
export interface Taker<T> {
  readonly take: (item: T) => void;
  /** The queue is closed and empty. */
  readonly refuse: (error: string) => void;
}

/** Who gives: parked while there is no room. */
export interface Giver<T> {
  readonly item: T;
  /** Taken in, or with an error not. */
  readonly settle: (error: string | undefined) => void;
}

/** The queue. */
export class WorkQueue<T> {
  readonly capacity: number;
  readonly #items = new Deque<T>();
  readonly #takers = new Set<Taker<T>>();
  readonly #givers = new Set<Giver<T>>();
  #enqueued = 0;
  #dequeued = 0;
  #refused = 0;
  #isClosed = false;

  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`a queue holds a whole number from 1 on, not ${capacity}`);
    }
    this.capacity = capacity;
  }

  /** Items that wait. */
  get size(): number {
    return this.#items.size;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Takers that are parked. */
  get idle(): number {
    return this.#takers.size;
  }

  /** Takes an item in without waiting, or says why not. */
  offer(item: T): string | undefined {
    if (this.#isClosed) return QUEUE_TEXT.closed;
    // Those who wait for room came first.
    if (this.#items.size >= this.capacity || this.#givers.size > 0) {
      this.#refused++;
      return QUEUE_TEXT.full;
    }
    this.#accept(item);
    return undefined;
  }

  /** Takes an item in, at once or when there is room; no more may wait than fit. */
  offerOrWait(giver: Giver<T>): void {
    const isFull = this.#items.size >= this.capacity || this.#givers.size > 0;
    if (this.#isClosed || !isFull || this.#givers.size >= this.capacity) {
      giver.settle(this.offer(giver.item));
    } else this.#givers.add(giver);
  }

  /** The first item without waiting. */
  poll(): T | undefined {
    const item = this.#items.shift();
    if (item === undefined) return undefined;
    this.#dequeued++;
    this.#admit();
    return item;
  }

  /** Gives the first item to `taker`, at once or when there is one. */
  pull(taker: Taker<T>): void {
    const item = this.poll();
    if (item !== undefined) taker.take(item);
    else if (this.#isClosed) taker.refuse(QUEUE_TEXT.closed);
    else this.#takers.add(taker);
  }

  /** Puts an item that was taken in front of all others; it is never refused. */
  putBack(item: T): void {
    this.#dequeued--;
    const [taker] = this.#takers;
    if (taker === undefined) this.#items.unshift(item);
    else this.#hand(taker, item);
  }

  /** Ends a wait; false when it was over. */
  withdraw(waiting: Taker<T> | Giver<T>): boolean {
    return this.#takers.delete(waiting as Taker<T>) || this.#givers.delete(waiting as Giver<T>);
  }

  /** Takes nothing in any more. What waits can still be taken; who waits in vain is told. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { settle } of this.#givers) settle(QUEUE_TEXT.closed);
    this.#givers.clear();
    const waiting = [...this.#takers];
    this.#takers.clear();
    for (const { refuse } of waiting) refuse(QUEUE_TEXT.closed);
  }

  /** Takes in again. */
  open(): void {
    this.#isClosed = false;
  }

  /** All that waits, for whoever gives up on it. */
  takeAll(): T[] {
    this.#dequeued += this.#items.size;
    return this.#items.takeAll();
  }

  stats(): QueueStats {
    return {
      size: this.#items.size,
      capacity: this.capacity,
      enqueued: this.#enqueued,
      dequeued: this.#dequeued,
      pending: this.#enqueued - this.#dequeued,
      closed: this.#isClosed,
      refused: this.#refused,
    };
  }

  #accept(item: T): void {
    this.#enqueued++;
    const [taker] = this.#takers;
    if (taker === undefined) this.#items.push(item);
    else this.#hand(taker, item);
  }

  #hand(taker: Taker<T>, item: T): void {
    this.#takers.delete(taker);
    this.#dequeued++;
    taker.take(item);
  }

  /** Room has come: the first who waits for it comes in. */
  #admit(): void {
    if (this.#givers.size === 0 || this.#items.size >= this.capacity) return;
    const [giver] = this.#givers;
    if (giver === undefined) return;
    this.#givers.delete(giver);
    this.#accept(giver.item);
    giver.settle(undefined);
  }
}
