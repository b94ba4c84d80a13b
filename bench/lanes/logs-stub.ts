/**
 * The upstream of the logs bench: any range of blocks with five logs each, 620 B a log, built once.
 * `node logs-stub.ts` prints its address.
 */
import { createServer } from "node:http";
import { FIRST_BLOCK, LAST_BLOCK, logsOf } from "../support/log-chain.ts";

const blocks: Buffer[] = [];
for (let block = FIRST_BLOCK; block <= LAST_BLOCK; block++) {
  blocks.push(Buffer.from(logsOf(block)));
}

const server = createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk));
  req.on("end", () => {
    const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString());
    res.setHeader("content-type", "application/json");
    if (method !== "eth_getLogs") {
      const result = method === "eth_chainId" ? "0x1" : `0x${LAST_BLOCK.toString(16)}`;
      res.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
      return;
    }
    const from = Number(params[0].fromBlock) - FIRST_BLOCK;
    const to = Number(params[0].toBlock) - FIRST_BLOCK;
    const pieces: Buffer[] = [
      Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":[`),
    ];
    for (let at = from; at <= to; at++) {
      if (at > from) pieces.push(COMMA);
      pieces.push(blocks[at] as Buffer);
    }
    pieces.push(Buffer.from("]}"));
    res.end(Buffer.concat(pieces));
  });
});
const COMMA = Buffer.from(",");
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`logs-stub http://127.0.0.1:${address?.port}`);
});
