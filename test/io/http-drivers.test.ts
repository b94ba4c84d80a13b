import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { HttpServer, HttpServerOptions } from "../../src/io/http/http-server.ts";
import { openHttpServer } from "../../src/io/http/http-server.ts";
import { createHttpUpstream } from "../../src/io/http/http-upstream.ts";
import { type WsConnection, WsServer } from "../../src/io/ws-server.ts";
import { Secret } from "../../src/lib/secret.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(
  onRequest: HttpServerOptions["onRequest"],
  more: Partial<HttpServerOptions> = {},
) {
  const server = await openHttpServer({ host: "127.0.0.1", port: 0, onRequest, ...more });
  cleanups.push(() => server.close());
  return server;
}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

function post(
  port: number,
  body: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = httpRequest(
      { port, host: "127.0.0.1", method: "POST", headers, agent: false },
      (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("end", () =>
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
        res.on("error", reject);
      },
    );
    req.on("error", reject);
    req.end(body);
  });
}

const echo: HttpServerOptions["onRequest"] = (request, reply) => {
  const fault = request.bodyFault;
  const body = fault === undefined ? request.body : Buffer.from(fault);
  reply.send(fault === "too_large" ? 413 : 200, ["Content-Length", `${body.length}`], body);
};

describe("the HTTP listener", () => {
  it("hands bodies over whole, however they arrive", async () => {
    const server = await serve(echo);
    const big = "x".repeat(300_000);
    expect((await post(server.port, big)).body).toBe(big);
    expect((await post(server.port, gzipSync(big), { "content-encoding": "gzip" })).body).toBe(big);
    expect((await post(server.port, "")).body).toBe("");
  });

  it("says its own headers with every answer and every handshake", async () => {
    const headers = ["X-Paceline-Region", "eu"];
    const sockets = new WsServer({
      decide: () => ({ ok: true, open: () => ({ onMessage() {}, onClose() {}, inFlight: 0 }) }),
      headers,
    });
    cleanups.push(() => sockets.close());
    const server = await serve(echo, {
      headers,
      onUpgrade: (...upgrade) => sockets.upgrade(...upgrade),
    });
    const answers = [await post(server.port, "x"), await post(server.port, "x".repeat(9_000_000))];
    expect(answers.map(({ status }) => status)).toEqual([200, 413]);
    for (const answer of answers) expect(answer.headers["x-paceline-region"]).toBe("eu");
    const client = new WebSocket(`ws://127.0.0.1:${server.port}/`);
    const told = await new Promise((resolve) => {
      client.on("upgrade", (response) => resolve(response.headers["x-paceline-region"]));
    });
    client.terminate();
    expect(told).toBe("eu");
  });

  it("refuses bodies over the limit, compressed ones by their real size", async () => {
    const server = await serve(echo, { maxBodyBytes: 1000 });
    expect(await post(server.port, "x".repeat(1001))).toMatchObject({
      status: 413,
      body: "too_large",
    });
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    expect(bomb.length).toBeGreaterThan(1000);
    const small = gzipSync(Buffer.alloc(100_000));
    expect(small.length).toBeLessThan(1000);
    expect(await post(server.port, small, { "content-encoding": "gzip" })).toMatchObject({
      body: "too_large",
    });
    expect(await post(server.port, "nonsense", { "content-encoding": "gzip" })).toMatchObject({
      body: "bad_encoding",
    });
    expect(await post(server.port, "x", { "content-encoding": "br" })).toMatchObject({
      body: "bad_encoding",
    });
    expect(await post(server.port, "fine")).toMatchObject({ status: 200, body: "fine" });
  });

  it("compresses an answer of 1 KiB and more for clients that ask for it, streamed or whole", async () => {
    const text = "0xabcdef".repeat(20_000);
    const server = await serve((request, reply) => {
      const size = Number(request.url.slice(1));
      const body = Buffer.from(text.slice(0, size));
      const headers = ["Content-Length", `${size}`];
      if (request.body.toString() === "whole") reply.send(200, headers, body);
      else if (request.body.toString() === "pieces") {
        reply.sendPieces(200, headers, size, [body.toString("latin1", 0, 9), body.subarray(9)]);
      } else {
        reply.begin(200, headers, size);
        for (let at = 0; at < size; at += 10_000) reply.write(body.subarray(at, at + 10_000));
        reply.end();
      }
    });
    const ask = async (mode: string, size: number, accept: string) => {
      const answer = await fetch(`http://127.0.0.1:${server.port}/${size}`, {
        method: "POST",
        body: mode,
        headers: { "accept-encoding": accept },
      });
      expect(await answer.text()).toBe(text.slice(0, size));
      return answer.headers.get("content-encoding");
    };
    for (const mode of ["whole", "pieces", "stream"]) {
      expect(await ask(mode, 150_000, "br, gzip;q=0.8")).toBe("gzip");
      expect(await ask(mode, 150_000, "identity")).toBeNull();
      expect(await ask(mode, 150_000, "gzip;q=0")).toBeNull();
    }
    expect(await ask("whole", 1024, "gzip")).toBe("gzip");
    expect(await ask("whole", 1023, "gzip")).toBeNull();
  });

  it("serves plain calls, pages and WebSockets on one connection, in the order they come", async () => {
    const sockets = new WsServer({
      decide: () => ({
        ok: true,
        open: () => ({ onMessage() {}, onClose() {}, onDrain() {}, inFlight: 0 }),
      }),
      maxMessageBytes: 1000,
      maxConnections: 10,
    });
    cleanups.push(() => sockets.close());
    const server = await serve(
      (request, reply) => {
        const text = `${request.method} ${request.url} ${request.body.toString()};`;
        setTimeout(() => reply.send(200, ["Content-Length", `${text.length}`], text), 5);
      },
      { onUpgrade: (request, socket, head) => sockets.upgrade(request, socket, head) },
    );
    const plain = (body: string) =>
      `POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n${body}`;
    const page = "GET /g HTTP/1.1\r\nHost: h\r\n\r\n";
    const upgrade =
      "GET /w HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    const socket = connect({ port: server.port, host: "127.0.0.1" });
    cleanups.push(() => socket.destroy());
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString();
    });
    const until = (wanted: string) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (text.includes(wanted)) resolve();
        };
        socket.on("data", look);
        look();
      });
    socket.write(plain("1") + plain("2") + page + plain("3"));
    await until("POST /p 3;");
    expect([...text.matchAll(/\w+ \/\w \w?;/g)].map(([one]) => one)).toEqual([
      "POST /p 1;",
      "POST /p 2;",
      "GET /g ;",
      "POST /p 3;",
    ]);
    socket.write(upgrade);
    await until("101 Switching Protocols");
  });

  it("closes connections that say nothing, half a request, or nothing more", async () => {
    const server = await serve(echo, {
      headersTimeoutMs: 50,
      requestTimeoutMs: 60,
      keepAliveTimeoutMs: 70,
    });
    const talk = (sent: string) =>
      new Promise<string>((resolve) => {
        const socket = connect({ port: server.port, host: "127.0.0.1" });
        let text = "";
        socket.on("data", (chunk) => {
          text += chunk.toString();
        });
        socket.on("close", () => resolve(text));
        if (sent !== "") socket.write(sent);
      });
    const whole = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1";
    const [silent, half, done] = await Promise.all([
      talk(""),
      talk(whole.slice(0, -1)),
      talk(whole),
    ]);
    expect(silent).toMatch(/^HTTP\/1.1 408 /);
    expect(half).toMatch(/^HTTP\/1.1 408 /);
    expect(done).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n1$/);
  });

  it("names a port that is in use", async () => {
    const server = await serve(echo);
    await expect(
      openHttpServer({ host: "127.0.0.1", port: server.port, onRequest: echo }),
    ).rejects.toMatchObject({
      code: "IO_PORT_IN_USE",
      message: `port ${server.port} on 127.0.0.1 is in use`,
    });
  });

  it("finishes what is in flight when it drains, and takes nothing new", async () => {
    const asked = Promise.withResolvers<() => void>();
    const server = await serve((_request, reply) => {
      asked.resolve(() => reply.send(200, ["Content-Length", "2"], "ok"));
    });
    const pending = post(server.port, "x");
    const answer = await asked.promise;
    expect(server.inFlight).toBe(1);
    const drained = server.drain(5000);
    await expect(post(server.port, "y")).rejects.toThrow(/ECONNREFUSED/);
    answer();
    const { body, headers } = await pending;
    expect([body, headers["connection"]]).toEqual(["ok", "close"]);
    await drained;
    expect(server.inFlight).toBe(0);
  });

  it("cuts idle connections when it drains, and ends the others with their answer", async () => {
    let answer = (): void => {};
    const server = await serve((_request, reply) => {
      answer = () => reply.send(200, ["Content-Length", "1"], "1");
      if (server.inFlight === 1 && server.connections === 1) answer();
    });
    const ask = () => {
      const socket = connect({ port: server.port, host: "127.0.0.1" });
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk.toString();
      });
      const closed = new Promise<string>((resolve) => {
        socket.on("close", () => resolve(text));
      });
      const answered = new Promise<void>((resolve) => {
        socket.on("data", () => resolve());
      });
      socket.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1");
      return { closed, answered };
    };
    const idle = ask();
    await idle.answered;
    const busy = ask();
    while (server.inFlight === 0) await new Promise((resolve) => setImmediate(resolve));
    const drained = server.drain(5000);
    expect(await idle.closed).toContain("keep-alive");
    answer();
    expect(await busy.closed).toMatch(/Connection: close\r\n[^]*1$/);
    await drained;
  });

  it("is rid of a connection with its last answer, though the client does not hang up", async () => {
    let answer = (): void => {};
    const asked = Promise.withResolvers<void>();
    const server = await serve((_request, reply) => {
      answer = () => reply.send(200, ["Content-Length", "1"], "1");
      asked.resolve();
    });
    const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
    cleanups.push(() => socket.destroy());
    socket.resume();
    socket.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1");
    await asked.promise;
    const drained = server.drain(5000);
    answer();
    await drained;
    while (server.connections > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  });

  it("tells the handler when a client leaves early", async () => {
    const gone = new Promise<void>((resolve) => {
      void serve((_request, reply) => {
        reply.onGone = resolve;
      }).then((server) => {
        const socket = connect(server.port, "127.0.0.1");
        socket.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx");
        setTimeout(() => socket.destroy(), 20);
      });
    });
    await gone;
  });
});

