/**
 * No request and no answer of up to a megabyte keeps the loop busy for long. CPU time of this thread
 * is measured, so other work on the machine does not count; `npm run bench -- fuzz-loop` holds the
 * bar of 50 ms, the limit here is there for cold code on slow machines.
 */
import { describe, expect, it } from "vitest";
import {
  damaged,
  HOSTILE_ANSWERS,
  HOSTILE_REQUESTS,
  randomFrom,
  type Hostile,
} from "../../support/hostile-bytes.ts";
import { world, type World } from "./support.ts";

const LIMIT_MS = 250;

const cpuMs = (run: () => unknown): number => {
  const before = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
};

const requestWorld = (): World => {
  const w = world();
  w.head = { number: 100, hash: undefined, atMs: 0, blockTimeMs: 12_000 };
  return w;
};

const READ = '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0xaa","latest"]}';
const LOGS =
  '{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{"fromBlock":"0x1","toBlock":"0x9"}]}';

/** The first provider answers `body`, whole or in pieces; the others answer well. */
const answerWorld = (body: Buffer, status: number, chunkBytes: number): World => {
  const w = world();
  (w.upstreams[0] as { script: unknown }).script = (call: World["upstreams"][0]["calls"][0]) => {
    const bytes = Buffer.from(body.toString("latin1").replace("$ID", String(call.id)), "latin1");
    call.handler.onHead({ status, sizeBytes: bytes.length, retryAfter: undefined });
    for (let at = 0; at < bytes.length && !call.isAborted; at += chunkBytes) {
      call.handler.onData(bytes.subarray(at, at + chunkBytes));
    }
    if (!call.isAborted) call.handler.onEnd();
  };
  return w;
};

describe("the loop", () => {
  it.each(HOSTILE_REQUESTS)("is not held up by a request of %s", (_name, body) => {
    const w = requestWorld();
    expect(cpuMs(() => w.post(body))).toBeLessThan(LIMIT_MS);
  });

  it.each(HOSTILE_ANSWERS)("is not held up by an answer of %s", (_name, body) => {
    for (const status of [200, 429, 500]) {
      for (const request of [READ, LOGS, `[${READ}]`]) {
        const w = answerWorld(body, status, 65_536);
        expect(cpuMs(() => w.post(request))).toBeLessThan(LIMIT_MS);
      }
    }
  });

  it("is not held up by an answer that comes in a quarter of a million pieces", () => {
    const body = Buffer.from(`{"jsonrpc":"2.0","x":"${"a".repeat(900_000)}"}`);
    const w = answerWorld(body, 200, 1);
    // All pieces together, which the wire would bring in as many turns.
    expect(cpuMs(() => w.post(READ))).toBeLessThan(20 * LIMIT_MS);
    expect(w.reports[0]?.errorClass).toBe("malformed");
  });

  it("is not held up, nor brought down, by what is damaged at random", () => {
    const seed = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`loop-stall: FUZZ_SEED=${seed}`);
    const random = randomFrom(seed);
    const pick = (from: readonly Hostile[]): Buffer =>
      damaged((from[random(from.length)] as Hostile)[1], random);
    for (let round = 0; round < 60; round++) {
      const request = pick(HOSTILE_REQUESTS);
      const w = requestWorld();
      expect(cpuMs(() => w.post(request))).toBeLessThan(LIMIT_MS);
      const answers = answerWorld(
        pick(HOSTILE_ANSWERS),
        [200, 429, 500][random(3)] as number,
        65_536,
      );
      expect(cpuMs(() => answers.post(READ))).toBeLessThan(LIMIT_MS);
    }
  });
});
