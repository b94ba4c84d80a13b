import { describe, expect, it } from "vitest";
import { LagWatch } from "../../../src/rpc/subscription/delivery/lag-watch.ts";

const MAX_MS = 10_000;
const STEP_MS = 250;

/** A client that is sent `inBytes` and takes `outBytes` in each step; answers when it was found behind. */
const behindAfterMs = (
  inBytes: number,
  outBytes: (nowMs: number) => number,
  forMs = 60_000,
): number | undefined => {
  const watch = new LagWatch(MAX_MS);
  const sink = {
    id: 1,
    bufferedBytes: 0,
    sentBytes: 0,
    isOpen: true,
    sendFrame: () => {},
    close: () => {},
  };
  for (let nowMs = 0; nowMs <= forMs; nowMs += STEP_MS) {
    sink.bufferedBytes += inBytes;
    const taken = Math.min(sink.bufferedBytes, outBytes(nowMs));
    sink.bufferedBytes -= taken;
    sink.sentBytes += taken;
    if (watch.isBehind(sink, nowMs)) return nowMs;
  }
  return undefined;
};

describe("the watch over clients that lag", () => {
  it("finds a client that takes nothing, as soon as its oldest byte is too old", () => {
    expect(behindAfterMs(100, () => 0)).toBe(MAX_MS + STEP_MS);
  });

  it("finds a client that takes something, but ever less than it is sent", () => {
    expect(behindAfterMs(1_000, () => 100)).toBeLessThan(2 * MAX_MS);
  });

  it("leaves a client alone that never catches up but keeps up, a little late", () => {
    const stallMs = 3_000;
    expect(behindAfterMs(1_000, (nowMs) => (nowMs < stallMs ? 0 : 1_000))).toBeUndefined();
  });

  it("leaves a client alone that was stuck for less than the time allowed", () => {
    const isStuck = (nowMs: number): boolean => nowMs % 20_000 < 9_000;
    expect(behindAfterMs(10, (nowMs) => (isStuck(nowMs) ? 0 : 100_000))).toBeUndefined();
  });
});