interface Heard {
  status: number;
  sizeBytes: number;
  body: string;
  end: string;
}

function send(upstream: ReturnType<typeof createHttpUpstream>, body = "{}"): Promise<Heard> {
  return new Promise((resolve) => {
    const heard: Heard = { status: 0, sizeBytes: 0, body: "", end: "" };
    upstream.send(Buffer.from(body), 1, {
      onHead: (head) => {
        heard.status = head.status;
        heard.sizeBytes = head.sizeBytes;
      },
      onData: (chunk) => {
        heard.body += chunk.toString();
        return true;
      },
      onEnd: () => resolve({ ...heard, end: "end" }),
      onFailure: (failure) =>
        resolve({ ...heard, end: `${failure.kind}${failure.reusedSocket ? " reused" : ""}` }),
    });
  });
}

async function provider(onRequest: Parameters<typeof createServer>[1]) {
  const server = createServer(onRequest as never);
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const upstream = createHttpUpstream({
    url: new Secret(`http://127.0.0.1:${port}/v2/key?x=1`),
    headers: { "x-key": new Secret("k") },
  });
  cleanups.push(() => upstream.destroy());
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { upstream, sockets, port };
}

describe("the HTTP endpoint of a provider", () => {
  it("sends path, headers and body, and asks for plain bytes", async () => {
    const seen: unknown[] = [];
    const { upstream } = await provider((req, res) => {
      let body = "";
      req.on("data", (chunk) => (body += chunk));
      req.on("end", () => {
        seen.push(req.url, req.headers["x-key"], req.headers["accept-encoding"], body);
        res.end("hello");
      });
    });
    expect(await send(upstream, "{1}")).toEqual({
      status: 200,
      sizeBytes: 5,
      body: "hello",
      end: "end",
    });
    expect(seen).toEqual(["/v2/key?x=1", "k", "identity", "{1}"]);
  });

  it("decodes an answer that comes compressed anyway", async () => {
    const big = "abc".repeat(100_000);
    const { upstream } = await provider((_req, res) => {
      res.setHeader("content-encoding", "gzip");
      res.end(gzipSync(big));
    });
    expect(await send(upstream)).toEqual({ status: 200, sizeBytes: -1, body: big, end: "end" });
  });

  it("tells a refusal, a reset, a reset of a reused connection and a cut body apart", async () => {
    let mode = "ok";
    const { upstream, port } = await provider((req, res) => {
      if (mode === "reset") req.socket.resetAndDestroy();
      else if (mode === "cut") {
        res.writeHead(200, { "content-length": "100" });
        res.write("part");
        setTimeout(() => req.socket.destroy(), 10);
      } else res.end("ok");
    });
    expect((await send(upstream)).end).toBe("end");
    // The connection is free again only after the end was told.
    await new Promise((resolve) => setImmediate(resolve));
    mode = "reset";
    expect((await send(upstream)).end).toBe("reset reused");
    expect((await send(upstream)).end).toBe("reset");
    mode = "cut";
    expect(await send(upstream)).toMatchObject({ status: 200, body: "part", end: "truncated" });
    const closed = createHttpUpstream({ url: new Secret("http://127.0.0.1:1/") });
    cleanups.push(() => closed.destroy());
    expect((await send(closed)).end).toBe("refused");
    const unknown = createHttpUpstream({ url: new Secret("http://nowhere.invalid/") });
    cleanups.push(() => unknown.destroy());
    expect((await send(unknown)).end).toBe("dns");
    expect(port).toBeGreaterThan(0);
  });

  it("goes on when it is told so while another answer is being read", async () => {
    const { upstream } = await provider((_req, res) => {
      res.end(Buffer.alloc(500_000, "x"));
    });
    const sizes = [0, 0];
    let paused: ReturnType<typeof upstream.send> | undefined;
    const ended = [0, 1].map(
      (lane) =>
        new Promise<string>((resolve) => {
          let isFirst = lane === 0;
          const call = upstream.send(Buffer.from("{}"), lane, {
            onHead: () => undefined,
            onData: (chunk) => {
              sizes[lane] = (sizes[lane] ?? 0) + chunk.length;
              if (isFirst) {
                isFirst = false;
                paused = call;
                return false;
              }
              if (lane === 1) paused?.resume();
              return true;
            },
            onEnd: () => resolve("end"),
            onFailure: ({ detail }) => resolve(detail),
          });
        }),
    );
    expect(await Promise.all(ended)).toEqual(["end", "end"]);
    expect(sizes).toEqual([500_000, 500_000]);
  });

  it("is silent after an abort, before and after the answer began", async () => {
    const { upstream, sockets } = await provider((_req, res) => {
      res.write("x");
    });
    const heard: string[] = [];
    const started = new Promise<void>((resolve) => {
      const call = upstream.send(Buffer.from("{}"), 1, {
        onHead: () => heard.push("head"),
        onData: () => {
          call.abort();
          resolve();
          return true;
        },
        onEnd: () => heard.push("end"),
        onFailure: () => heard.push("failure"),
      });
    });
    await started;
    upstream
      .send(Buffer.from("{}"), 2, {
        onHead: () => heard.push("head"),
        onData: () => true,
        onEnd: () => heard.push("end"),
        onFailure: () => heard.push("failure"),
      })
      .abort();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard).toEqual(["head"]);
    expect(sockets.size).toBeGreaterThan(0);
  });
});

