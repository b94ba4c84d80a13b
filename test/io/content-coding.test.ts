/** Compressed requests and answers over a real listener. */
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { takesGzip } from "../../src/io/http/content-coding.ts";
import { openHttpServer, type HttpServer } from "../../src/io/http/http-server.ts";

const LIMIT = 100_000;
const ANSWER = "0xabcdef".repeat(2_000);

let server: HttpServer;
beforeAll(async () => {
  server = await openHttpServer({
    host: "127.0.0.1",
    port: 0,
    maxBodyBytes: LIMIT,
    onRequest: (request, reply) => {
      const told = request.bodyFault ?? request.body.toString();
      if (request.url === "/echo") {
        reply.send(200, ["Content-Length", `${told.length}`], told);
        return;
      }
      const answer = Buffer.from(ANSWER.slice(0, Number(told)));
      const headers = ["Content-Length", `${answer.length}`];
      if (request.url === "/whole") reply.send(200, headers, answer);
      else if (request.url === "/pieces") {
        const pieces = [answer.toString("latin1", 0, 5), answer.subarray(5)];
        reply.sendPieces(200, headers, answer.length, pieces);
      } else {
        reply.begin(200, headers, answer.length);
        // Byte by byte at first: the size of the whole decides, not that of a chunk.
        for (let at = 0; at < 50; at++) reply.write(answer.subarray(at, at + 1));
        reply.write(answer.subarray(50));
        reply.end();
      }
    },
  });
});
afterAll(() => server.close());

const post = (
  path: string,
  body: string | Buffer,
  headers: Record<string, string | string[]>,
): Promise<{ body: Buffer; headers: IncomingHttpHeaders }> =>
  new Promise((resolve, reject) => {
    const options = { port: server.port, host: "127.0.0.1", path, method: "POST", headers };
    const sent = httpRequest(options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve({ body: Buffer.concat(chunks), headers: answer.headers }));
    });
    sent.on("error", reject);
    sent.end(body);
  });

const echo = async (body: Buffer, encoding: string): Promise<string> =>
  (await post("/echo", body, { "content-encoding": encoding })).body.toString();

const CODERS: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
  ["gzip", gzipSync],
  ["x-gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
  ["zstd", zstdCompressSync],
];

describe("a compressed request", () => {
  it.each(CODERS)("in %s is read", async (encoding, compress) => {
    const body = Buffer.from('{"jsonrpc":"2.0","id":1}');
    expect(await echo(compress(body), encoding)).toBe(body.toString());
    expect(await echo(compress(body), ` ${encoding.toUpperCase()} `)).toBe(body.toString());
  });

  it.each(CODERS)(
    "in %s is refused when it expands beyond the limit",
    async (encoding, compress) => {
      expect(await echo(compress(Buffer.alloc(LIMIT)), encoding)).toHaveLength(LIMIT);
      expect(await echo(compress(Buffer.alloc(LIMIT + 1)), encoding)).toBe("too_large");
      const before = process.memoryUsage.rss();
      const bomb = compress(Buffer.alloc(50 << 20));
      expect(bomb.length).toBeLessThan(LIMIT);
      const told = await Promise.all(Array.from({ length: 20 }, () => echo(bomb, encoding)));
      expect(new Set(told)).toEqual(new Set(["too_large"]));
      expect(process.memoryUsage.rss() - before).toBeLessThan(150 << 20);
    },
  );

  it.each(CODERS)("in %s is refused when it is broken", async (encoding, compress) => {
    const body = compress(Buffer.from("some text that is worth it"));
    expect(await echo(body.subarray(0, body.length - 9), encoding)).toBe("bad_encoding");
    expect(await echo(Buffer.from("no such thing"), encoding)).toBe("bad_encoding");
  });

  it("is refused in an encoding that nobody knows, or in two at once", async () => {
    const twice = gzipSync(gzipSync("x"));
    expect(await echo(twice, "gzip, gzip")).toBe("bad_encoding");
    expect(await echo(Buffer.from("x"), "lzma")).toBe("bad_encoding");
    expect(await echo(deflateRawSync(Buffer.from("x")), "deflate")).toBe("bad_encoding");
    expect(await echo(Buffer.from("x"), "identity")).toBe("x");
  });

  it("is refused when reading it would take more memory than a body may have", async () => {
    // RFC 8878: magic, a header without sizes, the window's exponent, one raw block of five bytes.
    const frame = (windowLog: number): Buffer =>
      Buffer.from(
        `28b52ffd00${((windowLog - 10) << 3).toString(16).padStart(2, "0")}29000068656c6c6f`,
        "hex",
      );
    expect(await echo(frame(23), "zstd")).toBe("hello");
    expect(await echo(frame(27), "zstd")).toBe("bad_encoding");
  });
});

describe("an answer", () => {
  it.each([
    ["gzip", true],
    ["x-gzip", true],
    ["GZIP", true],
    ["br, gzip;q=0.8", true],
    ["gzip;q=0.001", true],
    ["gzip ; q=1.0", true],
    ["*", true],
    ["br;q=1, *;q=0.1", true],
    ["gzip, identity;q=0.5", true],
    ["identity;q=0, gzip", true],
    ["identity, gzip;q=0.5", false],
    ["gzip;q=0", false],
    ["gzip;q=0.000", false],
    ["gzip;q=0, *", false],
    ["*;q=0", false],
    ["br, zstd", false],
    ["identity", false],
    ["gzipped", false],
    ["gzip;q=nonsense", false],
    ["", false],
    [", ,", false],
  ])("is compressed for Accept-Encoding %j: %s", (accept, isTaken) => {
    expect(takesGzip(accept)).toBe(isTaken);
    expect(takesGzip(accept)).toBe(isTaken);
  });

  it.each(["/whole", "/pieces", "/stream"])(
    "%s says that it depends on the header",
    async (path) => {
      const plain = await post(path, "10000", {});
      expect([plain.headers["content-encoding"], plain.headers.vary]).toEqual([
        undefined,
        "Accept-Encoding",
      ]);
      const packed = await post(path, "10000", { "accept-encoding": "gzip" });
      expect([packed.headers["content-encoding"], packed.headers.vary]).toEqual([
        "gzip",
        "Accept-Encoding",
      ]);
      expect(packed.body.length).toBeLessThan(plain.body.length / 4);
    },
  );

  it("reads the header as one, however many lines it came in", async () => {
    const { headers } = await post("/whole", "10000", { "accept-encoding": ["br", "gzip"] });
    expect(headers["content-encoding"]).toBe("gzip");
  });

  it.each(["/whole", "/pieces"])("%s of less than a kilobyte leaves as it is", async (path) => {
    for (const [size, encoding, vary] of [
      ["1023", undefined, undefined],
      ["1024", "gzip", "Accept-Encoding"],
    ] as const) {
      const { headers } = await post(path, size, { "accept-encoding": "gzip" });
      expect([headers["content-encoding"], headers.vary]).toEqual([encoding, vary]);
    }
  });
});
