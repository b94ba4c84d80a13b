/** What does a call over WebSocket cost, client and provider both on WebSockets? */
import { startGateway } from "./lanes/gateway.ts";
import { cpuNs, LANE_CORE, LOAD_CORE, pinSelf, startLane } from "./support/host.ts";
import { median, report } from "./support/report.ts";
import { WsLoad } from "./support/ws-load.ts";

const BAR = 1.3;
const CLIENTS = 32;
const ROUNDS = 7;
const ROUND_MS = 1500;

pinSelf(LOAD_CORE);
const file = (name: string): string => new URL(`lanes/${name}.ts`, import.meta.url).pathname;
const httpStub = await startLane("http stub", LOAD_CORE, [file("stub")]);
const stub = await startLane("ws stub", LOAD_CORE, [file("ws-stub")]);
const wsUrl = `ws://127.0.0.1:${stub.port}`;
const httpUrl = `http://127.0.0.1:${httpStub.port}`;
const ref = await startLane("ref", LANE_CORE, [file("ws-ref"), wsUrl, "3"]);
const gateway = await startGateway([httpUrl, httpUrl, httpUrl], [wsUrl, wsUrl, wsUrl]);
const lanes = [
  { lane: ref, load: new WsLoad(`ws://127.0.0.1:${ref.port}`, CLIENTS) },
  { lane: gateway, load: new WsLoad(`ws://127.0.0.1:${gateway.port}/rpc/ethereum`, CLIENTS) },
].map((one) => ({ ...one, cpu: [] as number[], rates: [] as number[], bad: 0 }));
for (const { load } of lanes) {
  await load.open();
  await load.saturate(2000);
}
for (let round = 0; round < ROUNDS; round++) {
  for (const one of lanes) {
    const before = cpuNs(one.lane.pid);
    const result = await one.load.saturate(ROUND_MS);
    one.cpu.push((cpuNs(one.lane.pid) - before) / 1000 / Math.max(1, result.good));
    one.rates.push((result.good * 1000) / result.durationMs);
    one.bad += result.wrongIds + result.errors;
  }
}
const [bare, ours] = lanes;
if (bare === undefined || ours === undefined) throw new Error("no result");
const ratio = Math.min(...ours.cpu) / Math.min(...bare.cpu);
report({
  bench: "ws-calls",
  case: "call over WebSocket: CPU per answer",
  value: median(ours.cpu),
  unit: "us",
  baseline: median(bare.cpu),
  ratio,
  bar: `<= ${BAR} x a bare remapping proxy`,
  ok: ratio <= BAR && ours.bad === 0,
});
report({
  bench: "ws-calls",
  case: "answers per second",
  value: median(ours.rates),
  unit: "1/s",
  baseline: median(bare.rates),
});
report({ bench: "ws-calls", case: "wrong ids and errors", value: ours.bad, unit: "answers" });
for (const { load } of lanes) load.close();
await Promise.all([httpStub.stop(), stub.stop(), ref.stop(), gateway.stop()]);
