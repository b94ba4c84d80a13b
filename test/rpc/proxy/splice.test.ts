import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ScriptedCall } from "./support.ts";
import { world } from "./support.ts";

const BIG = 300_000;

const request = (token: string): string =>
  `{"jsonrpc":"2.0","id":${token},"method":"eth_getLogs","params":[]}`;

/** Answers in the orders that nodes and vendors use; `$ID` stands for our id. */
const shapes = [
  '{"jsonrpc":"2.0","id":$ID,"result":RESULT}',
  '{"id":$ID,"jsonrpc":"2.0","result":RESULT}',
  '{"jsonrpc":"2.0","result":RESULT,"id":$ID}',
  '{"result":RESULT,"id":$ID,"jsonrpc":"2.0"}',
  '{"jsonrpc":"2.0","id":$ID,"result":RESULT,"error":null}\n',
  '{"jsonrpc":"2.0","error":null,"id":$ID,"result":RESULT}',
  ' {\n  "jsonrpc" : "2.0",\n  "id" : $ID,\n  "result" : RESULT\n}\n',
  ' {\n  "jsonrpc" : "2.0",\n  "result" : RESULT,\n  "id" : $ID\n}\n',
];

const results = [
  '"0x1"',
  "null",
  "[]",
  '{"id":1,"error":"execution reverted","result":{"id":100000000}}',
  '"\\",\\"id\\":1}"',
  '"grüße, 世界"',
  '{"a":[{"b":"}"},{"id":7}]}',
];

/** The bytes split at the given places. */
function pieces(body: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.toSorted((a, b) => a - b), body.length];
  return at.slice(1).map((end, index) => body.subarray(at[index], end));
}

function play(call: ScriptedCall, body: Buffer, cuts: readonly number[], declares: boolean): void {
  call.handler.onHead({
    status: 200,
    sizeBytes: declares ? body.length : -1,
    retryAfter: undefined,
  });
  for (const piece of pieces(body, cuts)) {
    if (piece.length > 0) call.handler.onData(piece);
  }
  call.handler.onEnd();
}

function through(
  shape: string,
  result: string,
  token: string,
  cuts: (size: number) => number[],
  declares = true,
) {
  const w = world({ providers: ["a"], script: () => undefined });
  const reply = w.post(request(token));
  const call = w.upstreams[0]?.calls[0] as ScriptedCall;
  const text = shape.replace("RESULT", () => result);
  const body = Buffer.from(text.replace("$ID", String(call.id)));
  play(call, body, cuts(body.length), declares);
  return { reply, expected: text.replace("$ID", () => token) };
}

