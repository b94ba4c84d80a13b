/**
 * The event path without sockets: what a head and a log cost from frame bytes to dedupe, race and
 * evidence, against JSON.parse with lru-cache; and whether margins are exact.
 *
 * Bars: <= 2.5 us an event; heads >= 2 x and logs >= 1.5 x faster than JSON.parse + lru-cache; margins
 * exact to 1 ms (bench/race.ts measures them over real sockets).
 */
import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { EvidenceBook } from "../src/rpc/evidence/evidence-book.ts";
import { messageKey } from "../src/rpc/message-key.ts";
import { EventRacer } from "../src/rpc/race/event-racer.ts";
import type { RaceEvent } from "../src/rpc/race/settled-race.ts";
import { readSubscriptionFrame } from "../src/rpc/subscription-frame.ts";
import { costOf, interleave, type Variant } from "./support/interleave.ts";
import { report } from "./support/report.ts";

const hash = (n: number): string => `0x${n.toString(16).padStart(64, "0")}`;
const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const providers = ["a", "b", "c"];
const distinct = 20_000;

const frame = (provider: number, result: unknown): Buffer =>
  Buffer.from(
    JSON.stringify({
      jsonrpc: "2.0",
      method: "eth_subscription",
      params: { subscription: `0x9cef478923ff08bf67fde6c64013158${provider}`, result },
    }),
  );

/** 1.7 KB, in geth's order. */
const headAt = (i: number) => ({
  parentHash: hash(i),
  sha3Uncles: hash(9),
  miner: "0x95222290dd7278aa3ddd389cc1e1d165cc4bafe5",
  stateRoot: hash(8),
  transactionsRoot: hash(3),
  receiptsRoot: hash(2),
  logsBloom: `0x${"ab".repeat(256)}`,
  difficulty: "0x0",
  number: `0x${(0x1000000 + i).toString(16)}`,
  gasLimit: "0x1c9c380",
  gasUsed: "0xb5c2f",
  timestamp: "0x65f1a2b3",
  extraData: "0x6265617665726275696c642e6f7267",
  mixHash: hash(4),
  nonce: "0x0000000000000000",
  baseFeePerGas: "0x5d21dba00",
  withdrawalsRoot: hash(5),
  blobGasUsed: "0x0",
  excessBlobGas: "0x0",
  parentBeaconBlockRoot: hash(6),
  hash: hash(i + 1),
});

/** 0.7 KB, 200 to a block. */
const logAt = (i: number) => ({
  address: "0xdac17f958d2ee523a2206206994597c13d831ec7",
  topics: [hash(1), hash(2), hash(3)],
  data: hash(4),
  blockNumber: `0x${(0x1000000 + Math.floor(i / 200)).toString(16)}`,
  transactionHash: hash(i),
  transactionIndex: "0x5",
  blockHash: hash(Math.floor(i / 200)),
  logIndex: `0x${(i % 200).toString(16)}`,
  removed: false,
});

const framesOf = (resultAt: (i: number) => unknown): Buffer[] =>
  Array.from({ length: distinct * 3 }, (_, n) => frame(n % 3, resultAt(Math.floor(n / 3))));

/** Our lane: scan, key, dedupe, race, and every 4,096 events the settled races into evidence. */
const scanned = (name: string, event: RaceEvent, frames: readonly Buffer[]): Variant => {
  const racer = new EventRacer({ maxCacheSize: 10_000, seenTtlMs: 10 });
  const book = new EvidenceBook({ chain: "ethereum" });
  for (const provider of providers) racer.live(provider, event, 0);
  let i = 0;
  return {
    name,
    run: (count) => {
      let firsts = 0;
      for (let n = 0; n < count; n++, i++) {
        const read = readSubscriptionFrame(frames[i % frames.length] as Buffer);
        if (read === undefined) continue;
        const atNs = 10e9 + i * 16_000;
        const key = messageKey(event, read, digest);
        if (racer.arrive(event, key, i % 3, atNs, read) === "first") firsts++;
        if ((i & 4_095) === 0) book.recordRaces(racer.settle(atNs), atNs / 1e6);
      }
      return firsts;
    },
  };
};

interface Parsed {
  readonly params: { readonly result: Record<string, unknown> };
}

/** The usual way: parse the frame, join a key, ask an LRU. No race, no evidence. */
const parsed = (
  name: string,
  keyOf: (result: Record<string, unknown>) => string,
  frames: readonly Buffer[],
): Variant => {
  const seen = new LRUCache<string, number>({ max: 10_000 });
  let i = 0;
  return {
    name,
    run: (count) => {
      let firsts = 0;
      for (let n = 0; n < count; n++, i++) {
        const text = (frames[i % frames.length] as Buffer).toString("utf8");
        const key = keyOf((JSON.parse(text) as Parsed).params.result);
        if (seen.get(key) !== undefined) continue;
        firsts++;
        seen.set(key, i);
      }
      return firsts;
    },
  };
};

const heads = framesOf(headAt);
const logs = framesOf(logAt);
const headKey = (result: Record<string, unknown>): string => String(result["hash"]);
const logKey = (result: Record<string, unknown>): string =>
  `${String(result["blockHash"])}${String(result["logIndex"])}${String(result["removed"])}`;

const costs = interleave(
  [
    scanned("heads", "newHeads", heads),
    parsed("heads parsed", headKey, heads),
    scanned("logs", "logs", logs),
    parsed("logs parsed", logKey, logs),
  ],
  60_000,
);
for (const [name, least] of [
  ["heads", 2],
  ["logs", 1.5],
] as const) {
  const ours = costOf(costs, name);
  const theirs = costOf(costs, `${name} parsed`);
  report({
    bench: "event-cost",
    case: `${name}: scan, key, dedupe, race, evidence`,
    value: ours / 1_000,
    unit: "us/event",
    bar: "<= 2.5 us",
    ok: ours <= 2_500,
  });
  report({
    bench: "event-cost",
    case: `${name}: against JSON.parse + lru-cache`,
    value: ours / 1_000,
    unit: "us/event",
    baseline: theirs / 1_000,
    ratio: theirs / ours,
    bar: `>= ${least} x faster`,
    ok: theirs / ours >= least,
  });
}

/** Margins: arrivals stamped 20 and 60 ms apart must come out as 20 and 60 ms. */
const racer = new EventRacer();
for (const provider of providers) racer.live(provider, "newHeads", 0);
let worstMs = 0;
for (let i = 0; i < 1_000; i++) {
  const atNs = 10e9 + i * 100e6 + 123_457;
  const key = hash(i);
  racer.arrive("newHeads", key, 0, atNs, undefined);
  racer.arrive("newHeads", key, 1, atNs + 20e6, undefined);
  racer.arrive("newHeads", key, 2, atNs + 60e6, undefined);
}
for (const { losers } of racer.settle(1e12)) {
  const wanted = [20, 60];
  for (const [i, { marginMs }] of losers.entries()) {
    worstMs = Math.max(worstMs, Math.abs(marginMs - (wanted[i] ?? 0)));
  }
}
report({
  bench: "event-cost",
  case: "largest error of a margin",
  value: worstMs,
  unit: "ms",
  bar: "<= 1 ms",
  ok: worstMs <= 1,
});
