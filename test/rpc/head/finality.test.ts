import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headTracker, headTrackerKey } from "../../../actors/rpc/head-tracker.ts";
import { child, createVirtualNode, supervisor } from "../../../src/otp/index.ts";
import { finalizedNumber, safeNumber } from "../../../src/rpc/consistency/finality.ts";
import { FinalityPoll } from "../../../src/rpc/head/finality-poll.ts";
import { HeadHashes } from "../../../src/rpc/head/head-hashes.ts";
import { HeadTruth } from "../../../src/rpc/head/head-truth.ts";
import type { ChainState } from "../../../src/rpc/chain-state.ts";
import type { Upstream } from "../../../src/rpc/proxy/ports.ts";
import { chainConfig, chainState } from "../actors/kit.ts";

const at = (number: number) => ({ number, hash: undefined, atMs: 0, blockTimeMs: 12_000 });

describe("what counts as final", () => {
  it("is unknown while the head is", () => {
    const chain = chainState();
    expect([finalizedNumber(chain), safeNumber(chain)]).toEqual([-1, -1]);
  });

  it("is what providers name for the tag, never above the tip", () => {
    const chain = chainState();
    chain.head = { ...at(1_000), finalized: 930, safe: 960 };
    expect([finalizedNumber(chain), safeNumber(chain)]).toEqual([930, 960]);
    chain.head = { ...at(900), finalized: 930, safe: 960 };
    expect([finalizedNumber(chain), safeNumber(chain)]).toEqual([900, 900]);
  });

  it("lies 64 blocks below the tip without a tag, 1,024 on a chain nobody knows, or as configured", () => {
    const depthOf = (chain: ChainState): number => {
      chain.head = at(5_000);
      expect(safeNumber(chain)).toBe(finalizedNumber(chain));
      return 5_000 - finalizedNumber(chain);
    };
    expect(depthOf(chainState())).toBe(64);
    expect(depthOf(chainState({ ...chainConfig(), chainId: 999_999 }))).toBe(1_024);
    const configured = chainState(chainConfig(["a"], "    finality_depth: 7"));
    expect(depthOf(configured)).toBe(7);
    configured.head = at(3);
    expect(finalizedNumber(configured)).toBe(0);
  });
});

describe("the heights of the tags", () => {
  it("follow the second-highest word, so that one provider alone makes nothing final", () => {
    const poll = new FinalityPoll();
    expect(poll.next(["a", "b", "c"], 0)).toBe("a");
    expect(poll.told("a", "finalized", 9_999, 0)).toBe(false);
    expect(poll.heights.finalized).toBeUndefined();
    expect(poll.told("b", "finalized", 100, 1)).toBe(true);
    expect(poll.told("c", "finalized", 101, 2)).toBe(true);
    expect(poll.heights.finalized).toBe(101);
  });

  it("take the only provider's word where there is one only", () => {
    const poll = new FinalityPoll();
    poll.next(["a"], 0);
    poll.told("a", "safe", 50, 0);
    expect(poll.heights).toEqual({ safe: 50, finalized: undefined });
  });

  it("never fall, whatever is told", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.nat(1e6), fc.nat(3_600_000))),
        (words) => {
          const poll = new FinalityPoll();
          poll.next(["a", "b", "c"], 0);
          let last = -1;
          for (const [provider, number, nowMs] of words) {
            poll.told(provider, "finalized", number, nowMs);
            const served = poll.heights.finalized ?? -1;
            expect(served).toBeGreaterThanOrEqual(last);
            last = served;
          }
        },
      ),
    );
  });

  it("are asked of one provider at a time, in turn, and not of one that knows no tags", () => {
    const poll = new FinalityPoll();
    const all = ["a", "b", "c"];
    expect([0, 1_000, 2_000, 4_000].map((ms) => poll.next(all, ms))).toEqual([
      "a",
      undefined,
      "b",
      "c",
    ]);
    poll.ignorant("b", 4_000);
    poll.told("a", "finalized", 1, 4_000);
    poll.told("c", "finalized", 1, 4_000);
    const asked = Array.from({ length: 8 }, (_, i) => poll.next(all, 10_000 + i * 30_000));
    expect(asked).not.toContain("b");
    expect(asked).toContain("a");
    expect(poll.next(["b"], 604_000 + 30_000)).toBe("b");
  });
});

