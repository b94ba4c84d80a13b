/** A client that holds the gateway to its promise: it knows only what it was sent. */
import type { ClientSink } from "../../../../src/rpc/proxy/ports.ts";
import type { Cursor } from "../../../../src/rpc/subscription/chain/history.ts";
import type { ModelBlock } from "./chain-model.ts";

interface Result {
  readonly hash?: string;
  readonly parentHash?: string;
  readonly blockHash?: string;
  readonly logIndex?: string;
  readonly data?: string;
  readonly removed?: boolean;
}

/** What a client of heads and logs believes at one moment. */
export interface Belief {
  readonly stack: readonly string[];
  readonly live: ReadonlySet<string>;
  /** The last head. */
  readonly headCursor: string | undefined;
  /** The last log that was not taken back, and the last event whatever it was. */
  readonly logCursors: readonly Cursor[];
}

/** One connection with a subscription to heads and one to logs. */
export class ClientModel implements ClientSink {
  readonly id: number;
  readonly filter: string | undefined;
  readonly bufferedBytes = 0;
  readonly sentBytes = 0;
  /** Place in the chain's sequence of events at which it subscribed. */
  since = 0;
  isOpen = true;
  closed: string | undefined;
  readonly faults: string[] = [];
  /** Hashes of the branch it knows, the canonical ones at its subscribe first. */
  stack: string[];
  readonly risen = new Set<string>();
  readonly live = new Set<string>();
  readonly beliefs: Belief[] = [];
  readonly #ids = { heads: "", logs: "" };
  /** It keeps what it believed after each event. */
  readonly #remembers: boolean;
  readonly #block: (hash: string) => ModelBlock | undefined;
  #headCursor: string | undefined;
  /** Logs that were added and not taken back, in the order of adding. */
  readonly #added: Cursor[] = [];
  #lastLog: Cursor | undefined;
  /** The last event took back a false log: that it has been seen is in no other log's place. */
  #isOutOfTurn = false;
  #isAnswered = false;
  /** The last log in order, to see whether logs come ascending. */
  #last: { readonly number: number; readonly index: number } | undefined;
  outOfOrder = 0;

  constructor(
    id: number,
    filter: string | undefined,
    canonical: readonly string[],
    block: (hash: string) => ModelBlock | undefined,
    remembers: boolean,
  ) {
    this.#remembers = remembers;
    this.id = id;
    this.filter = filter;
    this.stack = [...canonical];
    this.#block = block;
  }

  answered(heads: string, logs: string): void {
    this.#ids.heads = heads;
    this.#ids.logs = logs;
    this.#isAnswered = true;
  }

  send(): void {}

  sendFrame(frame: Buffer): void {
    if (!this.#isAnswered) this.faults.push("an event before the reply");
    const text = frame.toString("utf8");
    const { params } = JSON.parse(text.slice(text.indexOf("{"))) as {
      params: { subscription: string; result: Result };
    };
    if (params.subscription === this.#ids.heads) this.#head(params.result);
    else if (params.subscription === this.#ids.logs) this.#log(params.result);
    else this.faults.push(`unknown subscription ${params.subscription}`);
    if (!this.#remembers) return;
    this.beliefs.push({
      stack: [...this.stack],
      live: new Set(this.live),
      headCursor: this.#headCursor,
      // Right after a removal late logs leave no way to say where one stands.
      logCursors:
        this.#lastLog?.isRemoved === true && this.outOfOrder > 0
          ? []
          : [this.#isOutOfTurn ? undefined : this.#added.at(-1), this.#lastLog].filter(
              (cursor) => cursor !== undefined,
            ),
    });
  }

  close(code: number, reason: string): void {
    this.isOpen = false;
    this.closed = `${code} ${reason}`;
  }

  /** The logs that it must have: of every block that became canonical since it subscribed. */
  expected(): Set<string> {
    const wanted = new Set<string>();
    for (const hash of this.stack) {
      if (!this.risen.has(hash)) continue;
      for (const { address, logIndex, data } of this.#block(hash)?.logs ?? []) {
        if (this.filter === undefined || address === this.filter) {
          wanted.add(keyOf(hash, logIndex, data));
        }
      }
    }
    return wanted;
  }

  #head({ hash = "", parentHash = "" }: Result): void {
    if (this.stack.includes(hash)) this.faults.push(`head ${hash} again`);
    const parent = this.stack.lastIndexOf(parentHash);
    if (parent < 0 && !this.#isBelow(parentHash))
      this.faults.push(`head ${hash} without its parent`);
    for (const gone of this.stack.splice(parent + 1)) {
      this.risen.delete(gone);
      for (const key of this.live) {
        if (key.startsWith(gone)) this.faults.push(`${key} was not taken back before ${hash}`);
      }
    }
    this.stack.push(hash);
    this.risen.add(hash);
    this.#headCursor = hash;
  }

  /** A reorganisation may go below the first block that it knows: then it goes on from an ancestor. */
  #isBelow(hash: string): boolean {
    const [first] = this.stack;
    let at = first === undefined ? undefined : this.#block(first);
    while (at !== undefined && at.hash !== hash) at = this.#block(at.parentHash);
    return first === undefined || at !== undefined;
  }

  #log({ blockHash = "", logIndex = "", data = "", removed }: Result): void {
    const key = keyOf(blockHash, logIndex, data);
    const index = Number(logIndex);
    this.#lastLog = { blockHash, logIndex: index, isRemoved: removed === true };
    const number = this.#block(blockHash)?.number ?? -1;
    if (removed === true) {
      if (!this.live.delete(key)) this.faults.push(`${key} was removed unsent`);
      this.#last = undefined;
      const at = this.#added.findLastIndex(
        (log) => log.blockHash === blockHash && log.logIndex === index,
      );
      this.#isOutOfTurn = at < this.#added.length - 1;
      this.#added.splice(at, 1);
      return;
    }
    if (this.live.has(key)) this.faults.push(`${key} twice`);
    if (!this.stack.includes(blockHash)) this.faults.push(`${key} before its head`);
    this.live.add(key);
    this.#isOutOfTurn = false;
    this.#added.push({ blockHash, logIndex: index, isRemoved: false });
    const last = this.#last;
    if (last !== undefined && number * 1_000 + index < last.number * 1_000 + last.index) {
      this.outOfOrder++;
    }
    this.#last = { number, index };
  }
}

/** How a log is called here. */
export const keyOf = (blockHash: string, logIndex: string | number, data: string): string =>
  `${blockHash}:${Number(logIndex)}:${data}`;
