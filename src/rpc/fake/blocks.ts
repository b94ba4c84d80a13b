/** Blocks, transactions, receipts and logs of a fake chain in the shapes that eth_* methods return. */
import { keccak256 } from "../../lib/keccak256.ts";
import { type Ledger, type LedgerEvent, transactionCount } from "./ledger.ts";
import { noiseHex, noiseRatio } from "./noise.ts";
import type { BlockRef, Timeline } from "./timeline.ts";

/** A JSON object of an eth_* answer; field names are those of the execution API. */
export type RpcObject = Readonly<Record<string, unknown>>;

/** One log as `eth_getLogs` returns it. */
export interface LogObject extends LedgerEvent {
  readonly blockHash: string;
  readonly blockNumber: string;
  readonly transactionHash: string;
  readonly transactionIndex: string;
  readonly logIndex: string;
  readonly removed: boolean;
}

/** Everything of one block that answers are cut from. */
export interface BlockContent {
  readonly ref: BlockRef;
  readonly hash: string;
  /** The header as newHeads sends it: a block without transactions and uncles. */
  readonly header: RpcObject;
  readonly transactions: readonly RpcObject[];
  readonly receipts: readonly RpcObject[];
  readonly logs: readonly LogObject[];
}

/** A quantity as JSON-RPC writes it: 0x, no leading zeros. */
export function quantity(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** Base fee of a height, wei: around 8 gwei. */
export function baseFee(timeline: Timeline, number: number): number {
  return 7_000_000_000 + Math.floor(noiseRatio(timeline.seed, TAG_FEE, number) * 2_000_000_000);
}

/** Builds the content of one block; `extra` are transactions that users have sent. */
export function buildBlock(
  timeline: Timeline,
  ledger: Ledger,
  ref: BlockRef,
  extra: readonly RpcObject[],
): BlockContent {
  const hash = timeline.blockHash(ref);
  const place = { blockHash: hash, blockNumber: quantity(ref.number) };
  const transactions: RpcObject[] = [];
  const receipts: RpcObject[] = [];
  const logs: LogObject[] = [];
  const fee = baseFee(timeline, ref.number);
  let gasUsed = 0;
  for (let index = 0; index < transactionCount(ref.number); index++) {
    const transaction = pendingTransaction(timeline, ledger, ref.number, index);
    const placed = {
      transactionHash: transaction["hash"] as string,
      transactionIndex: quantity(index),
    };
    const { gasUsed: used, events } = ledger.transaction(ref.number, index);
    gasUsed += used;
    const ownLogs = events.map((event) => {
      const logIndex = quantity(logs.length);
      const log: LogObject = { ...event, ...place, ...placed, logIndex, removed: false };
      logs.push(log);
      return log;
    });
    const price = { gasPrice: quantity(fee + TIP_WEI) };
    transactions.push({ ...transaction, ...place, transactionIndex: quantity(index), ...price });
    receipts.push(receipt(transaction, place, placed, { gasUsed, used, fee, logs: ownLogs }));
  }
  for (const transaction of extra) {
    const index = quantity(transactions.length);
    const placed = { transactionHash: transaction["hash"] as string, transactionIndex: index };
    gasUsed += 21_000;
    transactions.push({ ...transaction, ...place, transactionIndex: index });
    receipts.push(receipt(transaction, place, placed, { gasUsed, used: 21_000, fee, logs: [] }));
  }
  const parent = timeline.parent(ref);
  const header: RpcObject = {
    number: place.blockNumber,
    hash,
    parentHash: parent === undefined ? ZERO_HASH : timeline.blockHash(parent),
    nonce: "0x0000000000000000",
    sha3Uncles: EMPTY_UNCLES,
    logsBloom: bloomOf(logs),
    transactionsRoot: noiseHex(timeline.seed, 32, TAG_ROOT, ref.number),
    stateRoot: noiseHex(timeline.seed, 32, TAG_ROOT + 1, ref.number),
    receiptsRoot: noiseHex(timeline.seed, 32, TAG_ROOT + 2 + ref.branch, ref.number),
    miner: ledger.miner(ref.number, ref.branch),
    difficulty: "0x0",
    extraData: ref.branch === 0 ? "0x706163656c696e65" : "0x6f727068616e",
    gasLimit: quantity(GAS_LIMIT),
    gasUsed: quantity(gasUsed),
    timestamp: quantity(Math.max(0, Math.floor(timeline.bornMs(ref.number) / 1000))),
    mixHash: noiseHex(timeline.seed, 32, TAG_ROOT + 4 + ref.branch, ref.number),
    baseFeePerGas: quantity(fee),
  };
  return { ref, hash, header, transactions, receipts, logs };
}

/** A transaction of the rhythm as it looks before it is mined. */
export function pendingTransaction(
  timeline: Timeline,
  ledger: Ledger,
  number: number,
  index: number,
): RpcObject {
  const { from, to, nonce, value, input, gasUsed } = ledger.transaction(number, index);
  return {
    type: "0x2",
    chainId: quantity(timeline.chainId),
    hash: timeline.transactionHash(number, index),
    nonce: quantity(nonce),
    from,
    to,
    value: quantity(value),
    gas: quantity(gasUsed + 9_000),
    gasPrice: quantity(MAX_FEE_WEI),
    maxFeePerGas: quantity(MAX_FEE_WEI),
    maxPriorityFeePerGas: quantity(TIP_WEI),
    input,
    accessList: [],
    blockHash: null,
    blockNumber: null,
    transactionIndex: null,
    v: "0x1",
    yParity: "0x1",
    r: noiseHex(timeline.seed, 32, TAG_SIGNATURE + index, number),
    s: noiseHex(timeline.seed, 32, TAG_SIGNATURE + 8 + index, number),
  };
}

/** The 256-byte bloom of addresses and topics (yellow paper 4.3.1: 3 bits of 11 per item). */
export function bloomOf(logs: readonly LedgerEvent[]): string {
  if (logs.length === 0) return EMPTY_BLOOM;
  const bits = new Uint8Array(256);
  for (const log of logs) {
    for (const item of [log.address, ...log.topics]) {
      for (const bit of bloomBits(item)) {
        const at = 255 - (bit >> 3);
        bits[at] = (bits[at] ?? 0) | (1 << (bit & 7));
      }
    }
  }
  let digits = "0x";
  for (const byte of bits) digits += byte.toString(16).padStart(2, "0");
  return digits;
}

/** Bytes of a 0x-prefixed hex string; an odd digit at the end is dropped. */
export function bytesOf(hex: string): Uint8Array {
  const bytes = new Uint8Array((hex.length - 2) >> 1);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(hex.slice(2 + i * 2, 4 + i * 2), 16);
  }
  return bytes;
}

