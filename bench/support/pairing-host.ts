/** The pairing service of a host with one market, a database in a folder of its own, and no port. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PairingConfig } from "../../config/schema.ts";
import { epochClockKey } from "../../actors/pairing/epoch-clock.ts";
import { makePairing, type PairingService } from "../../src/main/pairing/service.ts";
import { PairingStorage } from "../../src/main/pairing/storage.ts";
import { child, createNode, type Node, supervisor } from "../../src/otp/index.ts";
import { tableKeeper, tableKeeperKey } from "../../actors/ops/table-keeper.ts";
import { replyText, routeOf } from "../../src/pairing/rest/api.ts";
import { pairing } from "../../supervisors/pairing.ts";
import { LISTS } from "../../test/pairing/support.ts";

/** Its market, and the chain whose lists are drawn from it. */
export const MARKET = "bench";
export const CHAIN = "eth";
/** Consumers that may have lists. */
export const CONSUMERS = 100;

const SETTINGS = { profile: "pairing", top: 5, maxProviders: 1_048_576 };
const CONFIG: PairingConfig = {
  markets: [{ name: MARKET, ...SETTINGS }],
  onDemand: { most: 0, settings: SETTINGS },
  audit: { oneIn: 100 },
  workers: 2,
  queue: { capacity: 1_000, drainTimeoutMs: 5_000 },
  results: { capacity: 1_000 },
  cache: { enabled: true, capacity: 100, ttlMs: 30_000, isShared: false, sharedFromMs: 5 },
  errors: { threshold: 10, windowMs: 60_000, restart: false },
  batch: { maxPolicies: 1_000, threads: 1, threadsFrom: 500 },
  lists: {
    ...LISTS,
    chains: [{ chain: CHAIN, market: MARKET }],
    blocks: { chain: CHAIN, every: 1 },
    maxConsumers: CONSUMERS,
  },
};

/** A running service. */
export interface PairingHost {
  readonly node: Node;
  readonly service: PairingService;
  readonly storage: PairingStorage;
  /** Begins another epoch of lists; answers its number. */
  readonly beginEpoch: () => number;
  readonly stop: () => Promise<void>;
}

const folder = mkdtempSync(join(tmpdir(), "paceline-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Starts one over what the last one has kept; without `isKept` nothing is written. */
export async function startPairing(isKept: boolean): Promise<PairingHost> {
  const storage = new PairingStorage({ engine: "sqlite", file: join(folder, "paceline.db") });
  const node = createNode({ maxWorkers: 1 });
  let head = 1;
  const service = makePairing(CONFIG, node, {
    storage,
    retentionMs: 604_800_000,
    redact: (text) => text,
    head: () => head,
  });
  if (service === undefined) throw new Error("there is a market");
  const { storeWriter, ...rest } = service.parts;
  const keeper = child(
    tableKeeper,
    { tables: service.tables, heir: () => epochClockKey() },
    { register: tableKeeperKey() },
  );
  const parts = pairing(isKept ? { storeWriter, ...rest } : rest);
  await node.start(supervisor("root", { intensity: 10, children: [keeper, parts] }));
  while (!service.book.isWhole) await sleep(20);
  const beginEpoch = (): number => ++head;
  const stop = async (): Promise<void> => {
    await node.stop();
    await service.close();
  };
  return { node, service, storage, beginEpoch, stop };
}

/** Sends a request as the host's port does: the answer leaves as text. */
export async function askPairing(
  { service }: PairingHost,
  method: string,
  path: string,
  { body = "", query = "" }: { readonly body?: string; readonly query?: string } = {},
): Promise<number> {
  const routed = routeOf(method, path);
  if (!routed.ok) return routed.status;
  const reply = await service.api.answer(routed, { query, body: Buffer.from(body) });
  Buffer.from(replyText(reply));
  return reply.status;
}
