/** Reads blocks and logs out of parsed answers: what gaps are filled with, and polled heads. */
import { Buffer } from "node:buffer";
import type { Head } from "./chain/block.ts";
import { explainsBloom } from "./logs/bloom-proof.ts";
import type { BlockLogs } from "./logs/block-logs.ts";
import { isRecord, readJson, readRecord } from "./read-record.ts";

const HASH = /^0x[0-9a-f]{64}$/;

/** Members of a full block that a `newHeads` event does not have (geth's header). */
const NOT_IN_HEADER = ["transactions", "uncles", "withdrawals", "size", "totalDifficulty"] as const;

/** The header of a block answer (`eth_getBlockBy*`), shaped as a `newHeads` event. */
export const headOfBlock = (block: unknown): Head | undefined => {
  if (!isRecord(block)) return undefined;
  const header = { ...block };
  for (const name of NOT_IN_HEADER) delete header[name];
  return headOf(header, Buffer.from(JSON.stringify(header)));
};

/** The head that `bytes` say, as JSON of a `newHeads` result; the bytes are kept. */
export const headOfBytes = (bytes: Buffer): Head | undefined => headOf(readJson(bytes), bytes);

/**
 * The logs of a block answer (`eth_getLogs{blockHash}`), ascending; `undefined` when one is not of the
 * block. `bloom` is that of its header, as far as it is known.
 */
export const logsOfBlock = (
  answer: unknown,
  blockHash: string,
  bloom: string | undefined,
): BlockLogs | undefined => {
  if (!Array.isArray(answer)) return undefined;
  const logs: { index: number; bytes: Buffer }[] = [];
  for (const log of answer as unknown[]) {
    if (!isRecord(log) || log["blockHash"] !== blockHash) return undefined;
    const index = quantity(log["logIndex"]);
    if (index === undefined) return undefined;
    const told = log["removed"] === false ? log : { ...log, removed: false };
    logs.push({ index, bytes: Buffer.from(JSON.stringify(told)) });
  }
  logs.sort((a, b) => a.index - b.index);
  return { logs, isProven: explainsBloom(bloom, answer as unknown[]) };
};

/** The same log with another `removed`; everything else stays as it was. */
export const withRemoved = (bytes: Buffer, removed: boolean): Buffer =>
  Buffer.from(JSON.stringify({ ...readRecord(bytes), removed }));

/** Address and topics of a log, lower-case, for the filters. */
export const addressAndTopics = (
  bytes: Buffer,
): { readonly address: string; readonly topics: readonly string[] } => {
  const { address, topics } = readRecord(bytes);
  return {
    address: typeof address === "string" ? address.toLowerCase() : "",
    topics: Array.isArray(topics) ? topics.map((topic) => String(topic).toLowerCase()) : [],
  };
};

const headOf = (header: unknown, bytes: Buffer): Head | undefined => {
  if (!isRecord(header)) return undefined;
  const { hash, parentHash, logsBloom } = header;
  const number = quantity(header["number"]);
  if (number === undefined || !isHash(hash) || !isHash(parentHash)) return undefined;
  const bloom = typeof logsBloom === "string" ? logsBloom : undefined;
  return { number, hash, parentHash, bloom, bytes };
};

const quantity = (value: unknown): number | undefined => {
  if (typeof value !== "string" || !/^0x[0-9a-f]+$/i.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
};

const isHash = (value: unknown): value is string => typeof value === "string" && HASH.test(value);
