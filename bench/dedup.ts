/**
 * What it costs to recognise a duplicate: one new key and two duplicates, at 10,000 and 100,000
 * keys, against a bare Map with a ring and against lru-cache; and whether memory stays flat.
 *
 * Bars: seen keys <= 2 x Map + ring; RSS within 10 % over 5 million distinct events.
 */
import { LRUCache } from "lru-cache";
import { EventRacer } from "../src/rpc/race/event-racer.ts";
import { SeenKeys } from "../src/rpc/seen-keys.ts";
import { costOf, interleave, type Variant } from "./support/interleave.ts";
import { report } from "./support/report.ts";

const keyCount = 400_000;
const logsPerBlock = 200;
/** As keys of logs are: the block's hash and the log's index. */
const keyOf = (i: number): string => {
  const block = Math.floor(i / logsPerBlock)
    .toString(16)
    .padStart(64, "0");
  return Buffer.from(`0x${block}0x${(i % logsPerBlock).toString(16)}`).toString("latin1");
};
const keys = Array.from({ length: keyCount }, (_, i) => keyOf(i));
const keyAt = (i: number): string => keys[Math.floor(i / 3) % keyCount] ?? "";
const ttlNs = 600e9;

/** Fresh keys, not from the table above: whatever is kept of them would show. */
const flood = (racer: EventRacer, from: number, count: number): void => {
  for (let i = from; i < from + count; i++) {
    const atNs = 10e9 + i * 16_000;
    racer.arrive("logs", keyOf(i), i % 2, atNs, undefined);
    if ((i & 4_095) === 0) racer.settle(atNs);
  }
};

const racer = new EventRacer({ maxCacheSize: 10_000 });
for (const provider of ["a", "b"]) racer.live(provider, "logs", 0);
const rssMb = (): number => {
  globalThis.gc?.();
  return process.memoryUsage.rss() / 1_048_576;
};
// V8 grows its young generation during the first two million.
flood(racer, 0, 2_500_000);
const before = rssMb();
flood(racer, 2_500_000, 5_000_000);
const after = rssMb();
report({
  bench: "dedup",
  case: "RSS after 5 million distinct events",
  value: after,
  unit: "MB",
  baseline: before,
  ratio: after / before,
  bar: "within 10 %",
  ok: after / before <= 1.1,
});
report({
  bench: "dedup",
  case: "keys held of 10,000",
  value: racer.stats().size,
  unit: "keys",
  bar: "<= 10,000",
  ok: racer.stats().size <= 10_000,
});

/** The floor: a Map, and a ring that names the key to drop. */
const mapAndRing = (capacity: number): Variant => {
  const seen = new Map<string, number>();
  const ring: string[] = Array.from({ length: capacity }, () => "");
  let next = 0;
  let i = 0;
  return {
    name: "map+ring",
    run: (count) => {
      let firsts = 0;
      for (let n = 0; n < count; n++, i++) {
        const key = keyAt(i);
        const atNs = seen.get(key);
        if (atNs !== undefined && i - atNs <= ttlNs) continue;
        firsts++;
        const old = ring[next];
        if (old !== undefined && old !== "") seen.delete(old);
        ring[next] = key;
        next = next + 1 === capacity ? 0 : next + 1;
        seen.set(key, i);
      }
      return firsts;
    },
  };
};

const seenKeys = (capacity: number): Variant => {
  const seen = new SeenKeys({ capacity, ttlNs });
  let i = 0;
  return {
    name: "seen-keys",
    run: (count) => {
      let firsts = 0;
      for (let n = 0; n < count; n++, i++) {
        if (seen.arrive(keyAt(i), i % 3, i) === "first") firsts++;
      }
      return firsts;
    },
  };
};

/** Deduplication with its races: a new block every 200 logs, settled every 4,096 events. */
const eventRacer = (capacity: number): Variant => {
  const racer = new EventRacer({ maxCacheSize: capacity });
  for (const provider of ["a", "b", "c"]) racer.live(provider, "logs", 0);
  let i = 0;
  return {
    name: "event-racer",
    run: (count) => {
      let firsts = 0;
      for (let n = 0; n < count; n++, i++) {
        const atNs = 10e9 + i * 16_000;
        if (racer.arrive("logs", keyAt(i), i % 3, atNs, undefined) === "first") firsts++;
        if ((i & 4_095) === 0) firsts += racer.settle(atNs).length;
      }
      return firsts;
    },
  };
};

const lruCache = (capacity: number): Variant => {
  const seen = new LRUCache<string, number>({ max: capacity });
  let i = 0;
  return {
    name: "lru-cache",
    run: (count) => {
      let firsts = 0;
      for (let n = 0; n < count; n++, i++) {
        const key = keyAt(i);
        const atNs = seen.get(key);
        if (atNs !== undefined && i - atNs <= ttlNs) continue;
        firsts++;
        seen.set(key, i);
      }
      return firsts;
    },
  };
};

for (const capacity of [10_000, 100_000]) {
  const variants = [mapAndRing, seenKeys, eventRacer, lruCache].map((make) => make(capacity));
  const costs = interleave(variants, 600_000);
  const floor = costOf(costs, "map+ring");
  for (const { name, minNs } of costs) {
    const ratio = minNs / floor;
    report({
      bench: "dedup",
      case: `${name} cap ${capacity}`,
      value: minNs,
      unit: "ns/event",
      baseline: floor,
      ratio,
      ...(name === "seen-keys" ? { bar: "<= 2 x map+ring", ok: ratio <= 2 } : {}),
    });
  }
}
