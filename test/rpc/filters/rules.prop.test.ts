/** The rules of filters over random histories: nothing is lost, doubled or taken back unsaid. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCriteria } from "../../../src/rpc/filters/criteria.ts";
import { newBlocks, newestBlock } from "../../../src/rpc/filters/new-blocks.ts";
import { newLogs, type LogState } from "../../../src/rpc/filters/new-logs.ts";
import { drive, type Answer, type Poll, type Question } from "../../../src/rpc/filters/poll.ts";
import { PendingRing } from "../../../src/rpc/filters/pending-ring.ts";
import { FilterTable } from "../../../src/rpc/filters/table.ts";
import { ToldLogs } from "../../../src/rpc/filters/told-logs.ts";
import { Trail } from "../../../src/rpc/filters/trail.ts";

interface Block {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly logs: number;
}

/** A chain that grows and goes back. */
class Chain {
  readonly blocks: Block[] = [];
  #made = 0;

  constructor() {
    for (let n = 0; n < 4; n++) this.grow(0);
  }

  get head(): Block {
    return this.blocks.at(-1) as Block;
  }

  grow(logs: number): void {
    const hash = `0x${(++this.#made).toString(16).padStart(64, "0")}`;
    const parentHash = this.blocks.at(-1)?.hash ?? `0x${"f".repeat(64)}`;
    this.blocks.push({ number: this.blocks.length, hash, parentHash, logs });
  }

  /** Replaces the last `depth` blocks by as many and `more`. */
  reorg(depth: number, more: number, logs: number): void {
    const gone = Math.min(depth, this.blocks.length - 1);
    this.blocks.length -= gone;
    for (let n = 0; n < gone + more; n++) this.grow(logs);
  }

  answer = ({ method, params }: Question): unknown => {
    const [what] = params;
    if (method === "eth_getLogs") return this.#logs(what as Record<string, string>);
    const block =
      what === "latest"
        ? this.head
        : this.blocks.find(({ number, hash }) => hash === what || number === Number(what));
    return block === undefined ? null : wire(block);
  };

  /** Logs of the blocks from a height on, as a client that reads the chain now would see them. */
  logsFrom(number: number): string[] {
    return this.blocks.slice(number).flatMap((block) => logsOf(block).map(keyOf));
  }

  #logs({ blockHash, fromBlock, toBlock }: Record<string, string>): unknown {
    return this.blocks
      .filter(({ number, hash }) =>
        blockHash === undefined
          ? number >= Number(fromBlock) && number <= Number(toBlock)
          : hash === blockHash,
      )
      .flatMap(logsOf);
  }
}

const hex = (value: number): string => `0x${value.toString(16)}`;
const wire = ({ number, ...block }: Block) => ({ ...block, number: hex(number) });
const logsOf = ({ number, hash, logs }: Block) =>
  Array.from({ length: logs }, (_, index) => ({
    blockNumber: hex(number),
    blockHash: hash,
    logIndex: hex(index),
    removed: false,
  }));
const keyOf = (log: { readonly blockHash: string; readonly logIndex: string }): string =>
  `${log.blockHash}:${log.logIndex}`;

/** Runs a rule against a chain that answers at once. */
const run = <T>(poll: Poll<T>, answer: (question: Question) => unknown): T => {
  let value: T | undefined;
  drive(
    poll,
    (question, answered) => answered({ ok: true, result: answer(question) } satisfies Answer),
    (outcome) => {
      if (outcome.kind !== "done") throw new Error(JSON.stringify(outcome));
      ({ value } = outcome);
    },
  );
  return value as T;
};

const startAt = ({ number, hash, parentHash }: Block): Trail =>
  new Trail([
    { number: number - 1, hash: parentHash },
    { number, hash },
  ]);

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant("grow"), by: fc.nat(5), logs: fc.nat(3) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("reorg"),
        by: fc.integer({ min: 1, max: 6 }),
        more: fc.nat(3),
        logs: fc.nat(3),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("poll") }) },
  ),
  { maxLength: 30 },
);

const play = (chain: Chain, step: { kind: string; by?: number; more?: number; logs?: number }) => {
  const { kind, by = 0, more = 0, logs = 0 } = step;
  if (kind === "grow") for (let n = 0; n < by; n++) chain.grow(logs);
  if (kind === "reorg") chain.reorg(by, more, logs);
};

