/**
 * What sharing costs and saves: the key of a request, the memory of answers, a kept answer through
 * the whole gateway against a proxied one, and a herd that asks for what nobody has kept.
 *
 * Bars: key of a 300-byte request < 3 us; a hit serves >= 1.8 x as many calls as a proxied one; 32
 * clients that ask for the same cold key cause 1 attempt.
 */
import { createServer } from "node:http";
import { connect } from "node:net";
import { LfuBytes } from "../src/lib/lfu-bytes.ts";
import { AnswerCache } from "../src/rpc/cache/answer-cache.ts";
import { blockRefOf, cacheRule } from "../src/rpc/cache/block-ref.ts";
import { createCounts } from "../src/rpc/cache/cache-counts.ts";
import { canonicalParams } from "../src/rpc/cache/canonical.ts";
import { keptResult } from "../src/rpc/cache/kept-answer.ts";
import { startGateway } from "./lanes/gateway.ts";
import { compare } from "./support/compare.ts";
import { LOAD_CORE, pinSelf, startLane } from "./support/host.ts";
import { costOf, interleave } from "./support/interleave.ts";
import { report } from "./support/report.ts";

const BENCH = "cache";
const KEY_BAR_US = 3;
const HIT_BAR = 1.8;
const ENTRIES = 100_000;
const CLIENTS = 32;

pinSelf(LOAD_CORE);
measureKey();
measureLfu();
measureMemory();
await measureHit();
await measureHerd();

function measureKey(): void {
  const rule = cacheRule("eth_call");
  if (rule === undefined) throw new Error("eth_call is not in the table");
  const bodies = Array.from({ length: 64 }, (_, i) => {
    const word = i.toString(16).padStart(64, "A");
    const params = `[ {"to": "0x${"Ab".repeat(20)}", "data": "0x${word}${"cD".repeat(50)}"}, "0x${(i + 16).toString(16)}" ]`;
    return Buffer.from(params.padEnd(300, " "));
  });
  const costs = interleave(
    [
      {
        name: "key",
        run: (count) => {
          let sum = 0;
          for (let i = 0; i < count; i++) {
            const body = bodies[i & 63] as Buffer;
            const params = canonicalParams(body, 0, body.length, rule);
            if (params === undefined) throw new Error("not spelled");
            const ref = blockRefOf(rule, params);
            const text = params.bytes.toString("latin1", 0, params.length);
            sum += `ethereum eth_call f ${text}`.length + (ref.kind === "number" ? ref.number : 0);
          }
          return sum;
        },
      },
      {
        name: "parse",
        run: (count) => {
          let sum = 0;
          for (let i = 0; i < count; i++) {
            const value: unknown = JSON.parse((bodies[i & 63] as Buffer).toString("utf8"));
            sum += JSON.stringify(value).length;
          }
          return sum;
        },
      },
    ],
    20_000,
  );
  const us = costOf(costs, "key") / 1_000;
  const parseUs = costOf(costs, "parse") / 1_000;
  report({
    bench: BENCH,
    case: "canonical key of a 300 B request; against parse + stringify",
    value: us,
    unit: "us",
    baseline: parseUs,
    ratio: us / parseUs,
    bar: `< ${KEY_BAR_US} us`,
    ok: us < KEY_BAR_US,
  });
}

function measureLfu(): void {
  const place = { valueBytes: 100, group: undefined, expiresAtMs: Infinity };
  const cache = new LfuBytes<number>({ maxBytes: ENTRIES * 200, overheadBytes: 60 });
  const keys = Array.from({ length: 2 * ENTRIES }, (_, i) => `ethereum eth_call f [${i}]`);
  for (let i = 0; i < ENTRIES; i++) cache.set(keys[i] as string, i, place);
  let at = 0;
  const costs = interleave(
    [
      {
        name: "get",
        run: (count) => {
          let sum = 0;
          for (let i = 0; i < count; i++) {
            at = (at + 7_919) % ENTRIES;
            sum += cache.get(keys[at] as string, 1) ?? 0;
          }
          return sum;
        },
      },
      {
        name: "put when full",
        run: (count) => {
          for (let i = 0; i < count; i++) {
            at = (at + 7_919) % keys.length;
            cache.set(keys[at] as string, i, place);
          }
          return cache.size;
        },
      },
    ],
    20_000,
  );
  for (const name of ["get", "put when full"]) {
    const value = costOf(costs, name);
    report({ bench: BENCH, case: `LFU of 100,000 entries: ${name}`, value, unit: "ns" });
  }
}

/** What the cache counts against what the process really grew by. */
function measureMemory(): void {
  const hashes = Array.from({ length: 100 }, (_, i) => `0x${String(i).padStart(64, "0")}`);
  for (const bytes of [66, 2_000, 20_000]) {
    const count = bytes > 10_000 ? 5_000 : 50_000;
    const body = Buffer.from(`{"jsonrpc":"2.0","id":1,"result":"${"x".repeat(bytes)}"}`);
    const cache = new AnswerCache(1_000_000_000);
    const counts = createCounts();
    const before = held();
    for (let i = 0; i < count; i++) {
      const answer = keptResult(body, 22, 23);
      const key = `ethereum eth_call f [{"to":"0x${"ab".repeat(20)}","data":"0x${i}"},"0x10"]`;
      const hash = hashes[i % hashes.length] as string;
      const kept = { ...answer, finality: "unfinalized" as const, number: i, hash };
      cache.keep(key, kept, counts, 1_000_000 + i);
    }
    const grown = held() - before;
    report({
      bench: BENCH,
      case: `memory of an answer of ${bytes} B; against what is counted`,
      value: grown / count,
      unit: "B",
      baseline: cache.bytes / count,
      ratio: grown / cache.bytes,
      bar: "<= 1.15 x what is counted",
      ok: grown / cache.bytes <= 1.15,
    });
  }
}

