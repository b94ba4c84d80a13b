/**
 * How many events a second does one chain's message aggregator take, as a process, with everything it
 * does: mailbox, key, dedupe, races, evidence, topics, and what it hands on to hub and head tracker?
 * Three providers bring the same logs, 200 to a block, and the head of each block.
 *
 * Bar: >= 400,000 events a second.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { headTrackerKey } from "../actors/rpc/head-tracker.ts";
import {
  messageAggregator,
  messageAggregatorKey,
  type RawEvent,
} from "../actors/rpc/message-aggregator.ts";
import { subscriptionHubKey, type LogsEvent } from "../actors/rpc/subscription-hub.ts";
import { loadConfig } from "../config/load.ts";
import { child, createNode, defineActor, supervisor } from "../src/otp/index.ts";
import { createChainState } from "../src/rpc/chain-state.ts";
import { EvidenceBook } from "../src/rpc/evidence/evidence-book.ts";
import { createSelectionMemory } from "../src/rpc/selection/sticky.ts";
import { readSubscriptionFrame } from "../src/rpc/subscription-frame.ts";
import { median, report } from "./support/report.ts";

const PROVIDERS = ["a", "b", "c"];
const LOGS_PER_BLOCK = 200;
/** Blocks of one round; twice as many races are within what may be open at once. */
const BLOCKS = 300;
/** Events that are cast before the process has to have taken them. */
const BATCH = 3_000;
const ROUNDS = 5;
const ENTRANT_MS = 5_500;
const BAR_PER_SEC = 400_000;

const word = (n: number): string => `0x${n.toString(16).padStart(64, "0")}`;

const frameOf = (result: unknown): RawEvent["frame"] => {
  const frame = readSubscriptionFrame(
    Buffer.from(
      JSON.stringify({
        jsonrpc: "2.0",
        method: "eth_subscription",
        params: { subscription: "0x9cef478923ff08bf67fde6c640131580", result },
      }),
    ),
  );
  if (frame === undefined) throw new Error("the bench's frame cannot be read");
  return frame;
};

const headFrame = (block: number): RawEvent["frame"] =>
  frameOf({
    parentHash: word(block - 1),
    logsBloom: `0x${"ab".repeat(256)}`,
    number: `0x${block.toString(16)}`,
    timestamp: "0x65f1a2b3",
    extraData: "0x6265617665726275696c642e6f7267",
    mixHash: word(4),
    hash: word(block),
  });

const logFrame = (block: number, index: number): RawEvent["frame"] =>
  frameOf({
    address: "0xdac17f958d2ee523a2206206994597c13d831ec7",
    topics: [word(1), word(2), word(3)],
    data: word(4),
    blockNumber: `0x${block.toString(16)}`,
    transactionHash: word(block * 1_000 + index),
    transactionIndex: "0x5",
    blockHash: word(block),
    logIndex: `0x${index.toString(16)}`,
    removed: false,
  });

/** The blocks of one round: no event comes again in another one. */
const blocksOf = (round: number) =>
  Array.from({ length: BLOCKS }, (_, i) => {
    const block = round * BLOCKS + i + 1;
    return {
      head: headFrame(block),
      logs: Array.from({ length: LOGS_PER_BLOCK }, (__, index) => logFrame(block, index)),
    };
  });

const loaded = loadConfig({
  file: "bench.yaml",
  text: `chains: { eth: { chain_id: 1, providers: [${PROVIDERS.map((id) => `{ id: ${id}, url: "http://${id}.test/", ws_url: "ws://${id}.test/" }`).join(", ")}] } }`,
  env: {},
  readFile: () => "",
});
const config = loaded.ok ? loaded.config.chains[0] : undefined;
if (config === undefined) throw new Error("the bench's configuration does not load");
const book = new EvidenceBook({ chain: config.name });
const state = createChainState({
  config,
  evidence: book,
  memory: createSelectionMemory(),
  hub: undefined as never,
  report: () => {},
  onConnect: () => {},
});

