/**
 * The logs that a filter has told of lately: when their block is replaced they are told again as
 * removed, and those that the new branch has as well are not told twice.
 */
import { quantity } from "../json-rpc/quantity.ts";

/** A log as it was answered, with what tells it from others. */
export interface ToldLog {
  readonly number: number;
  readonly index: number;
  readonly blockHash: string;
  readonly log: Readonly<Record<string, unknown>>;
  /** Size of its text, for the bound on memory. */
  readonly sizeBytes: number;
}

/** Blocks below the newest whose logs can still be taken back. */
const KEPT_BLOCKS = 128;
/** Most logs that one filter remembers. */
export const MAX_TOLD = 10_000;

/** Reads an answer to `eth_getLogs`; undefined when it is none. */
export const readLogs = (answer: unknown): readonly ToldLog[] | undefined => {
  if (!Array.isArray(answer)) return undefined;
  const logs: ToldLog[] = [];
  for (const log of answer as readonly unknown[]) {
    if (typeof log !== "object" || log === null) return undefined;
    const { blockNumber, logIndex, blockHash } = log as Readonly<Record<string, unknown>>;
    const number = quantity(blockNumber);
    const index = quantity(logIndex);
    if (number === undefined || index === undefined || typeof blockHash !== "string") {
      return undefined;
    }
    const sizeBytes = JSON.stringify(log).length;
    logs.push({ number, index, blockHash, log: log as ToldLog["log"], sizeBytes });
  }
  return logs.sort((a, b) => a.number - b.number || a.index - b.index);
};

/** What changed, and what is to be remembered of it. */
export interface LogChanges {
  /** The answer: removed ones first, the last of them first, then the new ones. */
  readonly answer: readonly Readonly<Record<string, unknown>>[];
  readonly told: ToldLogs;
}

/** An immutable memory of told logs, ascending. */
export class ToldLogs {
  readonly logs: readonly ToldLog[];
  /** Logs up to this block were forgotten: a reorganisation that reaches it cannot be told. */
  readonly forgottenTo: number;

  constructor(logs: readonly ToldLog[], forgottenTo: number) {
    this.logs = logs;
    this.forgottenTo = forgottenTo;
  }

  get sizeBytes(): number {
    let sizeBytes = 0;
    for (const log of this.logs) sizeBytes += log.sizeBytes;
    return sizeBytes;
  }

  /** The blocks above `anchor` hold the logs `fresh` now, of which the last is `to`. */
  changed(anchor: number, fresh: readonly ToldLog[], to: number): LogChanges {
    const before = this.logs.filter(({ number }) => number > anchor);
    const [known, found] = [new Set(before.map(keyOf)), new Set(fresh.map(keyOf))];
    const removed = before.filter((log) => !found.has(keyOf(log)));
    const added = fresh.filter((log) => !known.has(keyOf(log)));
    const kept = this.logs.filter(({ number }) => number <= anchor && number > to - KEPT_BLOCKS);
    return {
      answer: [
        ...removed.toReversed().map(({ log }) => ({ ...log, removed: true })),
        ...added.map(({ log }) => ({ ...log, removed: false })),
      ],
      told: new ToldLogs([...kept, ...fresh], this.forgottenTo),
    };
  }

  /** Without the oldest blocks, so that at most `maxLogs` of `maxBytes` are left (or one block). */
  within(maxLogs: number, maxBytes: number): ToldLogs {
    let { sizeBytes, logs } = this;
    let { forgottenTo } = this;
    while (logs.length > maxLogs || sizeBytes > maxBytes) {
      const oldest = logs[0]?.number ?? 0;
      if (oldest === logs.at(-1)?.number) break;
      forgottenTo = oldest;
      for (const log of logs) if (log.number === oldest) sizeBytes -= log.sizeBytes;
      logs = logs.filter(({ number }) => number > oldest);
    }
    return logs === this.logs ? this : new ToldLogs(logs, forgottenTo);
  }
}

const keyOf = ({ blockHash, index }: ToldLog): string => `${blockHash}:${index}`;
