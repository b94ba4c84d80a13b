/**
 * How long does any work on a market of a million providers hold the loop? The value, by which the bar
 * is judged, is the longest turn as this program caused it, collections of garbage included; beside it
 * is what others waited for on this machine, where other programs take a core amid a turn.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { tuneVm } from "../src/io/vm-tuning.ts";
import { PairingGenerator } from "../src/pairing/generator.ts";
import type { ConsumerPolicy, PairRequest, ProviderRecord } from "../src/pairing/protocol.ts";
import { wirePolicy, wireProvider } from "../src/pairing/rest/wire.ts";
import { longestTurn } from "./support/longest-turn.ts";
import {
  askPairing,
  CHAIN,
  CONSUMERS,
  MARKET,
  type PairingHost,
  startPairing,
} from "./support/pairing-host.ts";
import { report } from "./support/report.ts";

const isSmall = process.argv.includes("--small");
const PROVIDERS = isSmall ? 100_000 : 1_000_000;
const POLICIES = 200;
/** More than it takes until an order is merged anew while they come. */
const CHANGES = 10_000;
const BAR_MS = 50;
const PATH = `/api/v1/markets/${MARKET}`;

/** Cases to be measured; all without it. */
const only = process.argv.find((word) => word.startsWith("--only="))?.slice("--only=".length);
const isAsked = (name: string): boolean => only === undefined || name.includes(only);

const WRITTEN = "it is written to the database";
const CHANGES_WRITTEN = "their changes are written";
const RESTORED = "the market comes back at a start";
const TRAIL = "GET audit, 1,000 explained pairings of 64";
const AGAIN = "a pairing of the audit trail is made again";
/** Writing a market whole takes longest of all, and most cases do not need it. */
const isKept = [WRITTEN, CHANGES_WRITTEN, RESTORED, TRAIL, AGAIN].some(isAsked);

tuneVm();
let host: PairingHost = await startPairing(isKept);
const { port } = host.service;

/** Measures what is asked for. */
async function turn(name: string, run: () => unknown): Promise<void> {
  if (!isAsked(name)) return;
  const { heldMs, wallMs, seconds } = await longestTurn(run);
  report({
    bench: "pairing-turns",
    case: `${name} (${seconds.toFixed(1)} s)`,
    value: heldMs,
    unit: "ms",
    baseline: wallMs,
    bar: `<= ${BAR_MS} ms`,
    ok: heldMs <= BAR_MS,
  });
}

/** Does what other cases build upon, measured or not. */
const groundwork = (name: string, run: () => unknown): unknown =>
  isAsked(name) ? turn(name, run) : run();

const must = async (answer: Promise<number>, expected = 200): Promise<void> => {
  const status = await answer;
  if (status !== expected) throw new Error(`answered with ${status} instead of ${expected}`);
};
const ask = (method: string, path: string, body = "", query = ""): Promise<number> =>
  askPairing(host, method, PATH + path, { body, query });

// --- a market is there ---------------------------------------------------------------------------

/** Loads it, and answers some of its providers: to hold on to all makes every collection long. */
async function load(): Promise<readonly ProviderRecord[]> {
  const providers = new PairingGenerator(1).workloadProviders(PROVIDERS);
  await groundwork("a market is loaded", async () => {
    const loaded = await port.load(MARKET, providers, "replace");
    if (!loaded.ok || loaded.value.accepted !== providers.length) throw new Error("not loaded");
  });
  return providers.filter((_, i) => i % (PROVIDERS / CHANGES) === 0);
}
const known = await load();
await sleep(0);
globalThis.gc?.();
if (isKept) await groundwork(WRITTEN, () => host.storage.journal.settled());

// --- pairings ------------------------------------------------------------------------------------

const policies = new PairingGenerator(7).workloadPolicies(POLICIES);
const requests = policies.map((policy): PairRequest => ({ policy }));
const pairAll = (more: Partial<PairRequest>) => async (): Promise<void> => {
  for (const [i, request] of requests.entries()) {
    const paired = port.pair(MARKET, { ...request, ...more, seed: i });
    if (!paired.ok) throw new Error(paired.refusal.message);
    await nextTurn();
  }
};
await turn("pairings, top", pairAll({}));
await turn("pairings, explained", pairAll({ explain: true }));
await turn("pairings, weighted", pairAll({ mode: "weighted" }));
await groundwork("turns are put in order, pairings meanwhile", async () => {
  for (let i = 0; ; i++) {
    const request = { ...(requests[i % POLICIES] as PairRequest), mode: "roundRobin" } as const;
    const paired = port.pair(MARKET, request);
    if (paired.ok) return;
    if (paired.refusal.code !== "PAIRING_PREPARING") throw new Error(paired.refusal.message);
    await nextTurn();
  }
});
await turn("pairings in turn", pairAll({ mode: "roundRobin" }));
await turn("pairings, another profile", pairAll({ profile: "pairing-strict" }));
await turn("pairings, weights of their own", pairAll({ weights: { stake: 0.6 } }));
await turn("pairings, preferences", async () => {
  for (const { policy } of requests) {
    const prefer = { location: "US-East-1", features: ["http", "grpc"] };
    port.pair(MARKET, { policy: { ...policy, prefer, relaxed: true } });
    await nextTurn();
  }
});
await turn("weights of the profile change, pairings meanwhile", async () => {
  await port.setWeights(MARKET, "pairing", { stake: 0.5 });
  const until = performance.now() + 3_000;
  for (let i = 0; performance.now() < until; i++) {
    port.pair(MARKET, requests[i % POLICIES] as PairRequest);
    await nextTurn();
  }
});

// --- questions -----------------------------------------------------------------------------------

