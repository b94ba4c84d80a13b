/** Naive: parts fetched four at a time, parsed, concatenated and printed again, as scripts do it. */
import { createServer } from "node:http";
import { LAST_BLOCK } from "../support/log-chain.ts";

const upstream = process.argv[2] as string;
const PART = 1000;

async function part(from: number, to: number): Promise<unknown[]> {
  const response = await fetch(upstream, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "eth_getLogs",
      params: [{ fromBlock: `0x${from.toString(16)}`, toBlock: `0x${to.toString(16)}` }],
    }),
  });
  return ((await response.json()) as { result: unknown[] }).result;
}

async function merged(): Promise<unknown[]> {
  const parts: unknown[][] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at * PART < LAST_BLOCK; at = next++) {
      parts[at] = await part(at * PART + 1, (at + 1) * PART);
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  return parts.flat();
}

const server = createServer((req, res) => {
  req.resume();
  req.on("end", () => {
    void merged().then((result) => {
      res.setHeader("content-type", "application/json");
      res.end(JSON.stringify({ jsonrpc: "2.0", id: 1, result }));
    });
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`naive-logs http://127.0.0.1:${address?.port}`);
});
