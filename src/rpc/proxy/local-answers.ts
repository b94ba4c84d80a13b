/** Answers that need no provider: what the chain's configuration already says. */
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
    default:
      // eth_accounts: we hold no keys.
      return "[]";
  }
}