describe("the WebSocket listener", () => {
  async function open(options: Partial<ConstructorParameters<typeof WsServer>[0]> = {}) {
    const closes: number[] = [];
    const inFlight = { calls: 0 };
    const ws = new WsServer({
      decide: (request) =>
        request.url === "/no"
          ? { ok: false, status: 404, body: '{"error":"no"}' }
          : {
              ok: true,
              open: (connection) => ({
                onMessage: (bytes) => {
                  connection.send(bytes);
                  if (bytes.toString() === "frame")
                    connection.sendFrame(Buffer.from([0x81, 1, 0x61]));
                },
                onClose: () => closes.push(connection.id),
                get inFlight() {
                  return inFlight.calls;
                },
              }),
            },
      ...options,
    });
    const server: HttpServer = await serve(echo, {
      onUpgrade: (request, socket, head) => ws.upgrade(request, socket, head),
    });
    cleanups.push(() => ws.close());
    return { ws, closes, inFlight, url: `ws://127.0.0.1:${server.port}` };
  }

  const dial = (url: string): Promise<{ client: WebSocket; next: () => Promise<string> }> =>
    new Promise((resolve, reject) => {
      const client = new WebSocket(url);
      const messages: string[] = [];
      const waiting: ((text: string) => void)[] = [];
      client.on("message", (data: Buffer) => {
        const text = data.toString();
        const waiter = waiting.shift();
        if (waiter === undefined) messages.push(text);
        else waiter(text);
      });
      client.on("open", () =>
        resolve({
          client,
          next: () =>
            new Promise((done) => {
              const text = messages.shift();
              if (text === undefined) waiting.push(done);
              else done(text);
            }),
        }),
      );
      client.on("error", reject);
    });

  it("carries messages of every frame size, and prebuilt frames", async () => {
    const { url } = await open();
    const { client, next } = await dial(url);
    for (const size of [0, 1, 125, 126, 4095, 4096, 65_535, 65_536, 1_000_000]) {
      client.send("é".repeat(size / 2));
      expect(await next()).toBe("é".repeat(size / 2));
    }
    client.send("frame");
    expect([await next(), await next()]).toEqual(["frame", "a"]);
    client.close();
  });

  it("writes one frame to many clients in slices, to each before what it is sent later", async () => {
    const connections: WsConnection[] = [];
    const { url } = await open({
      sliceMs: 0,
      decide: () => ({
        ok: true,
        open: (connection) => {
          connections.push(connection);
          return { onMessage: () => undefined, onClose: () => undefined, inFlight: 0 };
        },
      }),
    });
    const clients = [];
    for (let i = 0; i < 40; i++) clients.push(await dial(url));
    for (const one of connections) one.sendFrame(Buffer.from([0x81, 1, 0x61]));
    // Those for whom there was no time in this slice.
    expect(connections.filter(({ bufferedBytes }) => bufferedBytes > 0)).toHaveLength(32);
    connections.at(-1)?.send("b");
    connections.at(-2)?.close(1000, "gone");
    const last = clients.at(-1);
    expect([await last?.next(), await last?.next()]).toEqual(["a", "b"]);
    for (const { client, next } of clients.slice(0, -1)) {
      expect(await next()).toBe("a");
      client.close();
    }
    last?.client.close();
  });

  it("refuses a handshake with a status and says why", async () => {
    const { url } = await open();
    await expect(dial(`${url}/no`)).rejects.toThrow("404");
  });

  it("closes clients with 1012 when it drains", async () => {
    const { ws, url, closes } = await open();
    const clients = await Promise.all([dial(url), dial(url)]);
    const codes = clients.map(
      ({ client }) => new Promise((resolve) => client.on("close", (code) => resolve(code))),
    );
    await ws.drain(10, () => 0.5);
    expect(await Promise.all(codes)).toEqual([1012, 1012]);
    expect(closes).toHaveLength(2);
    expect(ws.size).toBe(0);
  });

  it("lets a client's calls finish before it closes", async () => {
    const { ws, url, inFlight } = await open();
    const { client } = await dial(url);
    let code = 0;
    client.on("close", (value) => (code = value));
    inFlight.calls = 1;
    const drained = ws.drain(0, () => 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(code).toBe(0);
    inFlight.calls = 0;
    await drained;
    expect(ws.size).toBe(0);
  });

  it("closes a client that sends more than it may", async () => {
    const { url } = await open({ maxMessageBytes: 100 });
    const { client } = await dial(url);
    const code = new Promise((resolve) => client.on("close", resolve));
    client.send("x".repeat(101));
    expect(await code).toBe(1009);
  });

  it("cuts a peer that misses two pongs", async () => {
    const { ws, url } = await open({ pingIntervalMs: 20, pongTimeoutMs: 20 });
    const { client } = await dial(url);
    (
      client as unknown as { _receiver: { removeAllListeners(name: string): void } }
    )._receiver.removeAllListeners("ping");
    const code = await new Promise((resolve) => client.on("close", resolve));
    expect(code).toBe(1006);
    while (ws.size > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});
