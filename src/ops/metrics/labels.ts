/** Labels of metrics: what each may hold. */

const TRANSPORTS = ["http", "ws"];

/** Labels and what they may hold; a label without values is open and bounded by the family's cap. */
export const METRIC_LABELS: Readonly<
  Record<string, { readonly values?: readonly string[]; readonly meaning: string }>
> = {
  access: { values: ["read", "write"], meaning: "whether a command changes something" },
  by: { values: ["range", "address", "topic"], meaning: "what was cut" },
  chain: { meaning: "configured name of the chain" },
  code: { meaning: "WebSocket close code" },
  direction: { values: ["user", "system"], meaning: "where CPU time went" },
  filter: { meaning: "filter of selection or pairing" },
  hedge: { values: ["fired", "won", "denied"], meaning: "what became of a hedge" },
  hash: { meaning: "short hash of the running configuration" },
  key: { meaning: "id of the API key, or anonymous" },
  kind: { meaning: "kind of the thing counted: stream, garbage collection, memory" },
  market: { meaning: "configured name of the pairing market" },
  method: { meaning: "JSON-RPC method, 64 per provider" },
  method_class: {
    values: ["head", "state", "block", "logs", "trace", "write", "subscribe", "other"],
    meaning: "family of JSON-RPC methods",
  },
  metric: { meaning: "name of a metric family" },
  op: { meaning: "what code of a dead process tried" },
  outcome: { values: ["ok", "error", "gone", "failed", "neutral"], meaning: "how it ended" },
  path: {
    values: [
      "none",
      "listed",
      "scan",
      "rank",
      "bound",
      "draw",
      "turns",
      "sorted",
      "kept",
      "thread",
    ],
    meaning: "how a ranking was found",
  },
  process: { meaning: "base name of the process, e.g. rpc/ws-connection" },
  provider: { meaning: "configured id of the provider" },
  quantile: { values: ["0.5", "0.95", "0.99", "1"], meaning: "quantile, 0..1" },
  reason: { meaning: "reason code" },
  remote: { meaning: "another region of the cluster" },
  region: { meaning: "region of this instance" },
  result: { meaning: "how it ended" },
  scorer: { meaning: "scorer of a pairing profile" },
  status: { meaning: "status after the change" },
  threshold: { values: ["2s", "4s"], meaning: "how slow" },
  to: { values: ["closed", "open", "half_open"], meaning: "breaker state after the change" },
  transport: { values: TRANSPORTS, meaning: "http or ws" },
  version: { meaning: "version of Paceline" },
};
