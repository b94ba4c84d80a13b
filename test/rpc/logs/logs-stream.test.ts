import { describe, expect, it } from "vitest";
import type { ScriptedCall } from "../proxy/support.ts";
import {
  bodyText,
  hashOf,
  logAt,
  manyLogs,
  select,
  type TestFilter,
  type TestLog,
} from "./chain.ts";
import { become, filterOf, honest, logsWorld, type LogsWorld, open, spanOf } from "./logs-world.ts";

const MIB = 1024 * 1024;
const WIDE = { fromBlock: "0x1", toBlock: "0x3e8" };
/** One log of 1 MiB in each hundredth block: a MiB a part. */
const HEAVY = [50, 150, 250, 350, 450, 550, 650, 750, 850, 950].map((block) =>
  logAt(block, 0, { data: `0x${"ab".repeat(MIB / 2)}` }),
);

const isOpen = (call: ScriptedCall): boolean =>
  !(call.handler as unknown as { isSettled: boolean }).isSettled;
const waiting = (w: LogsWorld): ScriptedCall[] => open(w).filter(isOpen);
const answerTo = (w: LogsWorld, call: ScriptedCall): void => honest(w.logs)(call, filterOf(call));

function quiet(logs: TestLog[], options: Parameters<typeof logsWorld>[1] = {}): LogsWorld {
  const w = logsWorld(logs, options);
  for (const at of w.upstreams.keys()) become(w, at, () => undefined);
  return w;
}

/** Answers the first call that waits, so often. */
function serve(w: LogsWorld, times: number): void {
  for (let i = 0; i < times; i++) {
    const [call] = waiting(w);
    if (call !== undefined) answerTo(w, call);
  }
}

const whole = (logs: TestLog[], filter: TestFilter = WIDE): string =>
  `{"jsonrpc":"2.0","id":7,"result":[${bodyText(select(logs, filter))}]}`;

describe("the head of a merged answer", () => {
  it("is held back until much waits, and streams from then on in order", () => {
    const w = quiet(HEAVY);
    const reply = w.ask(WIDE);
    serve(w, 3);
    expect(reply.body.length).toBe(0);
    serve(w, 1);
    expect(reply.body.length).toBeGreaterThan(4 * MIB);
    expect(reply.headers["content-length"]).toBeUndefined();
    expect(reply.headers["x-paceline-provider"]).toBe("a");
    serve(w, 6);
    expect(reply.isEnded).toBe(true);
    expect(reply.text === whole(HEAVY)).toBe(true);
    expect(w.records).toHaveLength(1);
    expect(w.records[0]?.outcome).toBe("ok");
    expect(w.gateway.engine.wheel.size).toBe(0);
  });

  it("stays back for a client that cannot take a stream", () => {
    const w = quiet(HEAVY);
    const body = (id: number) =>
      `{"jsonrpc":"2.0","id":${id},"method":"eth_getLogs","params":[${JSON.stringify(WIDE)}]}`;
    const reply = w.post(`[${body(1)},{"jsonrpc":"2.0","id":2,"method":"eth_chainId"}]`);
    serve(w, 9);
    expect(reply.body.length).toBe(0);
    serve(w, 1);
    expect(reply.json[0]).toEqual({ jsonrpc: "2.0", id: 1, result: HEAVY });
    expect(reply.json[1]).toEqual({ jsonrpc: "2.0", id: 2, result: "0x1" });
  });

  it("turns into a clean error when a part fails for good before that", () => {
    const w = quiet(HEAVY);
    const reply = w.ask(WIDE);
    serve(w, 3);
    for (let i = 0; i < 12 && !reply.isEnded; i++) {
      const call = waiting(w).find((one) => spanOf(one) === "301-400");
      call?.error(-32603, "internal error");
    }
    expect(reply.json.error).toMatchObject({ code: -32603 });
    expect(waiting(w)).toEqual([]);
  });

  it("once it has left, a part that fails for good cuts the connection", () => {
    const w = quiet(HEAVY);
    const reply = w.ask(WIDE);
    serve(w, 5);
    expect(reply.body.length).toBeGreaterThan(0);
    for (let i = 0; i < 12 && !reply.isDestroyed; i++) {
      const call = waiting(w).find((one) => spanOf(one) === "501-600");
      call?.error(-32603, "internal error");
    }
    expect(reply.isDestroyed).toBe(true);
    expect(reply.isEnded).toBe(false);
    expect(waiting(w)).toEqual([]);
    expect(w.records[0]?.outcome).toBe("error");
    expect(w.gateway.inFlight).toBe(0);
    expect(w.gateway.engine.wheel.size).toBe(0);
  });
});

