import { describe, expect, it } from "vitest";
import { type StorePort, storeWriter, storeWriterKey } from "../../actors/pairing/store-writer.ts";
import { child, createVirtualNode, supervisor } from "../../src/otp/index.ts";
import { Journal } from "../../src/pairing/store/journal.ts";
import type { MarketReader } from "../../src/pairing/store/rewrite.ts";
import type { StoreWrite } from "../../src/pairing/store/writes.ts";
import { ranking } from "./support.ts";

const change = (version: number): StoreWrite & { kind: "change" } => ({
  kind: "change",
  market: "m",
  version,
  put: [],
  removed: ["a"],
});

const start = async (read: MarketReader = () => undefined) => {
  const node = createVirtualNode({ seed: 1 });
  const heard: { readonly name: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  node.telemetry.attach("test", "*", ({ name, fields }) => {
    if (name.startsWith("pairing.")) heard.push({ name, fields });
  });
  const batches: (readonly StoreWrite[])[] = [];
  const pruned: number[] = [];
  const database = { isUp: true };
  const store: StorePort = {
    write: async (writes) => {
      if (!database.isUp) throw new Error("no s3cret door to the rows");
      batches.push(writes);
    },
    prune: async (beforeMs) => void pruned.push(beforeMs),
  };
  const journal = new Journal({ maxRows: 50, maxRankings: 5 });
  const args = {
    store,
    journal,
    read,
    yieldTurn: async () => undefined,
    retentionMs: 1_000,
    redact: (text: string) => text.replaceAll("s3cret", "***"),
  };
  await node.start(
    supervisor("root", {
      intensity: 5,
      children: [child(storeWriter, args, { register: storeWriterKey() })],
    }),
  );
  return { node, heard, batches, pruned, database, journal };
};

const kindsOf = (batch: readonly StoreWrite[] | undefined) =>
  batch?.map((write) => (write.kind === "change" ? write.version : write.kind));

describe("the writer of the store", () => {
  it("leaves the database alone until there is something to write", async () => {
    const { node, database, heard } = await start();
    database.isUp = false;
    await node.advance(60_000);
    expect(heard).toEqual([]);
    await node.stop();
  });

  it("writes what comes close together in one batch", async () => {
    const { node, batches, journal } = await start();
    journal.note(change(1));
    journal.note(change(2));
    await node.advance(100);
    journal.note(change(3));
    await node.advance(100);
    expect(batches.map(kindsOf)).toEqual([[1, 2], [3]]);
    expect(journal.isEmpty).toBe(true);
    await node.stop();
  });

  it("tries again while the database is away, says so without secrets, and writes all when it is back", async () => {
    const { node, batches, database, journal, heard } = await start();
    database.isUp = false;
    journal.note(change(1));
    await node.advance(100);
    journal.note(change(2));
    await node.advance(60_000);
    expect(batches).toEqual([]);
    expect(heard.length).toBeGreaterThan(3);
    for (const { name, fields } of heard) {
      expect(name).toBe("pairing.store.down");
      expect(fields["reason"]).toContain("no *** door");
    }
    database.isUp = true;
    await node.advance(16_000);
    expect(batches.map(kindsOf)).toEqual([[1, 2]]);
    expect(heard.at(-1)?.name).toBe("pairing.store.up");
    expect(heard.at(-1)?.fields["failures"]).toBe(heard.length - 1);
    await node.stop();
  });

  it("loses nothing when it is killed in the middle of a batch", async () => {
    const { node, batches, database, journal } = await start();
    database.isUp = false;
    journal.note(change(1));
    await node.advance(60);
    database.isUp = true;
    node.inspector.exit(storeWriterKey().name, "kill");
    await node.advance(200);
    expect(batches.map(kindsOf)).toEqual([[1]]);
    await node.stop();
  });

  it("writes a market as a whole, page by page, and settles it at the version it began with", async () => {
    const provider = { address: "a", stake: 1n, location: "x", features: [] };
    const pages = [[provider], [provider]];
    let unordered = 3;
    const { node, batches, journal } = await start(() => ({
      version: 7,
      order: () => --unordered === 0,
      next: () => (unordered > 0 ? undefined : (pages.shift() ?? [])),
    }));
    journal.rewrite("m");
    await node.advance(200);
    expect(batches.flat()).toEqual([
      { kind: "fill", market: "m", version: 7, put: [provider] },
      { kind: "fill", market: "m", version: 7, put: [provider] },
      { kind: "settle", market: "m", version: 7 },
    ]);
    await node.stop();
  });

  it("does not settle a market that goes away amid it", async () => {
    const provider = { address: "a", stake: 1n, location: "x", features: [] };
    const pages = [[provider]];
    const { node, batches, journal } = await start(() => ({
      version: 7,
      order: () => true,
      next: () => pages.shift(),
    }));
    journal.rewrite("m");
    await node.advance(200);
    expect(batches.map(kindsOf)).toEqual([["fill"]]);
    expect(journal.isEmpty).toBe(true);
    await node.stop();
  });

  it("does not settle a market that is not there", async () => {
    const { node, batches, journal } = await start();
    journal.rewrite("m");
    await node.advance(200);
    expect(batches).toEqual([]);
    expect(journal.isEmpty).toBe(true);
    await node.stop();
  });

  it("tells of rankings that were lost", async () => {
    const { node, journal, heard } = await start();
    for (let i = 0; i < 8; i++) journal.note(ranking(`r${i}`));
    await node.advance(200);
    expect(heard).toMatchObject([{ name: "pairing.audit.dropped", fields: { count: 3 } }]);
    await node.stop();
  });

  it("writes what is left when the tree ends", async () => {
    const { node, batches, journal } = await start();
    journal.note(change(1));
    await node.stop();
    expect(batches.map(kindsOf)).toEqual([[1]]);
  });

  it("forgets what is old now and then, and not while the database is away", async () => {
    const { node, pruned, database, journal } = await start();
    await node.advance(600_000);
    expect(pruned).toHaveLength(1);
    database.isUp = false;
    journal.note(change(1));
    await node.advance(600_000);
    expect(pruned).toHaveLength(1);
    await node.stop();
  });
});
