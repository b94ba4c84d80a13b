import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSnapshotStore, type SnapshotStore } from "../../src/io/snapshot-store.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "paceline-snapshots-"));
});
afterEach(() => rm(directory, { recursive: true }));

const open = (overrides = {}) =>
  createSnapshotStore({
    directory: join(directory, "s"),
    maxAgeMs: 1e9,
    maxFiles: 5,
    ...overrides,
  });

const timesOf = async (store: SnapshotStore, series: string): Promise<readonly number[]> =>
  (await store.range(series, 0, 1e9)).snapshots.map(({ atMs }) => atMs);

describe("the snapshot store", () => {
  it("reads back what it wrote, newest first", async () => {
    const store = open();
    await store.write("chain/alpha", 1000, { n: 1 });
    await store.write("chain/alpha", 2000, { n: 2 });
    await store.write("chain/beta", 3000, { n: 3 });
    const { snapshot, damaged } = await store.latest("chain/alpha");
    expect(snapshot).toEqual({ series: "chain/alpha", atMs: 2000, document: { n: 2 } });
    expect(damaged).toBe(0);
  });

  it("knows nothing before the first write", async () => {
    expect(await open().latest("x")).toEqual({ snapshot: undefined, damaged: 0 });
  });

  it.each([
    ["a torn file", (path: string) => truncate(path, 80)],
    ["an empty file", (path: string) => truncate(path, 0)],
    [
      "a flipped bit",
      async (path: string) => {
        const bytes = await readFile(path);
        bytes[70] = (bytes[70] ?? 0) ^ 1;
        await writeFile(path, bytes);
      },
    ],
  ])("falls back to the one before %s", async (_name, harm) => {
    const store = open();
    await store.write("a", 1000, { good: true });
    const name = await store.write("a", 2000, { good: false, filler: "x".repeat(50) });
    await harm(join(directory, "s", name));
    const { snapshot, damaged } = await store.latest("a");
    expect(snapshot?.document).toEqual({ good: true });
    expect(damaged).toBe(1);
  });

  it("keeps only the newest files, and none beyond the age", async () => {
    const store = open({ maxFiles: 3, maxAgeMs: 10_000 });
    for (let at = 1; at <= 6; at += 1) await store.write("a", at * 1000, { at });
    expect(await timesOf(store, "a")).toEqual([4000, 5000, 6000]);
    await store.write("a", 15_500, {});
    expect(await timesOf(store, "a")).toEqual([6000, 15_500]);
    await store.write("a", 100_000, {});
    expect(await timesOf(store, "a")).toEqual([100_000]);
  });

  it("loads by time range, oldest first, and says how many files of it are damaged", async () => {
    const store = open();
    for (let at = 1; at <= 5; at += 1) await store.write("a", at * 1000, { at });
    await truncate(join(directory, "s", "a.3000.snapshot.json"), 70);
    const { snapshots, damaged } = await store.range("a", 2000, 4000);
    expect(snapshots.map(({ document }) => document)).toEqual([{ at: 2 }, { at: 4 }]);
    expect(damaged).toBe(1);
  });

  it("prunes what chains that run no more have left, but keeps the newest of each series", async () => {
    const store = open({ maxAgeMs: 10_000 });
    await store.write("removed", 1000, { n: 1 });
    await store.write("removed", 2000, { n: 2 });
    await store.write("quotas", 3000, { month: 7 });
    await store.write("a", 100_000, {});
    expect(await timesOf(store, "removed")).toEqual([2000]);
    expect((await store.latest("quotas")).snapshot?.document).toEqual({ month: 7 });
  });

  it("clears what a host that died while writing has left, and leaves strangers' files alone", async () => {
    await open().write("a", 1000, {});
    const left = join(directory, "s", ".a.2000.snapshot.json.4711.tmp");
    const strange = join(directory, "s", "notes.txt");
    await writeFile(left, "half");
    await writeFile(strange, "keep");
    await open({ maxFiles: 1 }).write("a", 3000, {});
    expect((await readdir(join(directory, "s"))).toSorted()).toEqual([
      "a.3000.snapshot.json",
      "notes.txt",
    ]);
  });

  it("leaves no temporary file behind", async () => {
    const store = open();
    await store.write("a", 1, {});
    expect((await readdir(join(directory, "s"))).filter((name) => name.endsWith(".tmp"))).toEqual(
      [],
    );
  });
});
