/**
 * What one chain's memories weigh when they are full: evidence with 86,400 rows a table and all
 * cells, and the caches of seen keys and races under a million invented events.
 *
 * Bars: evidence <= 10 MB a chain; caches at most their configured size. Run with --expose-gc.
 */
import { EvidenceBook } from "../src/rpc/evidence/evidence-book.ts";
import { EventRacer } from "../src/rpc/race/event-racer.ts";
import { report } from "./support/report.ts";

const heapAndBuffersMb = (): number => {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1_048_576;
};

const before = heapAndBuffersMb();
const book = new EvidenceBook({ chain: "ethereum" });
for (let p = 0; p < 20; p++) {
  for (let m = 0; m < 64; m++) {
    book.recordCall(`p${p}`, "http", `eth_${m}`, "ok", 5 + m, 0);
    book.recordCall(`p${p}`, "ws", `eth_${m}`, "ok", 5 + m, 0);
  }
}
for (let i = 0; i < 90_000; i++) {
  book.recordCall(`p${i % 20}`, "http", `eth_${i % 64}`, "ok", 5 + (i % 90), i);
  book.recordRaces(
    [
      {
        event: "newHeads",
        key: "k",
        ageMs: 2_000,
        winner: `p${i % 20}`,
        losers: [],
        missed: [],
        neutral: [],
        absent: [],
        isCorroborated: true,
        isSuspicious: false,
      },
    ],
    i,
  );
}
const evidenceMb = heapAndBuffersMb() - before;
const { raceRows, callRows } = book.stats();
report({
  bench: "memory",
  case: `evidence of one chain, ${raceRows} + ${callRows} rows, all cells`,
  value: evidenceMb,
  unit: "MB",
  bar: "<= 10 MB",
  ok: evidenceMb <= 10,
});

const wallMs = Date.now();
const start = process.hrtime.bigint();
const text = JSON.stringify(book.toSnapshot(90_000, wallMs));
report({
  bench: "memory",
  case: "snapshot to JSON",
  value: Number(process.hrtime.bigint() - start) / 1e6,
  unit: "ms",
});
report({ bench: "memory", case: "snapshot size", value: text.length / 1_048_576, unit: "MB" });
const restored = new EvidenceBook({ chain: "ethereum" });
const parseStart = process.hrtime.bigint();
const isRestored = restored.restore([JSON.parse(text)], 0, wallMs).ok;
report({
  bench: "memory",
  case: "snapshot restored",
  value: Number(process.hrtime.bigint() - parseStart) / 1e6,
  unit: "ms",
  bar: "restores",
  ok: isRestored,
});

for (const capacity of [1_000, 10_000, 100_000]) {
  const racer = new EventRacer({ maxCacheSize: capacity });
  for (const provider of ["a", "b", "c"]) {
    racer.live(provider, "newHeads", 0);
    racer.live(provider, "logs", 0);
  }
  const empty = heapAndBuffersMb();
  for (let i = 0; i < 1_000_000; i++) {
    const event = i % 2 === 0 ? "newHeads" : "logs";
    const key = Buffer.from(`0x${i.toString(16).padStart(64, "0")}0x1`).toString("latin1");
    racer.arrive(event, key, i % 3, 10e9 + i * 10_000, undefined);
    if ((i & 8_191) === 0) racer.settle(10e9 + i * 10_000);
  }
  const { size, openRaces } = racer.stats();
  report({
    bench: "memory",
    case: `keys and races held of ${capacity} after a million`,
    value: size,
    unit: "keys",
    bar: "<= max_cache_size, races <= a tenth of it",
    ok: size <= capacity && openRaces <= capacity / 10,
  });
  report({
    bench: "memory",
    case: `growth at max_cache_size ${capacity}`,
    value: heapAndBuffersMb() - empty,
    unit: "MB",
  });
}
