/**
 * How many pairings a second does the whole host answer over HTTP, on one core, at 10,000 providers, with
 * explain off? And how long is the loop held by a list of a million elements, and by a large load? Policies
 * are the demo's, more of them than rankings are kept, so that most are matched anew.
 */
import { startGateway } from "./lanes/gateway.ts";
import { cpuNs, LOAD_CORE, pinSelf, startLane } from "./support/host.ts";
import { pairingPolicies, pairingProviders } from "./support/pairing-data.ts";
import { PostLoad, postBytes } from "./support/post-load.ts";
import { median, report } from "./support/report.ts";

const PROVIDERS = 10_000;
const POLICIES = 2_000;
const CONNECTIONS = 32;
const ROUNDS = 7;
const ROUND_MS = 1_500;
const BAR_PER_SEC = 8_000;
const BAR_STALL_MS = 50;
const MARKET = "/api/v1/markets/bench";

pinSelf(LOAD_CORE);
const stub = await startLane("stub", LOAD_CORE, [
  new URL("lanes/stub.ts", import.meta.url).pathname,
]);
const gateway = await startGateway([`http://127.0.0.1:${stub.port}`]);
const { port } = gateway;

const providers = pairingProviders(PROVIDERS, 1).map(({ id, stake, ...rest }) => ({
  address: id,
  stake: Number(stake),
  ...rest,
}));
const bodies = pairingPolicies(POLICIES, 2).map(({ require = {} }) =>
  JSON.stringify({
    policy: {
      requiredLocation: require.location ?? "",
      requiredFeatures: require.features,
      minStake: Number(require.minStake),
    },
  }),
);
const put = async (body: string): Promise<number> =>
  (await fetch(`http://127.0.0.1:${port}${MARKET}/providers`, { method: "PUT", body })).status;
const status = await put(JSON.stringify(providers));
if (status !== 200) throw new Error(`providers were answered with ${status}`);

const requests = bodies.map((body) => postBytes(port, `${MARKET}/pairings`, body));
const load = new PostLoad(port, requests);
await load.open(CONNECTIONS);
await load.run(ROUND_MS);
const rates: number[] = [];
const costs: number[] = [];
let bad = 0;
for (let round = 0; round < ROUNDS; round++) {
  const beforeNs = cpuNs(gateway.pid);
  const result = await load.run(ROUND_MS);
  costs.push((cpuNs(gateway.pid) - beforeNs) / 1_000 / result.good);
  rates.push(result.perSec);
  bad += result.bad;
}
load.close();
report({
  bench: "pairing-http",
  case: `pairings per second on one core, ${PROVIDERS} providers, explain off`,
  value: median(rates),
  best: Math.max(...rates),
  worst: Math.min(...rates),
  unit: "1/s",
  bar: `>= ${BAR_PER_SEC}`,
  ok: median(rates) >= BAR_PER_SEC && bad === 0,
});
report({ bench: "pairing-http", case: "CPU per pairing", value: median(costs), unit: "us" });

/** The longest answer to a small question while a large body is worked on. */
const stallBy = async (name: string, body: string, expected: number): Promise<void> => {
  const probe = new PostLoad(port, requests);
  await probe.open(1);
  const alone = await probe.run(1_000);
  const worst: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [during, answer] = await Promise.all([probe.run(1_000), put(body)]);
    if (answer !== expected) throw new Error(`${name}: answered with ${answer}`);
    worst.push(during.worstMs);
  }
  probe.close();
  report({
    bench: "pairing-http",
    case: `longest answer while ${name}`,
    value: median(worst),
    worst: Math.max(...worst),
    unit: "ms",
    baseline: alone.worstMs,
    bar: `<= ${BAR_STALL_MS} ms`,
    ok: median(worst) <= BAR_STALL_MS,
  });
};
await stallBy("a list of a million zeros is refused", `[${"0,".repeat(999_999)}0]`, 400);
await stallBy("10,000 providers are replaced", JSON.stringify(providers), 200);
await Promise.all([stub.stop(), gateway.stop()]);
