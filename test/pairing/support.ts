/** A pairing service on virtual time, and markets without one, for tests. */
import { tableKeeper, tableKeeperKey } from "../../actors/ops/table-keeper.ts";
import { type EpochClockArgs, epochClockKey } from "../../actors/pairing/epoch-clock.ts";
import type { PairingWorkerArgs } from "../../actors/pairing/pairing-worker.ts";
import type { ListsConfig } from "../../config/schema.ts";
import { child, createVirtualNode, supervisor, type VirtualNode } from "../../src/otp/index.ts";
import { MarketBook } from "../../src/pairing/market-book.ts";
import type { PairingMarket } from "../../src/pairing/market.ts";
import type {
  ConsumerPolicy,
  MarketChange,
  PairingPort,
  PairingResult,
  ProviderRecord,
  Reply,
} from "../../src/pairing/protocol.ts";
import type { RankingWrite } from "../../src/pairing/store/writes.ts";
import { pairHere } from "../../src/main/pairing/batch.ts";
import { createLists, type Lists } from "../../src/main/pairing/lists.ts";
import { listsTable } from "../../src/pairing/lists/shelf.ts";
import { createPairingPort } from "../../src/main/pairing/port.ts";
import { pairing, type PairingParts } from "../../supervisors/pairing.ts";

export const MARKET = "main";

/** A policy; what is left out requires nothing. */
export const policy = (more: Partial<ConsumerPolicy> = {}): ConsumerPolicy => ({
  requiredLocation: "",
  requiredFeatures: [],
  minStake: 0n,
  ...more,
});

/** Lists as they are made unless told otherwise; no chain has any. */
export const LISTS: ListsConfig = {
  chains: [],
  epochMs: 300_000,
  blocks: undefined,
  mode: "top",
  consumer: "key",
  onExhausted: "error",
  unlisted: "market",
  minLive: 1,
  maxConsumers: 1_000,
};

export const provider = (
  address: string,
  stake: bigint | number = 1_000n,
  more: Partial<ProviderRecord> = {},
): ProviderRecord => ({
  address,
  stake: BigInt(stake),
  location: "US-East-1",
  features: ["HTTP"],
  ...more,
});

/** A ranking for the audit trail. */
export const ranking = (id: string): RankingWrite => ({
  kind: "ranking",
  id,
  market: "m",
  atMs: 0,
  reason: "sample",
  version: 1,
  request: "{}",
  seed: "0",
  scoring: "{}",
  result: "{}",
});

/** The value of an answer that must be one. */
export function value<T>(reply: Reply<T>): T {
  if (!reply.ok) throw new Error(`${reply.refusal.code}: ${reply.refusal.message}`);
  return reply.value;
}

/** The addresses of a result, best first. */
export const addresses = ({ topProviders }: PairingResult): string[] =>
  topProviders.map(({ address }) => address);

interface BookMore {
  readonly capacity?: number;
  readonly top?: number;
  readonly maxProviders?: number;
  readonly nowUs?: () => number;
}

export const bookOf = ({
  capacity = 100,
  top = 5,
  maxProviders = 1_048_576,
  nowUs = () => 0,
}: BookMore = {}): MarketBook =>
  new MarketBook({
    markets: [{ name: MARKET, profile: "pairing", top, maxProviders }],
    cache: { enabled: true, capacity, ttlMs: 30_000 },
    nowUs,
  });

/** A market with these providers. */
export function marketOf(providers: readonly ProviderRecord[], more: BookMore = {}): PairingMarket {
  const book = bookOf(more);
  for (const name of book.open()) book.filled(name);
  const market = value(book.find(MARKET));
  for (const one of providers) {
    const error = market.store.put(one);
    if (error !== undefined) throw new Error(error);
  }
  return market;
}

export interface Service {
  readonly node: VirtualNode;
  readonly book: MarketBook;
  readonly port: PairingPort;
  readonly changes: MarketChange[];
  /** Where chain `eth` has lists. */
  readonly lists: Lists | undefined;
  readonly events: { readonly name: string; readonly fields: Readonly<Record<string, unknown>> }[];
}

interface ServiceMore extends BookMore {
  readonly workers?: number;
  readonly queue?: number;
  readonly results?: number;
  readonly errors?: PairingWorkerArgs["errors"];
  readonly drainMs?: number;
  readonly restore?: PairingParts["directory"]["restore"];
  readonly maxBatch?: number;
  readonly maxLoad?: number;
  /** Chain `eth` has lists, with these settings. */
  readonly lists?: Partial<ListsConfig>;
  /** Newest block of the chain whose blocks count. */
  readonly head?: () => number | undefined;
  /** Policies that were kept. */
  readonly read?: EpochClockArgs["read"];
}

/** The parts of a service. */
export const partsOf = (
  book: MarketBook,
  { workers = 2, queue = 100, results = 1_000, errors, drainMs = 5_000, restore }: ServiceMore,
  onChange?: (change: MarketChange) => void,
): PairingParts => ({
  directory: { book, restore, onChange, yieldTurn: () => Promise.resolve() },
  policyQueue: { capacity: queue },
  resultBuffer: { capacity: results },
  worker: { errors: errors ?? { count: 10, windowMs: 60_000, restart: false } },
  intake: { workers, drainMs },
});

/** Starts a service below a root of its own. */
export async function startService(more: ServiceMore = {}): Promise<Service> {
  const node = createVirtualNode({ seed: 1 });
  const book = bookOf({ ...more, nowUs: () => node.nowMs() * 1_000 });
  const changes: MarketChange[] = [];
  const events: Service["events"] = [];
  node.telemetry.attach("test", "*", ({ name, fields }) => {
    if (/^(pairing|matching)\./.test(name)) events.push({ name, fields });
  });
  const lists = more.lists === undefined ? undefined : listsOf(node, book, more.lists, more);
  const parts: PairingParts = {
    ...partsOf(book, more, (change) => changes.push(change)),
    epochClock: lists?.clock,
  };
  const keeper = child(
    tableKeeper,
    { tables: [listsTable], heir: () => epochClockKey() },
    { register: tableKeeperKey() },
  );
  await node.start(supervisor("root", { intensity: 10, children: [keeper, pairing(parts)] }));
  const { maxBatch = 1_000, maxLoad = 1_000_000 } = more;
  const port = createPairingPort({ node, book, limits: { maxBatch, maxLoad }, batch: pairHere });
  return { node, book, port, changes, events, lists };
}

const listsOf = (
  node: VirtualNode,
  book: MarketBook,
  config: Partial<ListsConfig>,
  { head = () => undefined, read }: ServiceMore,
): Lists | undefined => {
  const lists = createLists({
    node,
    book,
    config: { ...LISTS, chains: [{ chain: "eth", market: MARKET }], ...config },
    head,
    redact: (text) => text,
  });
  return lists === undefined || read === undefined
    ? lists
    : { ...lists, clock: { ...lists.clock, read } };
};
