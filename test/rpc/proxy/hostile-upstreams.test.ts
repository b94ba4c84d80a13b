/**
 * Providers that answer badly on purpose, over real sockets: each is that provider's own failure, and
 * the client gets another provider's answer.
 */
import { once } from "node:events";
import { createServer as createHttpServer, type Server } from "node:http";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { createHttpUpstream } from "../../../src/io/http/http-upstream.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { world, type FakeReply, type World } from "./support.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** What a provider writes once it has the whole request; `id` is the id we asked with. */
type Wire = (socket: Socket, id: string) => void;

/** A provider at the level of the wire. */
const wireProvider = async (wire: Wire): Promise<string> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let text = "";
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      const id = /\r\n\r\n.*"id":(\d{9})/su.exec(text)?.[1];
      if (id === undefined || !text.endsWith("}")) return;
      text = "";
      wire(socket, id);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
};

const CALL = '{"jsonrpc":"2.0","id":"mine","method":"eth_getBalance","params":["0xaa","0x1"]}';
const GOOD = '{"jsonrpc":"2.0","id":"mine","result":"0x1"}';

/** A gateway whose first provider is at `url` and whose second one is good. */
const gatewayOver = (url: string, limits: Parameters<typeof world>[0] = {}): World => {
  const w = world({ providers: ["bad", "good"], ...limits });
  const upstream = createHttpUpstream({ url: new Secret(url), connectTimeoutMs: 1_000 });
  cleanups.push(() => upstream.destroy());
  w.live.set(w.rows[0] as (typeof w.rows)[number], upstream);
  return w;
};

/** The reply once it is complete, while the gateway's clock runs in steps. */
const settled = async (w: World, reply: FakeReply): Promise<FakeReply> => {
  for (let turn = 0; turn < 2_000 && !reply.isEnded && !reply.isDestroyed; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    w.advance(5);
  }
  return reply;
};

const classes = (w: World): string[] => w.reports.map(({ errorClass }) => errorClass);

const text = (body: string | Buffer, ...headers: string[]): Buffer =>
  Buffer.concat([
    Buffer.from(["HTTP/1.1 200 OK", ...headers, "", ""].join("\r\n"), "latin1"),
    Buffer.from(body),
  ]);
/** A whole answer with a true length. */
const whole = (body: string | Buffer, ...headers: string[]): Buffer =>
  text(body, `Content-Length: ${Buffer.byteLength(body)}`, ...headers);
