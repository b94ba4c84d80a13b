/** What every storage behind `PairingStore` must do; one suite over all databases. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { migrate } from "../../src/io/sql/migrate.ts";
import { PairingStore, SLICE_ROWS } from "../../src/pairing/store/pairing-store.ts";
import type { KeptProvider, RankingWrite, StoreWrite } from "../../src/pairing/store/writes.ts";
import type { OpenDatabase } from "./sql-database.ts";

const provider = (address: string, stake = 1n): KeptProvider => ({
  address,
  stake,
  location: "US-East-1",
  features: ["HTTP", "gRPC"],
});

const change = (
  version: number,
  put: readonly KeptProvider[],
  removed: readonly string[] = [],
  market = "m",
): StoreWrite => ({ kind: "change", market, version, put, removed });

const ranking = (id: string, atMs: number): RankingWrite => ({
  kind: "ranking",
  id,
  market: "m",
  atMs,
  reason: "explain",
  version: 3,
  request: '{"policy":{}}',
  seed: "7",
  scoring: "{}",
  result: '{"topProviders":[]}',
});

/** Declares the tests. */
export const pairingStoreSuite = (open: OpenDatabase): void => {
  const opened = async () => {
    const database = await open();
    await migrate(database);
    return new PairingStore(database);
  };

  const contents = async (store: PairingStore, version: number, market = "m") => {
    const all: KeptProvider[] = [];
    await store.load({ market, version }, (slice) => {
      all.push(...slice);
    });
    return all;
  };

  it("gives providers back as they were, exact stakes included", async () => {
    const store = await opened();
    const odd = [
      { ...provider("a", 2n ** 63n - 1n), features: [] },
      { ...provider("ä 🚴 'x' \"y\" \\"), location: "ß" },
    ];
    await store.write([change(2, odd)], 5);
    expect(await store.markets()).toEqual([{ market: "m", version: 2 }]);
    expect(await contents(store, 2)).toEqual(odd);
  });

  it("reads more than a slice, each provider once", async () => {
    const store = await opened();
    const count = 2 * SLICE_ROWS + 1;
    const all = Array.from({ length: count }, (_, i) => provider(`p${i}`, BigInt(i)));
    await store.write([change(1, all)], 5);
    const read = await contents(store, 1);
    expect(new Set(read.map(({ stake }) => stake)).size).toBe(count);
    expect(read).toHaveLength(count);
  });

  it("shows a market as it was at any version", async () => {
    const store = await opened();
    await store.write([change(1, [provider("a", 1n), provider("b", 1n)])], 5);
    await store.write([change(2, [provider("a", 2n)]), change(3, [], ["b"])], 6);
    const stakes = async (version: number) =>
      (await contents(store, version)).map(({ address, stake }) => `${address}${stake}`);
    expect(await stakes(1)).toEqual(["a1", "b1"]);
    expect(await stakes(2)).toEqual(["a2", "b1"]);
    expect(await stakes(3)).toEqual(["a2"]);
  });

  it("equals a map after any run of changes, however they are cut into batches", async () => {
    const store = await opened();
    let run = 0;
    const step = fc.record({
      removes: fc.boolean(),
      names: fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 3 }),
      endsBatch: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const market = `run${run++}`;
        const expected: Map<string, bigint>[] = [new Map()];
        let batch: StoreWrite[] = [];
        for (const [i, { removes, names, endsBatch }] of steps.entries()) {
          const version = i + 1;
          const now = new Map(expected[i]);
          for (const name of names) {
            if (removes) now.delete(name);
            else now.set(name, BigInt(version));
          }
          expected.push(now);
          const put = removes ? [] : names.map((name) => provider(name, BigInt(version)));
          batch.push(change(version, put, removes ? names : [], market));
          if (!endsBatch && i < steps.length - 1) continue;
          await store.write(batch, 5);
          batch = [];
        }
        for (const [version, held] of expected.entries()) {
          const read = await contents(store, version, market);
          expect(new Map(read.map(({ address, stake }) => [address, stake]))).toEqual(
            new Map([...held].toSorted(([a], [b]) => (a < b ? -1 : 1))),
          );
        }
      }),
      { numRuns: 25 },
    );
  });

  it("is not changed by the same write done twice", async () => {
    const store = await opened();
    const writes = [change(1, [provider("a")]), change(2, [provider("a", 2n)], ["b"])];
    await store.write(writes, 5);
    await store.write(writes, 6);
    expect(await contents(store, 2)).toEqual([provider("a", 2n)]);
    expect(await contents(store, 1)).toEqual([provider("a")]);
  });

  it("shows a market that is written anew when it is whole, not before", async () => {
    const store = await opened();
    await store.write([change(1, [provider("old"), provider("kept")])], 5);
    await store.write([{ kind: "fill", market: "m", version: 4, put: [provider("kept")] }], 6);
    expect(await contents(store, 1)).toEqual([provider("kept"), provider("old")]);
    await store.write([{ kind: "fill", market: "m", version: 4, put: [provider("new")] }], 6);
    await store.write([{ kind: "settle", market: "m", version: 4 }], 7);
    expect(await store.markets()).toEqual([{ market: "m", version: 4 }]);
    expect(await contents(store, 4)).toEqual([provider("kept"), provider("new")]);
    expect(await contents(store, 1)).toEqual([provider("kept"), provider("old")]);
  });

  it("forgets half a market that was never settled", async () => {
    const store = await opened();
    await store.write([change(1, [provider("a")])], 5);
    await store.write([{ kind: "fill", market: "m", version: 4, put: [provider("b")] }], 6);
    await store.write([{ kind: "fill", market: "new", version: 1, put: [provider("c")] }], 6);
    await store.forgetUnsettled();
    await store.write([change(5, [provider("d")])], 7);
    expect(await contents(store, 5)).toEqual([provider("a"), provider("d")]);
    expect(await contents(store, 1, "new")).toEqual([]);
  });

  it("keeps one policy a consumer until it is withdrawn", async () => {
    const store = await opened();
    const policy = (consumer: string, text: string | undefined): StoreWrite => ({
      kind: "policy",
      market: "m",
      consumer,
      policy: text,
    });
    await store.write([policy("ann", "{}"), policy("bob", "{}"), policy("ann", '{"a":1}')], 5);
    await store.write([policy("bob", undefined)], 6);
    expect(await store.policies()).toEqual([{ market: "m", consumer: "ann", policy: '{"a":1}' }]);
  });

  it("keeps the last weights of each profile of a market, of markets without providers as well", async () => {
    const store = await opened();
    const weights = (profile: string, stake: number, market = "m"): StoreWrite => ({
      kind: "weights",
      market,
      profile,
      weights: { stake, ä: 0.1 },
    });
    await store.write([weights("b", 1), weights("a", 0.25), weights("b", 0)], 5);
    await store.write([weights("b", 3, "other")], 6);
    expect(await store.weights("m")).toEqual([
      { profile: "a", weights: { stake: 0.25, ä: 0.1 } },
      { profile: "b", weights: { stake: 0, ä: 0.1 } },
    ]);
    expect(await store.weights("none")).toEqual([]);
  });

  it("keeps rankings, newest first, and each by its id", async () => {
    const store = await opened();
    const rows = [ranking("x", 1), ranking("y", 3), ranking("z", 2)];
    await store.write(rows, 5);
    await store.write([{ ...ranking("x", 9), result: "other" }], 5);
    const newest = await store.rankings("m", 2);
    expect(newest.map(({ id }) => id)).toEqual(["y", "z"]);
    const { kind: _, ...x } = ranking("x", 1);
    expect(await store.ranking("x")).toEqual(x);
    expect(await store.ranking("none")).toBeUndefined();
    expect(await store.rankings("other", 2)).toEqual([]);
  });

  it("reads more rankings than it takes at once, each once, of equal times too", async () => {
    const store = await opened();
    const ids = Array.from({ length: 130 }, (_, i) => `r${1_000 + i}`);
    // Three times, the newest in the middle of the ids.
    const atMs = (i: number): number => (i < 60 ? 5 : i < 120 ? 7 : 2);
    await store.write(
      ids.map((id, i) => ranking(id, atMs(i))),
      9,
    );
    const newest = [...ids.slice(60, 120), ...ids.slice(0, 60), ...ids.slice(120)];
    const read = async (limit: number) => (await store.rankings("m", limit)).map(({ id }) => id);
    expect(await read(1_000)).toEqual(newest);
    expect(await read(101)).toEqual(newest.slice(0, 101));
    expect(await read(50)).toEqual(newest.slice(0, 50));
  });

  it("forgets what is too old, a bounded part at a time, and nothing else", async () => {
    const store = await opened();
    const old = Array.from({ length: 10 }, (_, i) => ranking(`r${i}`, i));
    await store.write([...old, ranking("new", 100)], 0);
    await store.write([change(1, [provider("a"), provider("b")])], 10);
    await store.write([change(2, [provider("a", 2n)])], 20);
    await store.write([change(3, [provider("a", 3n)])], 200);
    expect(await store.prune(50, 4)).toBe(true);
    expect((await store.rankings("m", 99)).map(({ id }) => id)).toEqual([
      "new",
      "r9",
      "r8",
      "r7",
      "r6",
      "r5",
    ]);
    while (await store.prune(50, 4));
    expect((await store.rankings("m", 99)).map(({ id }) => id)).toEqual(["new"]);
    expect(await contents(store, 3)).toEqual([provider("a", 3n), provider("b")]);
    expect(await contents(store, 2)).toEqual([provider("a", 2n), provider("b")]);
    expect(await contents(store, 1)).toEqual([provider("b")]);
  });
};
