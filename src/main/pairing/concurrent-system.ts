/**
 * The founding system's concurrent front for library users: a queue with workers over one storage, that
 * starts and stops below a running supervisor.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { intakeKey } from "../../../actors/pairing/intake.ts";
import { pairing } from "../../../supervisors/pairing.ts";
import type { Node } from "../../otp/index.ts";
import { MarketBook } from "../../pairing/market-book.ts";
import type {
  ConsumerPolicy,
  EnqueueReport,
  PairingPort,
  PairingResult,
  PairingStats,
  PairRequest,
  Reply,
  WorkerStats,
} from "../../pairing/protocol.ts";
import { messagesText } from "../../pairing/fault.ts";
import { parsePolicy } from "../../pairing/policy.ts";
import { failedResult } from "../../pairing/result.ts";
import type { OriginStorage } from "../../pairing/origin/storage.ts";
import { pairHere } from "./batch.ts";
import { createPairingPort } from "./port.ts";

/** What is usual. */
const WORKERS = 10;
const CAPACITY = 1_000;
const RESULTS = 1_000;
const DRAIN_MS = 5_000;
const CONCURRENCY = 10;
const MARKET = "origin";
const MOST_AT_ONCE = 1_000_000;

/** Where it runs. */
export interface SystemPlace {
  readonly node: Node;
  /** The supervisor that it is started below. */
  readonly supervisor: string;
}

/** The system. Its errors are those of the contract. */
export class ConcurrentPairingSystem {
  readonly #place: SystemPlace;
  readonly #storage: OriginStorage;
  readonly #workers: number;
  readonly #capacity: number;
  #running: PairingPort | undefined;
  /** A start or a stop under way. */
  #change: Promise<void> = Promise.resolve();

  constructor(
    place: SystemPlace,
    storage: OriginStorage,
    maxWorkers = 0,
    queueCapacity = CAPACITY,
  ) {
    this.#place = place;
    this.#storage = storage;
    this.#workers = maxWorkers > 0 ? maxWorkers : WORKERS;
    this.#capacity = queueCapacity;
  }

