/** Large batches in real threads give what this thread gives. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { batchMatcherKey } from "../../actors/pairing/batch-matcher.ts";
import { pairHere } from "../../src/main/pairing/batch.ts";
import { pairInThreads } from "../../src/main/pairing/thread-batch.ts";
import { createNode, type Node, supervisor } from "../../src/otp/index.ts";
import { PairingGenerator } from "../../src/pairing/generator.ts";
import { MarketBook } from "../../src/pairing/market-book.ts";
import type { PairingMarket } from "../../src/pairing/market.ts";
import type { PairingResult, PairRequest } from "../../src/pairing/protocol.ts";
import { matchingThread, matchingThreads, threadsName } from "../../supervisors/pairing-thread.ts";
import { eventually } from "../support/eventually.ts";
import { value } from "./support.ts";

const THREADS = 2;
let node: Node;

beforeAll(async () => {
  node = createNode({ maxWorkers: THREADS });
  await node.start(supervisor("root", { children: [matchingThreads()] }));
  const threads = node.supervisor(threadsName);
  for (let thread = 0; thread < THREADS; thread++)
    await threads?.startChild(matchingThread(thread));
}, 60_000);
afterAll(() => node.stop());

const generator = new PairingGenerator(3);

const marketOf = (count: number): PairingMarket => {
  const book = new MarketBook({
    markets: [{ name: "m", profile: "pairing", top: 5, maxProviders: 1_000_000 }],
    cache: { enabled: true, capacity: 100, ttlMs: 30_000 },
    nowUs: () => 0,
    isShared: true,
  });
  for (const name of book.open()) book.filled(name);
  const market = value(book.find("m"));
  for (const one of generator.workloadProviders(count)) market.store.put(one);
  return market;
};

/** Policies of every kind that may and may not travel. */
const requestsOf = (count: number): PairRequest[] =>
  generator.workloadPolicies(count).map((policy, i): PairRequest => {
    if (i % 11 === 0) return { policy, explain: true };
    if (i % 11 === 1) return { policy, mode: "weighted", seed: i };
    if (i % 11 === 2) return { policy: { ...policy, relaxed: true }, top: 7 };
    if (i % 11 === 3) return { policy, profile: "pairing-strict" };
    if (i % 11 === 4) return { policy, profile: "nothing" };
    if (i % 11 === 5) return { policy, weights: { stake: 1, location: 2 } };
    if (i % 11 === 6) return { policy: { ...policy, minStake: 10n ** 15n } };
    return { policy };
  });

/** Without what depends on how it was found. */
const plain = (results: readonly (PairingResult | undefined)[]) =>
  results.map((result) => {
    if (result === undefined) return undefined;
    const { cache: _cache, processingTimeUs: _time, ...rest } = result;
    return rest;
  });

describe("batches in threads", { timeout: 60_000 }, () => {
  const run = () => pairInThreads(node, THREADS, 1);

  it("give the very results of this thread, in the order of the requests", async () => {
    for (const size of [0, 1, 40, 5_000]) {
      const market = marketOf(size);
      const requests = requestsOf(2_000);
      const { results, threads } = await run()(market, requests, undefined);
      const here = await pairHere(market, requests, undefined);
      expect(threads).toBe(THREADS);
      expect(plain(results)).toEqual(plain(here.results));
    }
  });

  it("hold for one version each while the market changes under them", async () => {
    const market = marketOf(5_000);
    const requests = requestsOf(4_000);
    const versions = new Map<number, number>();
    const extra = generator.randomProviders(200);
    let isDone = false;
    const changing = (async () => {
      for (const one of extra) {
        if (isDone) return;
        market.store.put(one);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const { results } = await run()(market, requests, undefined);
    isDone = true;
    await changing;
    for (const result of results) {
      if (result === undefined) throw new Error("a request without its result");
      if (result.error === null)
        versions.set(result.version, (versions.get(result.version) ?? 0) + 1);
      for (const { address } of result.topProviders) {
        expect(market.store.get(address)).toBeDefined();
      }
    }
    expect(versions.size).toBeGreaterThan(0);
  });

  it("are finished here when a thread dies, and stop when they are told to", async () => {
    const market = marketOf(1_000);
    const requests = requestsOf(3_000);
    const running = run()(market, requests, undefined);
    node.inspector.exit(batchMatcherKey("0").name, "kill");
    const { results } = await running;
    expect(results.every((result) => result !== undefined)).toBe(true);
    const abort = new AbortController();
    abort.abort();
    const aborted = await run()(market, requests, abort.signal);
    expect(aborted.results.every((result) => result === undefined)).toBe(true);
  });

  it("start threads that do not run for the batches to come", async () => {
    const market = marketOf(100);
    const supervisors = node.supervisor(threadsName);
    await supervisors?.terminateChild("thread-1");
    await supervisors?.deleteChild("thread-1");
    const first = await run()(market, requestsOf(50), undefined);
    expect(first.threads).toBe(1);
    await eventually("the thread runs", () => node.whereis(batchMatcherKey("1")) !== undefined);
    const second = await run()(market, requestsOf(50), undefined);
    expect(second.threads).toBe(THREADS);
    expect(second.results.every((result) => result !== undefined)).toBe(true);
  });

  it("stay here when they are small, or the market is not in shared memory", async () => {
    const market = marketOf(100);
    const small = await pairInThreads(node, THREADS, 50)(market, requestsOf(49), undefined);
    expect(small.threads).toBe(0);
  });
});
