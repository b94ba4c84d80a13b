/** A TCP relay that can go half-open: connections stay up, and whatever is sent over them is swallowed. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A running relay. */
export interface TcpProxy {
  readonly port: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** From now on every byte of the open connections is lost, in both directions, farewells included. */
  freeze(): void;
  stop(): Promise<void>;
}

/** Relays to a port on this host; connections made after a `freeze` work. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let generation = 0;
  let accepted = 0;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    accepted++;
    const born = generation;
    const target = connect({ port: targetPort, host: "127.0.0.1", allowHalfOpen: true });
    const relay = (from: Socket, to: Socket): void => {
      sockets.add(from);
      from.on("data", (bytes: Buffer) => {
        if (born === generation) to.write(bytes);
      });
      from.on("end", () => {
        if (born === generation) to.end();
      });
      from.on("error", () => from.destroy());
      from.on("close", () => {
        sockets.delete(from);
        if (born === generation) to.destroy();
      });
    };
    relay(client, target);
    relay(target, client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return accepted;
    },
    freeze: () => {
      generation++;
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
