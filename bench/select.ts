/**
 * What a choice costs on the request path: the first usable of a ranking, the look-up of a cached
 * ranking, a check and a success on a closed breaker; against cockatiel's consecutive breaker.
 *
 * Bars: first usable <= 50 ns and flat from 5 to 1,000 providers; a whole pick among 64 < 500 ns; breaker check + success <= 50 ns and
 * < 0.5 x cockatiel; recording a call < 200 ns.
 */
import { circuitBreaker, ConsecutiveBreaker, handleAll } from "cockatiel";
import { loadConfig } from "../config/load.ts";
import { chainDirectory } from "../src/main/chain-records.ts";
import { isAdmissible, noteSuccess } from "../src/rpc/admission.ts";
import { type ChainState, createChainState } from "../src/rpc/chain-state.ts";
import type { EndpointRow } from "../src/rpc/chain-view.ts";
import { EvidenceBook } from "../src/rpc/evidence/evidence-book.ts";
import { firstUsable, TriedSet } from "../src/rpc/selection/pick.ts";
import { rank } from "../src/rpc/selection/rank.ts";
import type { Ranking, RoutingSnapshot } from "../src/rpc/selection/snapshot.ts";
import { createSelectionMemory } from "../src/rpc/selection/sticky.ts";
import { costOf, interleave, type Variant } from "./support/interleave.ts";
import { rowOf } from "../test/rpc/rows.ts";
import { report } from "./support/report.ts";
import { snapshotOf, viewOf } from "./support/selection-data.ts";

const manyChains = (): readonly ChainState[] => {
  const lines = Array.from({ length: 100 }, (_, index) => [
    `  chain${index}:`,
    `    chain_id: ${1_000 + index}`,
    `    aliases: [alias${index}]`,
    "    providers:",
    ...Array.from({ length: 10 }, (__, at) => `      - { id: p${at}, url: "http://p${at}.test/" }`),
  ]);
  const text = ["chains:", ...lines.flat()].join("\n");
  const loaded = loadConfig({ file: "bench.yaml", text, env: {}, readFile: () => "" });
  if (!loaded.ok) throw new Error(loaded.errors[0]?.message);
  return loaded.config.chains.map((config) =>
    createChainState({
      config,
      evidence: book,
      memory: createSelectionMemory(),
      hub: {
        subscribe: async () => ({ ok: false, code: 0, message: "" }),
        resume: () => Promise.resolve({ ok: false, code: -1, message: "" }),
        unsubscribe: async () => false,
        drop: () => {},
      },
      report: () => {},
      onConnect: () => {},
    }),
  );
};

const methods = ["eth_call", "eth_getBalance", "eth_getLogs", "eth_blockNumber"];
const methodAt = (i: number): string => methods[i & 3] ?? "eth_call";

const book = new EvidenceBook({ chain: "ethereum" });

const worldOf = (providers: number): RoutingSnapshot =>
  snapshotOf(Array.from({ length: providers }, (_, index) => viewOf(index, book, methods)));

/** Rankings of different snapshots in turn, so that no branch is learned by heart. */
const pickFirst = (name: string, rankings: readonly Ranking[], tried?: TriedSet): Variant => {
  let i = 0;
  return {
    name,
    run: (count) => {
      let sum = 0;
      for (let n = 0; n < count; n++, i++) {
        const ranking = rankings[i & 7] as Ranking;
        sum += firstUsable(ranking, i, tried)?.row.index ?? 0;
      }
      return sum;
    },
  };
};

const sizes = [5, 50, 1_000];
const variants: Variant[] = [];
for (const size of sizes) {
  const snapshots = Array.from({ length: 8 }, () => worldOf(size));
  const rankings = snapshots.map((snapshot) => rank(snapshot, { method: "eth_call" }));
  variants.push(pickFirst(`first usable of ${size}`, rankings));
  const tried = new TriedSet();
  for (const { row } of rankings[0]?.candidates.slice(0, 2) ?? []) tried.add(row.index);
  variants.push(pickFirst(`first usable of ${size}, 2 tried`, rankings, tried));
  let i = 0;
  variants.push({
    name: `cached ranking of ${size}`,
    run: (count) => {
      let sum = 0;
      for (let n = 0; n < count; n++, i++) {
        const snapshot = snapshots[i & 7] as RoutingSnapshot;
        const demand = { method: methodAt(i >> 3), transport: "http" as const, seed: 0.5 };
        sum += rank(snapshot, demand).candidates.length;
      }
      return sum;
    },
  });
}

/** All that a request does to choose: its ranking, then the first that is admitted, untried, at the head. */
const worlds = Array.from({ length: 8 }, () => worldOf(64));
const asked = new TriedSet();
asked.add(3);
let picked = 0;
variants.push({
  name: "pick among 64",
  run: (count) => {
    let sum = 0;
    for (let n = 0; n < count; n++, picked++) {
      const snapshot = worlds[picked & 7] as RoutingSnapshot;
      const ranking = rank(snapshot, { method: methodAt(picked >> 3), transport: "http" });
      sum += firstUsable(ranking, picked, asked, 100)?.row.index ?? 0;
    }
    return sum;
  },
});