  /** Starts queue and workers. */
  async start(): Promise<void> {
    await this.#change;
    if (this.#running !== undefined) throw new Error("system is already running");
    const { node, supervisor } = this.#place;
    const { store } = this.#storage;
    const book = new MarketBook({
      markets: [{ name: MARKET, profile: "pairing", top: 5, maxProviders: MOST_AT_ONCE, store }],
      cache: { enabled: true, capacity: 100, ttlMs: 30_000 },
      nowUs: () => node.nowMs() * 1_000,
    });
    const limits = { maxLoad: MOST_AT_ONCE, maxBatch: MOST_AT_ONCE };
    const port = createPairingPort({ node, book, limits, batch: pairHere });
    this.#running = port;
    const spec = pairing({
      directory: { book, yieldTurn: () => nextTurn() },
      policyQueue: { capacity: this.#capacity },
      resultBuffer: { capacity: RESULTS },
      worker: { errors: { count: 10, windowMs: 60_000, restart: false } },
      intake: { workers: this.#workers, drainMs: DRAIN_MS },
    });
    const started = await node.supervisor(supervisor)?.startChild(spec);
    if (started?.ok === true) return;
    this.#running = undefined;
    throw new Error(`no place for the system below ${supervisor}`);
  }

  /** Works off what waits and ends; stopping twice is harmless. */
  async stop(): Promise<void> {
    if (this.#running === undefined) return;
    this.#running = undefined;
    const { node, supervisor } = this.#place;
    const parent = node.supervisor(supervisor);
    this.#change = (async () => {
      await parent?.terminateChild("pairing");
      await parent?.deleteChild("pairing");
    })();
    await this.#change;
  }

  async enqueuePolicy(policy: ConsumerPolicy): Promise<void> {
    const { rejected } = await this.enqueuePolicies([policy]);
    const [first] = rejected;
    if (first !== undefined) throw new Error(first.error);
  }

  /** Wrong policies, and those that find no room, are refused by their places. */
  async enqueuePolicies(policies: readonly ConsumerPolicy[]): Promise<EnqueueReport> {
    const parsed = policies.map(requestOf);
    const places = parsed.flatMap(({ request }, index) => (request === undefined ? [] : [index]));
    const requests = parsed.flatMap(({ request }) => request ?? []);
    const { accepted, rejected } = valueOf(await this.#port.enqueue(MARKET, requests));
    const wrong = parsed.flatMap(({ error }, index) =>
      error === undefined ? [] : [{ index, error }],
    );
    const full = rejected.map(({ index, error }) => ({ index: places[index] ?? index, error }));
    return { accepted, rejected: [...wrong, ...full].toSorted((a, b) => a.index - b.index) };
  }

  /** Results so far, which are gone from the buffer then. */
  async getResults(): Promise<readonly PairingResult[]> {
    return valueOf(await this.#port.results());
  }

  async getResultsCount(): Promise<number> {
    return valueOf(await this.#port.resultsCount());
  }

  async getStats(): Promise<PairingStats> {
    return valueOf(await this.#port.stats());
  }

  async getWorkerStats(): Promise<readonly WorkerStats[]> {
    return (await this.getStats()).worker_stats;
  }

  /** Starts or stops workers, one by one, until there are so many. */
  async setWorkers(count: number): Promise<void> {
    await this.#place.node.via(intakeKey()).call.resize(count);
  }

  async resetStats(): Promise<void> {
    valueOf(await this.#port.resetStats());
  }

  /** Without the queue; what is wrong with a policy is in its result. */
  processPolicyDirectly(policy: ConsumerPolicy): PairingResult {
    const port = this.#port;
    const { request, error } = requestOf(policy);
    return request === undefined
      ? failedResult(MARKET, policy, error)
      : valueOf(port.pair(MARKET, request));
  }

  processPoliciesDirectly(policies: readonly ConsumerPolicy[]): PairingResult[] {
    return policies.map((policy) => this.processPolicyDirectly(policy));
  }

  /** In turns of `maxConcurrency`; results in their order, after an abort those that are done. */
  async processPoliciesConcurrently(
    policies: readonly ConsumerPolicy[],
    maxConcurrency = CONCURRENCY,
    signal?: AbortSignal,
  ): Promise<readonly PairingResult[]> {
    const done: PairingResult[] = [];
    const step = maxConcurrency > 0 ? maxConcurrency : CONCURRENCY;
    for (let at = 0; at < policies.length; at += step) {
      if (signal?.aborted === true) break;
      const parsed = policies.slice(at, at + step).map(requestOf);
      const requests = parsed.flatMap(({ request }) => request ?? []);
      const options = signal === undefined ? {} : { signal };
      // oxlint-disable-next-line no-await-in-loop -- so many at a time
      const { results } = valueOf(await this.#port.batch(MARKET, requests, options));
      const found = results.values();
      for (const [i, { error }] of parsed.entries()) {
        const policy = policies[at + i] ?? null;
        const result =
          error === undefined ? found.next().value : failedResult(MARKET, policy, error);
        if (result !== undefined) done.push(result);
      }
    }
    return done;
  }

  get #port(): PairingPort {
    if (this.#running === undefined) throw new Error("system is not running");
    return this.#running;
  }
}

type Asked =
  | { readonly request: PairRequest; readonly error?: undefined }
  | { readonly request?: undefined; readonly error: string };

/** A policy as the service takes it, or what is wrong with it. */
function requestOf(policy: ConsumerPolicy): Asked {
  const parsed = parsePolicy(policy);
  return parsed.ok ? { request: { policy: parsed.value } } : { error: messagesText(parsed.faults) };
}

function valueOf<T>(reply: Reply<T>): T {
  if (!reply.ok) throw new Error(reply.refusal.message);
  return reply.value;
}
