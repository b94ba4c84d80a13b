/** Every odd request gets its exact answer, over both faces of the gateway; a real node is compared. */
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { openHttpServer, type HttpServer } from "../../../src/io/http/http-server.ts";
import { WsServer } from "../../../src/io/ws-server.ts";
import { describeWithAnvil, startAnvil, type Anvil } from "../../support/anvil.ts";
import { world } from "../proxy/support.ts";
import {
  BODY_LIMIT,
  call,
  ODD_HTTP,
  ODD_REQUESTS,
  REQUEST_ID,
  type OddRequest,
} from "./odd-requests.ts";

interface Answer {
  readonly status: number;
  readonly body: string;
}

const JSON_TYPE = { "content-type": "application/json" };

const post = (
  port: number,
  path: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = JSON_TYPE,
  method = "POST",
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = httpRequest({ port, host: "127.0.0.1", path, method, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });

describe("an odd request", () => {
  let http: HttpServer;
  let sockets: WsServer;
  let client: WebSocket;
  const heard: string[] = [];

  beforeAll(async () => {
    const { gateway } = world({
      requestId: REQUEST_ID,
      limits: { maxBodyBytes: BODY_LIMIT },
      // The params as they came, or null; white space is the provider's.
      script: (one) => one.result(JSON.stringify(one.request.params ?? null)),
    });
    sockets = new WsServer({
      decide: (request) => {
        const url = request.url ?? "/";
        const admission = gateway.ws.admit(url, []);
        return admission.ok
          ? { ok: true, open: (one) => gateway.ws.open(admission.route, one, url) }
          : admission;
      },
    });
    http = await openHttpServer({
      host: "127.0.0.1",
      port: 0,
      maxBodyBytes: BODY_LIMIT,
      onRequest: (request, reply) => gateway.http.handle(request, reply),
      onUpgrade: (request, socket, head) => sockets.upgrade(request, socket, head),
    });
    client = new WebSocket(`ws://127.0.0.1:${http.port}/rpc/ethereum`);
    client.on("message", (data: Buffer) => heard.push(data.toString()));
    await once(client, "open");
  });
  afterAll(async () => {
    client.terminate();
    sockets.close();
    await http.close();
  });

  /** Sends it over WebSocket, and a call behind it whose answer shows that no other will come. */
  const say = async (send: string | Buffer): Promise<string> => {
    heard.length = 0;
    client.send(send, { binary: false });
    client.send(call('"after"'));
    while (heard.at(-1)?.includes('"after"') !== true) await once(client, "message");
    return heard.slice(0, -1).join("\n");
  };

  for (const [topic, rows] of Object.entries(ODD_REQUESTS)) {
    describe(topic, () => {
      it.each(rows)("$name", async ({ send, status, answer }) => {
        expect(await post(http.port, "/rpc/ethereum", send)).toEqual({ status, body: answer });
        expect(await say(send)).toBe(answer);
      });
    });
  }

  it.each(ODD_HTTP)("of HTTP alone: $name", async (row) => {
    const { path = "/rpc/ethereum", method, headers = JSON_TYPE, send, status, answer } = row;
    expect(await post(http.port, path, send, headers, method)).toEqual({ status, body: answer });
  });
});

describeWithAnvil("a real node", () => {
  let anvil: Anvil;
  beforeAll(async () => {
    anvil = await startAnvil();
  });
  afterAll(() => anvil.stop());

  /** What two answers can be compared by: the id and the error code of each, in order. */
  const gist = (body: string): unknown => {
    if (body === "") return "nothing";
    const answers = [JSON.parse(body)].flat() as { id: unknown; error?: { code: number } }[];
    return answers.map(({ id, error }) => [id, error?.code ?? "result"]);
  };
  const rows = Object.values(ODD_REQUESTS).flat();
  const agrees = ({ anvil: why }: OddRequest): boolean => why === undefined;

  it.each(rows.filter(agrees))("answers the same to: $name", async ({ send, answer }) => {
    const { body } = await post(Number(new URL(anvil.url).port), "/", send);
    expect(gist(body)).toEqual(gist(answer));
  });

  it.each(rows.filter((row) => !agrees(row)))(
    "still differs for: $name ($anvil)",
    async ({ send, status, answer }) => {
      const theirs = await post(Number(new URL(anvil.url).port), "/", send);
      expect({ status: theirs.status, body: theirs.body }).not.toEqual({ status, body: answer });
    },
  );
});