const rows = Array.from({ length: 16 }, (_, index) => rowOf(`p${index}`, index));
let step = 0;
variants.push({
  name: "breaker check + success",
  run: (count) => {
    let reports = 0;
    for (let n = 0; n < count; n++, step++) {
      const row = rows[step & 15] as EndpointRow;
      if (isAdmissible(row, step) && noteSuccess(row)) reports++;
    }
    return reports + (rows[3]?.successes ?? 0);
  },
});

const recordedMs = { now: 1_000 };
variants.push({
  name: "record a call",
  run: (count) => {
    for (let n = 0; n < count; n++) {
      recordedMs.now += 0.01;
      const provider = n % 3 === 0 ? "provider-1" : "provider-2";
      book.recordCall(provider, "http", methodAt(n), "ok", 5 + (n % 60), recordedMs.now);
    }
    return book.stats().callRows;
  },
});

/** 100 running chains of 10 providers, found as the request path finds them. */
const chains = manyChains();
const table = {
  version: 1,
  entries: () => chains.map((state) => [state.name, state] as const),
};
const directory = chainDirectory(() => table);
const lookups: readonly (readonly [name: string, key: (n: number) => string])[] = [
  ["chain by name", (n) => `chain${n % 100}`],
  ["chain by id", (n) => `${1_000 + (n % 100)}`],
  ["chain by alias", (n) => `alias${n % 100}`],
];
for (const [name, key] of lookups) {
  const keys = Array.from({ length: 128 }, (_, n) => key(n));
  variants.push({
    name,
    run: (count) => {
      let sum = 0;
      for (let n = 0; n < count; n++) sum += directory.find(keys[n & 127] as string)?.chainId ?? 0;
      return sum;
    },
  });
}
const ids = Array.from({ length: 16 }, (_, n) => `p${n % 10}`);
variants.push({
  name: "provider cells by id",
  run: (count) => {
    let sum = 0;
    for (let n = 0; n < count; n++) sum += chains[0]?.rows(ids[n & 15] as string).http.index ?? 0;
    return sum;
  },
});

const costs = interleave(variants, 400_000);
const flat = costOf(costs, "first usable of 5");
for (const { name, minNs } of costs) {
  const isFirst = name.startsWith("first usable");
  report({
    bench: "select",
    case: name,
    value: minNs,
    unit: "ns",
    ...(isFirst ? { baseline: flat, ratio: minNs / flat } : {}),
    ...(isFirst ? { bar: "<= 50 ns", ok: minNs <= 50 } : {}),
    ...(name === "pick among 64" ? { bar: "< 500 ns", ok: minNs < 500 } : {}),
    ...(name === "breaker check + success" ? { bar: "<= 50 ns", ok: minNs <= 50 } : {}),
    ...(/^(chain|provider) /.test(name) ? { bar: "< 1 us", ok: minNs < 1_000 } : {}),
    ...(name === "record a call" ? { bar: "< 200 ns", ok: minNs < 200 } : {}),
  });
}

/** cockatiel runs the call itself, so both sides run the same trivial asynchronous call. */
const policy = circuitBreaker(handleAll, {
  halfOpenAfter: 10_000,
  breaker: new ConsecutiveBreaker(5),
});
const work = async (): Promise<number> => 1;
const rounds = 20_000;
const timed = async (run: () => Promise<number>): Promise<number> => {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 7; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < rounds; i++) await run();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / rounds);
  }
  return best;
};
const bareNs = await timed(work);
const cockatielNs = (await timed(() => policy.execute(work))) - bareNs;
const ours = costOf(costs, "breaker check + success");
report({
  bench: "select",
  case: "breaker check + success, against cockatiel",
  value: ours,
  unit: "ns",
  baseline: cockatielNs,
  ratio: ours / cockatielNs,
  bar: "< 0.5 x cockatiel",
  ok: ours / cockatielNs < 0.5,
});

/** Making a ranking anew, as the first request of a method does after each snapshot. */
const fresh = [5, 64, 100, 1_000].map((size): Variant => {
  const snapshot = worldOf(size);
  return {
    name: `rank ${size} anew`,
    run: (count) => {
      let sum = 0;
      for (let n = 0; n < count; n++) {
        snapshot.cache.clear();
        sum += rank(snapshot, { method: methodAt(n), transport: "http" }).candidates.length;
      }
      return sum;
    },
  };
});
for (const { name, medianNs } of interleave(fresh, 200, 7)) {
  report({
    bench: "select",
    case: name,
    value: medianNs / 1_000,
    unit: "us",
    bar: "< 2 ms",
    ok: medianNs < 2e6,
  });
}
