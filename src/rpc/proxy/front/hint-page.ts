/** What a person sees who opens a chain's URL in a browser. */
import type { ChainView, InboundRequest } from "../ports.ts";

/** Plain text with commands to paste. */
export function hintPage(request: InboundRequest, chain: ChainView): string {
  const path = request.url.split("?", 1)[0] ?? "";
  const scheme = request.isSecure ? "s" : "";
  return `Paceline: JSON-RPC for ${chain.name} (chain id ${chain.chainId})

This address takes JSON-RPC 2.0 by POST:

  curl -s http${scheme}://${request.host}${path} \\
    -H 'content-type: application/json' \\
    -d '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'

and WebSocket connections, which also take eth_subscribe:

  ws${scheme}://${request.host}${path}
`;
}