describe("the hashes of the tip", () => {
  it("are known for the heads that were served and their parents", () => {
    const hashes = new HeadHashes();
    const truth = new HeadTruth({ blockTimeMs: 1_000, hashes });
    const say = (number: number, hash: string, parentHash: string, atMs: number): void => {
      for (const provider of ["a", "b"]) {
        truth.report({ provider, number, hash, parentHash, atMs, source: "ws" });
      }
    };
    say(10, "h10", "h9", 0);
    say(11, "h11", "h10", 1_000);
    expect([8, 9, 10, 11, 12].map((n) => hashes.at(n))).toEqual([
      undefined,
      "h9",
      "h10",
      "h11",
      undefined,
    ]);
    say(11, "x11", "x10", 1_500);
    expect([hashes.at(10), hashes.at(11)]).toEqual(["x10", "x11"]);
  });

  it("end at the tip after it fell", () => {
    const hashes = new HeadHashes();
    for (let number = 0; number < 3_000; number++) hashes.set(number, `h${number}`);
    expect([hashes.at(1_975), hashes.at(1_976)]).toEqual([undefined, "h1976"]);
    hashes.cut(2_500);
    expect([hashes.at(2_500), hashes.at(2_501)]).toEqual(["h2500", undefined]);
  });

  it("count how often the tip fell, so that a remembered height can be told from a lost one", () => {
    const truth = new HeadTruth({ blockTimeMs: 1_000 });
    for (const n of [10, 11, 12]) {
      for (const provider of ["a", "b"]) {
        truth.report({ provider, number: n, hash: `h${n}`, atMs: n * 1_000, source: "ws" });
      }
    }
    expect(truth.head?.falls).toBe(0);
    for (const [i, provider] of ["a", "b", "a", "b"].entries()) {
      truth.report({ provider, number: 11, hash: "x11", atMs: 13_000 + i, source: "ws" });
    }
    expect(truth.head).toMatchObject({ number: 11, falls: 1 });
  });
});

/** Answers the tags at a distance below `head`, or not at all. */
const provider = (
  head: () => number,
  asked: string[],
  name: string,
  knowsTags = true,
): Upstream => ({
  transport: "http",
  send: (body, id, handler) => {
    const { params } = JSON.parse(body.toString()) as { params: [string] };
    asked.push(`${name}:${params[0]}`);
    const number = `0x${(head() - (params[0] === "safe" ? 32 : 64)).toString(16)}`;
    const answer = knowsTags
      ? { jsonrpc: "2.0", id, result: { number } }
      : { jsonrpc: "2.0", id, error: { code: -32602, message: "unknown block tag" } };
    queueMicrotask(() => {
      handler.onHead({ status: 200, sizeBytes: -1, retryAfter: undefined });
      handler.onData(Buffer.from(JSON.stringify(answer)));
      handler.onEnd();
    });
    return { abort: () => {}, resume: () => {} };
  },
});

describe("the head tracker", () => {
  it("asks for the tags and publishes what two providers agree on", async () => {
    const state = chainState(chainConfig(["a", "b", "c"]));
    const asked: string[] = [];
    let head = 1_000;
    for (const name of ["a", "b", "c"]) {
      const row = state.rows(name).http;
      row.isUsable = true;
      state.attach(
        row,
        provider(() => head, asked, name, name !== "c"),
      );
    }
    const node = createVirtualNode({ seed: 1 });
    const tracker = child(headTracker, { state }, { register: headTrackerKey("eth") });
    await node.start(supervisor("root", { children: [tracker] }));
    const push = (): void => {
      for (const name of ["a", "b", "c"]) {
        const pushed = { provider: name, number: head, hash: `h${head}`, parentHash: "p" };
        node.via(headTrackerKey("eth")).cast.head(pushed);
      }
    };
    push();
    await node.advance(8_000);
    expect(state.head).toMatchObject({ number: 1_000, safe: 968, finalized: 936 });
    expect(state.hashAt?.(1_000)).toBe("h1000");
    const before = asked.length;
    head = 1_100;
    push();
    await node.advance(120_000);
    expect(state.head).toMatchObject({ number: 1_100, finalized: 1_036 });
    // Two calls per half minute, however many providers there are, and none to who knows no tags.
    expect(asked.length - before).toBeLessThanOrEqual(10);
    expect(asked.slice(before).some((one) => one.startsWith("c:"))).toBe(false);
  });

  it("listens no more to a provider that a reload has removed", async () => {
    const state = chainState(chainConfig(["a", "b"]));
    const node = createVirtualNode({ seed: 1 });
    const tracker = child(headTracker, { state }, { register: headTrackerKey("eth") });
    await node.start(supervisor("root", { children: [tracker] }));
    const push = (provider: string, number: number): void => {
      const pushed = { provider, number, hash: `h${number}`, parentHash: "p" };
      node.via(headTrackerKey("eth")).cast.head(pushed);
    };
    push("a", 1_000);
    push("b", 1_000);
    await node.advance(10);
    state.config = chainConfig(["a"]);
    await node.advance(1_000);
    push("a", 1_001);
    await node.advance(10);
    expect(state.head?.number).toBe(1_001);
  });

  it("lets the tip not fall because it was restarted", async () => {
    const state = chainState(chainConfig(["a", "b"]));
    state.head = { ...at(1_000), falls: 2, finalized: 900 };
    const node = createVirtualNode({ seed: 1 });
    const tracker = child(headTracker, { state }, { register: headTrackerKey("eth") });
    await node.start(supervisor("root", { children: [tracker] }));
    const push = async (provider: string, number: number): Promise<number | undefined> => {
      const pushed = { provider, number, hash: `h${number}`, parentHash: "p" };
      node.via(headTrackerKey("eth")).cast.head(pushed);
      await node.advance(10);
      return state.head?.number;
    };
    expect(await push("b", 999)).toBe(1_000);
    expect(await push("a", 1_001)).toBe(1_000);
    expect(await push("b", 1_001)).toBe(1_001);
    expect(state.head?.falls).toBe(2);
  });
});
