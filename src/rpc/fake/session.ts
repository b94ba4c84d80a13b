/** One WebSocket session of a fake provider: its subscriptions and the events that are due. */
import type { RpcAnswer } from "./answers.ts";
import type { LogObject } from "./blocks.ts";
import type { FakeChain } from "./chain.ts";
import { type LogFilter, matchesFilter, parseFilter } from "./log-filter.ts";
import { noiseHex } from "./noise.ts";
import type { FakeCall, FakeReply } from "./provider.ts";
import type { BlockRef } from "./timeline.ts";

/** What a session needs of its provider. */
export interface FakeSessionOptions {
  readonly chain: FakeChain;
  readonly seed: number;
  /** The provider's head when the session opened. */
  readonly head: number;
  readonly nowMs: number;
  /** The provider's head at a time. */
  readonly headAt: (timeMs: number) => number;
  /** Whether the provider says nothing at a time. */
  readonly isSilent: (timeMs: number) => boolean;
  /** Answers a text; `subscribe` is asked first and returns undefined for other methods. */
  readonly reply: (
    text: string,
    nowMs: number,
    subscribe: (call: FakeCall) => RpcAnswer | undefined,
  ) => FakeReply;
}

/** Subscriptions of one connection, driven by time. */
export class FakeSession {
  readonly openedMs: number;
  readonly #options: FakeSessionOptions;
  readonly #subscriptions = new Map<string, Subscription>();
  #head: number;
  #pendingMs: number;
  #issued = 0;

  constructor(options: FakeSessionOptions) {
    this.#options = options;
    this.openedMs = options.nowMs;
    this.#head = options.head;
    this.#pendingMs = options.nowMs;
  }

  /** Answers one text frame. */
  request(text: string, nowMs: number): FakeReply {
    return this.#options.reply(text, nowMs, (call) => this.#subscribe(call));
  }

  /** The notifications that became due since the last call, in order; a thaw brings them all. */
  collect(nowMs: number): string[] {
    if (this.#options.isSilent(nowMs)) return [];
    const frames: string[] = [];
    this.#collectPending(nowMs, frames);
    const head = this.#options.headAt(nowMs);
    // A session that slept longer than the window starts anew, as a resumed laptop would see it.
    if (head - this.#head > CATCH_UP_BLOCKS) this.#head = head - 1;
    while (this.#head < head) this.#collectStep(++this.#head, frames);
    return frames;
  }

  /** When the next pending transaction is due, ms; never without such a subscription. */
  nextPendingMs(nowMs: number): number {
    if (!this.#wants("newPendingTransactions")) return Number.POSITIVE_INFINITY;
    const { timeline } = this.#options.chain;
    const stepMs = timeline.blockTimeMs / PENDING_STEPS;
    return nowMs + stepMs;
  }

  #subscribe(call: FakeCall): RpcAnswer | undefined {
    if (call.method === "eth_unsubscribe") {
      return { result: this.#subscriptions.delete(String(call.params[0])) };
    }
    if (call.method !== "eth_subscribe") return undefined;
    const kind = call.params[0];
    const filter = parseFilter(kind === "logs" ? call.params[1] : undefined);
    if (!isKind(kind) || filter === undefined) {
      return {
        error: { code: -32602, message: `no "${String(kind)}" subscription in eth namespace` },
      };
    }
    if (this.#subscriptions.size >= SUBSCRIPTION_LIMIT) {
      return { error: { code: -32005, message: "too many subscriptions" } };
    }
    const id = noiseHex(this.#options.seed, 16, ++this.#issued);
    this.#subscriptions.set(id, { id, kind, filter });
    return { result: id };
  }

  #collectStep(number: number, frames: string[]): void {
    const { chain } = this.#options;
    const step = chain.timeline.step(number);
    for (const ref of step.removed) this.#pushLogs(ref, true, frames);
    for (const ref of step.added) {
      const { header } = chain.block(ref);
      for (const subscription of this.#subscriptions.values()) {
        if (subscription.kind === "newHeads") frames.push(notification(subscription.id, header));
      }
      this.#pushLogs(ref, false, frames);
    }
  }

  #pushLogs(ref: BlockRef, isRemoved: boolean, frames: string[]): void {
    if (!this.#wants("logs")) return;
    const { logs } = this.#options.chain.block(ref);
    const ordered = isRemoved ? logs.map(retracted).reverse() : logs;
    for (const log of ordered) {
      for (const subscription of this.#subscriptions.values()) {
        if (subscription.kind !== "logs" || !matchesFilter(log, subscription.filter)) continue;
        frames.push(notification(subscription.id, log));
      }
    }
  }

  /** Transactions of the next block are announced evenly over the time before it. */
  #collectPending(nowMs: number, frames: string[]): void {
    const fromMs = this.#pendingMs;
    this.#pendingMs = nowMs;
    if (!this.#wants("newPendingTransactions")) return;
    const { chain } = this.#options;
    const { timeline } = chain;
    const last = timeline.headAt(nowMs);
    const first = Math.max(timeline.headAt(fromMs), last - 2);
    for (let head = first; head <= last; head++) {
      const hashes = chain.pendingHashes(head);
      for (const [index, hash] of hashes.entries()) {
        const dueMs =
          timeline.bornMs(head) + ((index + 1) / (hashes.length + 1)) * timeline.blockTimeMs;
        if (dueMs <= fromMs || dueMs > nowMs) continue;
        for (const subscription of this.#subscriptions.values()) {
          if (subscription.kind !== "newPendingTransactions") continue;
          frames.push(notification(subscription.id, hash));
        }
      }
    }
  }

  #wants(kind: Subscription["kind"]): boolean {
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.kind === kind) return true;
    }
    return false;
  }
}

interface Subscription {
  readonly id: string;
  readonly kind: "newHeads" | "logs" | "newPendingTransactions";
  readonly filter: LogFilter;
}

function isKind(kind: unknown): kind is Subscription["kind"] {
  return kind === "newHeads" || kind === "logs" || kind === "newPendingTransactions";
}

function retracted(log: LogObject): LogObject {
  return { ...log, removed: true };
}

function notification(subscription: string, result: unknown): string {
  return JSON.stringify({
    jsonrpc: "2.0",
    method: "eth_subscription",
    params: { subscription, result },
  });
}

/** Blocks that a late collect makes up for. */
const CATCH_UP_BLOCKS = 64;
/** Times per block at which pending transactions are looked at. */
const PENDING_STEPS = 5;
const SUBSCRIPTION_LIMIT = 128;
