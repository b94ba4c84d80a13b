/**
 * A client that calls every few milliseconds, by itself so that no other load delays its clock.
 * `node caller.ts URL`; `GET /?ms=1000` on its port calls for so long and answers how long the calls took, ms.
 */
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const PAUSE_MS = 5;
const target = process.argv[2] ?? "";
const call = {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: '{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice","params":[]}',
};

const server = createServer((request, response) => {
  const forMs = Number(new URL(request.url ?? "/", "http://localhost").searchParams.get("ms"));
  void run(forMs).then((tookMs) => response.end(JSON.stringify(tookMs)));
});

const run = async (forMs: number): Promise<readonly number[]> => {
  const tookMs: number[] = [];
  for (const untilMs = performance.now() + forMs; performance.now() < untilMs; ) {
    const startMs = performance.now();
    const answer = await (await fetch(target, call)).text();
    if (!answer.includes('"result"')) throw new Error(answer);
    tookMs.push(performance.now() - startMs);
    await sleep(PAUSE_MS);
  }
  return tookMs;
};

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`caller http://127.0.0.1:${address?.port}`);
});