describe("a block filter", () => {
  it("leaves a client that follows its answers with the chain as it is", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const chain = new Chain();
        const start = chain.head.number;
        let trail = startAt(chain.head);
        const seen = new Map<number, string>([[start, chain.head.hash]]);
        const poll = (): void => {
          const head = run(newestBlock(-1), chain.answer);
          const told = run(newBlocks(trail, head as never, -1), chain.answer);
          trail = told.trail;
          expect(new Set(told.answer).size).toBe(told.answer.length);
          for (const hash of told.answer) {
            const { number } = chain.blocks.find((block) => block.hash === hash) as Block;
            seen.set(number, hash);
          }
        };
        for (const step of all) {
          if (step.kind === "poll") poll();
          else play(chain, step);
        }
        poll();
        expect([...seen.values()]).toEqual(chain.blocks.slice(start).map(({ hash }) => hash));
      }),
    );
  });

  it("tells a long absence in parts, in order", () => {
    const chain = new Chain();
    let trail = startAt(chain.head);
    for (let n = 0; n < 700; n++) chain.grow(0);
    const all: string[] = [];
    for (let n = 0; n < 3; n++) {
      const head = run(newestBlock(-1), chain.answer);
      const told = run(newBlocks(trail, head as never, -1), chain.answer);
      all.push(...told.answer);
      trail = told.trail;
    }
    expect(all).toEqual(chain.blocks.slice(4).map(({ hash }) => hash));
  });

  it("is not led by a provider that lags, nor by one that is far ahead", () => {
    const chain = new Chain();
    for (let n = 0; n < 10; n++) chain.grow(0);
    const laggard = (question: Question): unknown =>
      question.params[0] === "latest"
        ? chain.answer({ method: "eth_getBlockByNumber", params: ["0x5"] })
        : chain.answer(question);
    expect(run(newestBlock(chain.head.number), laggard)?.number).toBe(chain.head.number);
    const trail = startAt(chain.head);
    const old = run(newestBlock(-1), laggard);
    expect(run(newBlocks(trail, old as never, -1), chain.answer).answer).toEqual([]);
    const liar = (question: Question): unknown =>
      question.params[0] === "latest"
        ? { number: "0xffffff", hash: `0x${"e".repeat(64)}`, parentHash: `0x${"d".repeat(64)}` }
        : chain.answer(question);
    expect(run(newestBlock(chain.head.number), liar)?.hash).toBe(chain.head.hash);
  });
});

describe("a log filter", () => {
  const criteria = (filter: object) => {
    const read = readCriteria(filter);
    if (!read.ok) throw new Error(read.message);
    return read.criteria;
  };

  it("leaves a client that follows its answers with the logs as they are", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const chain = new Chain();
        const start = chain.head.number;
        const first = chain.head.hash;
        let state: LogState = {
          criteria: criteria({}),
          trail: startAt(chain.head),
          told: new ToldLogs([], -1),
        };
        const held = new Set<string>();
        const poll = (): void => {
          const head = run(newestBlock(-1), chain.answer);
          const { answer, ...next } = run(newLogs(state, head as never, -1), chain.answer);
          state = { ...state, ...next };
          for (const log of answer as { blockHash: string; logIndex: string; removed: boolean }[]) {
            const key = keyOf(log);
            // Removed only what was told, told only what is not held.
            expect(held.has(key)).toBe(log.removed);
            if (log.removed) held.delete(key);
            else held.add(key);
          }
        };
        for (const step of all) {
          if (step.kind === "poll") poll();
          else play(chain, step);
        }
        poll();
        // The block at which it began counts once it is another one.
        const from = chain.blocks[start]?.hash === first ? start + 1 : start;
        const expected = chain.logsFrom(from).filter((key) => !isBelow(chain, key, start));
        expect([...held].toSorted(byText)).toEqual(expected.toSorted(byText));
      }),
    );
  });

  it("tells only what lies in its range", () => {
    const chain = new Chain();
    const state: LogState = {
      criteria: criteria({ fromBlock: "0x6", toBlock: "0x8" }),
      trail: startAt(chain.head),
      told: new ToldLogs([], -1),
    };
    for (let n = 0; n < 8; n++) chain.grow(1);
    const head = run(newestBlock(-1), chain.answer);
    const { answer } = run(newLogs(state, head as never, -1), chain.answer);
    expect(answer.map(({ blockNumber }) => blockNumber)).toEqual(["0x6", "0x7", "0x8"]);
  });

  it("does not believe logs of another branch than its head's", () => {
    const chain = new Chain();
    const state: LogState = {
      criteria: criteria({}),
      trail: startAt(chain.head),
      told: new ToldLogs([], -1),
    };
    chain.grow(1);
    chain.grow(1);
    const head = run(newestBlock(-1), chain.answer);
    const elsewhere = (question: Question): unknown =>
      question.method === "eth_getLogs"
        ? (chain.answer(question) as object[]).map((log) => ({
            ...log,
            blockHash: `0x${"a".repeat(64)}`,
          }))
        : chain.answer(question);
    const told = run(newLogs(state, head as never, -1), elsewhere);
    expect(told).toEqual({ answer: [], trail: state.trail, told: state.told });
  });

  it("says so when it would have to take back what it has forgotten", () => {
    const chain = new Chain();
    let state: LogState = {
      criteria: criteria({}),
      trail: startAt(chain.head),
      told: new ToldLogs([], -1),
    };
    for (let n = 0; n < 3; n++) chain.grow(2);
    const head = run(newestBlock(-1), chain.answer);
    const { answer: _answer, ...next } = run(newLogs(state, head as never, -1), chain.answer);
    state = { ...state, ...next, told: next.told.within(2, Infinity) };
    expect(state.told.logs).toHaveLength(2);
    chain.reorg(3, 0, 1);
    let outcome = "";
    drive(
      newLogs(state, run(newestBlock(-1), chain.answer) as never, -1),
      (question, answered) => answered({ ok: true, result: chain.answer(question) }),
      ({ kind }) => {
        outcome = kind;
      },
    );
    expect(outcome).toBe("gap");
  });

  it.each([
    [{}, 1, Infinity],
    [{ fromBlock: "latest", toBlock: "latest" }, 1, Infinity],
    [{ fromBlock: "earliest" }, 0, Infinity],
    [{ fromBlock: "0x10", toBlock: "0x20", address: `0x${"11".repeat(20)}` }, 16, 32],
  ])("is read as go-ethereum reads it: %j", (filter, from, to) => {
    const read = criteria(filter);
    expect(read.fromBlock).toBe(from === 1 ? -1 : from);
    expect(read.toBlock).toBe(to);
  });

  it.each([
    [undefined, "the filter is not an object"],
    [[], "the filter is not an object"],
    [{ fromBlock: "0x9", toBlock: "0x2" }, "invalid block range params"],
    [{ toBlock: "0x2" }, "invalid block range params"],
    [{ fromBlock: "finalized" }, "invalid block range params"],
    [{ fromBlock: "pending" }, "pending logs are not supported"],
    [
      { blockHash: `0x${"1".repeat(64)}`, fromBlock: "0x1" },
      "can't specify fromBlock/toBlock with blockHash",
    ],
    [
      { address: "0x12" },
      "invalid address: hex has invalid length 1 after decoding; expected 20 for address",
    ],
    [{ topics: [null, null, null, null, null] }, "exceed max topics"],
  ])("is refused: %j", (filter, message) => {
    expect(readCriteria(filter)).toEqual({ ok: false, message });
  });
});

