/**
 * How long does a market of a million providers take to come back from SQLite at the start, how long is
 * the loop held meanwhile, and how fast is it written?
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { PairingStorage } from "../src/main/pairing/storage.ts";
import { ProviderStore } from "../src/pairing/provider-store.ts";
import { pairingProviders } from "./support/pairing-data.ts";
import { report } from "./support/report.ts";

const isSmall = process.argv.includes("--small");
const PROVIDERS = isSmall ? 100_000 : 1_000_000;
const SLICE = 1_000;
const BAR_SEC = 10;
const BAR_STALL_MS = 50;
const MARKET = "bench";

const folder = mkdtempSync(join(tmpdir(), "paceline-bench-"));
const place = { engine: "sqlite", file: join(folder, "paceline.db") } as const;

const writer = new PairingStorage(place);
let writeMs = 0;
for (let done = 0; done < PROVIDERS; done += SLICE) {
  const put = pairingProviders(SLICE, done).map(
    ({ id, stake = 0n, location = "", features = [] }) => ({
      address: id,
      stake,
      location,
      features,
    }),
  );
  const startMs = performance.now();
  await writer.write([{ kind: "fill", market: MARKET, version: 1, put }], 1);
  writeMs += performance.now() - startMs;
}
const settleMs = performance.now();
await writer.write([{ kind: "settle", market: MARKET, version: 1 }], 1);
writeMs += performance.now() - settleMs;
await writer.close();
report({
  bench: "pairing-store",
  case: `providers written as a whole market of ${PROVIDERS}`,
  value: (PROVIDERS * 1_000) / writeMs,
  unit: "1/s",
});

const reader = new PairingStorage(place);
// In memory that other threads may read, as in a host of several cores.
const store = new ProviderStore(MARKET, PROVIDERS, true);
const delays = monitorEventLoopDelay({ resolution: 1 });
delays.enable();
const startMs = performance.now();
await reader.restore(
  MARKET,
  (slice) => {
    for (const provider of slice) store.put(provider);
  },
  new AbortController().signal,
);
const seconds = (performance.now() - startMs) / 1_000;
delays.disable();
await reader.close();
if (store.size !== PROVIDERS) throw new Error(`${store.size} providers came back`);
report({
  bench: "pairing-store",
  case: `${PROVIDERS} providers come back at the start`,
  value: seconds,
  unit: "s",
  bar: `<= ${BAR_SEC} s`,
  ok: seconds <= BAR_SEC,
});
report({
  bench: "pairing-store",
  case: "longest turn of the loop meanwhile",
  value: delays.max / 1e6,
  unit: "ms",
  bar: `<= ${BAR_STALL_MS} ms`,
  ok: delays.max / 1e6 <= BAR_STALL_MS,
});
rmSync(folder, { recursive: true, force: true });
