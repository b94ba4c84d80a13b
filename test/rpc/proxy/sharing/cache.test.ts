import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Script } from "../support.ts";
import { blockHash, cachingWorld, servedAs } from "./world.ts";

const hex = (number: number): string => `0x${number.toString(16)}`;
const call = (block: string): unknown[] => [{ to: "0xaB" }, block];

/** Answers with a number that grows, so that a repeated answer shows. */
const counting = (): Script => {
  let count = 0;
  return (c) => c.result(`"0x${(++count).toString(16)}"`);
};

describe("an answer that is kept", () => {
  it("is given again without an attempt, each client's own id in it", () => {
    const w = cachingWorld({ script: counting() });
    const params = call(hex(900));
    const first = w.ask("eth_call", params);
    expect([servedAs(first), first.json]).toEqual([
      "MISS",
      { jsonrpc: "2.0", id: 1, result: "0x1" },
    ]);
    const body =
      '{"id":"\\u0041x","params":[ {"to":"0xAB"} , "0x384" ],"method":"eth_call","jsonrpc":"2.0"}';
    const second = w.post(body);
    expect(servedAs(second)).toBe("HIT");
    expect(second.text).toBe('{"jsonrpc":"2.0","id":"\\u0041x","result":"0x1"}');
    expect(second.headers["x-paceline-provider"]).toBeUndefined();
    expect(w.attempts).toBe(1);
    expect(w.records.at(-1)).toMatchObject({ outcome: "ok", attemptCount: 0, method: "eth_call" });
  });

  it("is byte for byte what the provider sent, whatever its size and its order of members", () => {
    const texts = [
      '{ "result" : {"a":"é\\u00e9", "b" : [1 ,2]}, "id":$ID, "jsonrpc":"2.0" }',
      `{"jsonrpc":"2.0","id":$ID,"result":"0x${"ab".repeat(3_000)}"}`,
      `{"id":$ID,"jsonrpc":"2.0","result":"${"é".repeat(40_000)}"}\n`,
    ];
    for (const text of texts) {
      const w = cachingWorld({ script: (c) => c.answer(text) });
      const first = w.ask("eth_call", call(hex(900)));
      const second = w.ask("eth_call", call(hex(900)));
      expect([servedAs(first), servedAs(second)]).toEqual(["MISS", "HIT"]);
      expect(first.body.equals(Buffer.from(text.replace("$ID", "1")))).toBe(true);
      expect(second.body.equals(Buffer.from(text.replace("$ID", "2")))).toBe(true);
    }
  });

  it("stays as long as there is room once its block is final", () => {
    const w = cachingWorld({ script: counting() });
    w.ask("eth_call", call(hex(936)));
    w.nowMs += 86_400_000;
    expect(servedAs(w.ask("eth_call", call(hex(936))))).toBe("HIT");
  });

  it("of a newer block stays for two block times", () => {
    const w = cachingWorld({ script: counting() });
    w.ask("eth_call", call(hex(999)));
    w.nowMs += 23_999;
    expect(w.ask("eth_call", call(hex(999))).json.result).toBe("0x1");
    w.nowMs += 1;
    expect(w.ask("eth_call", call(hex(999))).json.result).toBe("0x2");
  });

  it("of the newest block stays two seconds after that block came, and not beyond it", () => {
    const w = cachingWorld({ script: counting() });
    w.nowMs += 1_500;
    expect(servedAs(w.ask("eth_gasPrice"))).toBe("MISS");
    w.nowMs += 499;
    expect(servedAs(w.ask("eth_gasPrice"))).toBe("HIT");
    w.nowMs += 1;
    expect(servedAs(w.ask("eth_gasPrice"))).toBe("MISS");
    // The block is older than that now: nothing said of it is kept.
    expect(servedAs(w.ask("eth_gasPrice"))).toBe("MISS");
    w.mine(1_001);
    expect(servedAs(w.ask("eth_gasPrice"))).toBe("MISS");
    expect(servedAs(w.ask("eth_gasPrice"))).toBe("HIT");
    w.mine(1_002);
    expect(servedAs(w.ask("eth_gasPrice"))).toBe("MISS");
  });

  it("that names its block itself is kept under that block", () => {
    const receipt = (number: number) =>
      JSON.stringify({ blockHash: blockHash(number), blockNumber: hex(number), status: "0x1" });
    const w = cachingWorld({
      script: (c) => c.result(receipt(Number((c.request.params as string[])[0]))),
    });
    for (const number of [500, 936, 990]) {
      w.ask("eth_getTransactionReceipt", [hex(number)]);
      expect(servedAs(w.ask("eth_getTransactionReceipt", [hex(number)]))).toBe("HIT");
    }
    for (const number of [1_001, 1_002]) {
      w.ask("eth_getTransactionReceipt", [hex(number)]);
      expect(servedAs(w.ask("eth_getTransactionReceipt", [hex(number)]))).toBe("MISS");
    }
  });

  it("may be a revert, when its block is fixed", () => {
    const w = cachingWorld({
      script: (c) => c.error(3, "execution reverted: s3cr3t", "0x08c379a0"),
    });
    const first = w.ask("eth_call", call(hex(900)));
    const second = w.ask("eth_call", call(hex(900)));
    expect(servedAs(second)).toBe("HIT");
    expect(second.json).toEqual({ ...first.json, id: 2 });
    expect(second.text).not.toContain("s3cr3t");
    expect(w.records.at(-1)?.outcome).toBe("error");
    w.ask("eth_call", call("latest"));
    expect(servedAs(w.ask("eth_call", call("latest")))).toBe("MISS");
  });

  it("may be null or empty where that is an answer", () => {
    const w = cachingWorld({
      script: (c) => c.result(c.request.method === "eth_getLogs" ? "[ ]" : "null"),
    });
    const filter = [{ fromBlock: hex(900), toBlock: hex(930) }];
    w.ask("eth_getLogs", filter);
    expect(servedAs(w.ask("eth_getLogs", filter))).toBe("HIT");
    w.ask("eth_getStorageAt", ["0x1", "0x0", hex(900)]);
    expect(servedAs(w.ask("eth_getStorageAt", ["0x1", "0x0", hex(900)]))).toBe("HIT");
  });

  it("that streams because it is large is kept all the same, up to 1 MiB", () => {
    const bytes = { value: 300 * 1024 };
    const w = cachingWorld({
      maxBytes: 20_000_000,
      script: (c) => {
        const piece = "x".repeat(50 * 1024);
        const pieces = Array.from({ length: Math.ceil(bytes.value / piece.length) }, () => piece);
        c.chunks(['{"jsonrpc":"2.0","id":$ID,"result":"', ...pieces, '"}']);
      },
    });
    const first = w.ask("eth_call", call(hex(900)));
    const second = w.ask("eth_call", call(hex(900)));
    expect(servedAs(second)).toBe("HIT");
    expect(second.text).toBe(first.text.replace('"id":1', '"id":2'));
    bytes.value = 1_100 * 1024;
    w.ask("eth_call", call(hex(901)));
    expect(servedAs(w.ask("eth_call", call(hex(901))))).toBe("MISS");
  });
});

