/**
 * `paceline pair demo`: the pairing service at work without anything else, until it is told to stop.
 * Policies, providers, results and statistics come at their intervals; equal seeds make equal data.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { createNode, supervisor } from "../../otp/index.ts";
import { seededRandom } from "../../lib/random.ts";
import { PairingGenerator } from "../../pairing/generator.ts";
import { MarketBook } from "../../pairing/market-book.ts";
import type { PairingPort, PairingResult, PairRequest } from "../../pairing/protocol.ts";
import { bannerText, resultsText, statsText } from "../../pairing/demo-text.ts";
import { pairing } from "../../../supervisors/pairing.ts";
import { pairHere } from "./batch.ts";
import { createPairingPort } from "./port.ts";

/** How the demo runs; times in ms. */
export interface PairingDemoOptions {
  readonly seed: number;
  /** Providers at the start. */
  readonly providers: number;
  readonly workers: number;
  readonly policiesMs: number;
  readonly providersMs: number;
  readonly statsMs: number;
  readonly resultsMs: number;
  /** Ends after this time instead of never. */
  readonly forMs: number | undefined;
}

/** What is usual. */
export const PAIRING_DEMO: PairingDemoOptions = {
  seed: 1,
  providers: 200,
  workers: 5,
  policiesMs: 2_000,
  providersMs: 10_000,
  statsMs: 30_000,
  resultsMs: 15_000,
  forMs: undefined,
};

const MARKET = "demo";
const QUEUE = 200;
const RESULTS = 1_000;
const CACHE = 200;
const CACHE_TTL_MS = 30_000;
const MOST_PROVIDERS = 100_000;
/** Time for waiting policies at the end. */
const DRAIN_MS = 1_000;

/** Runs until `signal` is aborted or the time is over; prints to `out`. */
export const runPairingDemo = async (
  options: PairingDemoOptions,
  out: (text: string) => void,
  signal: AbortSignal,
): Promise<void> => {
  const node = createNode();
  const book = new MarketBook({
    markets: [{ name: MARKET, profile: "pairing", top: 5, maxProviders: MOST_PROVIDERS }],
    cache: { enabled: true, capacity: CACHE, ttlMs: CACHE_TTL_MS },
    nowUs: () => performance.now() * 1_000,
  });
  const limits = { maxLoad: MOST_PROVIDERS, maxBatch: QUEUE };
  const port = createPairingPort({ node, book, limits, batch: pairHere });
  const parts = {
    directory: { book, yieldTurn: () => nextTurn() },
    policyQueue: { capacity: QUEUE },
    resultBuffer: { capacity: RESULTS },
    worker: { errors: { count: 10, windowMs: 60_000, restart: false } },
    intake: { workers: options.workers, drainMs: DRAIN_MS },
  };
  await node.start(supervisor("pairing-demo", { children: [pairing(parts)] }));
  const demo = new PairingDemo(port, options.seed);
  await demo.addProviders(options.providers);
  out(bannerText(options));
  const timers = [
    every(options.policiesMs, () => demo.addPolicies()),
    every(options.providersMs, () => demo.addProviders()),
    every(options.statsMs, async () => out(await demo.stats())),
    every(options.resultsMs, async () => out(await demo.results())),
  ];
  await sleep(options.forMs ?? FOREVER_MS, undefined, { signal }).catch(() => undefined);
  for (const timer of timers) clearInterval(timer);
  out("\nStopping ...\n");
  out(await demo.results());
  out(`Final statistics\n${await demo.stats()}`);
  await node.stop();
};

/** The longest wait that a timer can take. */
const FOREVER_MS = 2 ** 31 - 1;

const every = (ms: number, run: () => Promise<unknown>): NodeJS.Timeout =>
  setInterval(() => void run(), ms);

/** What the demo does at its intervals. */
export class PairingDemo {
  readonly #port: PairingPort;
  readonly #generator: PairingGenerator;
  readonly #random: () => number;

  constructor(port: PairingPort, seed: number) {
    this.#port = port;
    this.#generator = new PairingGenerator(seed);
    this.#random = seededRandom(seed);
  }

  /** Puts 1 to 3 policies into the queue; what finds no room is left out. */
  async addPolicies(): Promise<void> {
    const count = this.#between(1, 3);
    const requests = Array.from({ length: count }, (): PairRequest => {
      return { policy: this.#generator.demoPolicy() };
    });
    await this.#port.enqueue(MARKET, requests);
  }

  /** Adds providers, 5 to 15 when nobody says how many. */
  async addProviders(count = this.#between(5, 15)): Promise<void> {
    const providers = Array.from({ length: count }, () => this.#generator.demoProvider());
    await this.#port.load(MARKET, providers, "add");
  }

  /** The results that are new. */
  async results(): Promise<string> {
    const reply = await this.#port.results();
    const results: readonly PairingResult[] = reply.ok ? reply.value : [];
    return results.length === 0 ? "" : resultsText(results);
  }

  /** Workers and system. */
  async stats(): Promise<string> {
    const reply = await this.#port.stats();
    return reply.ok ? statsText(reply.value, MARKET) : `${reply.refusal.message}\n`;
  }

  #between(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1));
  }
}
