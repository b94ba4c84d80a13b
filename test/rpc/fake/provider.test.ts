import { describe, expect, it } from "vitest";
import { FakeChain } from "../../../src/rpc/fake/chain.ts";
import type { FaultProfile } from "../../../src/rpc/fake/faults.ts";
import { FakeProvider, type FakeReply } from "../../../src/rpc/fake/provider.ts";

const START_MS = 1_700_000_000_000;
const CALL = `{"jsonrpc":"2.0","id":7,"method":"eth_blockNumber"}`;

function provider(faults: FaultProfile = {}, id = "p", seed = 42, blockTimeMs = 1_000) {
  const chain = new FakeChain({ seed, chainId: 31_001, blockTimeMs, startMs: START_MS });
  return { chain, mind: new FakeProvider({ id, chain, faults, seed, startMs: START_MS }) };
}

function body(reply: FakeReply): any {
  if (reply.kind !== "body") throw new Error(reply.kind);
  return JSON.parse(reply.body);
}

describe("the fault model", () => {
  it("repeats itself for the same seed and differs between providers", () => {
    const faults: FaultProfile = {
      jitterMs: 50,
      ratios: { status500: 0.2, hang: 0.1, garbage: 0.1 },
    };
    const run = (id: string) => {
      const { mind } = provider(faults, id);
      return Array.from({ length: 200 }, (_, i) => mind.answerHttp(CALL, START_MS + i));
    };
    expect(run("a")).toEqual(run("a"));
    expect(run("a")).not.toEqual(run("b"));
  });

  it("strikes about as often as its ratios say", () => {
    const { mind } = provider({ ratios: { status500: 0.2, hang: 0.1 } });
    const replies = Array.from({ length: 5_000 }, () => mind.answerHttp(CALL, START_MS));
    const share = (pick: (r: FakeReply) => boolean) => replies.filter(pick).length / replies.length;
    expect(share((r) => r.kind === "hang")).toBeCloseTo(0.1, 1);
    expect(share((r) => r.kind === "body" && r.status === 500)).toBeCloseTo(0.2, 1);
  });

  it("limits the rate with a 429 and Retry-After, or with a code in a 200 body", () => {
    const limit = { requestsPerSec: 1, burst: 2, retryAfterSec: 3 };
    const spent = (style: "status" | "body429" | "body32005") => {
      const { mind } = provider({ rateLimit: { ...limit, style } });
      mind.answerHttp(CALL, START_MS);
      mind.answerHttp(CALL, START_MS);
      const refused = mind.answerHttp(CALL, START_MS);
      expect(body(mind.answerHttp(CALL, START_MS + 1_000)).result).toBeDefined();
      return refused;
    };
    expect(spent("status")).toMatchObject({ status: 429, retryAfterSec: 3 });
    expect(spent("body429")).toMatchObject({ status: 200 });
    expect(body(spent("body429"))).toMatchObject({ id: 7, error: { code: 429 } });
    expect(body(spent("body32005"))).toMatchObject({ error: { code: -32005 } });
  });

  it("is out on schedule, and only then", () => {
    const outage = {
      everyMs: 60_000,
      durationMs: 8_000,
      offsetMs: 20_000,
      style: "refuse",
    } as const;
    const { mind } = provider({ outage });
    const down = Array.from({ length: 120 }, (_, s) => mind.isRefusing(START_MS + s * 1_000));
    expect(down.filter(Boolean)).toHaveLength(16);
    expect(down.indexOf(true)).toBe(20);
    expect(mind.answerHttp(CALL, START_MS + 21_000).kind).toBe("reset");
    expect(mind.nextWakeMs(START_MS + 20_000)).toBeLessThanOrEqual(START_MS + 28_000);
  });

  it("truncates, drips, garbles and lies about its chain id on demand", () => {
    const cut = provider({ ratios: { truncate: 1 } }).mind.answerHttp(CALL, START_MS);
    expect(cut).toMatchObject({ cutAtBytes: expect.any(Number) });
    expect(provider({ ratios: { drip: 1 } }).mind.answerHttp(CALL, START_MS)).toMatchObject({
      dripMs: expect.any(Number),
    });
    expect(() =>
      body(provider({ ratios: { garbage: 1 } }).mind.answerHttp(CALL, START_MS)),
    ).toThrow();
    const liar = provider({ wrongChainId: 5 }).mind;
    const asked = CALL.replace("eth_blockNumber", "eth_chainId");
    expect(body(liar.answerHttp(asked, START_MS)).result).toBe("0x5");
  });

  it("lags by the blocks it is told to", () => {
    expect(provider({ lagBlocks: 3 }).mind.head(START_MS + 10_000)).toBe(10_007);
    expect(provider({ headDelayMs: 100 }).mind.head(START_MS + 10_050)).toBe(10_009);
  });
});

