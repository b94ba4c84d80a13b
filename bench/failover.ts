/**
 * What do clients notice when the provider that carries the traffic dies, freezes, or answers every
 * fifth call with an error? 2,000 requests a second in an open loop over three stubs; nginx and
 * HAProxy meet the same in the same run. Every request asks for another account: no cache helps.
 */
import { startGateway } from "./lanes/gateway.ts";
import { startHaproxy } from "./lanes/haproxy.ts";
import { startNginx } from "./lanes/nginx.ts";
import { type Lane, LOAD_CORE, pinSelf, startLane } from "./support/host.ts";
import { leader } from "./support/leader.ts";
import { anyAccount, Load, type LoadResult } from "./support/load.ts";
import { quantile, report } from "./support/report.ts";

const RATE_PER_SEC = 2000;
const RUN_MS = 7000;
/** When the provider is struck. */
const STRIKE_MS = 3000;
const CONNECTIONS = 512;
const METHOD = "eth_getBalance";
const ERROR_SHARE = "0.2";

pinSelf(LOAD_CORE);
const file = (name: string): string => new URL(`lanes/${name}.ts`, import.meta.url).pathname;

type Struck = "killed" | "frozen" | "erring";
type Kind = "gateway" | "nginx" | "haproxy";

/** One lane before stubs of its own, and the stub that carries its traffic. */
interface Setting {
  readonly lane: Lane;
  readonly path: string;
  readonly stubs: readonly Lane[];
  first(): Promise<Lane>;
}

const startStubs = (struck: Struck): Promise<Lane[]> =>
  Promise.all(
    [0, 1, 2].map((at) => {
      // Who errs, errs from the start; the operator prefers it all the same.
      const share = struck === "erring" && at === 0 ? ERROR_SHARE : "0";
      return startLane(`stub${at}`, LOAD_CORE, [file("stub"), "0", share]);
    }),
  );

async function setUp(kind: Kind, struck: Struck): Promise<Setting | undefined> {
  const stubs = await startStubs(struck);
  const ports = stubs.map(({ port }) => port);
  const at = (index: number): Lane => stubs[index] as Lane;
  if (kind !== "gateway") {
    const lane = await (kind === "nginx" ? startNginx(...ports) : startHaproxy(...ports));
    if (lane === undefined) {
      console.error(`failover: ${kind} is not installed, its rows are left out`);
      await Promise.all(stubs.map((stub) => stub.stop()));
      return undefined;
    }
    return { lane, path: "/", stubs, first: () => Promise.resolve(at(0)) };
  }
  const lane = await startGateway(ports.map((port) => `http://127.0.0.1:${port}`));
  const path = "/rpc/ethereum";
  return {
    lane,
    path,
    stubs,
    first: async () => at(await leader(lane.port)),
  };
}

async function run(kind: Kind, struck: Struck): Promise<LoadResult | undefined> {
  const setting = await setUp(kind, struck);
  if (setting === undefined) return undefined;
  const { lane, path, stubs } = setting;
  const load = new Load(lane.port, path, METHOD, CONNECTIONS, anyAccount);
  await load.open();
  await load.pace(RATE_PER_SEC, 2000);
  const strike = setTimeout(() => {
    if (struck === "erring") return;
    void setting.first().then(({ pid }) => {
      process.kill(pid, struck === "killed" ? "SIGKILL" : "SIGSTOP");
    });
  }, STRIKE_MS);
  const result = await load.pace(RATE_PER_SEC, RUN_MS);
  clearTimeout(strike);
  load.close();
  for (const { pid } of stubs) {
    try {
      process.kill(pid, "SIGCONT");
    } catch {
      // it was killed
    }
  }
  await Promise.all([lane.stop(), ...stubs.map((stub) => stub.stop())]);
  return result;
}

const WINDOW_MS = 100;

/** Time from the strike to the last window whose p90 is over twice the one before, ms. */
function recoveryMs({ latenciesMs, dueMs }: LoadResult): number {
  const windows = Array.from({ length: RUN_MS / WINDOW_MS }, (): number[] => []);
  dueMs.forEach((due, index) => {
    windows[Math.floor(due / WINDOW_MS)]?.push(latenciesMs[index] as number);
  });
  const p90s = windows.map((window) => quantile(window, 0.9));
  const strike = STRIKE_MS / WINDOW_MS;
  const usual = quantile(p90s.slice(strike / 2, strike), 0.5);
  const last = p90s.findLastIndex((p90, index) => index >= strike && p90 > 2 * usual);
  return last < 0 ? 0 : (last + 1 - strike) * WINDOW_MS;
}

for (const struck of ["killed", "frozen", "erring"] as const) {
  const ours = await run("gateway", struck);
  const nginx = await run("nginx", struck);
  const haproxy = await run("haproxy", struck);
  if (ours === undefined) throw new Error("no result");
  const failed = ours.errors + ours.wrongIds;
  const bench = "failover";
  report({
    bench,
    case: `${struck}: failed of ${ours.good + failed}`,
    value: failed,
    unit: "requests",
    bar: "0",
    ok: failed === 0,
  });
  const p99 = quantile(ours.latenciesMs, 0.99);
  const slowest = quantile(ours.latenciesMs, 1);
  const isFrozen = struck === "frozen";
  report({
    bench,
    case: `${struck}: p99`,
    value: p99,
    unit: "ms",
    ...(isFrozen ? { bar: "< 60 ms", ok: p99 < 60 } : {}),
  });
  report({
    bench,
    case: `${struck}: slowest`,
    value: slowest,
    unit: "ms",
    ...(struck === "killed" ? { bar: "< 50 ms", ok: slowest < 50 } : {}),
  });
  if (isFrozen) {
    const backMs = recoveryMs(ours);
    report({
      bench,
      case: "frozen: p90 back under 2 x the one before",
      value: backMs,
      unit: "ms",
      bar: "<= 2,000 ms",
      ok: backMs <= 2000,
    });
  }
  for (const [name, theirs] of [
    ["nginx", nginx],
    ["HAProxy", haproxy],
  ] as const) {
    if (theirs === undefined) continue;
    const failures = theirs.errors + theirs.wrongIds;
    report({
      bench,
      case: `${struck}: p99 of ${name} (${failures} failed)`,
      value: quantile(theirs.latenciesMs, 0.99),
      unit: "ms",
    });
    report({
      bench,
      case: `${struck}: slowest of ${name}`,
      value: quantile(theirs.latenciesMs, 1),
      unit: "ms",
    });
    if (isFrozen) {
      report({
        bench,
        case: `frozen: p90 of ${name} back under 2 x the one before`,
        value: recoveryMs(theirs),
        unit: "ms",
      });
    }
  }
}