describe("an answer that is not kept", () => {
  const isKept = (w: ReturnType<typeof cachingWorld>, method: string, params: unknown): boolean => {
    w.ask(method, params);
    return servedAs(w.ask(method, params)) === "HIT";
  };

  it.each(["null", "[]", " [ ] "])("is a lookup that found %s", (result) => {
    const w = cachingWorld({ script: (c) => c.result(result) });
    expect(isKept(w, "eth_getBlockByNumber", [hex(900), false])).toBe(false);
    expect(isKept(w, "eth_getBlockReceipts", [hex(900)])).toBe(false);
    expect(isKept(w, "eth_getTransactionByHash", [blockHash(1)])).toBe(false);
  });

  it("is an error", () => {
    const w = cachingWorld({ script: (c) => c.error(-32000, "header not found") });
    expect(isKept(w, "eth_call", call(hex(900)))).toBe(false);
    const invalid = cachingWorld({ script: (c) => c.error(-32602, "invalid argument") });
    expect(isKept(invalid, "eth_call", call(hex(900)))).toBe(false);
  });

  it("is of a pending, unknown or future block, or of a method that nobody listed", () => {
    const w = cachingWorld();
    expect(isKept(w, "eth_call", call("pending"))).toBe(false);
    expect(isKept(w, "eth_call", call(hex(1_001)))).toBe(false);
    expect(isKept(w, "eth_call", [{}, { blockHash: blockHash(1, "x") }])).toBe(false);
    expect(isKept(w, "eth_blockNumber", [])).toBe(false);
    expect(isKept(w, "eth_getBlob", [hex(900)])).toBe(false);
  });

  it("comes from a provider that is not in good standing, behind, or on another branch", () => {
    const behind = cachingWorld();
    for (const row of [...behind.rows, ...behind.wsRows]) row.head = 990;
    expect(isKept(behind, "eth_call", call(hex(990)))).toBe(true);
    expect(isKept(behind, "eth_call", call(hex(991)))).toBe(false);
    expect(isKept(behind, "eth_gasPrice", [])).toBe(false);
    const astray = cachingWorld();
    for (const row of [...astray.rows, ...astray.wsRows]) row.headHash = blockHash(1_000, "b");
    expect(isKept(astray, "eth_call", call(hex(990)))).toBe(false);
    expect(isKept(astray, "eth_call", call(hex(900)))).toBe(true);
    const barred = cachingWorld({
      script: (c) => {
        for (const row of [...barred.rows, ...barred.wsRows]) row.isUsable = false;
        c.result("1");
        for (const row of [...barred.rows, ...barred.wsRows]) row.isUsable = true;
      },
    });
    expect(isKept(barred, "eth_call", call(hex(900)))).toBe(false);
  });

  it("names a block that the chain contradicts", () => {
    const block = { hash: blockHash(990, "b"), number: hex(990) };
    const w = cachingWorld({ script: (c) => c.result(JSON.stringify(block)) });
    expect(isKept(w, "eth_getBlockByNumber", [hex(990), false])).toBe(false);
    expect(isKept(w, "eth_getBlockByHash", [block.hash, false])).toBe(false);
    expect(isKept(w, "eth_getBlockByNumber", [hex(800), false])).toBe(false);
  });

  it("was wanted from one provider, from several, or fresh", () => {
    const w = cachingWorld();
    const params = call(hex(900));
    w.ask("eth_call", params);
    expect(servedAs(w.ask("eth_call", params, "?no-cache=1"))).toBe("BYPASS");
    expect(servedAs(w.ask("eth_call", params, "?provider=a"))).toBe("MISS");
    expect(servedAs(w.ask("eth_call", params))).toBe("HIT");
    const other = call(hex(901));
    w.ask("eth_call", other, "?no-cache=1");
    expect(servedAs(w.ask("eth_call", other))).toBe("MISS");
  });

  it("is refused by a policy, or by the switch", () => {
    const policies = [{ methods: ["eth_c*"], finality: "finalized" as const, ttlMs: 0 }];
    const w = cachingWorld({ policies });
    expect(isKept(w, "eth_call", call(hex(900)))).toBe(false);
    expect(isKept(w, "eth_call", call(hex(999)))).toBe(true);
    expect(isKept(w, "eth_getCode", ["0x1", hex(900)])).toBe(true);
    expect(isKept(cachingWorld({ enabled: false }), "eth_call", call(hex(900)))).toBe(false);
  });
});

