import { describe, expect, it } from "vitest";
import { configStore, configStoreKey, configTable } from "../../../actors/ops/config-store.ts";
import { tableKeeper, tableKeeperKey } from "../../../actors/ops/table-keeper.ts";
import { benchmarkSnapshot, benchmarkSnapshotKey } from "../../../actors/rpc/benchmark-snapshot.ts";
import { loadConfig } from "../../../config/load.ts";
import { planReload, type ReloadPlan } from "../../../config/plan.ts";
import type { Config } from "../../../config/schema.ts";
import {
  child,
  createVirtualNode,
  defineActor,
  keyFor,
  supervisor,
  type ArgsOf,
  type TableTransfer,
} from "../../../src/otp/index.ts";
import { EvidenceBook } from "../../../src/rpc/evidence/evidence-book.ts";

const configOf = (text: string): Config => {
  const loaded = loadConfig({ file: "t.yaml", text, env: {}, readFile: () => "" });
  if (!loaded.ok) throw new Error(loaded.errors.map(({ message }) => message).join("; "));
  return loaded.config;
};

const withProviders = (...ids: readonly string[]): string =>
  ["chains:", "  eth:", "    chain_id: 1", "    providers:"]
    .concat(ids.map((id) => `      - { id: ${id}, url: "http://${id}.test/" }`))
    .join("\n");

describe("the configuration store", () => {
  const start = async () => {
    const node = createVirtualNode({ seed: 1 });
    const file = { text: withProviders("a") };
    const applied: ReloadPlan[] = [];
    const failing = { reason: undefined as string | undefined };
    const current: ArgsOf<typeof configStore>["current"] = { config: configOf(file.text) };
    await node.start(
      supervisor("root", {
        intensity: 5,
        children: [
          child(
            configStore,
            {
              current,
              read: async () => {
                const loaded = loadConfig({
                  file: "t.yaml",
                  text: file.text,
                  env: {},
                  readFile: () => "",
                });
                return loaded.ok
                  ? { ok: true, config: loaded.config }
                  : { ok: false, errors: loaded.errors.map(({ message }) => message) };
              },
              plan: planReload,
              apply: async (_config, plan) => {
                if (failing.reason !== undefined) throw new Error(failing.reason);
                applied.push(plan);
              },
            },
            { register: configStoreKey() },
          ),
        ],
      }),
    );
    const store = node.via(configStoreKey());
    return { node, file, applied, failing, current, store };
  };

  it("applies exactly the plan of the change and publishes the new configuration", async () => {
    const { node, file, applied, store } = await start();
    file.text = withProviders("a", "b");
    const result = await node.drive(store.call.reload());
    expect(result.ok).toBe(true);
    expect(applied).toHaveLength(1);
    expect(applied[0]?.steps).toEqual([{ action: "start", chain: "eth", provider: "b", keys: [] }]);
    const published = node.table<Config>(configTable)?.get("config");
    expect(published?.chains[0]?.providers.map(({ id }) => id)).toEqual(["a", "b"]);
  });

  it("keeps what runs when the file is bad, and says what is wrong", async () => {
    const { node, file, applied, store, current } = await start();
    const before = current.config;
    file.text = "chains: { eth: { chain_id: one } }";
    const result = await node.drive(store.call.reload());
    expect(result).toMatchObject({ ok: false, code: "CONFIG_INVALID" });
    expect(applied).toEqual([]);
    expect(current.config).toBe(before);
    expect(node.table<Config>(configTable)?.get("config")).toBe(before);
  });

  it("refuses a change that needs a new host as a whole", async () => {
    const { node, file, applied, store } = await start();
    file.text = `listen: { port: 1234 }\n${withProviders("a", "b")}`;
    const result = await node.drive(store.call.reload());
    expect(result).toMatchObject({ ok: false, code: "CONFIG_NEEDS_RESTART" });
    expect(applied).toEqual([]);
  });

  it("touches nothing when nothing changed", async () => {
    const { node, applied, store } = await start();
    expect(await node.drive(store.call.reload())).toMatchObject({ ok: true, plan: { steps: [] } });
    expect(applied).toEqual([]);
  });

  it("reports a tree that could not follow and stays alive", async () => {
    const { node, file, failing, store, current } = await start();
    const before = current.config;
    file.text = withProviders("b");
    failing.reason = "the tree is stuck";
    const result = await node.drive(store.call.reload());
    expect(result).toMatchObject({ code: "CONFIG_APPLY_FAILED", errors: ["the tree is stuck"] });
    expect(current.config).toBe(before);
  });

  it("has the tree compared again after a reload that failed, even when the file is as before", async () => {
    const { node, file, applied, failing, store } = await start();
    file.text = withProviders("a", "b");
    failing.reason = "died half way";
    await node.drive(store.call.reload());
    node.inspector.exit(configStoreKey().name, "kill");
    await node.settle();
    failing.reason = undefined;
    file.text = withProviders("a");
    await node.drive(store.call.reload());
    expect(applied).toMatchObject([{ steps: [] }]);
    await node.drive(store.call.reload());
    expect(applied).toHaveLength(1);
  });

  it("publishes the applied configuration again after its death", async () => {
    const { node, file, store, current } = await start();
    file.text = withProviders("a", "b");
    await node.drive(store.call.reload());
    node.inspector.exit(configStoreKey().name, "kill");
    await node.settle();
    expect(node.table<Config>(configTable)?.get("config")).toBe(current.config);
    expect(current.config.chains[0]?.providers).toHaveLength(2);
  });
});

