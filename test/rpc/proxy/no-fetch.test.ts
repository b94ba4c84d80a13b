/** No client can make the gateway ask an address: whatever a request holds, only providers are asked. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openHttpServer, type HttpServer } from "../../../src/io/http/http-server.ts";
import { createHttpUpstream } from "../../../src/io/http/http-upstream.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { world, type World } from "./support.ts";

let canary: Server;
let target: string;
let visits = 0;
let provider: Server;
let asked = 0;
let http: HttpServer;
let w: World;

const listen = async (server: Server): Promise<number> => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
};

beforeAll(async () => {
  canary = createServer((socket) => {
    visits++;
    socket.end();
  });
  target = `127.0.0.1:${await listen(canary)}`;
  provider = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      const id = /"id":(\d{9})/u.exec(chunk.toString("latin1"))?.[1];
      if (id === undefined) return;
      asked++;
      const body = `{"jsonrpc":"2.0","id":${id},"result":"0x1"}`;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
  });
  const url = new Secret(`http://127.0.0.1:${await listen(provider)}/`);
  w = world({ providers: ["a"] });
  w.live.set(w.rows[0] as (typeof w.rows)[number], createHttpUpstream({ url }));
  http = await openHttpServer({
    host: "127.0.0.1",
    port: 0,
    onRequest: (request, reply) => w.gateway.http.handle(request, reply),
  });
});
afterAll(async () => {
  await http.close();
  canary.close();
  provider.close();
});

/** Everything that comes back for raw bytes, until the connection ends. */
const raw = (bytes: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(http.port, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(text));
    socket.write(bytes);
  });

const CALL = '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0xaa","0x1"]}';
const post = (path: string, body = CALL, headers: readonly string[] = []): Promise<string> =>
  raw(
    [
      `POST ${path} HTTP/1.1`,
      "Connection: close",
      "Content-Type: application/json",
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...(headers.some((header) => header.startsWith("Host:")) ? headers : ["Host: x", ...headers]),
      "",
      body,
    ].join("\r\n"),
  );

describe("no request makes the gateway connect to an address that it names", () => {
  it("in its target", async () => {
    const encoded = encodeURIComponent(`http://${target}/`);
    for (const path of [
      `http://${target}/rpc/ethereum`,
      `//${target}/rpc/ethereum`,
      `/rpc/http://${target}/`,
      `/rpc/${encoded}`,
      `/rpc/provider/${encoded}/ethereum`,
      `/rpc/ethereum/${encoded}`,
      `/rpc/ethereum/../../${target}`,
      `/rpc/ethereum?provider=${encoded}`,
      `/rpc/ethereum?url=${encoded}&upstream=${encoded}&session=${encoded}`,
      `/rpc/ethereum@${target}/`,
    ]) {
      await post(path);
    }
    await raw(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
    await raw(`GET http://${target}/ HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`);
    expect(visits).toBe(0);
  });

  it("in its headers", async () => {
    for (const header of [
      `Host: ${target}`,
      `X-Forwarded-Host: ${target}`,
      `X-Forwarded-For: ${target}`,
      `Forwarded: host=${target}`,
      `Origin: http://${target}`,
      `Referer: http://${target}/`,
      `X-Original-URL: http://${target}/`,
      `X-Rewrite-URL: http://${target}/`,
      `X-Paceline-Provider: http://${target}/`,
      `X-Paceline-Provider: a@${target}`,
      `X-Paceline-Session: http://${target}/`,
      `X-Paceline-Url: http://${target}/`,
    ]) {
      await post("/rpc/ethereum", CALL, [header]);
    }
    expect(visits).toBe(0);
  });

  it("in its body", async () => {
    const url = `http://${target}/`;
    for (const body of [
      `{"jsonrpc":"2.0","id":"${url}","method":"eth_gasPrice","params":["${url}"]}`,
      `{"jsonrpc":"2.0","id":1,"method":"${url}","params":[]}`,
      `{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":{"url":"${url}"},"url":"${url}"}`,
      `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"${url}","ccip":["${url}"]},"latest"]}`,
      `{"jsonrpc":"2.0","id":1,"method":"rpc.discover","params":["${url}"]}`,
      `{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads","${url}"]}`,
    ]) {
      await post("/rpc/ethereum", body);
    }
    expect(visits).toBe(0);
  });

  it("although all these reached a gateway that does ask its provider", () => {
    expect(asked).toBeGreaterThan(10);
  });
});
