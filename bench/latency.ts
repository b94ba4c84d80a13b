/**
 * How long does a call take? One connection, then an open loop at 2,000 requests a second, whose
 * clocks run from when a request was due; and 100,000 answers whose ids are all compared.
 */
import { startGateway } from "./lanes/gateway.ts";
import { startNginx } from "./lanes/nginx.ts";
import { LANE_CORE, LOAD_CORE, pinSelf, startLane } from "./support/host.ts";
import { anyAccount, Load } from "./support/load.ts";
import { median, quantile, report } from "./support/report.ts";

const ROUNDS = 5;
const RATE_PER_SEC = 2000;
const CHECKED = 100_000;
const METHOD = "eth_getBalance";

pinSelf(LOAD_CORE);
const file = (name: string): string => new URL(`lanes/${name}.ts`, import.meta.url).pathname;
const stub = await startLane("stub", LOAD_CORE, [file("stub")]);
const url = `http://127.0.0.1:${stub.port}`;
const ref = await startLane("ref", LANE_CORE, [file("ref"), url]);
const gateway = await startGateway([url, url, url]);
const nginx = await startNginx(stub.port);
const lanes = [
  { name: "ref", port: ref.port, path: "/" },
  { name: "gateway", port: gateway.port, path: "/rpc/ethereum" },
  ...(nginx === undefined ? [] : [{ name: "nginx", port: nginx.port, path: "/" }]),
];

/** One figure per lane, the median of interleaved rounds. */
async function measure(
  connections: number,
  run: (load: Load) => Promise<readonly number[]>,
  read: readonly ((latencies: readonly number[]) => number)[],
): Promise<number[][]> {
  const loads = await Promise.all(
    lanes.map(async ({ port, path }) => {
      const load = new Load(port, path, METHOD, connections, anyAccount);
      await load.open();
      await load.saturate(1000);
      return load;
    }),
  );
  const rounds: number[][][] = lanes.map(() => read.map(() => []));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, load] of loads.entries()) {
      const latencies = await run(load);
      read.forEach((figure, column) => rounds[index]?.[column]?.push(figure(latencies)));
    }
  }
  for (const load of loads) load.close();
  return rounds.map((columns) => columns.map((values) => median(values)));
}

const single = await measure(1, async (load) => (await load.saturate(1000)).latenciesMs, [
  (all) => quantile(all, 0.5) * 1000,
]);
report({
  bench: "latency",
  case: "one connection, p50",
  value: single[1]?.[0] ?? NaN,
  unit: "us",
  baseline: single[0]?.[0] ?? NaN,
  ratio: (single[1]?.[0] ?? NaN) / (single[0]?.[0] ?? NaN),
});

const nginxP50 = single[2]?.[0];
if (nginxP50 === undefined) console.error("latency: nginx is not installed, its row is left out");
else {
  const addedUs = (single[1]?.[0] ?? NaN) - nginxP50;
  report({
    bench: "latency",
    case: "one connection, p50 added to nginx",
    value: addedUs,
    unit: "us",
    bar: "<= 40 us",
    ok: addedUs <= 40,
  });
}

const paced = await measure(64, async (load) => (await load.pace(RATE_PER_SEC, 2000)).latenciesMs, [
  (all) => quantile(all, 0.5) * 1000,
  (all) => quantile(all, 0.99) * 1000,
]);
const [refP50 = NaN, refP99 = NaN] = paced[0] ?? [];
const [ourP50 = NaN, ourP99 = NaN] = paced[1] ?? [];
report({
  bench: "latency",
  case: `${RATE_PER_SEC}/s, p50`,
  value: ourP50,
  unit: "us",
  baseline: refP50,
  ratio: ourP50 / refP50,
});
report({
  bench: "latency",
  case: `${RATE_PER_SEC}/s, p99`,
  value: ourP99,
  unit: "us",
  baseline: refP99,
  ratio: ourP99 / refP99,
  bar: "<= 2 x a bare proxy",
  ok: ourP99 <= 2 * refP99,
});

const checker = new Load(gateway.port, "/rpc/ethereum", METHOD, 64, anyAccount);
await checker.open();
let good = 0;
let bad = 0;
while (good + bad < CHECKED) {
  const result = await checker.saturate(1000);
  good += result.good;
  bad += result.wrongIds + result.errors;
}
checker.close();
report({
  bench: "latency",
  case: `wrong ids and errors in ${good + bad} answers`,
  value: bad,
  unit: "answers",
  bar: "0",
  ok: bad === 0,
});
await Promise.all([stub.stop(), ref.stop(), gateway.stop(), nginx?.stop()]);
