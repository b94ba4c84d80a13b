/**
 * What the queue and its workers add to a policy, how many policies they take from queue to result, and
 * what threads make of large batches. Providers and policies are the demo's; nothing is cached, so that
 * each policy is matched.
 */
import { availableParallelism } from "node:os";
import { setImmediate as nextTurn } from "node:timers/promises";
import { pairHere } from "../src/main/pairing/batch.ts";
import { createPairingPort } from "../src/main/pairing/port.ts";
import { pairInThreads } from "../src/main/pairing/thread-batch.ts";
import { createNode, supervisor } from "../src/otp/index.ts";
import { PairingGenerator } from "../src/pairing/generator.ts";
import { MarketBook } from "../src/pairing/market-book.ts";
import type { PairingMarket } from "../src/pairing/market.ts";
import type { PairRequest } from "../src/pairing/protocol.ts";
import { matchingThread, threadsName } from "../supervisors/pairing-thread.ts";
import { pairing } from "../supervisors/pairing.ts";
import { median, report } from "./support/report.ts";

const MARKET = "bench";
const POLICIES = 2_000;
const CAPACITY = 10_000;
const ROUNDS = 9;
/** Beyond it counting who passes costs more than queue and match together. */
const MOST_BARRED = 10_000;
const THREADS = Math.max(1, availableParallelism() - 1);
const isSmall = process.argv.includes("--small");

const book = new MarketBook({
  markets: [{ name: MARKET, profile: "pairing", top: 5, maxProviders: 1_048_576 }],
  cache: { enabled: false, capacity: 0, ttlMs: 1 },
  nowUs: () => performance.now() * 1_000,
  isShared: true,
});
const node = createNode({ maxWorkers: THREADS });
await node.start(
  supervisor("root", {
    children: [
      pairing({
        directory: { book, yieldTurn: () => nextTurn() },
        policyQueue: { capacity: CAPACITY },
        resultBuffer: { capacity: CAPACITY },
        worker: { errors: { count: 10, windowMs: 60_000, restart: false } },
        intake: { workers: Math.min(10, availableParallelism()), drainMs: 5_000 },
      }),
    ],
  }),
);
const limits = { maxLoad: 1_048_576, maxBatch: 1_000_000 };
const port = createPairingPort({ node, book, limits, batch: pairHere });
const inThreads = pairInThreads(node, THREADS, 1);
for (let thread = 0; thread < THREADS; thread++) {
  await node.supervisor(threadsName)?.startChild(matchingThread(thread));
}

const requests = new PairingGenerator(7)
  .workloadPolicies(POLICIES)
  .map((policy): PairRequest => ({ policy }));

for (const size of isSmall ? [10_000] : [1_000, 10_000, 100_000]) {
  const market = await marketOf(size);
  for (const request of requests) market.answer(request);
  await queueAgainstDirect(size, market);
  await threadsAgainstOne(size, market);
}
await node.stop();

async function marketOf(size: number): Promise<PairingMarket> {
  const loaded = await port.load(
    MARKET,
    new PairingGenerator(42).workloadProviders(size),
    "replace",
  );
  const found = book.find(MARKET);
  if (!loaded.ok || !found.ok) throw new Error("no market");
  return found.value;
}

/** The same policies directly and through the queue, in turn. */
async function queueAgainstDirect(size: number, market: PairingMarket): Promise<void> {
  const directUs: number[] = [];
  const queuedUs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    directUs.push(await timeUs(async () => requests.map((request) => market.answer(request))));
    queuedUs.push(
      await timeUs(async () => {
        await port.enqueue(MARKET, requests);
        for (let count = 0; count < POLICIES; ) {
          const results = await port.results();
          count += results.ok ? results.value.length : 0;
        }
      }),
    );
  }
  const [direct, queued] = [median(directUs), median(queuedUs)];
  const perSecond = 1e6 / queued;
  report({
    bench: "pairing",
    case: `queue to result, ${size} providers`,
    value: perSecond,
    unit: "policies/s",
    ...(size > MOST_BARRED ? {} : { bar: ">= 50000 policies/s", ok: perSecond >= 50_000 }),
  });
  const added = queued - direct;
  report({
    bench: "pairing",
    case: `added by queue and workers, ${size} providers`,
    value: added,
    unit: "us",
    baseline: direct,
    bar: "<= 20 us",
    ok: added <= 20,
  });
}

/** One large batch in this thread and with the others, in turn. */
async function threadsAgainstOne(size: number, market: PairingMarket): Promise<void> {
  const many = Array.from({ length: 20 }, () => requests).flat();
  const hereUs: number[] = [];
  const threadsUs: number[] = [];
  await inThreads(market, many, undefined);
  for (let round = 0; round < 5; round++) {
    hereUs.push((await timeUs(() => pairHere(market, many, undefined))) / 20);
    threadsUs.push((await timeUs(() => inThreads(market, many, undefined))) / 20);
  }
  const [here, threads] = [median(hereUs), median(threadsUs)];
  report({
    bench: "pairing",
    case: `batch of ${many.length} with ${THREADS} more thread${THREADS > 1 ? "s" : ""}, ${size} providers`,
    value: 1e6 / threads,
    unit: "policies/s",
    baseline: 1e6 / here,
    ratio: here / threads,
  });
}

/** Time of one of `POLICIES`, µs. */
async function timeUs(run: () => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  await run();
  return Number(process.hrtime.bigint() - start) / 1_000 / POLICIES;
}
