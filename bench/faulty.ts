/**
 * Do clients notice that one of three providers is in trouble? 500 requests a second for a minute
 * with each kind of it, and a minute before with all three well. Every request asks for another
 * account: no cache helps. `BENCH_SECONDS=10` makes it shorter.
 */
import type { Trouble } from "./lanes/faulty-stub.ts";
import { startGateway } from "./lanes/gateway.ts";
import { LOAD_CORE, pinSelf, startLane } from "./support/host.ts";
import { leader } from "./support/leader.ts";
import { anyAccount, Load, type LoadResult } from "./support/load.ts";
import { quantile, report } from "./support/report.ts";

const RATE_PER_SEC = 500;
const RUN_MS = 1000 * Number(process.env["BENCH_SECONDS"] ?? 60);
/** A hedge is sent this late at the latest, as long as too little is known. */
const HEDGE_DELAY_MS = 500;
const TROUBLES: readonly Trouble[] = [
  "down",
  "hang",
  "429",
  "500",
  "garbage",
  "drip",
  "wrong_chain",
  "stale",
];

pinSelf(LOAD_CORE);
const file = new URL("lanes/faulty-stub.ts", import.meta.url).pathname;

/** A minute with the provider that carries the traffic in trouble from the first second on. */
async function run(trouble: Trouble): Promise<LoadResult> {
  const stubs = await Promise.all([0, 1, 2].map((at) => startLane(`stub${at}`, LOAD_CORE, [file])));
  const gateway = await startGateway(stubs.map(({ port }) => `http://127.0.0.1:${port}`));
  const load = new Load(gateway.port, "/rpc/ethereum", "eth_getBalance", 256, anyAccount);
  await load.open();
  await load.pace(RATE_PER_SEC, 3000);
  const strike = setTimeout(() => {
    void leader(gateway.port).then((at) => stubs[at]?.tell(trouble));
  }, 1000);
  const result = await load.pace(RATE_PER_SEC, RUN_MS);
  clearTimeout(strike);
  load.close();
  await Promise.all([gateway.stop(), ...stubs.map((stub) => stub.stop())]);
  return result;
}

const well = await run("none");
const usualMs = quantile(well.latenciesMs, 0.99);
for (const trouble of TROUBLES) {
  const { good, errors, wrongIds, latenciesMs } = await run(trouble);
  const failed = errors + wrongIds;
  report({
    bench: "faulty",
    case: `${trouble}: failed of ${good + failed}`,
    value: failed,
    unit: "requests",
    bar: "0",
    ok: failed === 0,
  });
  const p99 = quantile(latenciesMs, 0.99);
  report({
    bench: "faulty",
    case: `${trouble}: p99`,
    value: p99,
    unit: "ms",
    baseline: usualMs,
    bar: `<= all well + ${HEDGE_DELAY_MS} ms`,
    ok: p99 <= usualMs + HEDGE_DELAY_MS,
  });
}
