/** The service with its database: what comes back after an end, in which state, and without the database. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { storeWriterKey } from "../../actors/pairing/store-writer.ts";
import { directoryKey } from "../../actors/pairing/directory.ts";
import type { DatabaseConfig, PairingConfig } from "../../config/schema.ts";
import { Secret } from "../../src/lib/secret.ts";
import { makePairing } from "../../src/main/pairing/service.ts";
import { PairingStorage } from "../../src/main/pairing/storage.ts";
import { createNode, supervisor } from "../../src/otp/index.ts";
import { pairing } from "../../supervisors/pairing.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { describeWithPostgres, startPostgres } from "../support/postgres.ts";
import { LISTS, policy, provider, value } from "./support.ts";

const CONFIG: PairingConfig = {
  markets: [],
  onDemand: { most: 4, settings: { profile: "pairing", top: 5, maxProviders: 100_000 } },
  audit: { oneIn: 0 },
  workers: 1,
  queue: { capacity: 10, drainTimeoutMs: 100 },
  results: { capacity: 10 },
  cache: { enabled: true, capacity: 10, ttlMs: 1_000, isShared: false, sharedFromMs: 1 },
  errors: { threshold: 10, windowMs: 1_000, restart: false },
  batch: { maxPolicies: 10, threads: 0, threadsFrom: 11 },
  lists: LISTS,
};

const M = "/api/v1/markets/eu";
const SETTINGS = { name: "us", profile: "pairing", top: 5, maxProviders: 100 };

const use = cleanupAfterEach();

const start = async (database: DatabaseConfig, more: Partial<PairingConfig> = {}) => {
  const node = createNode();
  const events: { readonly name: string; readonly fields: Readonly<Record<string, unknown>> }[] =
    [];
  node.telemetry.attach("test", "*", ({ name, fields }) => {
    if (name.startsWith("pairing.")) events.push({ name, fields });
  });
  const service = makePairing({ ...CONFIG, ...more }, node, {
    storage: new PairingStorage(database),
    retentionMs: 1_000,
    redact: (text) => text.replaceAll("correct-horse-battery", "***"),
  });
  if (service === undefined) throw new Error("there are markets on demand");
  await node.start(supervisor("root", { intensity: 10, children: [pairing(service.parts)] }));
  const stop = async (): Promise<void> => {
    await node.stop();
    await service.close();
  };
  use({ stop });
  const ask = async (method: string, path: string, body?: unknown) => {
    const bytes = Buffer.from(body === undefined ? "" : JSON.stringify(body));
    const reply = await service.api.handle({ method, path, query: "", body: bytes });
    // oxlint-disable-next-line typescript/no-explicit-any -- what a client reads has no type
    return reply as { readonly status: number; readonly body: any };
  };
  const whole = () => eventually("every market is back", () => service.book.isWhole);
  const addresses = () => {
    const { topProviders } = value(service.port.pair("eu", { policy: policy() }));
    return topProviders.map(({ address }) => address);
  };
  return { node, service, events, ask, whole, addresses, stop };
};

const wire = (address: string, stake: number) => ({ ...provider(address), stake });

const sqlite = (): DatabaseConfig => {
  const directory = mkdtempSync(join(tmpdir(), "paceline-keeping-"));
  use({ close: () => rmSync(directory, { recursive: true, force: true }) });
  return { engine: "sqlite", file: join(directory, "paceline.db") };
};

describe("a market that is kept", () => {
  it("P16c P25a: comes back as it was, with its version, although nobody configured it", async () => {
    const database = sqlite();
    const first = await start(database);
    await first.whole();
    await first.ask("PUT", `${M}/providers`, [wire("a", 3), wire("b", 2), wire("c", 1)]);
    await first.ask("POST", `${M}/providers`, wire("d", 9));
    await first.ask("DELETE", `${M}/providers/b`);
    const version = first.service.port.version("eu");
    expect(first.addresses()).toEqual(["d", "a", "c"]);
    await first.stop();
    const second = await start(database);
    await second.whole();
    expect(second.addresses()).toEqual(["d", "a", "c"]);
    expect(second.service.port.version("eu")).toBe(version);
    const page = await second.ask("GET", `${M}/providers/a`);
    expect(page.body.data).toEqual(wire("a", 3));
  });

  it("comes back empty when it was emptied", async () => {
    const database = sqlite();
    const first = await start(database);
    await first.ask("PUT", `${M}/providers`, [wire("a", 3)]);
    await first.ask("DELETE", `${M}/providers`);
    await first.stop();
    const second = await start(database);
    await second.whole();
    expect(second.service.port.markets()).toEqual(["eu"]);
    expect(second.addresses()).toEqual([]);
  });

  it("is told of when there is no room for it any more", async () => {
    const database = sqlite();
    const first = await start(database);
    await first.ask("PUT", `${M}/providers`, [wire("a", 3)]);
    await first.ask("PUT", "/api/v1/markets/us/providers", [wire("b", 3)]);
    await first.stop();
    const { settings } = CONFIG.onDemand;
    const second = await start(database, { onDemand: { most: 1, settings } });
    await second.whole();
    expect(second.service.port.markets()).toEqual(["eu"]);
    expect(second.events.filter(({ name }) => name === "pairing.market.skipped")).toMatchObject([
      { fields: { market: "us", reason: expect.stringContaining("as many as may be") } },
    ]);
  });

  it("scores by the weights that it was told last, also where nobody has come into it yet", async () => {
    const database = sqlite();
    const first = await start(database, { markets: [SETTINGS] });
    await first.whole();
    await first.ask("PUT", "/api/v1/markets/us/scoring/pairing", { weights: { stake: 0.1 } });
    await first.ask("PUT", `${M}/providers`, [wire("a", 3)]);
    await first.ask("PUT", `${M}/scoring/pairing`, { weights: { stake: 0.9 } });
    await first.ask("PUT", `${M}/scoring/pairing`, { weights: { stake: 0, features: 0.25 } });
    const scored = (await first.ask("POST", `${M}/pairings`, { policy: {} })).body.data.providers;
    await first.stop();
    const second = await start(database, { markets: [SETTINGS] });
    await second.whole();
    const weights = async (market: string) => {
      const { body } = await second.ask("GET", `/api/v1/markets/${market}/scoring`);
      return body.data.profiles[0].scorers;
    };
    expect(await weights("eu")).toEqual({ features: 0.25, location: 0.3, stake: 0 });
    expect(await weights("us")).toEqual({ features: 0.3, location: 0.3, stake: 0.1 });
    const again = await second.ask("POST", `${M}/pairings`, { policy: {} });
    expect(again.body.data.providers).toEqual(scored);
  });

  it("is written by a writer that was killed, and stays in a directory that was", async () => {
    const database = sqlite();
    const first = await start(database);
    await first.ask("PUT", `${M}/providers`, [wire("a", 3)]);
    first.node.inspector.exit(storeWriterKey().name, "kill");
    first.node.inspector.exit(directoryKey().name, "kill");
    await eventually("the directory is back", () => first.service.book.find("eu").ok);
    expect(first.addresses()).toEqual(["a"]);
    await eventually(
      "all is written",
      () => first.service.parts.storeWriter?.journal.isEmpty === true,
    );
    await first.stop();
    const second = await start(database);
    await second.whole();
    expect(second.addresses()).toEqual(["a"]);
  });
});

describe("the audit trail", () => {
  it("P25b: keeps what was asked for with explain, and makes it again on the market as it was", async () => {
    const { ask, service } = await start(sqlite());
    await ask("PUT", `${M}/providers`, [wire("a", 30_000), wire("b", 20_000), wire("c", 10_000)]);
    const body = {
      policy: { minStake: 10 },
      explain: true,
      strategy: "weighted",
      seed: "s",
      top: 2,
    };
    const asked = await ask("POST", `${M}/pairings`, body);
    const { auditId, providers } = asked.body.data;
    await ask("POST", `${M}/providers`, wire("d", 900_000));
    await ask("DELETE", `${M}/providers/a`);
    await ask("PUT", `${M}/scoring/pairing`, { weights: { stake: 0.9 } });
    await service.parts.storeWriter?.journal.settled();
    const listed = await ask("GET", `${M}/audit`);
    expect(listed.body.data.rankings).toMatchObject([
      { id: auditId, reason: "explain", seed: "s" },
    ]);
    const replayed = await ask("POST", `${M}/audit/${auditId}/replay`);
    expect(replayed.body).toMatchObject({ success: true, data: { id: auditId, isEqual: true } });
    expect(replayed.body.data.providers).toEqual(providers);
    expect((await ask("GET", `${M}/audit/other`)).status).toBe(404);
    expect((await ask("GET", `/api/v1/markets/us/audit/${auditId}`)).status).toBe(404);
  });

  it("samples what comes in batches and through the queue as well, and makes it again", async () => {
    const { ask, service } = await start(sqlite(), { audit: { oneIn: 2 } });
    await ask("PUT", `${M}/providers`, [wire("a", 30_000), wire("b", 20_000), wire("c", 10_000)]);
    const requests = [1, 20_000, 25_000, 40_000].map((minStake) => ({
      policy: { minStake },
      strategy: "weighted",
      seed: minStake,
      explain: true,
    }));
    await ask("POST", `${M}/pairings/batch`, [...requests, { policy: { minStake: -1 } }]);
    await ask("POST", `${M}/pairings/queue`, requests);
    await eventually("the queue is worked off", () => service.book.counts.processed === 4);
    await ask("DELETE", `${M}/providers/a`);
    await service.parts.storeWriter?.journal.settled();
    const { rankings } = (await ask("GET", `${M}/audit`)).body.data;
    expect(rankings).toHaveLength(4);
    for (const { id, reason } of rankings) {
      expect(reason).toBe("sample");
      const replayed = await ask("POST", `${M}/audit/${id}/replay`);
      expect(replayed.body).toMatchObject({ success: true, data: { id, isEqual: true } });
    }
  });

  it("makes turns of a large market again, whose order it makes first", async () => {
    const { ask, service } = await start(sqlite());
    const many = Array.from({ length: 33_000 }, (_, i) => wire(`p${i}`, 1_000 + i));
    await ask("PUT", `${M}/providers`, many);
    const request = { policy: {}, strategy: "round-robin", seed: 7, top: 3, explain: true };
    let asked = await ask("POST", `${M}/pairings`, request);
    await eventually("the turns are in order", async () => {
      asked = await ask("POST", `${M}/pairings`, request);
      return asked.status === 200;
    });
    await service.parts.storeWriter?.journal.settled();
    const { auditId, providers } = asked.body.data;
    const replayed = await ask("POST", `${M}/audit/${auditId}/replay`);
    expect(replayed.body).toMatchObject({ success: true, data: { isEqual: true, providers } });
  });

  it("keeps no plain pairing when it samples none", async () => {
    const { ask, service } = await start(sqlite());
    await ask("PUT", `${M}/providers`, [wire("a", 3)]);
    const asked = await ask("POST", `${M}/pairings`, { policy: {} });
    expect(asked.body.data.auditId).toBeUndefined();
    await service.parts.storeWriter?.journal.settled();
    expect((await ask("GET", `${M}/audit`)).body.data.rankings).toEqual([]);
  });
});

describeWithPostgres("a database server that goes away", () => {
  it("leaves the service at work; what changed meanwhile is written when it is back", async () => {
    const server = use(await startPostgres());
    const database: DatabaseConfig = { engine: "postgres", url: new Secret(server.url) };
    const first = await start(database);
    await first.whole();
    await first.ask("PUT", `${M}/providers`, [wire("a", 3)]);
    await first.service.parts.storeWriter?.journal.settled();
    await server.kill();
    await first.ask("POST", `${M}/providers`, wire("b", 9));
    expect(first.addresses()).toEqual(["b", "a"]);
    await eventually("it is told", () =>
      first.events.some(({ name }) => name === "pairing.store.down"),
    );
    expect((await first.ask("GET", `${M}/audit`)).status).toBe(503);
    expect(JSON.stringify(first.events)).not.toContain("correct-horse");
    await server.restart();
    await first.service.parts.storeWriter?.journal.settled();
    expect(first.events.at(-1)?.name).toBe("pairing.store.up");
    await first.stop();
    const second = await start(database);
    await second.whole();
    expect(second.addresses()).toEqual(["b", "a"]);
  });

  it("that is away at the start keeps its markets closed until it is there", async () => {
    const server = use(await startPostgres());
    const database: DatabaseConfig = { engine: "postgres", url: new Secret(server.url) };
    const first = await start(database);
    await first.ask("PUT", `${M}/providers`, [wire("a", 3)]);
    await first.stop();
    await server.kill();
    const second = await start(database);
    const refused = await second.ask("PUT", `${M}/providers`, [wire("z", 1)]);
    expect(refused).toMatchObject({ status: 503, body: { code: "PAIRING_UNAVAILABLE" } });
    const failed = second.events.find(({ name }) => name === "pairing.restore.failed");
    expect(failed?.fields["market"]).toBe("eu");
    await server.restart();
    await second.whole();
    expect(second.addresses()).toEqual(["a"]);
  });
});
