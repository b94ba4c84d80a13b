/** The way from one region to Redis, which tests cut, slow down, and make lose what others say. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A running relay. */
export interface RedisProxy {
  readonly port: number;
  /** Bytes of either direction come so much later, ms. */
  delayMs: number;
  /** Nothing gets through, and nobody is told; what was sent meanwhile arrives when it is over. */
  isCut: boolean;
  /** Replies and messages of the server that are lost. */
  loses: (frame: Buffer) => boolean;
  stop(): Promise<void>;
}

const WAIT_MS = 20;

/** Relays to a Redis on this host. */
export async function startRedisProxy(targetPort: number): Promise<RedisProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const target = connect({ port: targetPort, host: "127.0.0.1" });
    relay(client, target, (bytes) => [bytes]);
    relay(target, client, framesOf());
  });

  /** Whatever arrives goes on in its order, each piece no sooner than it may. */
  const relay = (from: Socket, to: Socket, cut: (bytes: Buffer) => readonly Buffer[]): void => {
    sockets.add(from);
    const queue: { readonly bytes: Buffer | undefined; readonly dueMs: number }[] = [];
    let timer: NodeJS.Timeout | undefined;
    const pass = (): void => {
      timer = undefined;
      while (!proxy.isCut && (queue[0]?.dueMs ?? Number.POSITIVE_INFINITY) <= performance.now()) {
        const bytes = queue.shift()?.bytes;
        if (bytes === undefined) to.destroy();
        else if (!proxy.loses(bytes)) to.write(bytes);
      }
      if (queue.length > 0) timer = setTimeout(pass, WAIT_MS);
    };
    const take = (bytes: Buffer | undefined): void => {
      queue.push({ bytes, dueMs: performance.now() + proxy.delayMs });
      if (timer === undefined) pass();
    };
    from.on("data", (bytes: Buffer) => {
      for (const frame of cut(bytes)) take(frame);
    });
    from.on("error", () => undefined);
    from.on("close", () => {
      sockets.delete(from);
      take(undefined);
    });
  };

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: RedisProxy = {
    port: (server.address() as AddressInfo).port,
    delayMs: 0,
    isCut: false,
    loses: () => false,
    stop: async () => {
      proxy.isCut = false;
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
  return proxy;
}

/** Cuts a server's stream (RESP2) into whole replies. */
const framesOf = (): ((bytes: Buffer) => readonly Buffer[]) => {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    const frames: Buffer[] = [];
    for (let end = endOf(rest, 0); end !== undefined; end = endOf(rest, 0)) {
      frames.push(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    return frames;
  };
};

/** Where the reply that begins at `at` ends; undefined when it is not all there. */
const endOf = (bytes: Buffer, at: number): number | undefined => {
  const line = bytes.indexOf("\r\n", at);
  if (line < 0) return undefined;
  const kind = String.fromCharCode(bytes[at] ?? 0);
  const size = Number(bytes.toString("latin1", at + 1, line));
  let end: number | undefined = line + 2;
  if (kind === "$" && size >= 0) end += size + 2;
  if (kind === "*") {
    for (let item = 0; item < size && end !== undefined; item++) end = endOf(bytes, end);
  }
  return end === undefined || end > bytes.length ? undefined : end;
};
