/**
 * The founding system's queue as an object: the rule of the queue process with promises around it. The
 * clock is the caller's.
 */
import type { QueueStats } from "../protocol.ts";
import { type Giver, QUEUE_TEXT, type Taker, WorkQueue } from "../work-queue.ts";

/** Runs something later; answers how to take it back. */
export type After = (delayMs: number, run: () => void) => () => void;

/** What any queue of policies does, in whatever way it is kept. */
export interface PolicyQueueLike<T> {
  readonly enqueue: (item: T) => Promise<void>;
  readonly enqueueWithTimeout: (item: T, timeoutMs: number) => Promise<void>;
  readonly dequeue: () => Promise<T>;
  readonly dequeueWithTimeout: (timeoutMs: number) => Promise<T>;
  readonly dequeueWithContext: (signal: AbortSignal) => Promise<T>;
  readonly close: () => void;
  readonly size: () => number;
  readonly capacity: () => number;
  readonly isClosed: () => boolean;
  readonly stats: () => QueueStats;
}

const CAPACITY = 1_000;

/** The queue. What fails is an error whose message is the contract's. */
export class PolicyQueue<T> implements PolicyQueueLike<T> {
  readonly #queue: WorkQueue<T>;
  readonly #after: After;

  constructor(after: After, capacity = CAPACITY) {
    this.#queue = new WorkQueue(capacity);
    this.#after = after;
  }

  /** Never waits. */
  async enqueue(item: T): Promise<void> {
    const error = this.#queue.offer(item);
    if (error !== undefined) throw new Error(error);
  }

  /** Waits for room. */
  enqueueWithTimeout(item: T, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const giver: Giver<T> = {
        item,
        settle: (error) => {
          cancel();
          if (error === undefined) resolve();
          else reject(new Error(error));
        },
      };
      const cancel = this.#after(timeoutMs, () => {
        if (this.#queue.withdraw(giver)) reject(new Error(QUEUE_TEXT.enqueueTimeout));
      });
      this.#queue.offerOrWait(giver);
    });
  }

  /** Waits for an item. */
  dequeue(): Promise<T> {
    return this.#take(() => () => {});
  }

  dequeueWithTimeout(timeoutMs: number): Promise<T> {
    return this.#take((giveUp) =>
      this.#after(timeoutMs, () => giveUp(new Error(QUEUE_TEXT.dequeueTimeout))),
    );
  }

  /** Waits until the signal is aborted, and then fails with its reason. */
  dequeueWithContext(signal: AbortSignal): Promise<T> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    return this.#take((giveUp) => {
      const abort = (): void => giveUp(signal.reason as Error);
      signal.addEventListener("abort", abort, { once: true });
      return () => signal.removeEventListener("abort", abort);
    });
  }

  /** Takes in nothing more; who waits in vain is told at once. */
  close(): void {
    this.#queue.close();
  }

  size(): number {
    return this.#queue.size;
  }

  capacity(): number {
    return this.#queue.capacity;
  }

  isClosed(): boolean {
    return this.#queue.isClosed;
  }

  stats(): QueueStats {
    return this.#queue.stats();
  }

  /** `limit` begins a wait's bound and answers how to end it. */
  #take(limit: (giveUp: (error: Error) => void) => () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      let end: () => void = () => {};
      const taker: Taker<T> = {
        take: (item) => {
          end();
          resolve(item);
        },
        refuse: (error) => {
          end();
          reject(new Error(error));
        },
      };
      end = limit((error) => {
        if (this.#queue.withdraw(taker)) reject(error);
      });
      this.#queue.pull(taker);
    });
  }
}
