/**
 * A provider whose trouble is chosen while it runs: `node faulty-stub.ts` prints its address; a line
 * on stdin names the trouble (see `Trouble`). It answers balances, heights and the chain id.
 */
import { createServer, type ServerResponse } from "node:http";
import { createInterface } from "node:readline";

/** What is wrong with it. */
export type Trouble =
  | "none"
  | "down"
  | "hang"
  | "429"
  | "500"
  | "garbage"
  | "drip"
  | "wrong_chain"
  | "stale";

/** How far a stale provider is behind. */
const BEHIND = 50;
const DRIP_MS = 400;

let trouble: Trouble = "none";
let staleSince = 0;

const height = (): number => {
  const now = 20_000_000 + Math.floor(Date.now() / 1000);
  return trouble === "stale" ? staleSince - BEHIND : now;
};

const resultOf = (method: string): string => {
  if (method === "eth_blockNumber") return `"0x${height().toString(16)}"`;
  if (method === "eth_chainId") return trouble === "wrong_chain" ? '"0x539"' : '"0x1"';
  return '"0x1"';
};

const drip = (response: ServerResponse, text: string): void => {
  response.writeHead(200, { "content-type": "application/json", "content-length": text.length });
  let at = 0;
  const timer = setInterval(() => {
    response.write(text[at++] ?? "");
    if (at < text.length && !response.destroyed) return;
    clearInterval(timer);
    response.end();
  }, DRIP_MS);
};

const serve = (body: string, response: ServerResponse): void => {
  const { id, method } = JSON.parse(body) as { id: unknown; method: string };
  const text = JSON.stringify({ jsonrpc: "2.0", id, result: JSON.parse(resultOf(method)) });
  switch (trouble) {
    case "hang":
      return;
    case "429":
      response.writeHead(429, { "retry-after": "2" }).end("slow down");
      return;
    case "500":
      response.writeHead(500).end("oops");
      return;
    case "garbage":
      response.writeHead(200, { "content-type": "application/json" }).end("<html>hello</html>");
      return;
    case "drip":
      drip(response, text);
      return;
    default:
      response.writeHead(200, { "content-type": "application/json" }).end(text);
  }
};

const server = createServer((request, response) => {
  if (trouble === "down") {
    request.socket.resetAndDestroy();
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => serve(Buffer.concat(chunks).toString(), response));
});
server.keepAliveTimeout = 65_000;
server.on("connection", (socket) => {
  if (trouble === "down") socket.resetAndDestroy();
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`stub http://127.0.0.1:${address?.port}`);
});
createInterface({ input: process.stdin }).on("line", (line) => {
  trouble = line as Trouble;
  if (trouble === "stale") staleSince = 20_000_000 + Math.floor(Date.now() / 1000);
});
