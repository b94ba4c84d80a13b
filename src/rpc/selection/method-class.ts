/** Groups of methods that share a sticky primary, since they ask alike of a provider. */
export type MethodClass = "read" | "logs" | "trace" | "write";

/** The class of a method. */
export const methodClass = (method: string): MethodClass => {
  if (method === "eth_getLogs" || method === "eth_getFilterLogs") return "logs";
  if (method.startsWith("trace_") || method.startsWith("debug_")) return "trace";
  return method.startsWith("eth_send") ? "write" : "read";
};
