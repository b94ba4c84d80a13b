/**
 * How long one request, or one answer of a provider, of at most a megabyte can keep the loop busy:
 * the worst of bodies made for that and of copies damaged at random. CPU time of the thread, so that
 * other work on the machine does not count.
 *
 * Bar: no input of <= 1 MB blocks the loop for more than 50 ms.
 */
import {
  damaged,
  HOSTILE_ANSWERS,
  HOSTILE_REQUESTS,
  randomFrom,
  type Hostile,
} from "../test/support/hostile-bytes.ts";
import { type ScriptedCall, world } from "../test/rpc/proxy/support.ts";
import { report } from "./support/report.ts";

const BAR_MS = 50;
const ROUNDS = 400;
const CHUNK_BYTES = 65_536;
const READ = '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0xaa","latest"]}';

const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 2 ** 31);
console.error(`fuzz-loop: FUZZ_SEED=${seed}`);
const random = randomFrom(seed);

const cpuMs = (run: () => unknown): number => {
  const before = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
};

const ask = (body: Buffer): number => {
  const w = world();
  w.head = { number: 100, hash: undefined, atMs: 0, blockTimeMs: 12_000 };
  return cpuMs(() => w.post(body));
};

const answer = (body: Buffer, status: number): number => {
  let worstMs = 0;
  const w = world({
    script: (call: ScriptedCall) => {
      const bytes = Buffer.from(body.toString("latin1").replace("$ID", String(call.id)), "latin1");
      call.handler.onHead({ status, sizeBytes: bytes.length, retryAfter: undefined });
      // Every piece is a turn of the loop of its own.
      for (let at = 0; at < bytes.length && !call.isAborted; at += CHUNK_BYTES) {
        const piece = bytes.subarray(at, at + CHUNK_BYTES);
        worstMs = Math.max(
          worstMs,
          cpuMs(() => call.handler.onData(piece)),
        );
      }
      if (!call.isAborted)
        worstMs = Math.max(
          worstMs,
          cpuMs(() => call.handler.onEnd()),
        );
    },
    providers: ["a"],
  });
  w.post(READ);
  return worstMs;
};

const measure = (
  topic: string,
  bodies: readonly Hostile[],
  run: (body: Buffer) => number,
): void => {
  for (const [, body] of bodies) run(body);
  let worst = { ms: 0, name: "" };
  for (const [name, body] of bodies) {
    const ms = run(body);
    if (ms > worst.ms) worst = { ms, name };
  }
  const bar = `<= ${BAR_MS} ms`;
  const ok = worst.ms <= BAR_MS;
  report({
    bench: "fuzz-loop",
    case: `${topic}: ${worst.name}`,
    value: worst.ms,
    unit: "ms",
    bar,
    ok,
  });
};

const anyOf = (from: readonly Hostile[]): Hostile[] =>
  Array.from({ length: ROUNDS }, () => {
    const [name, body] = from[random(from.length)] as Hostile;
    return [`damaged ${name}`, damaged(body, random)];
  });

measure("request", HOSTILE_REQUESTS, ask);
measure("request", anyOf(HOSTILE_REQUESTS), ask);
for (const status of [200, 429, 500]) {
  measure(`answer ${status}`, HOSTILE_ANSWERS, (body) => answer(body, status));
  measure(`answer ${status}`, anyOf(HOSTILE_ANSWERS), (body) => answer(body, status));
}
