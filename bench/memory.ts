/**
 * What one chain's memories weigh when they are full: evidence with 86,400 rows a table and all
 * cells, and the caches of seen keys and races under a million invented events.
 *
 * Bars: evidence <= 10 MB a chain, full or after a day of ten providers; a flat heap over half an hour
 * of virtual time; caches at most their configured size. Run with --expose-gc.
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

/** A day of ten providers: a race and a call every second, a snapshot each hour. */
const dayBefore = heapAndBuffersMb();
const day = new EvidenceBook({ chain: "ethereum" });
const ten = Array.from({ length: 10 }, (_, i) => `p${i}`);
for (let second = 0; second < 86_400; second++) {
  const atMs = second * 1_000;
  const [winner = "p0", ...others] = [...ten.slice(second % 10), ...ten.slice(0, second % 10)];
  const late = others.slice(0, 8);
  day.recordRaces(
    [
      {
        event: second % 2 === 0 ? "newHeads" : "logs",
        key: "k",
        ageMs: 2_000,
        winner,
        losers: late.map((provider, i) => ({ provider, marginMs: i * 3.7 })),
        missed: others.slice(8),
        neutral: [],
        absent: [],
        isCorroborated: true,
        isSuspicious: false,
      },
    ],
    atMs,
  );
  const method = `eth_${second % 64}`;
  day.recordCall(winner, second % 3 === 0 ? "ws" : "http", method, "ok", 5 + (second % 90), atMs);
  if (second % 3_600 !== 3_599) continue;
  const snapshot = day.toSnapshot(atMs, atMs, "unsaved");
  day.history.add(snapshot);
  day.saved(snapshot);
}
const dayMb = heapAndBuffersMb() - dayBefore;
report({
  bench: "memory",
  case: `evidence of 24 h, 10 providers, ${day.stats().raceRows} + ${day.stats().callRows} rows`,
  value: dayMb,
  unit: "MB",
  bar: "<= 10 MB",
  ok: dayMb <= 10 && day.stats().raceRows === 86_400,
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

/** Thirty minutes of one chain in virtual time: 2 heads, 200 logs and 100 calls a second of three. */
const HALF_HOUR_S = 1_800;
const soaked = new EvidenceBook({ chain: "ethereum", maxRows: 20_000 });
const soaker = new EventRacer({ maxCacheSize: 10_000 });
for (const provider of ["a", "b", "c"]) {
  soaker.live(provider, "newHeads", 0);
  soaker.live(provider, "logs", 0);
}
const soak = (fromS: number, toS: number): void => {
  for (let second = fromS; second < toS; second++) {
    const atNs = 10e9 + second * 1e9;
    for (let i = 0; i < 202; i++) {
      const block = (second * 2 + (i & 1)).toString(16).padStart(64, "0");
      const [event, key] =
        i < 2 ? (["newHeads", `0x${block}`] as const) : (["logs", `0x${block}0x${i}`] as const);
      for (let lane = 0; lane < 3; lane++) {
        soaker.arrive(event, key, lane, atNs + lane * 5e6, undefined);
      }
    }
    for (let i = 0; i < 100; i++) {
      soaked.recordCall(`p${i % 10}`, "http", `eth_${i % 64}`, "ok", 5 + (i % 90), atNs / 1e6);
    }
    soaked.recordRaces(soaker.settle(atNs), atNs / 1e6);
    soaker.sweep(atNs);
  }
};
// Tables, caches and sketches are full by then.
const WARM_S = 700;
soak(0, WARM_S);
const warmMb = heapAndBuffersMb();
soak(WARM_S, WARM_S + HALF_HOUR_S);
const soakedMb = heapAndBuffersMb();
report({
  bench: "memory",
  case: "heap after 30 min more of events and calls",
  value: soakedMb,
  baseline: warmMb,
  ratio: soakedMb / warmMb,
  unit: "MB",
  bar: "within 10 %",
  ok: soakedMb / warmMb <= 1.1,
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
