/** Everything a careless or hostile client can send, over real sockets. */
import { request as httpRequest } from "node:http";
import { beforeAll, describe, expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import { cleanupAfterAll, cleanupAfterEach } from "../support/cleanup.ts";
import { Gateway } from "../support/gateway.ts";
import { anew, post, RpcSocket } from "../support/rpc.ts";

describe("bad input at the front door", () => {
  const keep = cleanupAfterAll();
  const use = cleanupAfterEach();
  let gateway: Gateway;
  let url: string;

  beforeAll(async () => {
    const startMs = Date.now();
    const chain = new FakeChain({ seed: 1, chainId: 77, blockTimeMs: 200, startMs });
    const mind = new FakeProvider({ id: "p", chain, faults: {}, seed: 1, startMs });
    const server = keep(await startFakeServer(mind, Date.now));
    const providers = [{ id: "p", url: server.url, ws_url: server.wsUrl }];
    gateway = keep(
      await Gateway.start({ config: { chains: { one: { chain_id: 77, providers } } } }),
    );
    url = `${gateway.url}/rpc/one`;
  });

  const error = (code: number, id: unknown) => ({
    jsonrpc: "2.0",
    id,
    error: { code, message: expect.any(String) },
  });
  const nested = `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":${"[".repeat(100)}${"]".repeat(100)}}`;

  const singles: [string, string, number, object][] = [
    ["malformed JSON", `{"jsonrpc":"2.0","id":1,"method":`, 400, error(-32_700, null)],
    [
      "trailing bytes",
      `{"jsonrpc":"2.0","id":1,"method":"eth_chainId"} x`,
      400,
      error(-32_700, null),
    ],
    [
      "a byte order mark",
      `\uFEFF{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}`,
      400,
      error(-32_700, null),
    ],
    ["nothing at all", "", 400, error(-32_700, null)],
    [
      "a wrong version",
      `{"jsonrpc":"2.1","id":"x","method":"eth_chainId"}`,
      400,
      error(-32_600, "x"),
    ],
    ["a numeric version", `{"jsonrpc":2.0,"id":5,"method":"eth_chainId"}`, 400, error(-32_600, 5)],
    ["no version", `{"id":5,"method":"eth_chainId"}`, 400, error(-32_600, 5)],
    [
      "an object as id",
      `{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}`,
      400,
      error(-32_600, null),
    ],
    [
      "a boolean as id",
      `{"jsonrpc":"2.0","id":true,"method":"eth_chainId"}`,
      400,
      error(-32_600, null),
    ],
    [
      "a list as id",
      `{"jsonrpc":"2.0","id":[1],"method":"eth_chainId"}`,
      400,
      error(-32_600, null),
    ],
    ["no method", `{"jsonrpc":"2.0","id":9}`, 400, error(-32_600, 9)],
    ["a number as method", `{"jsonrpc":"2.0","id":9,"method":1}`, 400, error(-32_600, 9)],
    [
      "a text as params",
      `{"jsonrpc":"2.0","id":9,"method":"eth_chainId","params":"x"}`,
      400,
      error(-32_602, 9),
    ],
    [
      "two methods",
      `{"jsonrpc":"2.0","id":9,"method":"eth_chainId","method":"eth_call"}`,
      400,
      error(-32_600, expect.anything()),
    ],
    ["deep nesting", nested, 400, { jsonrpc: "2.0", error: { message: expect.any(String) } }],
    [
      "an unknown method",
      `{"jsonrpc":"2.0","id":9,"method":"eth_nonsense","params":[]}`,
      200,
      error(-32_601, 9),
    ],
    [
      "a forbidden method",
      `{"jsonrpc":"2.0","id":9,"method":"admin_addPeer","params":[]}`,
      200,
      error(-32_004, 9),
    ],
    [
      "a subscription over HTTP",
      `{"jsonrpc":"2.0","id":9,"method":"eth_subscribe","params":["newHeads"]}`,
      200,
      error(-32_004, 9),
    ],
    ["an empty batch", "[]", 200, error(-32_600, null)],
  ];
  it.for(singles)("answers %s with a code", async ([, body, status, shape]) => {
    const answer = await post(url, body);
    expect(answer.status, answer.text).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject(shape);
  });

  it("echoes ids of any size and kind as they were written", async () => {
    for (const id of [
      "9007199254740993",
      "12345678901234567890",
      `"ü\\u0041"`,
      "0",
      "-1",
      '""',
      "null",
    ]) {
      // From a provider, and from what was kept of its answer to another id.
      for (const place of [anew(url), url]) {
        const { text } = await post(
          place,
          `{"jsonrpc":"2.0","id":${id},"method":"eth_gasPrice","params":[]}`,
        );
        expect(text).toContain(`"id":${id}`);
        expect(JSON.parse(text).result).toMatch(/^0x/u);
      }
    }
  });

  it("answers a notification with 204 and no body", async () => {
    const answer = await post(url, `{"jsonrpc":"2.0","method":"eth_chainId"}`);
    expect([answer.status, answer.text]).toEqual([204, ""]);
  });

  it("answers each junk item of a batch by itself and refuses one that is too long", async () => {
    const mixed = JSON.parse(
      (await post(url, `[1,{"jsonrpc":"2.0","id":7,"method":"eth_gasPrice"},{}]`)).text,
    );
    expect(mixed).toHaveLength(3);
    expect(mixed[0]).toMatchObject(error(-32_600, null));
    expect(mixed[1]).toMatchObject({ id: 7, result: expect.any(String) });
    const long = Array.from({ length: 1_001 }, (_, id) => ({
      jsonrpc: "2.0",
      id,
      method: "eth_gasPrice",
    }));
    expect(JSON.parse((await post(url, long)).text)).toMatchObject([error(-32_600, 0)]);
  });

  it("answers 413 to a body over the limit and 415, 405 to a wrong kind of request", async () => {
    const big = `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":["${"a".repeat(6 * 1024 * 1024)}"]}`;
    expect((await post(url, big)).status).toBe(413);
    const plain = await fetch(url, {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: "{}",
    });
    expect(plain.status).toBe(415);
    expect((await fetch(url, { method: "PUT", body: "{}" })).status).toBe(405);
    expect((await post(url, `{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice"}`)).status).toBe(200);
  });

  it("answers 404 and a JSON-RPC error for an unknown chain or provider", async () => {
    for (const path of [
      "/rpc/nowhere",
      "/rpc/provider/nobody/one",
      "/rpc/fastest/nowhere",
      "/rpc/one/nobody",
    ]) {
      const answer = await post(`${gateway.url}${path}`, {
        jsonrpc: "2.0",
        id: 4,
        method: "eth_chainId",
      });
      expect(answer.status, path).toBe(404);
      expect(JSON.parse(answer.text), path).toMatchObject(error(-32_001, 4));
    }
  });

  it("refuses a WebSocket for an unknown chain or path", async () => {
    for (const path of ["/rpc/nowhere", "/rpc/provider/nobody/one", "/ws/rpc/nowhere", "/else"]) {
      await expect(RpcSocket.connect(`${gateway.wsUrl}${path}`), path).rejects.toThrow("404");
    }
  });

  it("answers junk on a WebSocket and keeps it open", async () => {
    const socket = use(await RpcSocket.connect(`${gateway.wsUrl}/rpc/one`));
    const texts: string[] = [];
    socket.socket.prependListener("message", (data: Buffer) => texts.push(data.toString()));
    for (const junk of ["{", "[]", `{"jsonrpc":"2.1","id":3,"method":"eth_chainId"}`, nested]) {
      const before = texts.length;
      socket.socket.send(junk);
      await socket.until(() => texts.length === before + 1);
      expect(JSON.parse(texts.at(-1) ?? "")).toMatchObject({ error: { code: expect.any(Number) } });
    }
    expect((await socket.answer("eth_subscribe", ["nonsense"])).error.code).toBe(-32_601);
    expect(await socket.call("eth_unsubscribe", ["0x00"])).toBe(false);
    expect(await socket.call("eth_gasPrice")).toMatch(/^0x/u);
  });

  it("closes a WebSocket that sends more than a message may hold, and only that one", async () => {
    const [greedy, modest] = await Promise.all([
      RpcSocket.connect(`${gateway.wsUrl}/rpc/one`),
      RpcSocket.connect(`${gateway.wsUrl}/rpc/one`),
    ]);
    use(greedy);
    use(modest);
    greedy.socket.send("x".repeat(33 * 1024 * 1024));
    expect((await greedy.closed).code).toBe(1009);
    expect(await modest.call("eth_gasPrice")).toMatch(/^0x/u);
  });

  it("drops a client that hangs up in the middle of its body and serves the next", async () => {
    await new Promise<void>((resolve) => {
      const half = httpRequest(url, {
        method: "POST",
        headers: { "content-type": "application/json", "content-length": "1000" },
      });
      half.on("error", () => resolve());
      half.write(`{"jsonrpc"`, () => half.destroy());
      half.on("close", resolve);
    });
    expect((await post(url, `{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice"}`)).status).toBe(200);
  });

  it("has crashed nothing while it was told all this", async () => {
    const { ok } = await (await gateway.admin()).reply("tree");
    expect(JSON.stringify(ok)).not.toMatch(/"count":[1-9]/u);
  });
});
