/** A chain of logs and nodes that answer `eth_getLogs` from it, for the planner's tests. */

/** One log as a node writes it. */
export interface TestLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: string;
  readonly blockHash: string;
  readonly transactionHash: string;
  readonly transactionIndex: string;
  readonly logIndex: string;
  readonly removed: false;
}

export const ADDRESSES = [1, 2, 3, 4, 5].map((n) => `0x${String(n).repeat(40)}`);
export const TOPICS = ["a", "b", "c", "d"].map((digit) => `0x${digit.repeat(64)}`);

/** The hash of a block on a branch. */
export function hashOf(block: number, branch = 0): string {
  return `0x${(block * 16 + branch).toString(16).padStart(64, "0")}`;
}

/** A log at a place. */
export function logAt(
  block: number,
  index: number,
  { address = 0, topic = 0, data = "0x", branch = 0 } = {},
): TestLog {
  return {
    address: ADDRESSES[address] as string,
    topics: [TOPICS[topic] as string],
    data,
    blockNumber: `0x${block.toString(16)}`,
    blockHash: hashOf(block, branch),
    transactionHash: `0x${(block * 1000 + index).toString(16).padStart(64, "7")}`,
    transactionIndex: "0x0",
    logIndex: `0x${index.toString(16)}`,
    removed: false,
  };
}

/** `perBlock` logs in each of the blocks, of all addresses and topics in turn. */
export function manyLogs(fromBlock: number, toBlock: number, perBlock: number): TestLog[] {
  const logs: TestLog[] = [];
  for (let block = fromBlock; block <= toBlock; block++) {
    for (let index = 0; index < perBlock; index++) {
      const n = logs.length;
      logs.push(logAt(block, index, { address: n % 5, topic: n % 4 }));
    }
  }
  return logs;
}

/** A filter as it stands in the params of a call. */
export interface TestFilter {
  readonly fromBlock?: string;
  readonly toBlock?: string;
  readonly address?: string | readonly string[] | null;
  readonly topics?: readonly (string | readonly string[] | null)[];
}

/** What an honest node finds, in order. */
export function select(logs: readonly TestLog[], filter: TestFilter): TestLog[] {
  const from = Number(filter.fromBlock);
  const to = Number(filter.toBlock);
  const [first] = filter.topics ?? [];
  return logs.filter(
    ({ blockNumber, address, topics }) =>
      Number(blockNumber) >= from &&
      Number(blockNumber) <= to &&
      isOneOf(filter.address, address) &&
      isOneOf(first, topics[0] as string),
  );
}

function isOneOf(wanted: string | readonly string[] | null | undefined, value: string): boolean {
  if (wanted === undefined || wanted === null || wanted.length === 0) return true;
  const list = typeof wanted === "string" ? [wanted] : wanted;
  return list.some((one) => one.toLowerCase() === value.toLowerCase());
}

/** The members of the answer's list as bytes. */
export function bodyText(logs: readonly TestLog[]): string {
  return logs.map((log) => JSON.stringify(log)).join(",");
}

/** The limits of a node. */
export interface NodeLimits {
  readonly blocks?: number;
  readonly results?: number;
  readonly addresses?: number;
  /** The refusal names a range that works. */
  readonly hints?: boolean;
}

/** A refusal, or the logs. */
export type NodeAnswer =
  | { readonly ok: true; readonly logs: readonly TestLog[] }
  | { readonly ok: false; readonly of: "range" | "addresses" | "answer"; readonly blocks?: number };

/** What a node with limits says to a filter. */
export function answerOf(
  logs: readonly TestLog[],
  filter: TestFilter,
  limits: NodeLimits,
): NodeAnswer {
  const from = Number(filter.fromBlock);
  const range = Number(filter.toBlock) - from + 1;
  const { blocks = Infinity, results = Infinity, addresses = Infinity, hints = false } = limits;
  if (Array.isArray(filter.address) && filter.address.length > addresses) {
    return { ok: false, of: "addresses" };
  }
  if (range > blocks) return { ok: false, of: "range", ...(hints ? { blocks } : {}) };
  const found = select(logs, filter);
  if (found.length <= results) return { ok: true, logs: found };
  if (!hints) return { ok: false, of: "answer" };
  const firstTooMany = Number((found[results] as TestLog).blockNumber);
  return { ok: false, of: "answer", blocks: Math.max(1, firstTooMany - from) };
}
