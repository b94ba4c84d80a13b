/** Epochs by time and by block. */
import { describe, expect, it } from "vitest";
import { epochAt } from "../../../src/pairing/lists/epoch.ts";

describe("an epoch", () => {
  it("by time is the same wherever the clock shows the same time", () => {
    const rule = { by: "time", epochMs: 300_000 } as const;
    const at = (wallMs: number) => epochAt(rule, { wallMs, head: undefined });
    expect(at(0)).toEqual({ number: 0, endsAtMs: 300_000 });
    expect(at(299_999)?.number).toBe(0);
    expect(at(300_000)).toEqual({ number: 1, endsAtMs: 600_000 });
  });

  it("by block begins with the block, and is unknown while no block is", () => {
    const rule = { by: "block", chain: "eth", blocks: 100 } as const;
    const at = (head: number | undefined) => epochAt(rule, { wallMs: 5, head });
    expect(at(undefined)).toBeUndefined();
    expect(at(-1)).toBeUndefined();
    expect(at(99)).toEqual({ number: 0, endsAtBlock: 100 });
    expect(at(100)).toEqual({ number: 1, endsAtBlock: 200 });
  });
});
