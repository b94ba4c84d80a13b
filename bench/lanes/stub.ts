/**
 * The upstream of the proxy benches: answers by method with bodies of 45 B to 1.9 MB, echoing the id.
 * Its own codec, so that it costs a fraction of any lane. `node stub.ts [PORT [SHARE]]` prints its
 * address; that share of the balances, chosen by a seed, are answered with an internal error.
 */
import { createServer } from "node:net";
import { logsBody, blockBody } from "../support/payloads.ts";

const results: Readonly<Record<string, string>> = {
  eth_chainId: '"0x1"',
  eth_gasPrice: '"0x1346edf"',
  net_version: '"1"',
  eth_getLogs: logsBody(),
  eth_syncing: "false",
};
const tails = new Map(
  Object.entries(results).map(([method, json]) => [method, Buffer.from(`,"result":${json}}`)]),
);
const fallback = Buffer.from(',"result":"0x1"}');
/** A head that moves on, so that nobody takes the chain for dead. */
const headTail = (): string => {
  const number = 20_000_000 + Math.floor(performance.now() / 12_000);
  return `,"result":"0x${number.toString(16)}"}`;
};
/** An error as a node in trouble gives it. */
const ERROR_TAIL = Buffer.from(',"error":{"code":-32603,"message":"internal error"}}');
const errorShare = Number(process.argv[3] ?? 0);
let seed = 1;
const isError = (method: string): boolean => {
  if (errorShare === 0 || method !== "eth_getBalance") return false;
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32 < errorShare;
};
/** The block that was asked for last: a provider that sends another one is a liar. */
let block = { number: -1, tail: fallback };
const blockTail = (body: string): Buffer => {
  const asked = /"params":\s*\["(0x[0-9a-f]+)"/.exec(body)?.[1];
  const number = asked === undefined ? 0x1346edf : Number(asked);
  if (block.number !== number) {
    block = { number, tail: Buffer.from(`,"result":${blockBody(number)}}`) };
  }
  return block.tail;
};
const OPEN = '{"jsonrpc":"2.0","id":';
const HEAD_END = Buffer.from("\r\n\r\n");

const server = createServer({ noDelay: true }, (socket) => {
  let pending: Buffer | undefined;
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    let bytes = pending === undefined ? chunk : Buffer.concat([pending, chunk]);
    pending = undefined;
    for (;;) {
      const headEnd = bytes.indexOf(HEAD_END);
      if (headEnd < 0) break;
      const head = bytes.toString("latin1", 0, headEnd);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      const bodyEnd = headEnd + 4 + length;
      if (bytes.length < bodyEnd) break;
      const body = bytes.toString("latin1", headEnd + 4, bodyEnd);
      const id = /"id":\s*("[^"]*"|[^,}]+)/.exec(body)?.[1] ?? "null";
      const method = /"method":"(\w+)"/.exec(body)?.[1] ?? "";
      const usual =
        method === "eth_blockNumber"
          ? Buffer.from(headTail())
          : method === "eth_getBlockByNumber"
            ? blockTail(body)
            : (tails.get(method) ?? fallback);
      const tail = isError(method) ? ERROR_TAIL : usual;
      const size = OPEN.length + id.length + tail.length;
      const front = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${size}\r\n\r\n${OPEN}${id}`;
      if (tail.length < 4096) socket.write(front + tail.toString("latin1"), "latin1");
      else {
        socket.cork();
        socket.write(front, "latin1");
        socket.write(tail);
        socket.uncork();
      }
      bytes = bytes.subarray(bodyEnd);
      if (bytes.length === 0) return;
    }
    pending = bytes;
  });
});
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`stub http://127.0.0.1:${address?.port}`);
});
