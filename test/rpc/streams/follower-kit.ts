/** Drives a follower and writes down what it says. */
import { Buffer } from "node:buffer";
import { addToBloom, BLOOM_BYTES } from "../../../src/rpc/integrity/proof/bloom.ts";
import type { Head } from "../../../src/rpc/subscription/chain/block.ts";
import {
  ChainFollower,
  type FollowerLimits,
  type FollowerListener,
} from "../../../src/rpc/subscription/chain/follower.ts";
import type { BlockLogs } from "../../../src/rpc/subscription/logs/block-logs.ts";

/** Where all logs come from. */
const EMITTER = `0x${"a".repeat(40)}`;

/** The bloom of a block with logs of these addresses and topics. */
export const bloomOf = (...items: readonly string[]): string => {
  const bloom = new Uint8Array(BLOOM_BYTES);
  for (const one of items) addToBloom(bloom, Buffer.from(one.slice(2), "hex"));
  return `0x${Buffer.from(bloom).toString("hex")}`;
};

const SOME_BLOOM = bloomOf(EMITTER);

/** A head whose names stand for hashes. */
export const block = (hash: string, number: number, parentHash: string): Head => ({
  hash,
  number,
  parentHash,
  bloom: SOME_BLOOM,
  bytes: Buffer.from(`{"hash":"${hash}"}`),
});

/** The same block without logs, by its bloom. */
export const bare = (head: Head | undefined): Head | undefined =>
  head && { ...head, bloom: bloomOf() };

/** `count` linked blocks named after the branch, from height `from`. */
export const chain = (branch: string, from: number, count: number): Head[] =>
  Array.from({ length: count }, (_, i) =>
    block(`${branch}${from + i}`, from + i, `${branch}${from + i - 1}`),
  );

/** A log that says where it is. */
export const logBytes = (hash: string, number: number, index: number, data = "0x"): Buffer =>
  Buffer.from(
    `{"address":"${EMITTER}","blockHash":"${hash}","blockNumber":"0x${number.toString(16)}","logIndex":"0x${index.toString(16)}","data":"${data}"}`,
  );

/** A follower with an outside world that answers from what it was told. */
export class Recorder {
  now = 1_000_000;
  readonly events: string[] = [];
  readonly follower: ChainFollower;
  readonly blocks = new Map<string, Head>();
  readonly heights = new Map<number, Head>();
  readonly logCounts = new Map<string, number>();
  /** Whether two providers are there that answer alike. */
  areAgreed = true;
  /** What was asked about logs. */
  readonly asked: string[] = [];

  constructor(limits: Partial<FollowerLimits> = {}) {
    this.follower = new ChainFollower(
      {
        maxBackfillBlocks: 100,
        backfillTimeoutMs: 30_000,
        settleMs: 2_000,
        witnessMs: 30_000,
        voters: 1,
        ...limits,
      },
      recording(this.events),
    );
  }

  watched(): this {
    this.follower.isWatched = true;
    return this;
  }

  withLogs(): this {
    this.follower.setWantsLogs(true);
    return this;
  }

  knows(blocks: readonly Head[]): void {
    for (const known of blocks) {
      this.blocks.set(known.hash, known);
      this.heights.set(known.number, known);
    }
  }

  hasLogs(hash: string, count: number): void {
    this.logCounts.set(hash, count);
  }

  head(source: string, head: Head | undefined): void {
    if (head === undefined) throw new Error("no such head");
    this.follower.head(source, head, this.now);
  }

  log(hash: string, number: number, index: number, source = "p1", data = "0x"): void {
    this.follower.log(source, { hash, number, index }, this.now, () =>
      logBytes(hash, number, index, data),
    );
  }

  wait(ms: number): void {
    for (let passed = 0; passed < ms; passed += 250) {
      this.now += 250;
      this.follower.tick(this.now);
    }
  }

  /** Answers all needs until none is due. */
  answer(): void {
    for (let round = 0; round < 1_000; round++) if (!this.answerRound()) return;
  }

  /** Answers what is due now; false when nothing is. */
  answerRound(): boolean {
    const due = this.follower.needs.due(this.now);
    for (const need of due) {
      if (need.kind === "logs" || need.kind === "agreedLogs") {
        this.asked.push(need.key);
        const isKnown = need.kind === "logs" || this.areAgreed;
        const count = isKnown ? this.logCounts.get(need.hash) : undefined;
        const number = this.blocks.get(need.hash)?.number ?? need.number;
        const logs =
          count === undefined
            ? undefined
            : Array.from({ length: count }, (_, index) => ({
                index,
                bytes: logBytes(need.hash, number, index),
              }));
        this.follower.logsAnswer(need, told(logs), this.now);
      } else {
        const found =
          need.kind === "block" ? this.blocks.get(need.hash) : this.heights.get(need.number);
        this.follower.blockAnswer(need, found, this.now);
      }
    }
    return due.length > 0;
  }

  answerLogs(hash: string, logs: readonly { index: number; bytes: Buffer }[]): void {
    for (const need of this.follower.needs.due(this.now)) {
      if (need.hash === hash) this.follower.logsAnswer(need, told(logs), this.now);
    }
  }

  heads(): readonly string[] {
    return this.events.flatMap((event) => (event.startsWith("head ") ? [event.slice(5)] : []));
  }

  logs(): readonly string[] {
    return this.events.filter((event) => /^[+-]/.test(event));
  }
}

/** An answer that the bloom proves, unless it is empty. */
const told = (logs: BlockLogs["logs"] | undefined): BlockLogs | undefined =>
  logs && { logs, isProven: logs.length > 0 };

const recording = (events: string[]): FollowerListener => ({
  head: (found) => events.push(`head ${found.hash}`),
  log: (found, log) => events.push(`+${found.hash}:${log.index}`),
  retraction: (found, log) => events.push(`-${found.hash}:${log.index}`),
  reorg: (orphaned, tip) => events.push(`reorg ${orphaned.length} -> ${tip.hash}`),
  disproved: (found, taken, liars) => {
    for (const log of taken) events.push(`-${found.hash}:${log.index}`);
    events.push(`liars ${liars.join()}`);
  },
  gap: (kinds, from, to, sequence) =>
    events.push(`gap ${kinds} ${from}-${to}${kinds === "all" ? "" : ` <${sequence}`}`),
  filled: () => {},
  outvoted: (source, { hash }, isLost) =>
    events.push(`outvoted ${source} ${hash}${isLost ? " lost" : ""}`),
  contested: (sources) => events.push(`contested ${sources.join()}`),
  implausible: (source, number) => events.push(`implausible ${source} ${number}`),
  wantsLogsOf: () => true,
});
