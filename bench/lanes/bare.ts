/** The least a gateway's host costs: the same of its packages imported, one port opened, nothing else. */
import "nanoid";
import "pino";
import "ws";
import "xstate";
import "yaml";
import "zod";
import type { AddressInfo } from "node:net";
import { createServer } from "../../src/io/http/node-http.ts";
import "../../src/io/http/undici-parts.ts";
import "../../src/ops/metrics/prom-parts.ts";

const server = createServer((_request, response) => {
  response.end('{"jsonrpc":"2.0","id":1,"result":"0x1"}');
});
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  console.log(`bare http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
