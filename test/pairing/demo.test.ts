import { describe, expect, it } from "vitest";
import { PairingDemo } from "../../src/main/pairing/demo.ts";
import { bannerText, resultsText, statsText } from "../../src/pairing/demo-text.ts";
import { MarketBook } from "../../src/pairing/market-book.ts";
import { createPairingPort } from "../../src/main/pairing/port.ts";
import { pairHere } from "../../src/main/pairing/batch.ts";
import { createVirtualNode, supervisor } from "../../src/otp/index.ts";
import { pairing } from "../../supervisors/pairing.ts";
import { partsOf, policy, value } from "./support.ts";

const start = async (seed: number) => {
  const node = createVirtualNode({ seed: 1 });
  const book = new MarketBook({
    markets: [{ name: "demo", profile: "pairing", top: 5, maxProviders: 10_000 }],
    cache: { enabled: true, capacity: 100, ttlMs: 30_000 },
    nowUs: () => node.nowMs() * 1_000,
  });
  await node.start(supervisor("root", { children: [pairing(partsOf(book, { workers: 2 }))] }));
  const limits = { maxLoad: 10_000, maxBatch: 100 };
  const port = createPairingPort({ node, book, limits, batch: pairHere });
  return { node, port, demo: new PairingDemo(port, seed) };
};

describe("the pairing demo", () => {
  it("P19b: says what it is, how to stop it, and how often what happens", () => {
    const text = bannerText({
      policiesMs: 2_000,
      providersMs: 10_000,
      statsMs: 30_000,
      resultsMs: 1_000,
    });
    expect(text).toMatch(/pairing/);
    expect(text).toContain("Press Ctrl+C to stop gracefully");
    expect(text).toContain("Generating policies every 2 seconds");
    expect(text).toContain("Adding providers every 10 seconds");
    expect(text).toContain("Displaying stats every 30 seconds");
    expect(text).toContain("Displaying results every 1 second\n");
  });

  it("pairs what it makes up, and its statistics are those of its own service", async () => {
    const { node, port, demo } = await start(1);
    await demo.addProviders(200);
    for (let i = 0; i < 10; i++) await demo.addPolicies();
    await node.advance(10);
    const waiting = value(await port.resultsCount());
    expect(waiting).toBeGreaterThanOrEqual(10);
    expect(waiting).toBeLessThanOrEqual(30);
    const results = await demo.results();
    expect(results).toContain(`Processing Results (${waiting} new results):`);
    expect(results.match(/Result \d/g)).toEqual(["Result 1", "Result 2", "Result 3"]);
    const stats = await demo.stats();
    expect(stats).toContain(`Total: ${waiting} processed, 0 errors, 2/2 workers active`);
    expect(stats).toContain("Provider Count: 200");
    expect(await demo.results()).toBe("");
    await node.stop();
  });

  it("P19a: adds 1 to 3 policies and 5 to 15 providers at a time, each number now and then", async () => {
    const { node, port, demo } = await start(3);
    const seen = { policies: new Set<number>(), providers: new Set<number>() };
    let size = 0;
    for (let i = 0; i < 200; i++) {
      await node.drive(demo.addPolicies());
      await node.settle();
      seen.policies.add(value(await node.drive(port.results())).length);
      await node.drive(demo.addProviders());
      const { total } = value(port.list("demo"));
      seen.providers.add(total - size);
      size = total;
    }
    expect([...seen.policies].toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    expect([...seen.providers].toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 11 }, (_, i) => i + 5),
    );
    await node.stop();
  });

  it("makes the same of the same seed", async () => {
    const run = async (seed: number) => {
      const { node, demo } = await start(seed);
      await demo.addProviders();
      await demo.addPolicies();
      await node.advance(10);
      const text = `${await demo.results()}${await demo.stats()}`;
      await node.stop();
      return text;
    };
    expect(await run(7)).toBe(await run(7));
    expect(await run(7)).not.toBe(await run(8));
  });

  it("P18b P18e P19c P19d P19e: words results and statistics as the founding system does", () => {
    const result = {
      market: "demo",
      policy: policy({
        requiredLocation: "US-East-1",
        requiredFeatures: ["HTTP", "SSL"],
        minStake: 15_000n,
      }),
      filteredCount: 12,
      rankedCount: 8,
      topProviders: [{ address: "provider_4523", score: 1, stake: 25_000n, location: "US-East-1" }],
      processingTimeUs: 1_200,
      cache: "miss" as const,
      version: 1,
      error: null,
    };
    expect(resultsText([result]).split("\n").slice(0, 6)).toEqual([
      "Processing Results (1 new results):",
      "   Result 1:",
      "      Policy: US-East-1, Features: [HTTP, SSL], MinStake: 15000",
      "      Stats: 12 filtered, 8 ranked, 1.2ms processing time",
      "      Top Providers (1 found):",
      "        1. provider_4523 (Stake: 25000, Location: US-East-1)",
    ]);
    const text = statsText(
      {
        running: true,
        uptime: 1,
        total_processed: 3_668,
        total_errors: 15,
        max_workers: 1,
        worker_stats: [{ id: 0, processed: 1_234, errors: 5, running: true }],
        results_buffer_size: 0,
        results_dropped: 0,
        queue_stats: {
          size: 0,
          capacity: 1,
          enqueued: 0,
          dequeued: 0,
          pending: 0,
          closed: false,
          refused: 0,
        },
        markets: {
          demo: {
            total_processed: 3_668,
            total_filtered: 0,
            total_ranked: 0,
            total_cache_hits: 854,
            total_cache_misses: 146,
            average_process_time: 1_200,
            top_n: 5,
            caching_enabled: true,
            stats_enabled: true,
            cache_stats: {
              size: 1,
              capacity: 1,
              hits: 854,
              misses: 146,
              hit_rate: 0.854,
              evictions: 0,
              min_frequency: 1,
              frequency_distribution: {},
            },
            provider_count: 1_245,
            location_distribution: {},
            version: 1,
          },
        },
      },
      "demo",
    );
    expect(text).toContain("   Worker 0: 1,234 processed, 5 errors, running: true");
    expect(text).toContain("   Total: 3,668 processed, 15 errors, 1/1 workers active");
    expect(text).toContain(
      [
        "System Statistics:",
        "   Total Processed: 3,668",
        "   Cache Hit Rate: 85.4%",
        "   Average Process Time: 1.2ms",
        "   Provider Count: 1,245",
      ].join("\n"),
    );
  });
});