describe("after a reorg", () => {
  it("leaves nothing of the blocks that were replaced, and says so", () => {
    const w = cachingWorld({ script: counting() });
    w.ask("eth_call", call(hex(999)));
    w.ask("eth_call", call(hex(1_000)));
    w.ask("eth_call", call(hex(998)));
    w.mine(999, "b", "");
    w.mine(1_000, "b");
    expect(w.cache.size).toBe(1);
    expect(w.events.filter(({ name }) => name === "cache.invalidate")).toEqual([
      {
        name: "cache.invalidate",
        fields: { chain: "ethereum", blocks: 2, count: 2 },
      },
    ]);
    expect(servedAs(w.ask("eth_call", call(hex(998))))).toBe("HIT");
    expect(servedAs(w.ask("eth_call", call(hex(999))))).toBe("MISS");
  });

  it("keeps no answer that was on its way from the replaced block", () => {
    const w = cachingWorld({ script: () => undefined });
    const reply = w.ask("eth_call", call(hex(1_000)));
    w.mine(1_000, "b", "");
    w.upstreams[0]?.calls[0]?.result("1");
    expect(reply.json.result).toBe(1);
    expect(w.cache.size).toBe(0);
  });

  it("never serves an answer of a replaced block, whatever happens", () => {
    type Step =
      | { do: "ask"; method: number; back: number }
      | { do: "mine"; depth: number; length: number }
      | { do: "wait"; ms: number };
    const step: fc.Arbitrary<Step> = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          do: fc.constant("ask" as const),
          method: fc.nat(3),
          back: fc.integer({ min: -1, max: 5 }),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant("mine" as const),
          depth: fc.nat(4),
          length: fc.integer({ min: 1, max: 4 }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(15_000) }),
      },
    );
    let hits = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        // Every honest provider answers with the canonical hash of the block in question.
        const blocks = new Map<number, string>();
        let tip = 1_000;
        const branchOf = (number: number): string => blocks.get(number) ?? "";
        const w = cachingWorld({
          script: (c) => {
            const { method, params } = c.request;
            const asked = (params as unknown[]).at(-1);
            const number =
              method === "eth_getTransactionReceipt"
                ? Number((params as string[])[0])
                : asked === "latest" || asked === undefined
                  ? tip
                  : Number(asked);
            if (number > tip) c.result("null");
            else {
              const hash = blockHash(number, branchOf(number));
              c.result(
                JSON.stringify(
                  method === "eth_getTransactionReceipt"
                    ? { blockHash: hash, blockNumber: hex(number) }
                    : hash,
                ),
              );
            }
          },
        });
        const ask = ({ method, back }: { method: number; back: number }): void => {
          const number = tip - back;
          const reply =
            method === 0
              ? w.ask("eth_call", call(hex(number)))
              : method === 1
                ? w.ask("eth_getTransactionReceipt", [hex(number)])
                : method === 2
                  ? w.ask("eth_call", call("latest"))
                  : w.ask("eth_gasPrice");
          if (servedAs(reply) === "HIT") hits++;
          const { result } = reply.json;
          const wanted = method >= 2 ? tip : number;
          const truth = wanted > tip ? null : blockHash(wanted, branchOf(wanted));
          expect(result?.blockHash ?? result).toBe(truth);
        };
        let branches = 0;
        for (const one of steps) {
          if (one.do === "wait") w.nowMs += one.ms;
          else if (one.do === "mine") {
            const branch = one.depth === 0 ? branchOf(tip) : `b${++branches}-`;
            const from = tip - one.depth + 1;
            const below = branchOf(from - 1);
            for (let number = from; number < from + one.length; number++) {
              blocks.set(number, branch);
              w.mine(number, branch, number === from ? below : branch);
            }
            for (let number = from + one.length; number <= tip; number++) blocks.delete(number);
            tip = from + one.length - 1;
          } else for (let times = 0; times < 2; times++) ask(one);
        }
      }),
      { numRuns: 300 },
    );
    expect(hits).toBeGreaterThan(200);
  });
});

describe("the memory of answers", () => {
  it("stays within its bound, and tells when it is full", () => {
    const w = cachingWorld({ maxBytes: 50_000, script: (c) => c.result(`"${"x".repeat(500)}"`) });
    for (let number = 0; number < 300; number++) w.ask("eth_call", call(hex(number)));
    expect(w.cache.bytes).toBeLessThanOrEqual(50_000);
    expect(w.cache.size).toBeGreaterThan(30);
    w.advance(61_000);
    w.ask("eth_call", call(hex(0)));
    const [event] = w.events.filter(({ name }) => name === "cache.evict");
    expect(event?.fields).toMatchObject({ limit: 50_000 });
  });

  it("forgets what ran out of time without being asked for it", () => {
    const w = cachingWorld();
    for (let number = 940; number < 1_000; number++) w.ask("eth_call", call(hex(number)));
    expect(w.cache.size).toBe(60);
    w.nowMs += 30_000;
    w.ask("eth_call", call(hex(900)));
    expect(w.cache.size).toBe(1);
  });
});
