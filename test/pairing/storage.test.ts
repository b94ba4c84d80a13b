import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PairingStorage } from "../../src/main/pairing/storage.ts";
import { Secret } from "../../src/lib/secret.ts";
import type { KeptProvider } from "../../src/pairing/store/writes.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { describeWithPostgres, startPostgres } from "../support/postgres.ts";

const provider = (address: string, stake = 1n): KeptProvider => ({
  address,
  stake,
  location: "US-East-1",
  features: [],
});
const never = new AbortController().signal;

describe("the storage of a host", () => {
  const use = cleanupAfterEach();
  const folder = () => {
    const directory = mkdtempSync(join(tmpdir(), "paceline-storage-"));
    use({ close: () => rmSync(directory, { recursive: true, force: true }) });
    return directory;
  };
  const storage = (directory: string) =>
    use(new PairingStorage({ engine: "sqlite", file: join(directory, "paceline.db") }));

  const restored = async (from: PairingStorage, market: string, signal = never) => {
    const found: KeptProvider[] = [];
    const { version } = await from.restore(market, (slice) => void found.push(...slice), signal);
    return { version, found };
  };

  it("makes no file only to find nothing in it", async () => {
    const directory = folder();
    const fresh = storage(directory);
    expect(await restored(fresh, "m")).toEqual({ version: undefined, found: [] });
    expect(await fresh.names()).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("brings a market back at the version that it had", async () => {
    const directory = folder();
    const first = storage(directory);
    await first.open();
    const put = [provider("a"), provider("b")];
    await first.write([{ kind: "change", market: "m", version: 9, put, removed: [] }], 1);
    await first.close();
    const again = storage(directory);
    expect(await again.names()).toEqual(["m"]);
    expect(await restored(again, "m")).toEqual({ version: 9, found: put });
    expect(await restored(again, "other")).toEqual({ version: undefined, found: [] });
  });

  it("brings back a large market a slice a turn of the loop", async () => {
    const one = storage(folder());
    const put = Array.from({ length: 6_500 }, (_, i) => provider(`p${String(i).padStart(4, "0")}`));
    await one.write([{ kind: "replace", market: "m", version: 1, put }], 1);
    let [turn, found] = [0, 0];
    const count = (): void => {
      turn++;
      counting = setImmediate(count);
    };
    let counting = setImmediate(count);
    const turns: number[] = [];
    const take = (slice: readonly KeptProvider[]): void => {
      turns.push(turn);
      found += slice.length;
    };
    await one.restore("m", take, never).finally(() => clearImmediate(counting));
    expect(found).toBe(6_500);
    expect(turns).toHaveLength(7);
    expect(new Set(turns).size).toBe(7);
  });

  it("brings nothing back before what is noted is written", async () => {
    const one = storage(folder());
    await one.open();
    one.journal.note({
      kind: "change",
      market: "m",
      version: 1,
      put: [provider("a")],
      removed: [],
    });
    const coming = restored(one, "m");
    await one.write(one.journal.take(10), 1);
    one.journal.written();
    expect(await coming).toEqual({ version: 1, found: [provider("a")] });
  });

  it("ends a restore whose process is gone", async () => {
    const one = storage(folder());
    await one.open();
    const put = [provider("a")];
    await one.write([{ kind: "change", market: "m", version: 1, put, removed: [] }], 1);
    await expect(restored(one, "m", AbortSignal.abort())).rejects.toThrow(/abort/i);
  });
});

describeWithPostgres("the storage of a host in PostgreSQL", () => {
  const use = cleanupAfterEach();

  it("can be opened when the server comes later", async () => {
    const server = use(await startPostgres());
    await server.kill();
    const url = new Secret(server.url);
    const one = use(new PairingStorage({ engine: "postgres", url }));
    await expect(one.open()).rejects.toThrow(/postgres/);
    await server.restart();
    await one.open();
    expect(await one.names()).toEqual([]);
  });
});
