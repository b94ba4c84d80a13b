/** A bare WebSocket proxy: parses every message, gives it an id of its own, stringifies it again. */
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";

const target = process.argv[2] as string;
const upstreams = Array.from({ length: Number(process.argv[3] ?? 3) }, () => {
  const socket = new WebSocket(target, { perMessageDeflate: false });
  socket.on("message", (data: Buffer) => {
    const answer = JSON.parse(data.toString()) as { id: unknown };
    const waiting = pending.get(answer.id as number);
    if (waiting === undefined) return;
    pending.delete(answer.id as number);
    answer.id = waiting.id;
    waiting.client.send(JSON.stringify(answer));
  });
  return socket;
});
const pending = new Map<number, { client: WebSocket; id: unknown }>();
let nextId = 1;

const server = createServer((_req, res) => res.writeHead(404).end());
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on("connection", (client) => {
  client.on("message", (data: Buffer) => {
    const call = JSON.parse(data.toString()) as { id: unknown };
    const id = nextId++;
    pending.set(id, { client, id: call.id });
    call.id = id;
    upstreams[id % upstreams.length]?.send(JSON.stringify(call));
  });
});
await Promise.all(
  upstreams.map((socket) => new Promise((resolve) => socket.once("open", resolve))),
);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`ws ref http://127.0.0.1:${address?.port}`);
});
