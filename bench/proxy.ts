/**
 * What does a small call cost through the whole gateway, against a bare proxy? Everything that is on
 * by default is on; each request asks for another account, so that all of them reach a provider.
 */
import { startGateway } from "./lanes/gateway.ts";
import { compare } from "./support/compare.ts";
import { LANE_CORE, LOAD_CORE, pinSelf, startLane } from "./support/host.ts";
import { anyAccount } from "./support/load.ts";
import { report } from "./support/report.ts";

const BAR = 1.25;
/** What all features together may add to a lane that only splices ids, us. */
const FEATURES_US = 5;

pinSelf(LOAD_CORE);
const file = (name: string): string => new URL(`lanes/${name}.ts`, import.meta.url).pathname;
const stub = await startLane("stub", LOAD_CORE, [file("stub")]);
const url = `http://127.0.0.1:${stub.port}`;
const ref = await startLane("ref", LANE_CORE, [file("ref"), url]);
const splice = await startLane("splice", LANE_CORE, [file("splice"), url]);
const gateway = await startGateway([url, url, url]);
const [bare, spliced, ours] = await compare(
  [
    { lane: ref, path: "/" },
    { lane: splice, path: "/" },
    { lane: gateway, path: "/rpc/ethereum" },
  ],
  { method: "eth_getBalance", params: anyAccount, connections: 32, rounds: 7, roundMs: 1500 },
);
if (bare === undefined || spliced === undefined || ours === undefined) throw new Error("no result");
const ratio = ours.cpuUsMin / bare.cpuUsMin;
report({
  bench: "proxy",
  case: "45 B call: CPU per answer",
  value: ours.cpuUs,
  unit: "us",
  baseline: bare.cpuUs,
  ratio,
  bar: `<= ${BAR} x a bare proxy`,
  ok: ratio <= BAR && ours.wrongIds === 0 && ours.errors === 0,
});
report({
  bench: "proxy",
  case: "answers per second",
  value: ours.perSec,
  unit: "1/s",
  baseline: bare.perSec,
});
report({
  bench: "proxy",
  case: "wrong ids and errors",
  value: ours.wrongIds + ours.errors,
  unit: "answers",
  baseline: bare.wrongIds + bare.errors,
});
const addedUs = ours.cpuUsMin - spliced.cpuUsMin;
report({
  bench: "proxy",
  case: "CPU that all features add to a bare splicing lane",
  value: addedUs,
  unit: "us",
  bar: `<= ${FEATURES_US} us`,
  ok: addedUs <= FEATURES_US,
});
await Promise.all([stub.stop(), ref.stop(), splice.stop(), gateway.stop()]);
