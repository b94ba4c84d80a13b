/** Frames as providers send them, for tests of keys and races. */

/** A 32-byte hash that ends in `n`. */
export const hash = (n: number): string => `0x${n.toString(16).padStart(64, "0")}`;

/** A notification in the usual compact form. */
export const frameOf = (result: unknown, subscription = "0x9cef478923ff08bf67fde6c64013158d") =>
  Buffer.from(
    JSON.stringify({
      jsonrpc: "2.0",
      method: "eth_subscription",
      params: { subscription, result },
    }),
  );

/** A head as geth announces it. */
export const headOf = (number: number, own = number, parent = own - 1) => ({
  parentHash: hash(parent),
  sha3Uncles: hash(0xaa),
  miner: "0x95222290dd7278aa3ddd389cc1e1d165cc4bafe5",
  logsBloom: `0x${"00".repeat(256)}`,
  number: `0x${number.toString(16)}`,
  timestamp: "0x65f1a2b3",
  extraData: "0x",
  mixHash: hash(0xbb),
  hash: hash(own),
});

/** A log as geth announces it. */
export const logOf = (block: number, index: number, overrides: Record<string, unknown> = {}) => ({
  address: "0xdac17f958d2ee523a2206206994597c13d831ec7",
  topics: [hash(1), hash(2)],
  data: "0x",
  blockNumber: `0x${block.toString(16)}`,
  transactionHash: hash(77),
  transactionIndex: "0x5",
  blockHash: hash(block),
  logIndex: `0x${index.toString(16)}`,
  removed: false,
  ...overrides,
});