describe("an answer on its way to the client", () => {
  it("keeps every byte but the id, cut at every place into two", () => {
    for (const shape of shapes) {
      for (const result of results) {
        const { expected } = through(shape, result, "7", () => []);
        const length = Buffer.byteLength(expected) + 8;
        for (let cut = 0; cut <= length; cut++) {
          const { reply } = through(shape, result, "7", () => [cut]);
          expect(reply.text).toBe(expected);
          expect(reply.headers["content-length"]).toBe(String(reply.body.length));
        }
      }
    }
  });

  it("keeps every byte but the id when it streams, cut anywhere near its ends into three", () => {
    const big = `["${"x".repeat(BIG)}"]`;
    for (const shape of shapes) {
      for (let near = 0; near < 90; near += 3) {
        const { reply, expected } = through(shape, big, '"abc"', (size) => [near, size - near]);
        expect(reply.text === expected).toBe(true);
        expect(reply.headers["content-length"]).toBe(String(reply.body.length));
        expect(reply.isEnded).toBe(true);
      }
    }
  });

  it("streams without a length when the provider gives none", () => {
    for (const shape of shapes) {
      const { reply, expected } = through(
        shape,
        `"${"y".repeat(BIG)}"`,
        "1",
        (size) => Array.from({ length: Math.floor(size / 16_384) }, (_, index) => index * 16_384),
        false,
      );
      expect(reply.text === expected).toBe(true);
      expect(reply.headers["content-length"]).toBeUndefined();
    }
  });

  it("keeps ids of every size", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", minLength: 0, maxLength: 60 }),
        fc.constantFrom(...shapes),
        fc.constantFrom(...results),
        fc.array(fc.nat(150), { maxLength: 3 }),
        (text, shape, result, cuts) => {
          const token = JSON.stringify(text);
          const { reply, expected } = through(shape, result, token, (size) =>
            cuts.map((cut) => cut % (size + 1)),
          );
          expect(reply.text).toBe(expected);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['{"jsonrpc":"2.0","id":1,"result":1}', "another id"],
    ['{"jsonrpc":"2.0","id":$ID0,"result":1}', "a longer id"],
    ['{"jsonrpc":"2.0","id":"$ID","result":1}', "an id as string"],
    ['{"jsonrpc":"2.0","id":null,"result":1}', "a null id"],
    ['{"jsonrpc":"2.0","result":1}', "no id"],
    ['{"jsonrpc":"2.0","id":$ID}', "no result"],
    ['[{"jsonrpc":"2.0","id":$ID,"result":1}]', "an array"],
    ['{"jsonrpc":"2.0","id":$ID,"result":[1,}', "broken JSON"],
    ['{"jsonrpc":"2.0","id":$ID,"result":1} x', "bytes behind it"],
    ["", "nothing"],
  ])("refuses %s (%s)", (text) => {
    const w = world({ providers: ["a"], script: (c) => c.answer(text) });
    expect(w.post(request("1")).json.error.data.attempts[0].class).toBe("malformed");
  });

  it("cuts the client's connection when the stream breaks", () => {
    const w = world({ script: () => undefined });
    const reply = w.post(request("1"));
    const call = w.upstreams[0]?.calls[0] as ScriptedCall;
    call.handler.onHead({ status: 200, sizeBytes: 1_000_000, retryAfter: undefined });
    call.handler.onData(Buffer.from(`{"jsonrpc":"2.0","id":${call.id},"result":"`));
    call.handler.onData(Buffer.alloc(300_000, "x"));
    expect(reply.status).toBe(200);
    call.fail("reset");
    expect(reply.isDestroyed).toBe(true);
    expect(reply.isEnded).toBe(false);
    expect(w.upstreams[1]?.calls).toHaveLength(0);
    expect(w.reports[0]?.errorClass).toBe("malformed");
  });

  it("fails over while nothing has left", () => {
    const w = world();
    (w.upstreams[0] as { script: (c: ScriptedCall) => void }).script = (call) => {
      call.handler.onHead({ status: 200, sizeBytes: -1, retryAfter: undefined });
      call.handler.onData(
        Buffer.from(`{"jsonrpc":"2.0","id":${call.id},"result":"${"x".repeat(200_000)}`),
      );
      call.fail("reset");
    };
    expect(w.post(request("1")).json.result).toBe("0x1");
  });

  it("cuts the client when a streamed answer ends without our id", () => {
    const w = world({ script: () => undefined });
    const reply = w.post(request("1"));
    const call = w.upstreams[0]?.calls[0] as ScriptedCall;
    play(call, Buffer.from(`{"result":"${"x".repeat(BIG)}","id":5}`), [], true);
    expect(reply.isDestroyed).toBe(true);
  });

  it("pauses the provider while the client does not read", () => {
    const w = world({ script: () => undefined });
    const reply = w.post(request("1"));
    const call = w.upstreams[0]?.calls[0] as ScriptedCall;
    call.handler.onHead({ status: 200, sizeBytes: 2_000_000, retryAfter: undefined });
    expect(call.handler.onData(Buffer.from(`{"jsonrpc":"2.0","id":${call.id},"result":"`))).toBe(
      true,
    );
    reply.isFull = true;
    expect(call.handler.onData(Buffer.alloc(100_000, "x"))).toBe(false);
    call.isPaused = true;
    reply.isFull = false;
    reply.onDrain?.();
    expect(call.isPaused).toBe(false);
  });

  it("lets a stream run beyond the deadline as long as it moves", () => {
    const w = world({ script: () => undefined });
    const reply = w.post(request("1"));
    const call = w.upstreams[0]?.calls[0] as ScriptedCall;
    call.handler.onHead({ status: 200, sizeBytes: 2_000_000, retryAfter: undefined });
    call.handler.onData(Buffer.from(`{"jsonrpc":"2.0","id":${call.id},"result":"`));
    for (let step = 0; step < 5; step++) {
      w.advance(20_000);
      call.handler.onData(Buffer.from("x"));
    }
    expect(reply.isDestroyed).toBe(false);
    w.advance(61_000);
    expect(reply.isDestroyed).toBe(true);
  });

  it("refuses an answer over the limit", () => {
    const w = world({ script: () => undefined, limits: { maxResponseBytes: 1000 } });
    const reply = w.post(request("1"));
    w.upstreams[0]?.calls[0]?.handler.onHead({
      status: 200,
      sizeBytes: 1001,
      retryAfter: undefined,
    });
    expect(reply.json.error).toMatchObject({
      code: -32008,
      data: { reason: "response_too_large" },
    });
    expect(w.rows[0]?.dirty).toBe(false);
  });
});
