/** Ref: a bare node:http + undici `Pool.request` proxy, what a careful engineer writes in 20 lines. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Pool } from "undici";

const pool = new Pool(process.argv[2] as string, { connections: 64, pipelining: 1 });

const server = createServer((req, res) => {
  void forward(req, res);
});

async function forward(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  try {
    const { statusCode, headers, body } = await pool.request({
      path: "/",
      method: "POST",
      headers: { "content-type": "application/json" },
      body: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks),
    });
    res.writeHead(statusCode, {
      "content-type": "application/json",
      "content-length": headers["content-length"] as string,
    });
    body.pipe(res);
  } catch {
    res.writeHead(502).end();
  }
}

server.keepAliveTimeout = 65_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`ref http://127.0.0.1:${address?.port}`);
});
