import { describe, expect, it } from "vitest";
import { headTracker, headTrackerKey } from "../../../actors/rpc/head-tracker.ts";
import { child, createVirtualNode, supervisor } from "../../../src/otp/index.ts";
import { BlockRing } from "../../../src/rpc/integrity/block-ring.ts";
import { chainConfig, chainState } from "../actors/kit.ts";

const BLOCK_MS = 12_000;

describe("the ring of blocks", () => {
  const ringAt = (tip: number): BlockRing => {
    const ring = new BlockRing();
    ring.advance(tip);
    return ring;
  };

  it("stays within 256 heights, whatever numbers it is told", () => {
    const ring = ringAt(1_000);
    for (let n = 0; n < 5_000; n++) ring.note("a", n, `h${n}`);
    ring.note("a", Number.MAX_SAFE_INTEGER, "far");
    ring.note("a", -1, "before");
    expect(ring.size).toBe(256);
    expect(ring.numberOf("h1064")).toBe(1_064);
    expect(ring.numberOf("h808")).toBe(-1);
    expect(ring.numberOf("far")).toBe(-1);
    for (let tip = 1_000; tip < 3_000; tip++) {
      ring.advance(tip);
      ring.note("a", tip, `x${tip}`);
    }
    expect(ring.size).toBeLessThanOrEqual(2 * 256);
  });

  it("knows nothing before the chain has a tip", () => {
    const ring = new BlockRing();
    ring.note("a", 5, "h");
    expect(ring.size).toBe(0);
  });

  it("contradicts nobody on the word of one other, nor near the tip, nor after many forks", () => {
    const ring = ringAt(100);
    ring.note("a", 50, "x");
    expect(ring.contradicts("z", 50, "y", BLOCK_MS)).toBe(false);
    ring.note("b", 50, "x");
    expect(ring.contradicts("z", 50, "y", BLOCK_MS)).toBe(true);
    // Its own word does not count for or against it.
    expect(ring.contradicts("b", 50, "y", BLOCK_MS)).toBe(false);
    ring.note("z", 50, "y");
    expect(ring.contradicts("z", 50, "y", BLOCK_MS)).toBe(true);
    expect(ring.contradicts("w", 50, "y", BLOCK_MS)).toBe(false);
    for (const provider of ["a", "b"]) ring.note(provider, 98, "x");
    expect(ring.contradicts("z", 98, "y", BLOCK_MS)).toBe(false);
    for (const provider of ["a", "b"]) ring.note(provider, 80, "x");
    expect(ring.contradicts("z", 80, "y", 100)).toBe(false);
    for (const hash of ["p", "q", "r"]) ring.note("a", 50, hash);
    expect(ring.contradicts("z", 50, "s", BLOCK_MS)).toBe(false);
  });

  it("is fed by pushed heads with their parents, and moved by the tip", async () => {
    const state = chainState(chainConfig(["a", "b"]));
    const node = createVirtualNode({ seed: 1 });
    const tracker = child(headTracker, { state }, { register: headTrackerKey("eth") });
    await node.start(supervisor("root", { children: [tracker] }));
    for (let number = 10; number <= 20; number++) {
      for (const provider of ["a", "b"]) {
        const parentHash = `h${number - 1}`;
        node.via(headTrackerKey("eth")).cast.head({
          provider,
          number,
          hash: `h${number}`,
          parentHash,
        });
        await node.advance(1);
      }
      await node.advance(BLOCK_MS);
    }
    expect(state.blocks.numberOf("h15")).toBe(15);
    expect(state.blocks.contradicts("c", 15, "other", BLOCK_MS)).toBe(true);
    expect(state.blocks.contradicts("c", 15, "h15", BLOCK_MS)).toBe(false);
  });
});

describe("a shadow's head", () => {
  it("is known but does not move the tip", async () => {
    const config = chainConfig(["a", "b"]);
    const [a, b] = config.providers;
    if (a === undefined || b === undefined) throw new Error("no provider");
    const state = chainState({ ...config, providers: [a, { ...b, shadow: { sample: 0 } }] });
    const node = createVirtualNode({ seed: 1 });
    const tracker = child(headTracker, { state }, { register: headTrackerKey("eth") });
    await node.start(supervisor("root", { children: [tracker] }));
    const { cast } = node.via(headTrackerKey("eth"));
    cast.polled({ provider: "a", number: 100, atMs: 0 });
    cast.polled({ provider: "b", number: 105, atMs: 0 });
    await node.advance(10);
    expect(state.head?.number).toBe(100);
    expect(state.rows("b").http.head).toBe(105);
  });
});
