/** The least a gateway's host costs: the same packages imported, one port opened, nothing else. */
import "nanoid";
import "pino";
import "prom-client";
import "undici";
import "ws";
import "xstate";
import "yaml";
import "zod";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const server = createServer((_request, response) => {
  response.end('{"jsonrpc":"2.0","id":1,"result":"0x1"}');
});
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  console.log(`bare http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
