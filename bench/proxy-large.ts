/** What do large answers cost through the whole gateway, which streams and never parses them? */
import { startGateway } from "./lanes/gateway.ts";
import { compare } from "./support/compare.ts";
import { LANE_CORE, LOAD_CORE, pinSelf, rssMb, startLane } from "./support/host.ts";
import { report } from "./support/report.ts";

interface Case {
  readonly name: string;
  readonly method: string;
  readonly connections: number;
  readonly bar: number;
}

const CASES: readonly Case[] = [
  { name: "19 KB block", method: "eth_getBlockByNumber", connections: 32, bar: 1.18 },
  { name: "1.9 MB logs", method: "eth_getLogs", connections: 8, bar: 1 },
];
const MAX_GROWTH_MB = 150;

pinSelf(LOAD_CORE);
const file = (name: string): string => new URL(`lanes/${name}.ts`, import.meta.url).pathname;
const stub = await startLane("stub", LOAD_CORE, [file("stub")]);
const url = `http://127.0.0.1:${stub.port}`;
const ref = await startLane("ref", LANE_CORE, [file("ref"), url]);
const gateway = await startGateway([url, url, url]);
const lanes = [
  { lane: ref, path: "/" },
  // Past the cache: what is asked is what a large answer costs on its way.
  { lane: gateway, path: "/rpc/ethereum?no-cache" },
];
for (const { name, method, connections, bar } of CASES) {
  const beforeMb = rssMb(gateway.pid);
  const [bare, ours] = await compare(lanes, { method, connections, rounds: 7, roundMs: 1500 });
  if (bare === undefined || ours === undefined) throw new Error("no result");
  const ratio = ours.cpuUsMin / bare.cpuUsMin;
  report({
    bench: "proxy-large",
    case: `${name}: CPU per answer`,
    value: ours.cpuUs,
    unit: "us",
    baseline: bare.cpuUs,
    ratio,
    bar: `<= ${bar} x a bare proxy`,
    ok: ratio <= bar && ours.wrongIds === 0 && ours.errors === 0,
  });
  report({
    bench: "proxy-large",
    case: `${name}: answers per second`,
    value: ours.perSec,
    unit: "1/s",
    baseline: bare.perSec,
  });
  if (method === "eth_getLogs") {
    const growthMb = rssMb(gateway.pid) - beforeMb;
    report({
      bench: "proxy-large",
      case: `${name}: memory growth`,
      value: growthMb,
      unit: "MB",
      bar: `< ${MAX_GROWTH_MB} MB`,
      ok: growthMb < MAX_GROWTH_MB,
    });
  }
}
await Promise.all([stub.stop(), ref.stop(), gateway.stop()]);
