/**
 * Which blocks a call asks for, read from the bytes of its params: a provider that lacks them (too
 * far behind, pruned, or limited in range) need not be asked.
 *
 * Tags that every provider can serve (`latest` and the like) and anything unusual demand nothing.
 */
import { blockParam } from "./block-params.ts";
import { isWordAt, skipSpace, skipValue } from "./json-bytes.ts";
import { quantity } from "./quantity.ts";

/** What a call needs of a provider's chain. */
export interface BlockDemand {
  /** The highest block that is named. */
  readonly block: number;
  /** The lowest block that is named. */
  readonly fromBlock: number;
  /** It reads state as of that block, which a pruning node forgets. */
  readonly isState: boolean;
  /** Blocks of an `eth_getLogs` range whose both ends are named; 0 otherwise. */
  readonly range: number;
}

const LATEST = Buffer.from('"latest"]');
/** A filter longer than this has thousands of addresses; its range is not looked for. */
const MAX_FILTER = 4096;

/** The blocks that `params` (an array at `start..end` of `body`) names for `method`. */
export function blockDemand(
  method: string,
  body: Buffer,
  start: number,
  end: number,
): BlockDemand | undefined {
  if (start < 0 || body[start] !== 0x5b) return undefined;
  if (method === "eth_getLogs") return logsDemand(body, start, end);
  const param = blockParam(method);
  if (param === undefined) return undefined;
  // Nearly all calls end in "latest": one look at the tail, and the params are not walked.
  if (endsInLatest(body, start, end)) return undefined;
  const at = elementAt(body, start, end, param.position);
  const block = at < 0 ? undefined : blockAt(body, at, end);
  if (block === undefined) return undefined;
  return { block, fromBlock: block, isState: param.isState, range: 0 };
}

/** True when the call reads state as of a tag near the head, named or by default. */
export function readsHead(method: string, body: Buffer, start: number, end: number): boolean {
  const param = blockParam(method);
  if (param?.isState !== true || start < 0 || body[start] !== 0x5b) return false;
  const at = elementAt(body, start, end, param.position);
  // Without the parameter a node takes `latest`.
  if (at < 0 || body[at] === 0x5d) return true;
  const text = body.toString("latin1", at, Math.min(at + 16, end));
  return /^(null|"(latest|pending|safe|finalized)")/.test(text);
}

function endsInLatest(body: Buffer, start: number, end: number): boolean {
  const from = end - LATEST.length;
  return from > start && isWordAt(body, from, LATEST);
}

/** Where element number `position` of an array begins, or -1. */
function elementAt(body: Buffer, start: number, end: number, position: number): number {
  let at = skipSpace(body, start + 1, end);
  for (let i = 0; i < position; i++) {
    at = skipValue(body, at, end, 1);
    if (at < 0) return -1;
    at = skipSpace(body, at, end);
    if (body[at] !== 0x2c) return -1;
    at = skipSpace(body, at + 1, end);
  }
  return at;
}

/** The number a block parameter names: a quantity, `earliest`, or `{"blockNumber": quantity}`. */
function blockAt(body: Buffer, at: number, end: number): number | undefined {
  const text = body.toString("latin1", at, Math.min(at + 96, end));
  return numberOf(
    text.startsWith("{")
      ? /"blockNumber"\s*:\s*"([^"\\]*)"/.exec(text)?.[1]
      : /^"([^"\\]*)"/.exec(text)?.[1],
  );
}

function logsDemand(body: Buffer, start: number, end: number): BlockDemand | undefined {
  if (end - start > MAX_FILTER) return undefined;
  const text = body.toString("latin1", start, end);
  // A filter by hash names its block itself; names inside of values do not occur: values are hex.
  const fromBlock = numberOf(/"fromBlock"\s*:\s*"([^"\\]*)"/.exec(text)?.[1]);
  const toBlock = numberOf(/"toBlock"\s*:\s*"([^"\\]*)"/.exec(text)?.[1]);
  const block = toBlock ?? fromBlock;
  if (block === undefined) return undefined;
  const range = fromBlock === undefined || toBlock === undefined ? 0 : toBlock - fromBlock + 1;
  return { block, fromBlock: fromBlock ?? block, isState: false, range: Math.max(0, range) };
}

function numberOf(tag: string | undefined): number | undefined {
  return tag === "earliest" ? 0 : quantity(tag);
}