const answer = (id: string, result = '"0x2"'): string =>
  `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
const say =
  (make: (id: string) => Buffer | string): Wire =>
  (socket, id) =>
    void socket.write(make(id));
const sayAndEnd =
  (make: (id: string) => Buffer | string): Wire =>
  (socket, id) =>
    void socket.end(make(id));

const HOSTILE: readonly (readonly [string, Wire])[] = [
  // Mis-declared lengths and broken framing.
  ["a length that is never reached", sayAndEnd((id) => text(answer(id), "Content-Length: 500"))],
  ["a length that cuts the answer", say((id) => text(answer(id), "Content-Length: 20"))],
  [
    "two different lengths",
    say((id) => text(answer(id), "Content-Length: 20", "Content-Length: 44")),
  ],
  ["a negative length", say((id) => text(answer(id), "Content-Length: -5"))],
  ["a length that is no number", say((id) => text(answer(id), "Content-Length: many"))],
  [
    "chunks of no size",
    say((id) => text(`zz\r\n${answer(id)}\r\n0\r\n\r\n`, "Transfer-Encoding: chunked")),
  ],
  [
    "chunks without an end",
    sayAndEnd((id) => text(`2c\r\n${answer(id)}\r\n`, "Transfer-Encoding: chunked")),
  ],
  [
    "a chunk larger than memory",
    sayAndEnd((id) => text(`fffffffffffffff0\r\n${answer(id)}`, "Transfer-Encoding: chunked")),
  ],
  ["another protocol", say(() => "SSH-2.0-OpenSSH_9.9\r\n")],
  ["no head at all", say((id) => answer(id))],
  ["a head without end", say(() => `HTTP/1.1 200 OK\r\nX: ${"y".repeat(300_000)}`)],
  ["a status that is none", say((id) => `HTTP/1.1 banana OK\r\n\r\n${answer(id)}`)],
  ["nothing, and a closed connection", (socket) => void socket.end()],
  [
    "a reset in the middle",
    (socket, id) => {
      socket.write(text(answer(id).slice(0, 20), "Content-Length: 44"), () =>
        socket.resetAndDestroy(),
      );
    },
  ],
  [
    "101 Switching Protocols",
    say(() => "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
  ],
  [
    "100 Continue that nobody asked for",
    say((id) => Buffer.concat([Buffer.from("HTTP/1.1 100 Continue\r\n\r\n"), whole(answer(id))])),
  ],
  // Statuses.
  ["204 without a body", say(() => "HTTP/1.1 204 No Content\r\n\r\n")],
  ["304", say(() => "HTTP/1.1 304 Not Modified\r\n\r\n")],
  ["an empty 200", say(() => whole(""))],
  [
    "an HTML page",
    say(() => whole("<html><body>welcome</body></html>", "Content-Type: text/html")),
  ],
  // Encodings.
  ["plain bytes declared as gzip", say((id) => whole(answer(id), "Content-Encoding: gzip"))],
  [
    "half a gzip",
    say((id) => whole(gzipSync(answer(id)).subarray(0, 30), "Content-Encoding: gzip")),
  ],
  ["an unknown encoding", say((id) => whole(gzipSync(answer(id)), "Content-Encoding: lzma"))],
  ["gzip without a word of it", say((id) => whole(gzipSync(answer(id))))],
  [
    "UTF-16",
    say((id) =>
      whole(Buffer.from(answer(id), "utf16le"), "Content-Type: application/json; charset=utf-16"),
    ),
  ],
  [
    "Latin-1",
    say((id) =>
      whole(
        Buffer.from(answer(id, '"caf\u00e9"'), "latin1"),
        "Content-Type: application/json; charset=iso-8859-1",
      ),
    ),
  ],
  [
    "an overlong character",
    say((id) => whole(Buffer.from(answer(id, '"\u00c0\u00af"'), "latin1"))),
  ],
  ["a byte order mark", say((id) => whole(`\ufeff${answer(id)}`))],
  // Answers that are no answer to this call.
  ["another id", say((id) => whole(answer(String(Number(id) + 1))))],
  ["our id as a string", say((id) => whole(answer(`"${id}"`)))],
  ["no id", say(() => whole('{"jsonrpc":"2.0","result":"0x2"}'))],
  ["two ids", say((id) => whole(`{"jsonrpc":"2.0","id":${id},"id":7,"result":"0x2"}`))],
  ["two results", say((id) => whole(`{"jsonrpc":"2.0","id":${id},"result":"0x2","result":"0x3"}`))],
  [
    "a result and an error",
    say((id) =>
      whole(
        `{"jsonrpc":"2.0","id":${id},"result":"0x2","error":{"code":3,"message":"execution reverted"}}`,
      ),
    ),
  ],
  [
    "an error and a result",
    say((id) =>
      whole(
        `{"jsonrpc":"2.0","id":${id},"error":{"code":3,"message":"execution reverted"},"result":"0x2"}`,
      ),
    ),
  ],
  [
    "two errors",
    say((id) =>
      whole(
        `{"jsonrpc":"2.0","id":${id},"error":{"code":3,"message":"a"},"error":{"code":3,"message":"b"}}`,
      ),
    ),
  ],
  [
    "two large results",
    say((id) =>
      whole(`{"jsonrpc":"2.0","id":${id},"result":"${"a".repeat(2_000)}","result":"0x3"}`),
    ),
  ],
  ["neither result nor error", say((id) => whole(`{"jsonrpc":"2.0","id":${id}}`))],
  ["an array", say((id) => whole(`[${answer(id)}]`))],
  ["bytes behind the answer", say((id) => whole(`${answer(id)} x`))],
  ["a small answer of 65 levels", say((id) => whole(answer(id, "[".repeat(65) + "]".repeat(65))))],
  [
    "a large answer without bottom",
    say((id) => whole(answer(id, "[".repeat(100_000) + "]".repeat(100_000)))),
  ],
  ["a string that ends the body", say((id) => whole(`{"jsonrpc":"2.0","id":${id},"result":"0x2`))],
  ["an answer within a string", say((id) => whole(JSON.stringify(answer(id))))],
];

