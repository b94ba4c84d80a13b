/**
 * Every provider is away while 100 blocks with 20,000 logs are made: how long does it take from the
 * first question to the last log at the client, and does each arrive once and in order? Beside it: a
 * bare client that asks the same questions, as many at a time, and reads the answers.
 */
import { startGateway } from "./lanes/gateway.ts";
import { LOAD_CORE, pinSelf, startLane } from "./support/host.ts";
import { median, report } from "./support/report.ts";
import { WsClient } from "./support/ws-clients.ts";

const BLOCKS = 100;
const LOGS_PER_BLOCK = 200;
const LOGS = BLOCKS * LOGS_PER_BLOCK;
const ROUNDS = 5;
const AT_ONCE = 16;
const MAX_MS = 1_000;
const PATIENCE_MS = 20_000;

pinSelf(LOAD_CORE);
const events = await startLane("events", LOAD_CORE, [
  new URL("lanes/events.ts", import.meta.url).pathname,
]);
const at = `127.0.0.1:${events.port}/gateway`;
const names = ["p0", "p1", "p2"];

interface Told {
  readonly number: number;
  readonly peers: number;
  readonly askedAtMs: number;
}

const control = async (query: string): Promise<Told> => {
  const response = await fetch(`http://127.0.0.1:${events.port}/control?lane=gateway&${query}`);
  return (await response.json()) as Told;
};
const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
const ask = async (method: string, params: readonly unknown[]): Promise<unknown> => {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const response = await fetch(`http://${at}/bare`, { method: "POST", body });
  return ((await response.json()) as { result: unknown }).result;
};

const gateway = await startGateway(
  names.map((name) => `http://${at}/${name}`),
  names.map((name) => `ws://${at}/${name}`),
);

/** What has come to the client. */
const seen = { heads: 0, logs: 0, next: -1, faults: 0, lastAtMs: 0, closed: "" };
const field = Buffer.from('"data":"0x');
const client = await WsClient.open(gateway.port, "/rpc/ethereum", {
  onMessage: (payload) => {
    const data = payload.indexOf(field);
    if (data < 0) {
      if (payload.length > 500) seen.heads++;
      return;
    }
    const start = data + field.length + 48;
    const seq = Number.parseInt(payload.toString("latin1", start, start + 16), 16);
    if (seen.next >= 0 && seq !== seen.next) seen.faults++;
    seen.next = seq + 1;
    seen.logs++;
    seen.lastAtMs = performance.timeOrigin + performance.now();
  },
  onClose: (code, reason) => (seen.closed = `${code} ${reason}`),
});
for (const params of ['["newHeads"]', '["logs",{}]']) {
  client.send(`{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":${params}}`);
}
await sleep(1_000);
await control("headRate=2");
await sleep(3_000);
await control("headRate=0");
await sleep(3_000);

/** All sockets are cut and the chain goes on; the gateway comes back by itself. */
const fill = async (): Promise<number> => {
  Object.assign(seen, { heads: 0, logs: 0, next: -1 });
  await control(`logsPerBlock=${LOGS_PER_BLOCK}&skip=${BLOCKS}`);
  const untilMs = performance.now() + PATIENCE_MS;
  while (seen.logs < LOGS && seen.closed === "" && performance.now() < untilMs) await sleep(20);
  if (seen.heads !== BLOCKS || seen.logs !== LOGS) seen.faults++;
  const { askedAtMs } = await control("");
  return seen.lastAtMs - askedAtMs;
};

/** The same questions without a gateway. */
const bare = async (): Promise<number> => {
  const { number } = await control("");
  const startMs = performance.now();
  let taken = 0;
  const loop = async (): Promise<void> => {
    while (taken < BLOCKS) {
      const block = await ask("eth_getBlockByNumber", [`0x${(number - taken++).toString(16)}`]);
      await ask("eth_getLogs", [{ blockHash: (block as { hash: string }).hash }]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, loop));
  return performance.now() - startMs;
};

const filledMs: number[] = [];
const bareMs: number[] = [];
for (let round = 0; round < ROUNDS && seen.closed === ""; round++) {
  filledMs.push(await fill());
  bareMs.push(await bare());
  await sleep(3_000);
}
const bench = "streams-backfill";
report({
  bench,
  case: `back-fill of ${BLOCKS} blocks with ${LOGS} logs (the same read bare)`,
  value: median(filledMs),
  baseline: median(bareMs),
  ratio: median(filledMs) / median(bareMs),
  unit: "ms",
  bar: `< ${MAX_MS} ms`,
  ok: median(filledMs) < MAX_MS,
});
report({
  bench,
  case: "gaps, duplicates, out of order",
  value: seen.faults,
  unit: "logs",
  bar: "0",
  ok: seen.faults === 0 && seen.closed === "",
});
if (seen.closed !== "") console.error(`the client was closed: ${seen.closed}`);
client.close();
await Promise.all([gateway.stop(), events.stop()]);
