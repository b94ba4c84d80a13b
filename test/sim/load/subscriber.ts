/** A subscriber of the simulation: keeps what it was sent and judges whether it is one true story. */
import type { SessionSink } from "../../../src/rpc/proxy/ports.ts";

/** Blocks below the newest that may be replaced, or whose logs may be late. */
const UNSETTLED_BLOCKS = 6;

interface Notice {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
  readonly params?: {
    readonly subscription: string;
    readonly result: Readonly<Record<string, unknown>>;
  };
}

/** A head as a client reads it. */
export interface SeenHead {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
}

/** The logs that a chain has at a height, as `blockHash:logIndex`. */
export type LogTruth = (number: number) => readonly string[];

/** The hash of a height, as the chain has it. */
export type HeadTruth = (number: number) => string | undefined;

/** What one subscriber lived through: all that the judge of streams needs. */
export interface StreamRecord {
  readonly client: number;
  readonly chain: string;
  /** A slow reader, one of a chain that goes away, one told of a gap that nobody could fill. */
  readonly mayClose: boolean;
  readonly heads: readonly SeenHead[];
  readonly subscriptionIds: readonly string[];
  /** Settled heads in which its branch differs from the chain in the end. */
  readonly headFaults: readonly string[];
  /** Doubles, retractions of unsent logs, and what differs from the chain in the end. */
  readonly logFaults: readonly string[];
  readonly logs: number;
  readonly closedWith: string | undefined;
  readonly openedAtMs: number;
  /** Virtual time at which this record was taken, or the client was closed, ms. */
  readonly untilMs: number;
}

/** A WebSocket client of the gateway with one subscription. */
export class Subscriber implements SessionSink {
  readonly id: number;
  readonly chain: string;
  readonly kind: "newHeads" | "logs";
  readonly mayClose: boolean;
  bufferedBytes = 0;
  sentBytes = 0;
  isOpen = true;
  /** It reads nothing, so that everything stays in its buffer. */
  isSlow = false;
  closedWith: string | undefined = undefined;
  /** The world gave the gateway no means to keep it. */
  isExcused = false;
  closedAtMs: number | undefined = undefined;
  openedAtMs = 0;
  /** Called when the subscribe was refused and should be tried again. */
  onRefused: (message: string) => void = () => {};
  /** Called once when the server has closed it. */
  onClosed: () => void = () => {};
  readonly #now: () => number;
  readonly #heads: SeenHead[] = [];
  readonly #ids = new Set<string>();
  /** Logs that were sent and not taken back, with their heights. */
  readonly #liveLogs = new Map<string, number>();
  readonly #logHeights: [first: number, last: number] = [Number.POSITIVE_INFINITY, -1];
  readonly #logFaults: string[] = [];
  #logs = 0;

  constructor(
    id: number,
    chain: string,
    kind: "newHeads" | "logs",
    mayClose: boolean,
    now: () => number,
  ) {
    this.id = id;
    this.chain = chain;
    this.kind = kind;
    this.mayClose = mayClose;
    this.#now = now;
  }

  send(text: string | Buffer): void {
    this.#take(text.toString());
  }

  sendFrame(frame: Buffer): void {
    const marker = (frame[1] ?? 0) & 0x7f;
    const start = marker < 126 ? 2 : marker === 126 ? 4 : 10;
    this.#take(frame.toString("utf8", start));
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.closedWith = `${code} ${reason}`;
    this.closedAtMs = this.#now();
    this.onClosed();
  }

  pause(): void {}

  resume(): void {}

  record(truth: LogTruth, hashAt: HeadTruth): StreamRecord {
    return {
      client: this.id,
      chain: this.chain,
      mayClose: this.mayClose || this.isExcused,
      heads: this.#heads,
      subscriptionIds: [...this.#ids],
      headFaults: this.#strayed(hashAt),
      logFaults: [...this.#logFaults, ...this.#differences(truth)],
      logs: this.#logs,
      closedWith: this.closedWith,
      openedAtMs: this.openedAtMs,
      untilMs: this.closedAtMs ?? this.#now(),
    };
  }

  #take(text: string): void {
    if (this.isSlow) this.bufferedBytes += text.length;
    const { result, error, params } = JSON.parse(text) as Notice;
    if (error !== undefined) this.onRefused(error.message);
    else if (typeof result === "string") {
      this.#ids.add(result);
      this.openedAtMs = this.#now();
    } else if (params !== undefined) {
      this.#ids.add(params.subscription);
      if (this.kind === "newHeads") this.#head(params.result);
      else this.#log(params.result);
    }
  }

  #head(result: Readonly<Record<string, unknown>>): void {
    const { number, hash, parentHash } = result;
    this.#heads.push({
      number: Number(number),
      hash: String(hash),
      parentHash: String(parentHash),
    });
  }

  #log(log: Readonly<Record<string, unknown>>): void {
    this.#logs += 1;
    const { blockHash, blockNumber, logIndex, removed } = log;
    const key = `${String(blockHash)}:${String(logIndex)}`;
    if (removed === true) {
      if (!this.#liveLogs.delete(key)) this.#logFaults.push(`retraction of unsent log ${key}`);
    } else if (this.#liveLogs.has(key)) this.#logFaults.push(`double log ${key}`);
    else {
      const number = Number(blockNumber);
      const [first, last] = this.#logHeights;
      this.#liveLogs.set(key, number);
      this.#logHeights[0] = Math.min(first, number);
      this.#logHeights[1] = Math.max(last, number);
    }
  }

  /** The branch that its heads lead to must be the chain's, but for the newest blocks. */
  #strayed(hashAt: HeadTruth): readonly string[] {
    const last = this.#heads.at(-1);
    if (last === undefined || this.closedWith !== undefined) return [];
    const known = new Map(this.#heads.map((head) => [head.hash, head]));
    const faults: string[] = [];
    for (let at = known.get(last.hash); at !== undefined; at = known.get(at.parentHash)) {
      if (at.number > last.number - UNSETTLED_BLOCKS || hashAt(at.number) === at.hash) continue;
      faults.push(`head ${at.hash} of ${at.number} is not the chain's`);
    }
    return faults;
  }

  /** Between its first and its last block it must have what the chain has; the newest may change yet. */
  #differences(truth: LogTruth): readonly string[] {
    if (this.kind !== "logs" || this.closedWith !== undefined) return [];
    const [first, last] = this.#logHeights;
    const faults: string[] = [];
    const wanted = new Set<string>();
    for (let number = first + 1; number <= last - UNSETTLED_BLOCKS; number++) {
      for (const key of truth(number)) {
        wanted.add(key);
        if (!this.#liveLogs.has(key)) faults.push(`log ${key} of ${number} is missing`);
      }
    }
    for (const [key, number] of this.#liveLogs) {
      const isSettled = number > first && number <= last - UNSETTLED_BLOCKS;
      if (isSettled && !wanted.has(key)) faults.push(`log ${key} of ${number} was not taken back`);
    }
    return faults;
  }
}
