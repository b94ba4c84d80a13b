/** Answers that need no provider: what the chain's configuration already says. */
import { servedMethods } from "../json-rpc/methods.ts";
import type { ChainView } from "./ports.ts";

/** The result of a local method as JSON text. */
export function localResult(method: string, chain: ChainView, clientVersion: string): string {
  switch (method) {
    case "eth_chainId":
      return `"0x${chain.chainId.toString(16)}"`;
    case "net_version":
      return `"${chain.chainId}"`;
    case "web3_clientVersion":
      return JSON.stringify(clientVersion);
    case "net_listening":
      return "true";
    case "rpc.discover":
      return openRpcText(chain, clientVersion);
    default:
      // eth_accounts: we hold no keys.
      return "[]";
  }
}

/** An OpenRPC document that names the methods; what they take and give, their providers define. */
function openRpcText(chain: ChainView, clientVersion: string): string {
  const [title, version] = clientVersion.split("/");
  const served = servedMethods().filter((name) => chain.denies?.(name) !== true);
  const methods = served.map((name) => ({
    name,
    params: [{ name: "params", schema: {} }],
    result: { name: "result", schema: {} },
  }));
  const info = { title: `${title}: ${chain.name}`, version: version ?? "" };
  return JSON.stringify({ openrpc: "1.2.6", info, methods });
}
