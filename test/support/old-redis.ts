/** A server that calls itself Redis of any version, and answers no more than a link asks at first. */
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

/** A running server. */
export interface OldRedis {
  readonly url: string;
  stop(): void;
}

/** Starts it. */
export async function startOldRedis(version: string): Promise<OldRedis> {
  const info = `# Server\r\nredis_version:${version}\r\n`;
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      for (const [word] of bytes.toString().matchAll(/\r\n(ping|info)\r\n/gi)) {
        const isPing = word.toLowerCase().includes("ping");
        socket.write(isPing ? "+PONG\r\n" : `$${info.length}\r\n${info}\r\n`);
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => server.close(),
  };
}
