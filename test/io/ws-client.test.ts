import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { connectWs, type WsClient, type WsClosure } from "../../src/io/ws-client.ts";
import { Secret } from "../../src/lib/secret.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A WebSocket server; `upgrade` may refuse by answering the raw socket itself. */
const serve = async (
  onClient: (client: WebSocket, headers: Readonly<Record<string, unknown>>) => void,
  refusal?: string,
) => {
  const server = createServer();
  servers.push(server);
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    if (refusal !== undefined) {
      socket.end(refusal);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => onClient(client, request.headers));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v2/canary-key`;
};

const open = (url: string, headers: Readonly<Record<string, Secret>> = {}) => {
  const messages: { text: string; atNs: number }[] = [];
  const pongs: number[] = [];
  let opened!: () => void;
  let closed!: (closure: WsClosure) => void;
  let told!: () => void;
  const isOpen = new Promise<void>((resolve) => (opened = resolve));
  const closure = new Promise<WsClosure>((resolve) => (closed = resolve));
  const next = () => new Promise<void>((resolve) => (told = resolve));
  const client: WsClient = connectWs(
    {
      url: new Secret(url),
      headers,
      handshakeTimeoutMs: 1_000,
      maxPayloadBytes: 100_000,
    },
    {
      onOpen: () => opened(),
      onMessage: (bytes, atNs) => {
        messages.push({ text: bytes.toString("utf8"), atNs });
        told?.();
      },
      onPong: () => {
        pongs.push(performance.now());
        told?.();
      },
      onClose: (end) => closed(end),
    },
  );
  return { client, messages, pongs, isOpen, closure, next };
};

describe("a socket to a provider", () => {
  it("sends text, stamps what it reads on the monotonic clock and hears pongs", async () => {
    const url = await serve((client, headers) => {
      client.on("message", (data, isBinary) =>
        client.send(
          `${isBinary ? "binary" : "text"} ${(data as Buffer).toString()} ${String(headers["x-key"])}`,
        ),
      );
    });
    const { client, messages, pongs, isOpen, next } = open(url, { "x-key": new Secret("k1") });
    await isOpen;
    const before = performance.now() * 1e6;
    client.send(Buffer.from("hello"));
    await next();
    expect(messages[0]?.text).toBe("text hello k1");
    expect(messages[0]?.atNs).toBeGreaterThanOrEqual(before);
    expect(messages[0]?.atNs).toBeLessThanOrEqual(performance.now() * 1e6);
    client.ping();
    await next();
    expect(pongs).toHaveLength(1);
    client.abandon();
  });

  it("tells why a connection ended: the peer's code, a refused upgrade, a dead port", async () => {
    const closing = open(await serve((client) => client.close(4_001, "bye")));
    expect(await closing.closure).toMatchObject({ code: 4_001, reason: "bye" });
    const limited = open(
      await serve(() => {}, "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"),
    );
    expect(await limited.closure).toMatchObject({ code: 1006, status: 429, retryAfter: "7" });
    const nobody = await open("ws://127.0.0.1:1/").closure;
    expect(nobody.code).toBe(1006);
    expect(nobody.reason).toBe("ECONNREFUSED");
  });

  it("gives up on a peer that never finishes the handshake", async () => {
    const server = createServer();
    servers.push(server);
    server.on("upgrade", () => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const end = await open(`ws://127.0.0.1:${port}/`).closure;
    expect(end.code).toBe(1006);
    expect(end.reason).toMatch(/timed out/);
    server.closeAllConnections();
  });

  it("refuses a message beyond the limit instead of holding it", async () => {
    const url = await serve((client) => client.send("x".repeat(200_000)));
    const { closure, messages } = open(url);
    // Our side ends the connection; no close frame of the peer ever comes.
    expect((await closure).reason).toMatch(/size|1009|WS_ERR/i);
    expect(messages).toHaveLength(0);
  });

  it("is silent after it was abandoned", async () => {
    let peer: WebSocket | undefined;
    const url = await serve((client) => (peer = client));
    const { client, isOpen, messages, closure } = open(url);
    await isOpen;
    client.abandon();
    peer?.send("late");
    const first = await Promise.race([closure, new Promise((resolve) => setTimeout(resolve, 50))]);
    expect(first).toBeUndefined();
    expect(messages).toHaveLength(0);
    expect(client.isOpen).toBe(false);
  });

  it("calls back in the scope of whoever connected", async () => {
    const scope = new AsyncLocalStorage<string>();
    const url = await serve((client) => client.send("hi"));
    const seen = await scope.run(
      "owner",
      () =>
        new Promise<string | undefined>((resolve) => {
          const client = connectWs(
            { url: new Secret(url), headers: {}, handshakeTimeoutMs: 1_000 },
            {
              onOpen: () => {},
              onMessage: () => {
                client.abandon();
                resolve(scope.getStore());
              },
              onPong: () => {},
              onClose: () => {},
            },
          );
        }),
    );
    expect(seen).toBe("owner");
  });
});