describe("the bound of a merged answer", () => {
  it("refuses what is over the limit, whichever part tips it", () => {
    for (const order of ["first", "last"] as const) {
      const w = quiet(HEAVY, { limits: { maxResponseBytes: 3.5 * MIB } });
      const reply = w.ask(WIDE);
      for (let i = 0; i < 8 && !reply.isEnded; i++) {
        const calls = waiting(w);
        answerTo(w, (order === "first" ? calls[0] : calls.at(-1)) as ScriptedCall);
      }
      expect(reply.json.error).toMatchObject({
        code: -32008,
        data: { reason: "response_too_large" },
      });
      expect(waiting(w)).toEqual([]);
      expect(w.gateway.inFlight).toBe(0);
    }
  });

  it("refuses one part that is over it while that part arrives", () => {
    const w = quiet(HEAVY, { limits: { maxResponseBytes: 2 * MIB, bufferBytes: 1000 } });
    const reply = w.ask(WIDE);
    const call = waiting(w)[2] as ScriptedCall;
    call.handler.onHead({ status: 200, sizeBytes: -1, retryAfter: undefined });
    call.handler.onData(Buffer.from(`{"jsonrpc":"2.0","id":${call.id},"result":[`));
    for (let i = 0; i < 4 && !reply.isEnded; i++) call.handler.onData(Buffer.alloc(MIB, 0x20));
    expect(reply.json.error.code).toBe(-32008);
    expect(call.isAborted).toBe(true);
  });

  it("cuts the connection when bytes have left", () => {
    const w = quiet(HEAVY, { limits: { maxResponseBytes: 6.5 * MIB } });
    const reply = w.ask(WIDE);
    serve(w, 10);
    expect(reply.body.length).toBeGreaterThan(4 * MIB);
    expect(reply.isDestroyed).toBe(true);
  });

  it("holds the cap of a batch", () => {
    const w = quiet(HEAVY, { limits: { maxBatchResponseBytes: 2 * MIB } });
    const params = JSON.stringify([WIDE]);
    const reply = w.post(`[{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":${params}}]`);
    serve(w, 10);
    expect(reply.json[0].error.code).toBe(-32008);
  });
});

describe("a client that reads slowly", () => {
  /** 8 MiB a part. */
  const HUGE = [50, 150, 250, 350, 450, 550, 650].map((block) =>
    logAt(block, 0, { data: `0x${"ab".repeat(4 * MIB)}` }),
  );

  it("pauses the providers once a window waits, and nobody is asked for more", () => {
    const w = quiet(HUGE, { limits: { bufferBytes: 1000 } });
    const reply = w.ask({ fromBlock: "0x1", toBlock: "0x2bc" });
    reply.isFull = true;
    serve(w, 3);
    const call = waiting(w)[0] as ScriptedCall;
    call.handler.onHead({ status: 200, sizeBytes: -1, retryAfter: undefined });
    call.handler.onData(Buffer.from(`{"jsonrpc":"2.0","id":${call.id},"result":[`));
    // Three parts of 8 MiB, of which the client took the first.
    expect(call.handler.onData(Buffer.alloc(2 * MIB, 0x20))).toBe(false);
    call.isPaused = true;
    const asked = open(w).length;
    expect(waiting(w).map(spanOf)).toEqual(["301-400"]);
    w.advance(300);
    expect(open(w)).toHaveLength(asked);
    expect(reply.isDestroyed).toBe(false);
    reply.isFull = false;
    reply.onDrain?.();
    expect(call.isPaused).toBe(false);
    const log = bodyText(select(HUGE, filterOf(call)));
    call.handler.onData(Buffer.from(`${log}]}`));
    call.handler.onEnd();
    serve(w, 5);
    expect(reply.json).toEqual({ jsonrpc: "2.0", id: 7, result: HUGE });
  }, 20_000);

  it("is left when it has read nothing for long", () => {
    const w = quiet(HUGE);
    const reply = w.ask({ fromBlock: "0x1", toBlock: "0x2bc" });
    reply.isFull = true;
    serve(w, 4);
    w.advance(29_000);
    expect(reply.isDestroyed).toBe(false);
    w.advance(2_000);
    expect(reply.isDestroyed).toBe(true);
    expect(w.gateway.inFlight).toBe(0);
    expect(w.gateway.engine.wheel.size).toBe(0);
  });

  it("takes its own time, not the call's", () => {
    const w = quiet(HUGE);
    const reply = w.ask({ fromBlock: "0x1", toBlock: "0x2bc" });
    reply.isFull = true;
    serve(w, 4);
    for (let minute = 0; minute < 3; minute++) {
      w.advance(20_000);
      reply.onDrain?.();
    }
    reply.isFull = false;
    reply.onDrain?.();
    serve(w, 5);
    expect(reply.isEnded).toBe(true);
    expect(reply.json.result).toHaveLength(7);
  }, 20_000);

  it("that leaves ends all parts", () => {
    const w = quiet(HUGE);
    const reply = w.ask({ fromBlock: "0x1", toBlock: "0x2bc" });
    serve(w, 1);
    const running = waiting(w);
    expect(running.length).toBe(4);
    reply.isOpen = false;
    reply.onGone?.();
    expect(running.every(({ isAborted }) => isAborted)).toBe(true);
    expect(w.records).toEqual([expect.objectContaining({ outcome: "gone" })]);
    expect(w.gateway.inFlight).toBe(0);
    expect(w.gateway.engine.wheel.size).toBe(0);
  });
});

