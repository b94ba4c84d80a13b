/**
 * Where each method takes its block (execution-apis; the `debug_` and `trace_` ones as geth and
 * erigon have them): what a demand for blocks and a pinned tag are read from.
 */

/** The block parameter of one method. */
export interface BlockParam {
  readonly position: number;
  /** State as of that block is read, which a pruning node forgets. */
  readonly isState: boolean;
  /** Left out, or null, it means `latest`. */
  readonly defaultsToLatest: boolean;
}

const state = (position: number, defaultsToLatest = true): BlockParam => ({
  position,
  isState: true,
  defaultsToLatest,
});

const block = (position: number): BlockParam => ({
  position,
  isState: false,
  defaultsToLatest: false,
});

/** By method; who else needs the place of a block takes it from here. */
const BLOCK_PARAMS = {
  eth_call: state(1),
  eth_createAccessList: state(1),
  eth_estimateGas: state(1),
  eth_getAccount: state(1, false),
  eth_getAccountInfo: state(1, false),
  eth_getBalance: state(1),
  eth_getCode: state(1),
  eth_getProof: state(2, false),
  eth_getStorageAt: state(2),
  eth_getTransactionCount: state(1),
  eth_simulateV1: state(1),
  debug_traceCall: state(1, false),
  debug_traceBlockByNumber: state(0, false),
  trace_block: state(0, false),
  trace_call: state(2),
  trace_callMany: state(1),
  trace_replayBlockTransactions: state(0, false),
  eth_feeHistory: block(1),
  eth_getBlockByNumber: block(0),
  eth_getBlockReceipts: block(0),
  eth_getBlockTransactionCountByNumber: block(0),
  eth_getHeaderByNumber: block(0),
  eth_getRawTransactionByBlockNumberAndIndex: block(0),
  eth_getTransactionByBlockNumberAndIndex: block(0),
  eth_getUncleByBlockNumberAndIndex: block(0),
  eth_getUncleCountByBlockNumber: block(0),
  debug_getRawBlock: block(0),
  debug_getRawHeader: block(0),
  debug_getRawReceipts: block(0),
} as const satisfies Readonly<Record<string, BlockParam>>;

/** A method that takes its block as a parameter. */
export type BlockMethod = keyof typeof BLOCK_PARAMS;

const byMethod: ReadonlyMap<string, BlockParam> = new Map(Object.entries(BLOCK_PARAMS));

/** The block parameter of a method; `undefined` when it takes none, or takes a filter. */
export const blockParam = (method: string): BlockParam | undefined => byMethod.get(method);

/** The block parameter of a method of the table. */
export const blockParamOf = (method: BlockMethod): BlockParam => BLOCK_PARAMS[method];

/** Methods whose first parameter is a filter with `fromBlock` and `toBlock`. */
const FILTERED: ReadonlySet<string> = new Set(["eth_getLogs", "trace_filter"]);

/** Whether a method's first parameter is a filter with `fromBlock` and `toBlock`. */
export const takesFilter = (method: string): boolean => FILTERED.has(method);