describe("a ring of pending transactions", () => {
  it("gives each reader what came since, the oldest give way", () => {
    fc.assert(
      fc.property(fc.nat(30), fc.nat(30), (before, after) => {
        const ring = new PendingRing(10);
        for (let n = 0; n < before; n++) ring.push(`a${n}`);
        const place = ring.next;
        for (let n = 0; n < after; n++) ring.push(`b${n}`);
        const all = Array.from({ length: after }, (_, n) => `b${n}`);
        expect(ring.since(place)).toEqual(all.slice(-10));
      }),
    );
  });
});

describe("a table of filters", () => {
  it("knows a filter by its owner only, and forgets what nobody asks for", () => {
    const table = new FilterTable<{ id: string; owner: string; usedAtMs: number }>({
      maxPerOwner: 2,
      maxFilters: 3,
      idleMs: 100,
    });
    const add = (id: string, owner: string, usedAtMs: number) => table.add({ id, owner, usedAtMs });
    add("1", "a", 0);
    add("2", "a", 0);
    expect(table.refusal("a")).toMatch(/at most 2/u);
    expect(table.refusal("b")).toBeUndefined();
    expect(table.use("1", "b", 10)).toBeUndefined();
    expect(table.use("1", "a", 50)?.id).toBe("1");
    add("3", "", 60);
    expect(table.refusal("b")).toMatch(/too many/u);
    expect(table.use("2", "a", 100)).toBeUndefined();
    expect(table.sweep(100).map(({ id }) => id)).toEqual(["2"]);
    expect(table.refusal("a")).toBeUndefined();
    expect(table.sweep(1_000).map(({ id }) => id)).toEqual(["1", "3"]);
    expect(table.size).toBe(0);
  });
});

const byText = (a: string, b: string): number => (a < b ? -1 : 1);

/** Logs of blocks below the filter's beginning, which are none of its business. */
const isBelow = (chain: Chain, key: string, start: number): boolean =>
  (chain.blocks.find(({ hash }) => key.startsWith(hash))?.number ?? 0) < start;

describe("blocks above the served tip", () => {
  it("are asked about beside the others, since reads stop at that tip", () => {
    const chain = new Chain();
    const state: LogState = {
      criteria: { original: {}, matching: {}, fromBlock: -1, toBlock: Infinity },
      trail: startAt(chain.head),
      told: new ToldLogs([], -1),
    };
    for (let n = 0; n < 6; n++) chain.grow(1);
    const served = chain.head.number - 2;
    const clamping = (question: Question): unknown => {
      const logs = chain.answer(question);
      if (question.method !== "eth_getLogs" || question.isAhead === true) return logs;
      return (logs as { blockNumber: string }[]).filter(
        ({ blockNumber }) => Number(blockNumber) <= served,
      );
    };
    const head = run(newestBlock(served), clamping);
    const { answer } = run(newLogs(state, head as never, served), clamping);
    expect(answer).toHaveLength(6);
  });
});
