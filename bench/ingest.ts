/**
 * Do three providers at 20,000 logs a second each reach one client as 20,000 distinct logs a second,
 * in order, without a gap or a duplicate, on less than 80 % of a core?
 */
import { startGateway } from "./lanes/gateway.ts";
import { cpuNs, LOAD_CORE, pinSelf, startLane } from "./support/host.ts";
import { MAX_WAITED_SHARE, waitedNs } from "./support/contention.ts";
import { quantile, report } from "./support/report.ts";
import { WsClient } from "./support/ws-clients.ts";

const RATE = 20_000;
const LOGS_PER_BLOCK = 1_000;
const WARM_MS = 8_000;
const MEASURE_MS = 10_000;
const SAMPLE_EVERY = 16;
const MAX_P99_MS = 10;

pinSelf(LOAD_CORE);
const events = await startLane("events", LOAD_CORE, [
  new URL("lanes/events.ts", import.meta.url).pathname,
]);
const at = `127.0.0.1:${events.port}/gateway`;
const names = ["p0", "p1", "p2"];
/** Sets what is sent; answers how many logs have been made so far. */
const control = async (query: string): Promise<number> => {
  const response = await fetch(`http://127.0.0.1:${events.port}/control?lane=gateway&${query}`);
  const { number, log } = (await response.json()) as { number: number; log: number };
  return number * LOGS_PER_BLOCK + log;
};
await control(`logsPerBlock=${LOGS_PER_BLOCK}`);
const gateway = await startGateway(
  names.map((name) => `http://${at}/${name}`),
  names.map((name) => `ws://${at}/${name}`),
);

let next = -1;
let good = 0;
let gaps = 0;
let doubles = 0;
const latenciesMs: number[] = [];
let closed = "";
const field = Buffer.from('"data":"0x');
/** The same events straight from the generator: what the machine itself adds. */
const directMs: number[] = [];
let direct = 0;
const bare = await WsClient.open(events.port, "/gateway/direct", {
  onMessage: (payload) => {
    const data = payload.indexOf(field);
    if (data < 0 || ++direct % SAMPLE_EVERY !== 0) return;
    const start = data + field.length;
    const atNs = BigInt(`0x${payload.toString("latin1", start + 112, start + 128)}`);
    directMs.push(Number(process.hrtime.bigint() - atNs) / 1e6);
  },
});
bare.send('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["logs",{}]}');
const client = await WsClient.open(gateway.port, "/rpc/ethereum", {
  onMessage: (payload) => {
    const data = payload.indexOf(field);
    if (data < 0) return;
    const start = data + field.length;
    const seq = Number.parseInt(payload.toString("latin1", start + 48, start + 64), 16);
    if (next >= 0 && seq !== next) {
      if (seq < next) doubles++;
      else gaps += seq - next;
    }
    next = Math.max(next, seq + 1);
    good++;
    if (good % SAMPLE_EVERY !== 0) return;
    const atNs = BigInt(`0x${payload.toString("latin1", start + 112, start + 128)}`);
    // Logs that were fetched for a block carry no time.
    if (atNs > 0n) latenciesMs.push(Number(process.hrtime.bigint() - atNs) / 1e6);
  },
  onClose: (code, reason) => (closed = `${code} ${reason}`),
});
client.send('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["logs",{}]}');
const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
await sleep(500);
await control(`logRate=${RATE / 4}`);
await sleep(WARM_MS / 2);
await control(`logRate=${RATE}`);
await sleep(WARM_MS / 2);

good = 0;
latenciesMs.length = 0;
directMs.length = 0;
const startMs = performance.now();
const firstMade = await control("");
const startNs = cpuNs(gateway.pid);
const startWaitedNs = waitedNs(gateway.pid);
await sleep(MEASURE_MS);
const made = (await control("")) - firstMade;
const durationMs = performance.now() - startMs;
const cpu = (cpuNs(gateway.pid) - startNs) / 1e6 / durationMs;
const waited = (waitedNs(gateway.pid) - startWaitedNs) / 1e6 / durationMs;
const perSec = (good * 1_000) / durationMs;
const lost = gaps + doubles;
const p99 = quantile(latenciesMs, 0.99);
const bench = "ingest";
// A generator that is kept from its core makes fewer: then the rate is not what was to be measured.
const isPaced = made >= MEASURE_MS * (RATE / 1_000) * 0.98;
report({
  bench,
  case: "distinct logs to one client, 3 providers",
  value: perSec,
  baseline: (made * 1_000) / durationMs,
  unit: "1/s",
  ...(isPaced
    ? { bar: `>= ${RATE} less 2 % of pacing`, ok: perSec >= RATE * 0.98 && closed === "" }
    : { bar: "discarded: the generator was late" }),
});
if (!isPaced) process.exitCode ||= 2;
report({
  bench,
  case: "gaps, duplicates, out of order",
  value: lost,
  unit: "logs",
  bar: "0",
  ok: lost === 0 && closed === "",
});
report({ bench, case: "CPU", value: cpu * 100, unit: "% of a core", bar: "< 80 %", ok: cpu < 0.8 });
report({ bench, case: "CPU per event in", value: (cpu * 1e6) / (3 * RATE), unit: "us" });
const p50 = { value: quantile(latenciesMs, 0.5), baseline: quantile(directMs, 0.5) };
report({ bench, case: "latency p50 (without gateway)", ...p50, unit: "ms" });
// On a machine that is busy with other things the lane waits for its core: then nothing is learned.
const baseline = quantile(directMs, 0.99);
const isMeasured = waited < MAX_WAITED_SHARE || p99 < MAX_P99_MS;
report({
  bench,
  case: "latency p99 (without gateway)",
  value: p99,
  baseline,
  unit: "ms",
  ...(isMeasured
    ? { bar: `< ${MAX_P99_MS} ms`, ok: p99 < MAX_P99_MS }
    : { bar: "discarded: the core was taken" }),
});
report({ bench, case: "kept from its core", value: waited * 100, unit: "% of the time" });
if (!isMeasured) process.exitCode ||= 2;
if (closed !== "") console.error(`the client was closed: ${closed}`);
client.close();
bare.close();
await Promise.all([gateway.stop(), events.stop()]);