/** Whoever the aggregator tells; what they do with it is measured elsewhere. */
const heard = { hub: 0, tracker: 0 };
const hub = defineActor({
  name: "bench/hub",
  mailbox: { max: 1_000_000, overflow: "reject" },
  init: () => undefined,
  casts: {
    head: (none: undefined) => none,
    logs: (none: undefined, { logs }: LogsEvent) => {
      heard.hub += logs.length;
      return none;
    },
    pending: (none: undefined) => none,
    source: (none: undefined) => none,
    broke: (none: undefined) => none,
    verify: (none: undefined) => none,
    aggregatorStarted: (none: undefined) => none,
  },
});
const tracker = defineActor({
  name: "bench/tracker",
  mailbox: { max: 1_000_000, overflow: "reject" },
  init: () => undefined,
  casts: {
    head: (none: undefined) => {
      heard.tracker++;
      return none;
    },
  },
});

const node = createNode({ watchdog: { alarmMs: 60_000 } });
await node.start(
  supervisor("bench", {
    intensity: 0,
    children: [
      child(hub, undefined, { register: subscriptionHubKey("eth") as never }),
      child(tracker, undefined, { register: headTrackerKey("eth") as never }),
      child(messageAggregator, { state }, { register: messageAggregatorKey("eth") }),
    ],
  }),
);
const aggregator = node.via(messageAggregatorKey("eth"));
for (const provider of PROVIDERS) {
  for (const event of ["newHeads", "logs"] as const) {
    aggregator.cast.stream({ provider, event, isLive: true, seq: 0 });
  }
}
await sleep(ENTRANT_MS);

const seqs = new Map(PROVIDERS.map((provider) => [provider, 0]));
let pending = 0;
const say = async (event: RawEvent["event"], frame: RawEvent["frame"]): Promise<void> => {
  for (const provider of PROVIDERS) {
    const seq = (seqs.get(provider) ?? 0) + 1;
    seqs.set(provider, seq);
    aggregator.cast.event({ provider, event, frame, atNs: performance.now() * 1e6, seq });
  }
  pending += PROVIDERS.length;
  if (pending < BATCH) return;
  pending = 0;
  await aggregator.call.stats();
};

/** Until all races are over. */
const settled = (): Promise<void> => sleep(config.aggregation.deduplicationWindowMs + 300);

/** Events a second of one round, by processor time. */
const pass = async (round: number): Promise<number> => {
  const blocks = blocksOf(round);
  const before = process.cpuUsage();
  for (const { head, logs } of blocks) {
    await say("newHeads", head);
    for (const log of logs) await say("logs", log);
  }
  await aggregator.call.stats();
  const { user, system } = process.cpuUsage(before);
  await settled();
  return (BLOCKS * (LOGS_PER_BLOCK + 1) * PROVIDERS.length * 1e6) / (user + system);
};

await pass(0);
const rates: number[] = [];
for (let round = 1; round <= ROUNDS; round++) rates.push(await pass(round));
const perSec = median(rates);
report({
  bench: "aggregator",
  case: "events of 3 providers through the process, all evidence on",
  value: perSec,
  best: Math.max(...rates),
  worst: Math.min(...rates),
  unit: "1/s of processor time",
  bar: `>= ${BAR_PER_SEC}`,
  ok: perSec >= BAR_PER_SEC,
});
const stats = await aggregator.call.stats();
const all = (ROUNDS + 1) * BLOCKS;
report({
  bench: "aggregator",
  case: "distinct logs handed on",
  value: heard.hub,
  baseline: all * LOGS_PER_BLOCK,
  unit: "logs",
  bar: "every one once",
  ok: heard.hub === all * LOGS_PER_BLOCK,
});
report({
  bench: "aggregator",
  case: "races settled, as rows of 3 providers",
  value: stats.racesSettled,
  unit: "races",
  baseline: all * 2,
  bar: "a head's and a log's race a block, all as rows",
  ok:
    stats.racesSettled === all * 2 &&
    book.raceNumbers.last === stats.racesSettled * PROVIDERS.length,
});
await node.stop(1_000);