function held(): number {
  (globalThis as { gc?: () => void }).gc?.();
  // Array buffers are part of what is external.
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function measureHit(): Promise<void> {
  const file = (name: string): string => new URL(`lanes/${name}.ts`, import.meta.url).pathname;
  const stub = await startLane("stub", LOAD_CORE, [file("stub")]);
  const url = `http://127.0.0.1:${stub.port}`;
  const gateway = await startGateway([url, url, url]);
  const path = "/rpc/ethereum";
  for (const [name, method] of [
    ["45 B", "eth_getBalance"],
    ["19 KB", "eth_getBlockReceipts"],
  ] as const) {
    const [proxied, hit] = await compare(
      [
        { lane: gateway, path: `${path}?no-cache=1` },
        { lane: gateway, path, params: () => `["0x${"aB".repeat(20)}","0x10"]` },
      ],
      { method, connections: CLIENTS, rounds: 5, roundMs: 1_500 },
    );
    if (proxied === undefined || hit === undefined) throw new Error("no result");
    const ratio = hit.perSec / proxied.perSec;
    const isBarred = method === "eth_getBalance";
    report({
      bench: BENCH,
      case: `hits per second, ${name}; against proxied calls`,
      value: hit.perSec,
      unit: "1/s",
      baseline: proxied.perSec,
      ratio,
      ...(isBarred ? { bar: `>= ${HIT_BAR} x`, ok: ratio >= HIT_BAR && isClean(hit) } : {}),
    });
    report({
      bench: BENCH,
      case: `CPU per hit, ${name}; against proxied calls`,
      value: hit.cpuUs,
      unit: "us",
      baseline: proxied.cpuUs,
      ratio: hit.cpuUs / proxied.cpuUs,
    });
    if (isBarred) await measureMiss(gateway, path, method);
  }
  await Promise.all([stub.stop(), gateway.stop()]);
}

/** What looking, joining and keeping add to a call that is answered by a provider all the same. */
async function measureMiss(
  lane: Awaited<ReturnType<typeof startGateway>>,
  path: string,
  method: string,
): Promise<void> {
  const [plain, missed] = await compare(
    [
      { lane, path: `${path}?no-cache=1` },
      { lane, path },
    ],
    {
      method,
      params: (id) => `["0x${id.toString(16).padStart(40, "0")}","0x10"]`,
      connections: CLIENTS,
      rounds: 5,
      roundMs: 1_500,
    },
  );
  if (plain === undefined || missed === undefined) throw new Error("no result");
  report({
    bench: BENCH,
    case: "CPU that a miss adds to a call, 45 B",
    value: missed.cpuUsMin - plain.cpuUsMin,
    unit: "us",
    baseline: plain.cpuUsMin,
    bar: "<= 5 us",
    ok: missed.cpuUsMin - plain.cpuUsMin <= 5,
  });
}

function isClean({ wrongIds, errors }: { wrongIds: number; errors: number }): boolean {
  return wrongIds === 0 && errors === 0;
}

async function measureHerd(): Promise<void> {
  let asked = 0;
  const upstream = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => (text += String(chunk)));
    request.on("end", () => {
      const { id, method } = JSON.parse(text) as { id: number; method: string };
      const isHerd = method === "eth_getBalance";
      if (isHerd) asked++;
      const result = method === "eth_blockNumber" ? "0x1000" : "0x1";
      const answer = (): void => void response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
      if (isHerd) setTimeout(answer, 50);
      else answer();
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const address = upstream.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const gateway = await startGateway([`http://127.0.0.1:${port}`]);
  const rounds = 20;
  asked = 0;
  let good = 0;
  for (let round = 0; round < rounds; round++) {
    const answers = await Promise.all(
      Array.from({ length: CLIENTS }, (_, id) => ask(gateway.port, id, `0x${round.toString(16)}`)),
    );
    good += answers.filter((text, id) => text.includes(`"id":${id},"result":"0x1"`)).length;
  }
  report({
    bench: BENCH,
    case: `attempts for ${CLIENTS} clients with the same cold key`,
    value: asked / rounds,
    unit: "attempts",
    baseline: CLIENTS,
    bar: "exactly 1",
    ok: asked === rounds && good === rounds * CLIENTS,
  });
  await gateway.stop();
  upstream.close();
}

function ask(port: number, id: number, block: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const body = `{"jsonrpc":"2.0","id":${id},"method":"eth_getBalance","params":["0x1","${block}"]}`;
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(
        `POST /rpc/ethereum HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
    });
    let text = "";
    socket.on("data", (chunk) => (text += String(chunk)));
    socket.once("close", () => resolve(text));
    socket.once("error", reject);
  });
}