describe("a provider that answers with", () => {
  it.each(HOSTILE)("%s is left for another, and it is its own failure", async (_name, wire) => {
    const w = gatewayOver(await wireProvider(wire));
    const reply = await settled(w, w.post(CALL));
    expect([reply.status, reply.text]).toEqual([200, GOOD]);
    expect(reply.headers["x-paceline-provider"]).toBe("good");
    expect(w.reports[0]?.row.provider).toBe("bad");
    expect(["malformed", "transport", "server", "timeout"]).toContain(classes(w)[0]);
  });

  it("the same alone gets its client a clear error with the attempt in it", async () => {
    const url = await wireProvider(say(() => whole("<html>", "Content-Type: text/html")));
    const w = gatewayOver(url, { providers: ["bad"] });
    const reply = await settled(w, w.post(CALL));
    expect(reply.json.error).toMatchObject({
      code: -32002,
      data: { reason: "exhausted", attempts: [{ provider: "bad", class: "malformed" }] },
    });
  });
});

describe("a provider may answer with", () => {
  const FINE: readonly (readonly [string, Wire])[] = [
    [
      "early hints first",
      say((id) =>
        Buffer.concat([
          Buffer.from("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
          whole(answer(id)),
        ]),
      ),
    ],
    ["another content type", say((id) => whole(answer(id), "Content-Type: text/plain"))],
    [
      "a null error beside the result",
      say((id) => whole(`{"jsonrpc":"2.0","id":${id},"result":"0x2","error":null}`)),
    ],
    ["gzip", say((id) => whole(gzipSync(answer(id)), "Content-Encoding: gzip"))],
    ["deflate", say((id) => whole(deflateSync(answer(id)), "Content-Encoding: deflate"))],
    ["brotli", say((id) => whole(brotliCompressSync(answer(id)), "Content-Encoding: br"))],
    ["zstd", say((id) => whole(zstdCompressSync(answer(id)), "Content-Encoding: zstd"))],
    [
      "an encoding that names the charset",
      say((id) => whole(answer(id), "Content-Encoding: utf-8")),
    ],
    ["no length, and a closed connection", sayAndEnd((id) => text(answer(id)))],
  ];
  it.each(FINE)("%s", async (_name, wire) => {
    const w = gatewayOver(await wireProvider(wire));
    const reply = await settled(w, w.post(CALL));
    expect(reply.headers["x-paceline-provider"]).toBe("bad");
    expect(reply.json.result).toBe("0x2");
  });
});

describe("a provider that", () => {
  it("drips is left at its deadline, whether bytes still come or not", async () => {
    const drips: NodeJS.Timeout[] = [];
    cleanups.push(() => drips.forEach(clearInterval));
    const url = await wireProvider((socket, id) => {
      socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n`);
      socket.write(`1f\r\n{"jsonrpc":"2.0","id":${id}\r\n`);
      drips.push(setInterval(() => socket.write("1\r\n \r\n"), 2));
    });
    const w = gatewayOver(url);
    const headers = ["Content-Type", "application/json", "X-Paceline-No-Hedge", "on"];
    const reply = await settled(w, w.post(CALL, "/rpc/ethereum", headers));
    expect(reply.text).toBe(GOOD);
    expect(classes(w)[0]).toBe("timeout");
  });

  it("drips a large answer for a quarter of an hour is cut off then", () => {
    const w = world({ providers: ["a"], script: () => undefined, limits: { bufferBytes: 100 } });
    const reply = w.post(CALL);
    const drip = w.upstreams[0]?.calls[0];
    drip?.handler.onHead({ status: 200, sizeBytes: -1, retryAfter: undefined });
    drip?.handler.onData(
      Buffer.from(`{"jsonrpc":"2.0","id":${drip.id},"result":"${"a".repeat(99)}`),
    );
    for (let i = 0; i < 44; i++) {
      w.advance(20_000);
      drip?.handler.onData(Buffer.from("a"));
    }
    expect([reply.isDestroyed, drip?.isAborted]).toEqual([false, false]);
    w.advance(20_100);
    expect([reply.isDestroyed, drip?.isAborted]).toEqual([true, true]);
  });

  it("sends interim answers without end is left at its deadline", async () => {
    const floods: NodeJS.Timeout[] = [];
    cleanups.push(() => floods.forEach(clearInterval));
    const url = await wireProvider((socket) => {
      floods.push(
        setInterval(() => socket.write("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(50)), 2),
      );
    });
    const w = gatewayOver(url);
    expect((await settled(w, w.post(CALL))).text).toBe(GOOD);
  });

  it.each([
    ["gzip", gzipSync],
    [
      "br",
      (bytes: Buffer) =>
        brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
    ],
    ["zstd", zstdCompressSync],
  ] as const)(
    "hides 100 MB in %s costs no more than the limit, and is its own failure",
    async (encoding, compress) => {
      const bomb = compress(
        Buffer.concat([Buffer.from('{"jsonrpc":"2.0","result":"'), Buffer.alloc(100 << 20, 0x61)]),
      );
      const url = await wireProvider(say(() => whole(bomb, `Content-Encoding: ${encoding}`)));
      const w = gatewayOver(url, { limits: { maxResponseBytes: 4 << 20 } });
      const before = process.memoryUsage.rss();
      // A batch is collected, so another provider can still answer.
      const batch = await settled(w, w.post(`[${CALL}]`));
      expect(batch.text).toBe(`[${GOOD}]`);
      expect(classes(w)[0]).toBe("malformed");
      // A single answer has begun to stream: it breaks off, and never looks complete.
      const single = await settled(w, w.post(CALL));
      expect([single.isDestroyed, single.isEnded]).toEqual([true, false]);
      expect(single.body.length).toBeLessThanOrEqual(4 << 20);
      expect(process.memoryUsage.rss() - before).toBeLessThan(80 << 20);
    },
  );

  it("declares more than a balance can have is left at its head", async () => {
    const url = await wireProvider(say((id) => text(answer(id), "Content-Length: 99999999999")));
    const w = gatewayOver(url);
    expect((await settled(w, w.post(CALL))).text).toBe(GOOD);
    expect(classes(w)[0]).toBe("malformed");
  });

  it("gives too many logs is not blamed: the client is told that there are too many", async () => {
    const url = await wireProvider(say((id) => whole(answer(id, `[${'"a",'.repeat(2_000)}"a"]`))));
    const w = gatewayOver(url, { limits: { maxResponseBytes: 4_000, bufferBytes: 2_000 } });
    const logs =
      '{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{"fromBlock":"0x1","toBlock":"0x2"}]}';
    expect((await settled(w, w.post(logs))).json.error.code).toBe(-32008);
  });

  it("redirects is not followed, wherever to", async () => {
    let visits = 0;
    const elsewhere: Server = createHttpServer((_request, response) => {
      visits++;
      response.end(GOOD);
    }).listen(0, "127.0.0.1");
    await once(elsewhere, "listening");
    cleanups.push(() => elsewhere.close());
    const target = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
    for (const status of [301, 302, 303, 307, 308]) {
      const url = await wireProvider(
        say(
          () => `HTTP/1.1 ${status} Elsewhere\r\nLocation: ${target}\r\nContent-Length: 0\r\n\r\n`,
        ),
      );
      const w = gatewayOver(url);
      expect((await settled(w, w.post(CALL))).text).toBe(GOOD);
    }
    expect(visits).toBe(0);
  });
});
