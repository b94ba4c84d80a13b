/** The pairing service as the rest of the host asks it: reads at once, changes by messages. */
import { directoryKey } from "../../../actors/pairing/directory.ts";
import { intakeKey } from "../../../actors/pairing/intake.ts";
import { pairingWorkerKey } from "../../../actors/pairing/pairing-worker.ts";
import { policyQueueKey } from "../../../actors/pairing/policy-queue.ts";
import { resultBufferKey } from "../../../actors/pairing/result-buffer.ts";
import type { CallResult, Node } from "../../otp/index.ts";
import type { MarketBook } from "../../pairing/market-book.ts";
import type { PairingMarket } from "../../pairing/market.ts";
import type {
  BatchOptions,
  EnqueueReport,
  PairingPort,
  PairingStats,
  PairRequest,
  Refusal,
  RejectedItem,
  Reply,
  WaitOptions,
  WorkerStats,
} from "../../pairing/protocol.ts";
import { whatIf } from "../../pairing/what-if/what-if.ts";
import type { BatchRunner } from "./batch.ts";

/** What the port works with. */
export interface PortOptions {
  readonly node: Node;
  readonly book: MarketBook;
  /** Most providers of one load, most policies of one call. */
  readonly limits: { readonly maxLoad: number; readonly maxBatch: number };
  /** Who pairs many requests at once. */
  readonly batch: BatchRunner;
}

/** A load of a million is taken in a slice at a time. */
const LOAD_TIMEOUT_MS = 120_000;
/** What a call may take beyond the wait it asks for, ms. */
const GRACE_MS = 1_000;

