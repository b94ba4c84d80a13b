/**
 * The least that a fan-out can do: connects to the event generator, forwards each head that it sees
 * first by `ws.send(string)` with JSON.stringify nowhere in the loop. `node bare-fanout.ts URL...`
 */
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";

const seen = new Set<string>();
const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
const clients = new Set<WebSocket>();
sockets.on("connection", (client) => {
  client.on("message", () => {
    client.send('{"jsonrpc":"2.0","id":1,"result":"0x1234567890abcdef1234567890abcdef"}');
    clients.add(client);
  });
  client.on("close", () => clients.delete(client));
  client.on("error", () => client.terminate());
});

for (const url of process.argv.slice(2)) {
  const upstream = new WebSocket(url, { perMessageDeflate: false });
  upstream.on("open", () => {
    upstream.send('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}');
  });
  upstream.on("message", (data: Buffer) => {
    const text = data.toString("utf8");
    const at = text.indexOf('"hash":"');
    if (at < 0) return;
    const hash = text.slice(at + 8, at + 74);
    if (seen.has(hash)) return;
    seen.add(hash);
    if (seen.size > 10_000) seen.clear();
    for (const client of clients) client.send(text);
  });
}
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`bare http://127.0.0.1:${address?.port}`);
});
