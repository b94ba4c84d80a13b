/**
 * What do many regions weigh in one of them, how soon is a name found, and how long does it take to
 * take in everything anew? And what do three regions with ten chains say in a second? Messages are
 * real, signed and parsed; only the network is left out.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Figures, rowKey } from "../src/cluster/boards.ts";
import { Cluster } from "../src/cluster/cluster.ts";
import { report } from "./support/report.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const bench = "regions";
const REGIONS = 50;
const NAMES = 10_000;
const LOOKUPS = 200_000;
const TIMES = { heartbeatMs: 1_000, suspectMs: 3_500, leaseMs: 10_000, joinMs: 1_000 };
const CHAINS = 10;
const PROVIDERS = 20;
const STREAMS = ["newHeads", "logs"];
const BLOCK_MS = 2_000;
const SECONDS = 60;
const FLUSH_MS = 500;

const regionOf = (region: string): Cluster =>
  new Cluster({
    self: { region, instance: `${region}-instance`, incarnation: 1 },
    secret: "a secret of the benchmark",
    channel: "paceline:cluster",
    times: TIMES,
    card: () => ({
      version: "1.0.0",
      url: "http://10.0.0.1:8545",
      chains: Array.from({ length: CHAINS }, (_, chain) => `chain-${chain}`),
      inFlight: 3,
      usableProviders: 190,
      providers: 200,
    }),
  });

/** Everyone hears everyone, twice: the second time with proof. */
const introduce = (clusters: readonly Cluster[], nowMs: number): void => {
  for (let round = 0; round < 2; round++) {
    for (const cluster of clusters) {
      const bytes = cluster.beat(nowMs);
      for (const other of clusters) if (other !== cluster) other.take(bytes, nowMs);
    }
  }
};

const hear = (cluster: Cluster, bytes: Buffer, nowMs: number): void => {
  const taken = cluster.take(bytes, nowMs);
  if (taken.kind !== "taken") throw new Error(`not taken: ${taken.kind}`);
  const { message } = taken;
  if (message.kind === "names" || message.kind === "boards")
    cluster.takeNews(message.kind, message);
};

const nameOf = (at: number): string =>
  `rpc/chain/chain-${at % CHAINS}/provider/provider-${at}/circuit-breaker`;

const here = regionOf("here");
const others = Array.from({ length: REGIONS }, (_, at) => regionOf(`region-${at}`));
for (const other of others) introduce([here, other], 0);
const said = others.flatMap((other) => {
  for (let at = 0; at < NAMES; at++) other.names.own.set(nameOf(at), `#${at}`);
  return [...other.news("names", 0)];
});
collect();
const before = process.memoryUsage().heapUsed;
const startedMs = performance.now();
for (const bytes of said) hear(here, bytes, 0);
const resyncMs = performance.now() - startedMs;
collect();
const perName = (process.memoryUsage().heapUsed - before) / (REGIONS * NAMES);
const known = here.view(0).regions.reduce((sum, { names }) => sum + names, 0);
if (known !== REGIONS * NAMES) throw new Error(`${known} names are known`);

const entries = here.names.entriesOf("region-7");
let found = 0;
const lookedMs = performance.now();
for (let at = 0; at < LOOKUPS; at++) if (entries?.has(nameOf(at % NAMES)) === true) found++;
const oneUs = ((performance.now() - lookedMs) * 1_000) / LOOKUPS;
const everywhereMs = performance.now();
for (let at = 0; at < LOOKUPS / REGIONS; at++) found += here.whereis(nameOf(at % NAMES)).length;
const everyUs = ((performance.now() - everywhereMs) * 1_000 * REGIONS) / LOOKUPS;
if (found !== 2 * LOOKUPS) throw new Error(`${found} were found`);

const size = `${REGIONS} x ${NAMES} names`;
report({
  bench,
  case: `${size}: replica`,
  value: perName,
  unit: "B a name",
  bar: "<= 256",
  ok: perName <= 256,
});
report({
  bench,
  case: `${size}: full resync`,
  value: resyncMs,
  unit: "ms",
  bar: "< 5 s",
  ok: resyncMs < 5_000,
});
report({
  bench,
  case: `${size}: look-up in one region`,
  value: oneUs,
  unit: "us",
  bar: "< 1",
  ok: oneUs < 1,
});
report({ bench, case: `${size}: look-up in all regions`, value: everyUs, unit: "us" });

const three = ["eu", "us", "ap"].map(regionOf);
introduce(three, 0);
const cpu = process.cpuUsage();
for (let nowMs = FLUSH_MS; nowMs <= SECONDS * 1_000; nowMs += FLUSH_MS) {
  for (const cluster of three) {
    if (nowMs % BLOCK_MS === 0) race(cluster, nowMs);
    const bytes = [...cluster.news("boards", nowMs), ...cluster.news("names", nowMs)];
    if (nowMs % TIMES.heartbeatMs === 0) bytes.push(cluster.beat(nowMs));
    for (const one of bytes) {
      for (const other of three) if (other !== cluster) hear(other, one, nowMs);
    }
  }
}
const { user, system } = process.cpuUsage(cpu);
const share = (user + system) / 1_000 / (SECONDS * 1_000) / three.length;
const sent = (three[0]?.view(0).sent.bytes ?? 0) / SECONDS / 1_000;
const traffic = `${CHAINS} chains x ${PROVIDERS} providers x ${three.length} regions, a block in ${BLOCK_MS / 1_000} s`;
report({
  bench,
  case: `${traffic}: said by each`,
  value: sent,
  unit: "KB/s",
  bar: "< 50",
  ok: sent < 50,
});
report({
  bench,
  case: `${traffic}: work of each`,
  value: share * 100,
  unit: "% of a core",
  bar: "< 1",
  ok: share < 0.01,
});

function race(cluster: Cluster, seed: number): void {
  for (let chain = 0; chain < CHAINS; chain++) {
    for (const [index, subject] of STREAMS.entries()) {
      for (let provider = 0; provider < PROVIDERS; provider++) {
        const place = { chain: `chain-${chain}`, subject, provider: `provider-${provider}` };
        const score = ((seed / BLOCK_MS + provider * 7 + index) % 1_000) / 1_000;
        const figures: Figures = [score, 40, score, provider * 1.5];
        cluster.boards.own.set(rowKey(place), figures);
      }
    }
  }
}
