/** What a fake node answers to one JSON-RPC call, as a pure function of the call and its head. */
import { baseFee, bytesOf, type LogObject, quantity, type RpcObject } from "./blocks.ts";
import type { BlockContent } from "./blocks.ts";
import type { FakeChain } from "./chain.ts";
import { pad, REVERT_DATA, REVERTER_ADDRESS, word } from "./ledger.ts";
import { type LogFilter, matchesFilter, parseFilter } from "./log-filter.ts";
import { noiseHex, noiseRatio } from "./noise.ts";

/** The node that answers: a chain seen at one height, with the limits of its seller. */
export interface NodeView {
  readonly chain: FakeChain;
  /** Height of the newest block this node knows. */
  readonly head: number;
  /** The caller's clock, for transactions that are sent in, ms. */
  readonly nowMs: number;
  /** Whether state older than 128 blocks is kept. */
  readonly isArchival: boolean;
  /** Largest span of an eth_getLogs range, blocks. */
  readonly maxLogBlocks: number;
  /** What the node says its chain id is; only a faulty node differs from its chain. */
  readonly chainId: number;
}

/** A JSON-RPC error object. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** The outcome of one call. */
export type RpcAnswer = { readonly result: unknown } | { readonly error: RpcError };

/** Answers one call; an unknown method is -32601, never a throw. */
export function answerCall(view: NodeView, method: string, params: readonly unknown[]): RpcAnswer {
  const handler = METHODS.get(method);
  if (handler === undefined) {
    return fail(-32601, `the method ${method.slice(0, 64)} does not exist/is not available`);
  }
  return handler(view, params);
}

type Handler = (view: NodeView, params: readonly unknown[]) => RpcAnswer;

const METHODS = new Map<string, Handler>([
  ["eth_chainId", (view) => ok(quantity(view.chainId))],
  ["net_version", (view) => ok(String(view.chainId))],
  ["net_listening", () => ok(true)],
  ["net_peerCount", () => ok("0x19")],
  ["web3_clientVersion", () => ok("PacelineFake/1.0.0/linux/node")],
  ["eth_syncing", () => ok(false)],
  ["eth_accounts", () => ok([])],
  ["eth_blockNumber", (view) => ok(quantity(view.head))],
  ["eth_gasPrice", (view) => ok(quantity(baseFee(view.chain.timeline, view.head) + TIP_WEI))],
  ["eth_maxPriorityFeePerGas", () => ok(quantity(TIP_WEI))],
  ["eth_feeHistory", feeHistory],
  [
    "eth_getBlockByNumber",
    (view, [tag, full]) => withBlock(view, tag, (b) => ok(blockAnswer(b, full === true)), null),
  ],
  [
    "eth_getBlockByHash",
    (view, [hash, full]) => {
      const block = typeof hash === "string" ? view.chain.byHash(hash, view.head) : undefined;
      return ok(block === undefined ? null : blockAnswer(block, full === true));
    },
  ],
  [
    "eth_getBlockTransactionCountByNumber",
    (view, [tag]) => withBlock(view, tag, (b) => ok(quantity(b.transactions.length)), null),
  ],
  [
    "eth_getTransactionByBlockNumberAndIndex",
    (view, [tag, index]) =>
      withBlock(view, tag, (b) => ok(b.transactions[Number(index)] ?? null), null),
  ],
  ["eth_getBlockReceipts", (view, [tag]) => withBlock(view, tag, (b) => ok(b.receipts), null)],
  ["eth_getTransactionByHash", (view, [hash]) => ok(lookUp(view, hash)?.transaction ?? null)],
  ["eth_getTransactionReceipt", (view, [hash]) => ok(lookUp(view, hash)?.receipt ?? null)],
  ["eth_getLogs", getLogs],
  [
    "eth_getBalance",
    (view, [address, tag]) =>
      withState(view, address, tag, (who, head) =>
        ok(quantity(view.chain.ledger.balance(who, head))),
      ),
  ],
  [
    "eth_getTransactionCount",
    (view, [address, tag]) =>
      withState(view, address, tag, (who, head) =>
        ok(quantity(view.chain.ledger.nonce(who, head))),
      ),
  ],
  [
    "eth_getCode",
    (view, [address, tag]) =>
      withState(view, address, tag, (who) => ok(view.chain.ledger.code(who))),
  ],
  [
    "eth_getStorageAt",
    (view, [address, slot, tag]) =>
      withState(view, address, tag, (who, head) => ok(storageAt(view, who, slot, head))),
  ],
  ["eth_call", (view, [call, tag]) => execute(view, call, tag, (output) => ok(output))],
  [
    "eth_estimateGas",
    (view, [call, tag]) =>
      execute(view, call, tag ?? "latest", (output) =>
        ok(quantity(output === "0x" ? 21_000 : 52_000)),
      ),
  ],
  ["eth_sendRawTransaction", (view, [raw]) => sendRaw(view, raw)],
]);