describe("the table keeper", () => {
  const heir = defineActor({
    name: "test/heir",
    init: () => [] as string[],
    on: (state, info, ctx) => {
      if (info.type !== "info") return state;
      const { table } = info.payload as TableTransfer;
      const keeper = ctx.whereis(tableKeeperKey());
      if (keeper !== undefined) ctx.table(table)?.giveAway(keeper);
      return [...state, table];
    },
  });
  const heirKey = keyFor(heir);

  it("loses no row when it is killed, and readers see no gap", async () => {
    const node = createVirtualNode({ seed: 1 });
    await node.start(
      supervisor("root", {
        intensity: 5,
        children: [
          child(heir, undefined, { register: heirKey() }),
          child(
            tableKeeper,
            { tables: ["one"], heir: () => heirKey() },
            { register: tableKeeperKey() },
          ),
        ],
      }),
    );
    const table = node.table<number>("one");
    table?.put("row", 7);
    await node.drive(node.via(tableKeeperKey()).call.open("two"));
    node.table<number>("two")?.put("row", 8);
    const first = node.whereis(tableKeeperKey())?.id;
    node.inspector.exit(tableKeeperKey().name, "kill");
    expect(node.table<number>("one")?.get("row")).toBe(7);
    await node.settle();
    expect(node.whereis(tableKeeperKey())?.id).not.toBe(first);
    expect(node.table<number>("one")?.get("row")).toBe(7);
    expect(node.table<number>("two")?.get("row")).toBe(8);
    expect(await node.drive(node.via(tableKeeperKey()).call.open("two"))).toBe("already_open");
  });
});

