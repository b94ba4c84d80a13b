/**
 * A bare splicing lane: node:http and undici `dispatch`, our own id in and the client's id back, and
 * nothing else: no choice, no deadline, no failover, no evidence.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Pool, type Dispatcher } from "undici";
import { walkReply } from "../../src/rpc/json-rpc/reply-walker.ts";
import { idToken, upstreamBytes } from "../../src/rpc/json-rpc/request-bytes.ts";
import { scanBody } from "../../src/rpc/json-rpc/scan.ts";
import { IdCounter } from "../../src/rpc/json-rpc/upstream-id.ts";

const pool = new Pool(process.argv[2] as string, { connections: 64, pipelining: 1 });
const headers = ["content-type", "application/json", "accept-encoding", "identity"];
const ids = new IdCounter();

/** One answer on its way back. */
class Reply implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;
  readonly #token: string;
  #body: Buffer | undefined;

  constructor(response: ServerResponse, token: string) {
    this.#response = response;
    this.#token = token;
  }

  onRequestStart(): void {}

  onResponseStart(): void {}

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body = this.#body === undefined ? chunk : Buffer.concat([this.#body, chunk]);
  }

  onResponseEnd(): void {
    const body = this.#body ?? Buffer.alloc(0);
    const head = walkReply(body, body.length, true);
    if (head.kind !== "result") {
      this.#response.writeHead(502).end();
      return;
    }
    const before = body.toString("latin1", 0, head.idStart);
    const text = before + this.#token + body.toString("latin1", head.idEnd, body.length);
    this.#response.writeHead(200, [
      "Content-Type",
      "application/json",
      "Content-Length",
      String(text.length),
    ]);
    this.#response.end(text, "latin1");
  }

  onResponseError(): void {
    this.#response.writeHead(502).end();
  }
}

const serve = (body: Buffer, response: ServerResponse): void => {
  const scanned = scanBody(body);
  if (scanned.kind !== "single") {
    response.writeHead(400).end();
    return;
  }
  const { envelope } = scanned;
  const reply = new Reply(response, idToken(body, envelope));
  const sent = upstreamBytes(body, envelope, ids.next());
  pool.dispatch({ path: "/", method: "POST", headers, body: sent }, reply);
};

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  let body: Buffer | undefined;
  request.on("data", (chunk: Buffer) => {
    body = body === undefined ? chunk : Buffer.concat([body, chunk]);
  });
  request.on("end", () => serve(body ?? Buffer.alloc(0), response));
});
server.keepAliveTimeout = 65_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`splice http://127.0.0.1:${address?.port}`);
});
