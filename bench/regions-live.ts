/**
 * What does a shared Redis cost a request: none configured, one that answers, one that is frozen? And with
 * three regions over a real Redis: how soon is a changed rank, a new region and a lost one seen, and what
 * do ten chains of twenty providers cost each of them?
 */
import { type Figures, rowKey, type RowPlace } from "../src/cluster/boards.ts";
import { startGateway } from "./lanes/gateway.ts";
import { RegionTree } from "./lanes/region-tree.ts";
import { compare } from "./support/compare.ts";
import { LOAD_CORE, pinSelf, startLane } from "./support/host.ts";
import { anyAccount } from "./support/load.ts";
import { type BenchRedis, pause, startRedis } from "./support/redis.ts";
import { quantile, report } from "./support/report.ts";

const bench = "regions-live";
/** What rounds of one and the same lane differ by. */
const NOISE = 0.05;
const CHAINS = 10;
const PROVIDERS = 20;
const STREAMS = ["newHeads", "logs"];
const BLOCK_MS = 2_000;
/** Enough for the code to be compiled. */
const WARM_BLOCKS = 16;
const WARM_BLOCK_MS = 500;
const PROBES = 200;
const PROBE_MS = 60;
const JOINS = 4;
const LEASE_MS = 10_000;
const LOOK_MS = 250;
const POLL_MS = 2;

const [live, frozen] = [await startRedis(), await startRedis()];
await measureSharing(live);
await measureRequests();
live.stop();
frozen.stop();
process.exit();

async function measureRequests(): Promise<void> {
  pinSelf(LOAD_CORE);
  const stub = await startLane("stub", LOAD_CORE, [
    new URL("lanes/stub.ts", import.meta.url).pathname,
  ]);
  const urls = Array.from({ length: 3 }, () => `http://127.0.0.1:${stub.port}`);
  // All have a name, for that alone adds a header to each answer.
  const start = (region: string, lines: readonly string[] = []) =>
    startGateway(urls, [], [], [`region: ${region}`, "log: { level: error }", ...lines]);
  const sharing = (region: string, { url }: BenchRedis) =>
    start(region, [`redis: { url: "${url}" }`, 'cluster: { secret: "a secret of the benchmark" }']);
  const off = await start("off");
  const on = await sharing("on", live);
  const stuck = await sharing("stuck", frozen);
  await pause(3_000);
  frozen.freeze();
  await pause(1_000);
  const results = await compare(
    [off, on, stuck].map((lane) => ({ lane, path: "/rpc/ethereum" })),
    { method: "eth_getBalance", params: anyAccount, connections: 32, rounds: 20, roundMs: 500 },
  );
  const [alone, ...others] = results;
  if (alone === undefined) throw new Error("no result");
  for (const [at, name] of ["on", "frozen"].entries()) {
    const result = others[at] ?? alone;
    const ratio = result.cpuUsMin / alone.cpuUsMin;
    report({
      bench,
      case: `45 B call, Redis ${name} against none: CPU per answer`,
      value: result.cpuUsMin,
      unit: "us",
      baseline: alone.cpuUsMin,
      ratio,
      bar: `1.00 +- ${NOISE}`,
      ok: ratio <= 1 + NOISE && result.errors === 0 && result.wrongIds === 0,
    });
  }
  await Promise.all([stub, off, on, stuck].map((lane) => lane.stop()));
}