/** A block as eth_getBlockBy* returns it. */
function blockAnswer(block: BlockContent, isFull: boolean): RpcObject {
  const transactions = isFull ? block.transactions : block.transactions.map((t) => t["hash"]);
  const size = quantity(640 + block.transactions.length * 180);
  return { ...block.header, size, transactions, uncles: [], totalDifficulty: "0x0" };
}

function lookUp(view: NodeView, hash: unknown) {
  return typeof hash === "string" ? view.chain.transaction(hash, view.head) : undefined;
}

/** The height a block parameter means, or an error text. A block hash object is resolved too. */
function heightOf(view: NodeView, tag: unknown): number | string {
  switch (tag) {
    case undefined:
    case null:
    case "latest":
      return view.head;
    case "pending":
      return view.head;
    case "safe":
      return Math.max(0, view.head - 32);
    case "finalized":
      return Math.max(0, view.head - 64);
    case "earliest":
      return 0;
  }
  if (typeof tag === "string" && /^0x[0-9a-f]{1,13}$/iu.test(tag)) return Number.parseInt(tag, 16);
  if (typeof tag === "string" && tag.length === 66) return heightOfHash(view, tag);
  if (typeof tag === "object" && tag !== null) {
    const named = tag as { blockHash?: unknown; blockNumber?: unknown };
    if (typeof named.blockHash === "string") return heightOfHash(view, named.blockHash);
    return heightOf(view, named.blockNumber);
  }
  return `invalid block parameter ${JSON.stringify(tag).slice(0, 80)}`;
}

function heightOfHash(view: NodeView, hash: string): number | string {
  return view.chain.byHash(hash, view.head)?.ref.number ?? "header for hash not found";
}

function withBlock(
  view: NodeView,
  tag: unknown,
  use: (block: BlockContent) => RpcAnswer,
  missing: unknown,
): RpcAnswer {
  const height = heightOf(view, tag);
  if (typeof height === "string") return fail(-32602, height);
  const block = view.chain.at(height, view.head);
  return block === undefined ? ok(missing) : use(block);
}

function withState(
  view: NodeView,
  address: unknown,
  tag: unknown,
  use: (address: string, head: number) => RpcAnswer,
): RpcAnswer {
  if (!isAddress(address)) return fail(-32602, "invalid argument 0: expected a 20-byte address");
  const height = heightOf(view, tag);
  if (typeof height === "string") return fail(-32602, height);
  if (height > view.head) return fail(-32000, "header not found");
  if (!view.isArchival && height < view.head - STATE_BLOCKS) {
    return fail(
      -32000,
      `missing trie node ${noiseHex(1, 32, height).slice(2)} (path ) state is not available`,
    );
  }
  return use(address.toLowerCase(), height);
}

function execute(
  view: NodeView,
  call: unknown,
  tag: unknown,
  use: (output: string) => RpcAnswer,
): RpcAnswer {
  if (typeof call !== "object" || call === null) {
    return fail(-32602, "invalid argument 0: expected a call object");
  }
  const { to, data, input } = call as { to?: unknown; data?: unknown; input?: unknown };
  return withState(view, to ?? REVERTER_ADDRESS, tag, (target, head) => {
    if (target === REVERTER_ADDRESS && to !== undefined && to !== null) {
      return fail(3, "execution reverted: paceline fake: always reverts", REVERT_DATA);
    }
    const given = input ?? data;
    const payload = typeof given === "string" ? given.toLowerCase() : "0x";
    return use(contractOutput(view, target, payload, head));
  });
}

/** The ERC-20 views of the two tokens; anything else has no code and returns nothing. */
function contractOutput(view: NodeView, target: string, payload: string, head: number): string {
  const { ledger } = view.chain;
  if (target !== ledger.tokenA && target !== ledger.tokenB) return "0x";
  const name = target === ledger.tokenA ? "PACEA" : "PACEB";
  switch (payload.slice(0, 10)) {
    case "0x70a08231":
      return `0x${word(ledger.tokenBalance(target, `0x${payload.slice(34, 74)}`, head))}`;
    case "0x18160ddd":
      return `0x${word(8n * 10n ** 24n)}`;
    case "0x313ce567":
      return `0x${word(18n)}`;
    case "0x06fdde03":
    case "0x95d89b41":
      return `0x${word(32n)}${word(5n)}${textWord(name)}`;
    default:
      return "0x";
  }
}

