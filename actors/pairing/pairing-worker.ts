/**
 * One worker: pulls a policy when it is idle, pairs it, hands the result on. It isolates and orders
 * the work; all workers of a host share its thread.
 *
 * Permanent; a restart loses its counts, and what it held goes to another.
 */
import { defineActor, keyFor, reply, stop, type Ctx, type Ref } from "../../src/otp/index.ts";
import { ErrorWindow, type ErrorThreshold } from "../../src/pairing/error-window.ts";
import type { MarketBook } from "../../src/pairing/market-book.ts";
import type { PairingResult, PairRequest, WorkerStats } from "../../src/pairing/protocol.ts";
import { failedResult } from "../../src/pairing/result.ts";
import type { WorkItem, WorkMessage } from "../../src/pairing/work.ts";
import { policyQueueKey, type policyQueue } from "./policy-queue.ts";
import { resultBufferKey, type resultBuffer } from "./result-buffer.ts";

/** What a worker is started with. */
export interface PairingWorkerArgs {
  readonly id: number;
  readonly book: MarketBook;
  /** Hears of every result, for the audit trail. */
  readonly onResult?:
    | ((market: string, request: PairRequest, result: PairingResult) => void)
    | undefined;
  readonly errors: ErrorThreshold & {
    /** Whether a worker with too many errors is restarted, besides being told of. */
    readonly restart: boolean;
  };
}

interface State extends PairingWorkerArgs {
  readonly window: ErrorWindow;
  readonly queue: Ref<typeof policyQueue>;
  readonly results: Ref<typeof resultBuffer>;
  processed: number;
  failed: number;
}

/** The worker. */
export const pairingWorker = defineActor({
  name: "pairing/pairing-worker",
  init: (args: PairingWorkerArgs, ctx): State => {
    const queue = ctx.via(policyQueueKey());
    queue.cast.pull(ctx.self);
    return {
      ...args,
      window: new ErrorWindow(args.errors),
      queue,
      results: ctx.via(resultBufferKey()),
      processed: 0,
      failed: 0,
    };
  },
  calls: {
    stats: ({ id, processed, failed, ...state }, _arg: undefined) => {
      const stats: WorkerStats = { id, processed, errors: failed, running: true };
      return reply({ id, processed, failed, ...state }, stats);
    },
    resetStats: (state, _arg: undefined) => {
      state.processed = state.failed = 0;
      return reply(state, "reset" as const);
    },
  },
  on: (state, info, ctx) => {
    if (info.type !== "info") return state;
    const message = info.payload as WorkMessage;
    // The queue has it pull again when it opens.
    if (message.type === "closed") return state;
    const { item } = message;
    const result = pair(state.book, item);
    state.onResult?.(item.market, item.request, result);
    state.results.cast.add({ worker: state.id, result });
    state.processed++;
    state.book.counts.processed++;
    const isTooMany = result.error !== null && failed(state, result, ctx);
    if (isTooMany && state.errors.restart) {
      state.queue.cast.done(ctx.self);
      return stop(state, "too_many_errors");
    }
    state.queue.cast.pull(ctx.self);
    return state;
  },
  formatState: ({ id, processed, failed }) => ({ id, processed, errors: failed }),
});

/** Finds a worker by its number. */
export const pairingWorkerKey = keyFor(pairingWorker, "n");

/** An error of the policy or the market is a result like any other. */
function pair(book: MarketBook, { market, request }: WorkItem): PairingResult {
  const found = book.find(market);
  return found.ok
    ? found.value.answer(request)
    : failedResult(market, request.policy, found.refusal.message);
}

/** Counts an error; true when it is one too many. */
function failed(state: State, { error }: PairingResult, ctx: Ctx): boolean {
  state.failed++;
  state.book.counts.errors++;
  if (!state.window.add(ctx.now())) return false;
  const { count } = state.errors;
  ctx.emit("pairing.worker.errors", { name: ctx.name, limit: count, reason: error ?? "" });
  return true;
}
