/** Families of JSON-RPC methods, so that durations have few series. */

const CLASS_OF = new Map<string, string>([
  ["eth_blockNumber", "head"],
  ["eth_chainId", "head"],
  ["eth_gasPrice", "head"],
  ["eth_maxPriorityFeePerGas", "head"],
  ["eth_blobBaseFee", "head"],
  ["eth_feeHistory", "head"],
  ["eth_syncing", "head"],
  ["net_version", "head"],
  ["web3_clientVersion", "head"],
  ["eth_call", "state"],
  ["eth_estimateGas", "state"],
  ["eth_createAccessList", "state"],
  ["eth_getBalance", "state"],
  ["eth_getCode", "state"],
  ["eth_getProof", "state"],
  ["eth_getStorageAt", "state"],
  ["eth_getTransactionCount", "state"],
  ["eth_getLogs", "logs"],
  ["eth_newFilter", "logs"],
  ["eth_getFilterLogs", "logs"],
  ["eth_getFilterChanges", "logs"],
  ["eth_sendRawTransaction", "write"],
  ["eth_sendTransaction", "write"],
  ["eth_subscribe", "subscribe"],
  ["eth_unsubscribe", "subscribe"],
]);

/** The class of a method; a new name costs one look-up and two prefix tests. */
export function methodClassOf(method: string): string {
  const known = CLASS_OF.get(method);
  if (known !== undefined) return known;
  if (method.startsWith("eth_getBlock") || method.startsWith("eth_getTransaction")) return "block";
  if (method.startsWith("eth_getUncle")) return "block";
  return method.startsWith("trace_") || method.startsWith("debug_") ? "trace" : "other";
}