function storageAt(view: NodeView, address: string, slot: unknown, head: number): string {
  if (view.chain.ledger.code(address) === "0x") return pad("0x");
  const index = Number.parseInt(String(slot), 16) || 0;
  return noiseHex(view.chain.timeline.seed ^ index, 32, Math.floor(head / 16));
}

function getLogs(view: NodeView, [raw]: readonly unknown[]): RpcAnswer {
  const filter = parseFilter(raw);
  if (filter === undefined) return fail(-32602, "invalid argument 0: malformed filter");
  const span = raw as { blockHash?: unknown; fromBlock?: unknown; toBlock?: unknown };
  if (typeof span.blockHash === "string") {
    const block = view.chain.byHash(span.blockHash, view.head);
    return block === undefined
      ? fail(-32000, "unknown block")
      : ok(block.logs.filter(matches(filter)));
  }
  const from = heightOf(view, span.fromBlock);
  const to = heightOf(view, span.toBlock);
  if (typeof from === "string") return fail(-32602, from);
  if (typeof to === "string") return fail(-32602, to);
  if (from > to) return fail(-32602, "invalid block range params");
  if (to - from >= view.maxLogBlocks) {
    return fail(-32005, `query exceeds max block range ${view.maxLogBlocks}`);
  }
  const found: LogObject[] = [];
  // A node below `toBlock` answers with what it has, as real nodes do.
  for (let number = from; number <= Math.min(to, view.head); number++) {
    for (const log of view.chain.at(number, view.head)?.logs ?? []) {
      if (matchesFilter(log, filter)) found.push(log);
    }
  }
  return ok(found);
}

function matches(filter: LogFilter): (log: LogObject) => boolean {
  return (log) => matchesFilter(log, filter);
}

function feeHistory(view: NodeView, [count, newest, percentiles]: readonly unknown[]): RpcAnswer {
  const last = heightOf(view, newest);
  if (typeof last === "string") return fail(-32602, last);
  if (last > view.head) return fail(-32000, "request beyond head block");
  const wanted = Math.min(Math.max(1, Number(count) || 1), 1024, last + 1);
  const oldest = last - wanted + 1;
  const { timeline } = view.chain;
  const fees = Array.from({ length: wanted + 1 }, (_, i) =>
    quantity(baseFee(timeline, oldest + i)),
  );
  const used = Array.from({ length: wanted }, (_, i) =>
    noiseRatio(timeline.seed, TAG_USED, oldest + i),
  );
  const history = { oldestBlock: quantity(oldest), baseFeePerGas: fees, gasUsedRatio: used };
  if (!Array.isArray(percentiles)) return ok(history);
  const reward = used.map(() => percentiles.map(() => quantity(TIP_WEI)));
  return ok({ ...history, reward });
}

function sendRaw(view: NodeView, raw: unknown): RpcAnswer {
  if (typeof raw !== "string" || !/^0x(?:[0-9a-f]{2})+$/iu.test(raw)) {
    return fail(-32602, "invalid argument 0: expected hex bytes");
  }
  if (bytesOf(raw).length < MIN_RAW_BYTES)
    return fail(-32000, "rlp: value size exceeds available input length");
  const { hash, isNew } = view.chain.submit(raw, view.nowMs);
  return isNew ? ok(hash) : fail(-32000, "already known");
}

function textWord(text: string): string {
  let digits = "";
  for (let i = 0; i < text.length; i++) digits += text.charCodeAt(i).toString(16);
  return digits.padEnd(64, "0");
}

function isAddress(value: unknown): value is string {
  return typeof value === "string" && /^0x[0-9a-f]{40}$/iu.test(value);
}

function ok(result: unknown): RpcAnswer {
  return { result };
}

function fail(code: number, message: string, data?: unknown): RpcAnswer {
  return { error: data === undefined ? { code, message } : { code, message, data } };
}

const TIP_WEI = 1_000_000_000;
/** State that a pruned node keeps, blocks (geth's default). */
const STATE_BLOCKS = 128;
/** Nothing shorter can be a signed transaction. */
const MIN_RAW_BYTES = 32;
const TAG_USED = 51;