/** Makes the port of a running node. */
export function createPairingPort({ node, book, limits, batch }: PortOptions): PairingPort {
  const directory = node.via(directoryKey());
  const queue = node.via(policyQueueKey());
  const buffer = node.via(resultBufferKey());
  const startedMs = node.nowMs();
  let lastToken = 0;

  const on = <T>(market: string, ask: (found: PairingMarket) => Reply<T>): Reply<T> => {
    const found = book.find(market);
    return found.ok ? ask(found.value) : found;
  };
  const ok = <T>(value: T): Reply<T> => ({ ok: true, value });

  const enqueueOne = async (
    market: string,
    request: PairRequest,
    { timeoutMs = 0, signal }: WaitOptions,
  ): Promise<string | undefined> => {
    if (signal?.aborted === true) return "aborted";
    const token = ++lastToken;
    const abandon = (): void => queue.cast.abandon(token);
    signal?.addEventListener("abort", abandon, { once: true });
    const wait = { market, request, timeoutMs, token };
    const answer = await queue.try.enqueueWait(wait, { timeoutMs: timeoutMs + GRACE_MS });
    signal?.removeEventListener("abort", abandon);
    return answer.ok ? answer.value : away(answer).message;
  };

  const enqueue = async (
    market: string,
    requests: readonly PairRequest[],
    options: WaitOptions = {},
  ): Promise<Reply<EnqueueReport>> => {
    const found = book.find(market);
    if (!found.ok) return found;
    if (requests.length > limits.maxBatch) return tooMany("policies", requests, limits.maxBatch);
    if (options.timeoutMs === undefined && options.signal === undefined) {
      return replied(await queue.try.enqueue({ market, requests }));
    }
    const errors = await Promise.all(requests.map((one) => enqueueOne(market, one, options)));
    const rejected = errors.flatMap((error, index): RejectedItem[] =>
      error === undefined ? [] : [{ index, error }],
    );
    return ok({ accepted: requests.length - rejected.length, rejected });
  };

  const workerStats = async (count: number): Promise<WorkerStats[]> => {
    const asked = Array.from({ length: count }, async (_, id): Promise<WorkerStats> => {
      const answer = await node.via(pairingWorkerKey(String(id))).try.stats();
      return answer.ok ? answer.value : { id, processed: 0, errors: 0, running: false };
    });
    return Promise.all(asked);
  };

  const stats = async (): Promise<Reply<PairingStats>> => {
    const [totals, queued, count] = await Promise.all([
      buffer.try.totals(),
      queue.try.stats(),
      node.via(intakeKey()).try.workers(),
    ]);
    if (!totals.ok) return { ok: false, refusal: away(totals) };
    if (!queued.ok) return { ok: false, refusal: away(queued) };
    const maxWorkers = count.ok ? count.value : 0;
    return ok({
      running: true,
      uptime: node.nowMs() - startedMs,
      total_processed: totals.value.processed,
      total_errors: totals.value.errors,
      max_workers: maxWorkers,
      worker_stats: await workerStats(maxWorkers),
      results_buffer_size: totals.value.size,
      results_dropped: totals.value.dropped,
      queue_stats: queued.value,
      markets: Object.fromEntries([...book.all()].map((one) => [one.name, one.stats()])),
    });
  };

  return {
    markets: () => [...book.all()].map(({ name }) => name),
    open: async (market) => {
      if (book.find(market).ok) return ok("there" as const);
      return flat(await directory.try.open(market, { timeoutMs: LOAD_TIMEOUT_MS }));
    },
    version: (market) => {
      const found = book.find(market);
      return found.ok ? found.value.store.index.version : 0;
    },
    load: async (market, providers, mode) => {
      if (providers.length > limits.maxLoad) return tooMany("providers", providers, limits.maxLoad);
      const call = { timeoutMs: LOAD_TIMEOUT_MS };
      return flat(await directory.try.load({ market, providers, mode }, call));
    },
    add: async (market, provider) => flat(await directory.try.add({ market, provider })),
    remove: async (market, address) => flat(await directory.try.remove({ market, address })),
    list: (market, options) => on(market, ({ store }) => ok(store.list(options))),
    get: (market, address) =>
      on(market, ({ store }) => {
        const provider = store.get(address);
        return provider === undefined ? unknownProvider(market, address) : ok(provider);
      }),
    locations: (market) => on(market, ({ store }) => ok(store.locations())),
    check: (market, request) => on(market, (found) => found.check(request)),
    pair: (market, request) => on(market, (found) => found.pair(request)),
    pairShared: (market, request) => {
      const found = book.find(market);
      if (!found.ok) return found;
      const { shared } = book;
      return shared === undefined ? found.value.pair(request) : shared.pair(found.value, request);
    },
    why: (market, request, address) => on(market, (found) => found.why(request, address)),
    whatIf: (market, request, changed) => on(market, (found) => whatIf(found, request, changed)),
    filterStats: (market, policy) => on(market, (found) => found.filterStats(policy)),
    scoringStats: (market, policy) => on(market, (found) => found.scoringStats(policy)),
    scoring: (market) => on(market, (found) => ok(found.scoring())),
    setWeights: async (market, profile, weights) =>
      flat(await directory.try.setWeights({ market, profile, weights })),
    batch: async (market, requests, options: BatchOptions = {}) => {
      const found = book.find(market);
      if (!found.ok) return found;
      if (requests.length > limits.maxBatch) return tooMany("policies", requests, limits.maxBatch);
      return ok(await batch(found.value, requests, options.signal));
    },
    enqueue,
    results: async () => replied(await buffer.try.take()),
    resultsCount: async () => {
      const totals = await buffer.try.totals();
      return totals.ok ? ok(totals.value.size) : { ok: false, refusal: away(totals) };
    },
    stats,
    resetStats: async () => {
      const count = await node.via(intakeKey()).try.workers();
      for (let id = 0; id < (count.ok ? count.value : 0); id++) {
        await node.via(pairingWorkerKey(String(id))).try.resetStats();
      }
      await buffer.try.reset();
      return replied(await directory.try.resetStats());
    },
  };
}

const replied = <T>(answer: CallResult<T>): Reply<T> =>
  answer.ok ? answer : { ok: false, refusal: away(answer) };

/** A process that answers with a reply of its own. */
const flat = <T>(answer: CallResult<Reply<T>>): Reply<T> =>
  answer.ok ? answer.value : { ok: false, refusal: away(answer) };

/** What it means that a process did not answer. */
const away = ({ reason }: { readonly ok: false; readonly reason: unknown }): Refusal =>
  reason === "timeout"
    ? { code: "PAIRING_TIMEOUT", message: "the pairing service did not answer in time" }
    : {
        code: "PAIRING_UNAVAILABLE",
        message: "the pairing service is starting, restarting or stopped",
      };

const unknownProvider = (market: string, address: string): Reply<never> => ({
  ok: false,
  refusal: {
    code: "PAIRING_UNKNOWN_PROVIDER",
    message: `market ${market} has no provider ${address}`,
  },
});

const tooMany = (what: string, given: readonly unknown[], most: number): Reply<never> => ({
  ok: false,
  refusal: {
    code: "PAIRING_TOO_MANY",
    message: `${given.length} ${what} in one call, at most ${most} are taken`,
  },
});
