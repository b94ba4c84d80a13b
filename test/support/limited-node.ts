/** A vendor in front of a real node: passes everything on but ranges of logs over its limit. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** What the vendor refuses, and how it says so. */
export interface VendorLimit {
  /** Most blocks of one `eth_getLogs`. */
  readonly blocks?: number;
  /** Most logs in one answer. */
  readonly results?: number;
  refusal(fromBlock: number): { readonly code: number; readonly message: string };
}

/** A started vendor. */
export interface LimitedNode {
  readonly url: string;
  /** Spans of the logs it was asked for, `from-to`, refused ones with a `!`. */
  readonly asked: string[];
  stop(): Promise<void>;
}

/** Starts the vendor before the node at `upstreamUrl`. */
export async function startLimitedNode(
  upstreamUrl: string,
  limit: VendorLimit,
): Promise<LimitedNode> {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    void answer(req, res);
  });

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const { id, method, params } = JSON.parse(text);
    const response = await fetch(upstreamUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: text,
    });
    let body = await response.text();
    if (method === "eth_getLogs") {
      const from = Number(params[0].fromBlock);
      const to = Number(params[0].toBlock);
      const { blocks = Infinity, results = Infinity } = limit;
      const isRefused = to - from + 1 > blocks || JSON.parse(body).result?.length > results;
      asked.push(`${from}-${to}${isRefused ? "!" : ""}`);
      if (isRefused) body = JSON.stringify({ jsonrpc: "2.0", id, error: limit.refusal(from) });
    }
    res.writeHead(200, { "content-type": "application/json" }).end(body);
  }

  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
