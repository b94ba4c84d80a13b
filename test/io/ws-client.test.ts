import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { connectWs, type WsClient, type WsClosure } from "../../src/io/ws-client.ts";
import { Secret } from "../../src/lib/secret.ts";
import { eventually } from "../support/eventually.ts";
import { UNTRUSTED } from "../support/tls.ts";

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
      onMessages: ({ bytes, bounds }, atNs) => {
        for (let at = 0; at < bounds.length; at += 2) {
          messages.push({ text: bytes.toString("utf8", bounds[at], bounds[at + 1]), atNs });
        }
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
    expect(await closure).toMatchObject({ code: 1009, reason: "message over 100000 bytes" });
    expect(messages).toHaveLength(0);
  });

  it("names what is wrong with a TLS handshake", async () => {
    const secure = createTlsServer(UNTRUSTED);
    servers.push(secure);
    secure.listen(0, "127.0.0.1");
    await once(secure, "listening");
    const { port } = secure.address() as AddressInfo;
    expect(await open(`wss://127.0.0.1:${port}/v2/canary-key`).closure).toMatchObject({
      code: 1006,
      status: undefined,
      reason: "TLS DEPTH_ZERO_SELF_SIGNED_CERT: self-signed certificate",
    });
    const plain = (await serve(() => {})).replace("ws:", "wss:");
    expect((await open(plain).closure).reason).toMatch(/^TLS \w+: wrong version number$/);
  });

  it("tells a restart from a break, with the provider's reason", async () => {
    const url = await serve((client) => client.close(1012, "deploying"));
    expect(await open(url).closure).toMatchObject({ code: 1012, reason: "deploying" });
    const broken = await serve((client) => client.terminate());
    expect((await open(broken).closure).code).toBe(1006);
  });

  it.each([
    ["an unknown opcode", Buffer.from([0x83, 0x00]), 1002],
    ["text that is no UTF-8", Buffer.from([0x81, 0x02, 0xc3, 0x28]), 1007],
  ])("ends at once on %s", async (_what, bytes, code) => {
    const url = await serve((client) => {
      (client as unknown as { readonly _socket: Socket })._socket.write(bytes);
    });
    const { closure, messages } = open(url);
    expect(await closure).toMatchObject({ code, reason: expect.stringMatching(/^WS_ERR_/) });
    expect(messages).toHaveLength(0);
  });

  it("hands a binary message on like a text: what it says decides", async () => {
    const url = await serve((client) => client.send(Buffer.from("{}"), { binary: true }));
    const { client, messages, next } = open(url);
    await next();
    expect(messages[0]?.text).toBe("{}");
    client.abandon();
  });

  it("shows that bytes arrive while a message is still on its way", async () => {
    let peer: Socket | undefined;
    const url = await serve((client) => {
      peer = (client as unknown as { readonly _socket: Socket })._socket;
      // A text frame of 60,000 bytes, of which a tenth comes.
      peer.write(Buffer.concat([Buffer.from([0x81, 126, 0xea, 0x60]), Buffer.alloc(6_000, 0x20)]));
    });
    const { client, messages, isOpen } = open(url);
    await isOpen;
    await eventually("bytes", () => client.bytesRead > 6_000);
    expect(messages).toHaveLength(0);
    client.abandon();
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
              onMessages: () => {
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
