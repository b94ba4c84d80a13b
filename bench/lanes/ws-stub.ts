/** The WebSocket upstream of ws-calls: echoes ids in small results, answers what a gateway asks at start. */
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const server = createServer((_req, res) => res.writeHead(404).end());
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
const results: Readonly<Record<string, string>> = {
  eth_chainId: '"0x1"',
  eth_blockNumber: '"0x1312d00"',
  eth_subscribe: `"0x${"ab".repeat(16)}"`,
};
sockets.on("connection", (socket) => {
  socket.on("message", (data: Buffer) => {
    const text = data.toString("latin1");
    const id = /"id":\s*("[^"]*"|[^,}]+)/.exec(text)?.[1] ?? "null";
    const method = /"method":"(\w+)"/.exec(text)?.[1] ?? "";
    socket.send(`{"jsonrpc":"2.0","id":${id},"result":${results[method] ?? '"0x1346edf"'}}`);
  });
  socket.on("error", () => socket.terminate());
});
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`ws stub http://127.0.0.1:${address?.port}`);
});