async function measureSharing({ url }: BenchRedis): Promise<void> {
  const chains = Array.from({ length: CHAINS }, (_, at) => `chain-${at}`);
  const start = (name: string) => new RegionTree(name, url, chains).start();
  const [eu, us, ap] = [await start("eu"), await start("us"), await start("ap")];
  const all = [eu, us, ap];
  await until(() => all.every((one) => one.cluster.membership.peers.size === 2));

  let block = 0;
  for (; block < WARM_BLOCKS; block++) {
    for (const one of all) race(one, block);
    await pause(WARM_BLOCK_MS);
  }
  const blocks = setInterval(() => {
    block++;
    for (const one of all) race(one, block);
  }, BLOCK_MS);
  const sentBefore = eu.cluster.view(eu.nowMs()).sent.bytes;
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  await pause(5 * BLOCK_MS);
  const tookMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpu);
  const sent = eu.cluster.view(eu.nowMs()).sent.bytes - sentBefore;
  const size = `${CHAINS} chains x ${PROVIDERS} providers x ${all.length} regions over Redis`;
  const share = (user + system) / 1_000 / tookMs / all.length;
  bar(`${size}: work of each`, share * 100, "% of a core", "< 1", share < 0.01);
  bar(`${size}: said by each`, sent / tookMs, "KB/s", "< 50", sent / tookMs < 50);

  const seenMs = await probeRanks(us, eu);
  const p99 = quantile(seenMs, 0.99);
  bar("a changed rank is seen elsewhere, p99", p99, "ms", "< 1000", p99 < 1_000);
  clearInterval(blocks);

  const joined: number[] = [];
  const guests: RegionTree[] = [];
  for (let at = 0; at < JOINS; at++) {
    const name = `guest-${at}`;
    const beganMs = performance.now();
    guests.push(await start(name));
    await until(() => eu.stateOf(name) === "joined");
    joined.push(performance.now() - beganMs);
  }
  const slowest = Math.max(...joined);
  bar(`a new region is seen, worst of ${JOINS}`, slowest, "ms", "< 2000", slowest < 2_000);

  const lost = await Promise.all(
    guests.map(async (guest) => {
      await pause(Math.random() * 1_000);
      const cutMs = performance.now();
      guest.cut();
      await until(() => eu.stateOf(guest.name) === "lost");
      return performance.now() - cutMs;
    }),
  );
  const latest = Math.max(...lost);
  const isInTime = latest <= LEASE_MS + LOOK_MS + 100;
  bar(`a killed region is lost, worst of ${JOINS}`, latest, "ms", "the lease, 10 s", isInTime);
  await Promise.all([...all, ...guests].map((one) => one.stop()));
}

/** Times from a changed row in one region until another one has it. */
async function probeRanks(from: RegionTree, to: RegionTree): Promise<readonly number[]> {
  const pending = new Map<string, number>();
  const seenMs: number[] = [];
  const look = setInterval(() => {
    const entries = to.cluster.boards.entriesOf(from.name);
    for (const [key, setMs] of pending) {
      if (entries?.has(key) !== true) continue;
      pending.delete(key);
      seenMs.push(performance.now() - setMs);
    }
  }, POLL_MS);
  for (let at = 0; at < PROBES; at++) {
    const place = { chain: "chain-0", subject: "newHeads", provider: `probe-${at}` };
    pending.set(rowKey(place), performance.now());
    put(from, place, [0.5, 1, 0.5, 1]);
    await pause(PROBE_MS * (0.5 + Math.random()));
  }
  await until(() => pending.size === 0);
  clearInterval(look);
  return seenMs;
}

function race(region: RegionTree, block: number): void {
  for (const chain of region.rows.keys()) {
    for (const [index, subject] of STREAMS.entries()) {
      for (let provider = 0; provider < PROVIDERS; provider++) {
        const score = ((block + provider * 7 + index) % 1_000) / 1_000;
        const place = { chain, subject, provider: `provider-${provider}` };
        put(region, place, [score, 40, score, provider * 1.5]);
      }
    }
  }
}

function put(region: RegionTree, place: RowPlace, figures: Figures): void {
  region.rows.get(place.chain)?.set(rowKey(place), [place, figures]);
}

async function until(isSo: () => boolean): Promise<void> {
  const giveUpMs = performance.now() + 30_000;
  while (!isSo()) {
    if (performance.now() > giveUpMs) throw new Error("it never came to that");
    await pause(POLL_MS);
  }
}

function bar(name: string, value: number, unit: string, words: string, ok: boolean): void {
  report({ bench, case: name, value, unit, bar: words, ok });
}