function receipt(
  transaction: RpcObject,
  place: RpcObject,
  placed: RpcObject,
  sum: { gasUsed: number; used: number; fee: number; logs: readonly LogObject[] },
): RpcObject {
  return {
    ...place,
    ...placed,
    type: transaction["type"],
    from: transaction["from"],
    to: transaction["to"],
    contractAddress: null,
    status: "0x1",
    cumulativeGasUsed: quantity(sum.gasUsed),
    gasUsed: quantity(sum.used),
    effectiveGasPrice: quantity(sum.fee + TIP_WEI),
    logs: sum.logs,
    logsBloom: bloomOf(sum.logs),
  };
}

/** Bits of one item; the items of a fake chain are a fixed cast, so the memory stays small. */
function bloomBits(item: string): readonly number[] {
  let bits = bloomMemory.get(item);
  if (bits === undefined) {
    const digest = keccak256(bytesOf(item));
    bits = [0, 2, 4].map((at) => (((digest[at] ?? 0) << 8) | (digest[at + 1] ?? 0)) & 2047);
    if (bloomMemory.size >= BLOOM_MEMORY_ITEMS) bloomMemory.clear();
    bloomMemory.set(item, bits);
  }
  return bits;
}

const bloomMemory = new Map<string, readonly number[]>();
const BLOOM_MEMORY_ITEMS = 512;
const EMPTY_BLOOM = `0x${"0".repeat(512)}`;
const ZERO_HASH = `0x${"0".repeat(64)}`;
const EMPTY_UNCLES = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347";
const GAS_LIMIT = 30_000_000;
const TIP_WEI = 1_000_000_000;
const MAX_FEE_WEI = 20_000_000_000;
const TAG_FEE = 21;
const TAG_ROOT = 31;
const TAG_SIGNATURE = 41;