describe("the snapshot writer", () => {
  /** What was used, as a document. */
  const ledger = () => {
    const kept = {
      used: {},
      toSnapshot: () => kept.used,
      restore: (document: unknown) => {
        kept.used = document as object;
      },
    };
    return kept;
  };

  const start = async (
    write: (series: string, document: unknown) => void,
    stored = new Map<string, { atMs: number; document: unknown }[]>(),
  ) => {
    const node = createVirtualNode({ seed: 1, startMs: 5_000 });
    const book = new EvidenceBook({ chain: "eth" });
    const budgets = ledger();
    const clients = ledger();
    await node.start(
      supervisor("root", {
        intensity: 5,
        children: [
          child(
            benchmarkSnapshot,
            {
              books: () => new Map([["eth", book]]),
              budgets: () => new Map([["eth", budgets]]),
              clients,
              intervalMs: 3_600_000,
              store: {
                write: async (series, atMs, document) => {
                  write(series, document);
                  const json = JSON.parse(JSON.stringify(document)) as unknown;
                  stored.set(series, [...(stored.get(series) ?? []), { atMs, document: json }]);
                  return series;
                },
                latest: async (series) => ({ snapshot: stored.get(series)?.at(-1), damaged: 0 }),
                range: async (series, fromMs, toMs) => ({
                  snapshots: (stored.get(series) ?? []).filter(
                    ({ atMs }) => atMs >= fromMs && atMs <= toMs,
                  ),
                  damaged: 0,
                }),
              },
            },
            { register: benchmarkSnapshotKey() },
          ),
        ],
      }),
    );
    return { node, book, stored, budgets, clients };
  };

  it("writes what was used of quotas in each minute in which it changed, and takes it up again", async () => {
    const series: string[] = [];
    const first = await start((name) => series.push(name));
    await first.node.advance(60_010);
    expect(series).toEqual([]);
    first.budgets.used = { a: 5 };
    await first.node.advance(60_000);
    await first.node.advance(60_000);
    first.clients.used = { dapp: 7 };
    await first.node.advance(60_000);
    expect(series).toEqual(["budgets-eth", "clients"]);
    const second = await start(() => {}, first.stored);
    await second.node.advance(1);
    await second.node.drive(second.node.via(benchmarkSnapshotKey()).call.restore("eth"));
    expect(second.budgets.used).toEqual({ a: 5 });
    expect(second.clients.used).toEqual({ dapp: 7 });
  });

  it("writes each hour and once more at the end", async () => {
    let writes = 0;
    const { node } = await start(() => {
      writes += 1;
    });
    await node.advance(2 * 3_600_000 + 10);
    expect(writes).toBe(2);
    await node.stop();
    expect(writes).toBe(3);
  });

  it("gives a new book what the old one knew", async () => {
    const { node, book, stored } = await start(() => {});
    for (let i = 0; i < 20; i += 1)
      book.recordCall("a", "http", "eth_call", "ok", 12, node.nowMs());
    await node.drive(node.via(benchmarkSnapshotKey()).call.flush());
    expect(stored.size).toBe(1);
    const [documents = []] = [...stored.values()];
    const fresh = new EvidenceBook({ chain: "eth" });
    const wallMs = 1_700_000_005_000;
    const read = documents.map(({ document }) => document);
    expect(fresh.restore(read, node.nowMs(), wallMs)).toEqual({ ok: true, refused: [] });
    const summary = fresh.callsOf("a", node.nowMs()).get("http", "eth_call");
    expect(summary?.n).toBeCloseTo(20, 0);
  });

  it("has a row on disk once, hour by hour, and reads the whole day back", async () => {
    const first = await start(() => {});
    for (let hour = 0; hour < 30; hour++) {
      for (let i = 0; i < 3; i++) {
        first.book.recordCall("a", "http", "eth_call", "ok", 12, first.node.nowMs() + 1);
      }
      await first.node.advance(3_600_000);
    }
    const series = first.stored.get("evidence-eth") ?? [];
    const rowsOf = ({ document }: { readonly document: unknown }): number =>
      (document as { calls: { agesMs: readonly number[] } }).calls.agesMs.length;
    expect(series.map(rowsOf)).toEqual(Array.from({ length: 30 }, () => 3));
    const second = await start(() => {}, first.stored);
    // The second host starts when the first one has stopped.
    await second.node.advance(first.node.nowMs() - second.node.nowMs());
    await second.node.drive(second.node.via(benchmarkSnapshotKey()).call.restore("eth"));
    const { callRows } = second.book.stats();
    expect(callRows).toBeGreaterThanOrEqual(3 * 23);
    expect(callRows).toBeLessThanOrEqual(3 * 25);
    expect(second.book.history.range(0, 1e15, 100).length).toBeGreaterThanOrEqual(23);
  });

  it("saves rows before the hourly cleanup can drop them, also those of an hour that failed", async () => {
    let isFull = true;
    const { node, book, stored } = await start(() => {
      if (isFull) throw new Error("ENOSPC: no space left on device");
    });
    book.recordCall("a", "http", "eth_call", "ok", 1, node.nowMs());
    await node.advance(3_600_000 + 10);
    isFull = false;
    book.recordCall("a", "http", "eth_call", "ok", 2, node.nowMs());
    await node.advance(3_600_000);
    book.prune(node.nowMs() + 90_000_000);
    expect(stored.get("evidence-eth")?.map(({ document }) => document)).toMatchObject([
      { calls: { valuesUs: [1_000, 2_000] } },
    ]);
  });

  it("goes on when the disk is full", async () => {
    let isFull = true;
    let writes = 0;
    const { node } = await start(() => {
      if (isFull) throw new Error("ENOSPC: no space left on device");
      writes += 1;
    });
    await node.advance(3_600_000 + 10);
    expect(node.inspector.info(benchmarkSnapshotKey().name)?.state).toMatchObject({
      failed: 1,
      lastError: "ENOSPC: no space left on device",
    });
    isFull = false;
    await node.advance(3_600_000);
    expect(writes).toBe(1);
    expect(node.inspector.tree()?.children[0]?.restarts.count).toBe(0);
  });
});