describe("a reorganisation while parts come in", () => {
  const old = manyLogs(1, 1000, 1);
  const fresh = [
    ...old.filter(({ blockNumber }) => Number(blockNumber) < 995),
    ...[995, 996, 997, 998, 999, 1000].map((block) => logAt(block, 3, { branch: 1 })),
  ];

  function world(): LogsWorld {
    const w = quiet(old);
    w.setHead({ number: 1000, finalized: 900, falls: 0 });
    Object.assign(w.chain, {
      hashAt: (block: number) => (block > 980 ? hashOf(block) : undefined),
    });
    return w;
  }

  const turn = (w: LogsWorld): void => {
    w.logs.splice(0, Infinity, ...fresh);
    const hashAt = (block: number) =>
      block > 980 ? hashOf(block, block >= 995 ? 1 : 0) : undefined;
    Object.assign(w.chain, { hashAt });
  };

  it("asks anew for what it touched, and for nothing else", () => {
    for (const falls of [0, 1]) {
      const w = world();
      const copy = [...fresh];
      const reply = w.ask(WIDE);
      // All but the first part come, the last with the old branch.
      for (let i = 0; i < 9; i++) answerTo(w, waiting(w).at(-1) as ScriptedCall);
      turn(w);
      if (falls > 0) w.setHead({ falls });
      serve(w, 1);
      expect(waiting(w)).toEqual([]);
      w.advance(260);
      expect(waiting(w).map(spanOf)).toEqual(["901-1000"]);
      serve(w, 1);
      expect(reply.text === whole(copy)).toBe(true);
      expect(open(w)).toHaveLength(11);
    }
  });

  it("keeps the open end of an answer back, but no more than that", () => {
    const heavy = HEAVY.map((log) => log);
    const w = quiet(heavy);
    w.setHead({ number: 1000, finalized: 700, falls: 0 });
    const reply = w.ask(WIDE);
    serve(w, 9);
    expect(reply.body.length).toBeLessThan(7.5 * MIB);
    expect(reply.body.length).toBeGreaterThan(6.9 * MIB);
    serve(w, 1);
    expect(reply.text === whole(heavy)).toBe(true);
  });

  it("gives way after some tries when the evidence never agrees", () => {
    const w = world();
    Object.assign(w.chain, { hashAt: (block: number) => hashOf(block, 5) });
    const reply = w.ask(WIDE);
    serve(w, 10);
    for (let turn = 0; turn < 4; turn++) {
      w.advance(300);
      serve(w, 1);
    }
    expect(reply.isEnded).toBe(true);
    expect(reply.json.result).toHaveLength(1000);
    expect(open(w).filter((call) => spanOf(call) === "901-1000")).toHaveLength(3);
  });
});