const asking = { policy: { requiredFeatures: ["http"], minStake: 1_000 } };
const policy = `policy=${encodeURIComponent(JSON.stringify(asking.policy))}`;
for (const [name, path, query] of [
  ["why", "/pairings/why", `${policy}&address=${known[1]?.address}`],
  ["filter-stats", "/filter-stats", policy],
  ["scoring-stats", "/scoring-stats", policy],
  ["scoring-stats of all", "/scoring-stats", "minStake=0"],
  ["locations", "/locations", ""],
  ["stats", "/stats", ""],
  [
    "a page from far behind",
    "/providers",
    `limit=1000&offset=${PROVIDERS - 1_000}&location=US-East-1`,
  ],
] as const) {
  await turn(`GET ${name}`, () => must(ask("GET", path, "", query)));
}
await turn("what if it weighed otherwise", () =>
  must(
    ask(
      "POST",
      "/pairings/what-if",
      JSON.stringify({ ...asking, whatIf: { weights: { stake: 0.9 }, top: 64 } }),
    ),
  ),
);

const batch = JSON.stringify(
  Array.from({ length: 1_000 }, (_, i) => ({
    policy: wirePolicy(policies[i % POLICIES] as ConsumerPolicy),
  })),
);
const pairBatch = (): Promise<void> => must(ask("POST", "/pairings/batch", batch));
await turn("a batch of 1,000, threads are started", pairBatch);
await sleep(isAsked("a batch of 1,000") ? 1_000 : 0);
await turn("a batch of 1,000 with another thread", pairBatch);

// --- lists of consumers --------------------------------------------------------------------------

const LISTS = `lists of ${CONSUMERS} consumers`;
const isListed = (consumer: string, epoch: number): boolean =>
  (host.service.door?.listOf(consumer, CHAIN)?.epoch ?? 0) >= epoch;
for (const mode of ["top", "weighted"] as const) {
  const name = `${LISTS}, ${mode}`;
  if (![`${name}, set`, `${name}, another epoch`].some(isAsked)) continue;
  await groundwork(`${name}, set`, async () => {
    for (let i = 0; i < CONSUMERS; i++) {
      const wish = { policy: wirePolicy(policies[i % POLICIES] as ConsumerPolicy), mode };
      const path = `/api/v1/pairing/policies/consumer-${i}`;
      await must(askPairing(host, "PUT", path, { body: JSON.stringify(wish) }));
    }
  });
  await turn(`${name}, another epoch`, async () => {
    const epoch = host.beginEpoch();
    for (let i = 0; i < CONSUMERS; i++) {
      while (!isListed(`consumer-${i}`, epoch)) await sleep(5);
    }
  });
}
for (let i = 0; i < CONSUMERS && isAsked(LISTS); i++) {
  await must(askPairing(host, "DELETE", `/api/v1/pairing/policies/consumer-${i}`));
}

// --- changes -------------------------------------------------------------------------------------

await turn("single changes, pairings between", async () => {
  for (const [i, provider] of known.entries()) {
    await port.add(MARKET, { ...provider, stake: provider.stake + 1n });
    // Requests come in turns of their own; calls that await each other in one process need not.
    await nextTurn();
    if (i % 100 === 0) port.pair(MARKET, requests[i % POLICIES] as PairRequest);
  }
});
const changed = known.map(({ stake, ...rest }) => wireProvider({ ...rest, stake: stake + 2n }));
await turn(`a list of ${CHANGES.toLocaleString("en")} changes`, () =>
  must(ask("POST", "/providers", JSON.stringify(changed))),
);
await turn("providers leave and others come", async () => {
  for (const [i, provider] of known.entries()) {
    await port.remove(MARKET, provider.address);
    await port.add(MARKET, { ...provider, address: `${provider.address}-${i}-anew` });
    await nextTurn();
  }
});
if (isKept) await turn(CHANGES_WRITTEN, () => host.storage.journal.settled());
if ([TRAIL, AGAIN].some(isAsked)) {
  for (let i = 0; i < 1_000; i++) {
    const strategy = i === 999 ? "round-robin" : "top";
    const request = {
      policy: wirePolicy(policies[i % POLICIES] as ConsumerPolicy),
      top: 64,
      strategy,
      explain: true,
    };
    await must(ask("POST", "/pairings", JSON.stringify(request)));
    // As many wait at most.
    if (i % 500 === 499) await host.storage.journal.settled();
  }
  await turn(TRAIL, () => must(ask("GET", "/audit", "", "limit=1000")));
  const newest = await host.service.api.handle({
    method: "GET",
    path: `${PATH}/audit`,
    query: "limit=1",
    body: Buffer.alloc(0),
  });
  const { data } = newest.body as {
    readonly data: { readonly rankings: readonly { id: string }[] };
  };
  await turn(AGAIN, () => must(ask("POST", `/audit/${data.rankings[0]?.id}/replay`)));
}
await turn("a list of a million zeros", () =>
  must(ask("POST", "/providers", `[${"0,".repeat(999_999)}0]`), 400),
);

// --- the end, and the next beginning -------------------------------------------------------------

if (isAsked(RESTORED)) {
  await host.stop();
  await turn(RESTORED, async () => {
    host = await startPairing(true);
  });
  if (host.service.book.peek(MARKET)?.store.size !== PROVIDERS) {
    throw new Error("not all came back");
  }
}
await turn("as many without a name replace it", () => {
  const nameless = '{"stake":1,"location":"EU"}';
  return must(ask("PUT", "/providers", `[${`${nameless},`.repeat(PROVIDERS - 1)}${nameless}]`));
});
await turn("the market is cleared", () => must(ask("DELETE", "/providers")));
await host.stop();