describe("the subscriptions of a fake provider", () => {
  const subscribe = (kind: string, filter?: unknown) =>
    JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: [kind, filter] });

  it("sends every head once, parent-linked or after a reorg at old heights, however late it looks", () => {
    for (const strideMs of [37, 1_000, 4_100]) {
      const { mind, chain } = provider({ headJitterMs: 300 });
      const session = mind.openSession(START_MS);
      const id = body(session.request(subscribe("newHeads"), START_MS)).result;
      const seen = new Set<string>();
      let reorgs = 0;
      let tip: any;
      for (let ms = 0; ms <= 200_000; ms += strideMs) {
        for (const frame of session.collect(START_MS + ms)) {
          const { params } = JSON.parse(frame);
          expect(params.subscription).toBe(id);
          expect(seen.has(params.result.hash)).toBe(false);
          if (tip !== undefined && params.result.parentHash !== tip.hash) {
            reorgs++;
            expect(Number(params.result.number)).toBeLessThanOrEqual(Number(tip.number));
            expect(
              seen.has(params.result.parentHash) || Number(params.result.number) <= 10_004,
            ).toBe(true);
          }
          seen.add(params.result.hash);
          tip = params.result;
        }
      }
      expect(reorgs).toBeGreaterThan(2);
      expect(Number(tip.number)).toBeGreaterThanOrEqual(
        10_000 + Math.floor((200_000 - strideMs) / 1000) - 1,
      );
      expect(chain.at(Number(tip.number), Number(tip.number))?.hash).toBe(tip.hash);
    }
  });

  it("retracts the logs of orphans in descending order before it sends the new branch", () => {
    const { mind } = provider();
    const session = mind.openSession(START_MS);
    session.request(subscribe("logs"), START_MS);
    const live: string[] = [];
    let removed = 0;
    for (let ms = 0; ms <= 200_000; ms += 1_000) {
      for (const frame of session.collect(START_MS + ms)) {
        const log = JSON.parse(frame).params.result;
        const key = `${log.blockHash}:${log.logIndex}`;
        if (log.removed === true) {
          removed++;
          expect(live.pop()).toBe(key);
        } else {
          expect(live).not.toContain(key);
          live.push(key);
        }
      }
    }
    expect(removed).toBeGreaterThan(0);
  });

  it("announces pending transactions once each, and the next blocks hold them", () => {
    const { mind, chain } = provider();
    const session = mind.openSession(START_MS);
    session.request(subscribe("newPendingTransactions"), START_MS);
    const hashes: string[] = [];
    for (let ms = 0; ms <= 20_000; ms += 130) {
      for (const frame of session.collect(START_MS + ms))
        hashes.push(JSON.parse(frame).params.result);
    }
    expect(new Set(hashes).size).toBe(hashes.length);
    const mined = new Set<string>();
    for (let n = 10_001; n <= 10_019; n++) {
      for (const t of chain.at(n, 10_019)?.transactions ?? []) mined.add(String(t["hash"]));
    }
    expect(hashes).toEqual(expect.arrayContaining([...mined]));
  });

  it("says nothing while it hangs and everything when it thaws", () => {
    const outage = { everyMs: 60_000, durationMs: 5_000, offsetMs: 2_500, style: "hang" } as const;
    const { mind } = provider({ outage });
    const session = mind.openSession(START_MS);
    session.request(subscribe("newHeads"), START_MS);
    expect(session.collect(START_MS + 2_400).length).toBeGreaterThanOrEqual(2);
    expect(session.collect(START_MS + 5_000)).toEqual([]);
    expect(mind.answerHttp(CALL, START_MS + 5_000).kind).toBe("hang");
    expect(session.collect(START_MS + 7_600).length).toBeGreaterThanOrEqual(5);
  });

  it("filters logs, answers false for an unknown unsubscribe and refuses an unknown kind", () => {
    const { mind, chain } = provider();
    const session = mind.openSession(START_MS);
    session.request(subscribe("logs", { address: chain.ledger.tokenB }), START_MS);
    const frames = session.collect(START_MS + 20_000);
    expect(frames.length).toBeGreaterThan(0);
    for (const f of frames) expect(JSON.parse(f).params.result.address).toBe(chain.ledger.tokenB);
    const off = `{"jsonrpc":"2.0","id":2,"method":"eth_unsubscribe","params":["0x1"]}`;
    expect(body(session.request(off, START_MS)).result).toBe(false);
    expect(body(session.request(subscribe("nonsense"), START_MS)).error.code).toBe(-32602);
  });
});
