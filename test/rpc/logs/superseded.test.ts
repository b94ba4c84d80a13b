import { describe, expect, it } from "vitest";
import { type BranchView, isSuperseded, stampOf } from "../../../src/rpc/logs/superseded.ts";
import { hashOf } from "./chain.ts";

const view = (branches: Readonly<Record<number, number>>, falls = 0): BranchView => ({
  falls,
  hashAt: (block) => {
    const branch = branches[block];
    return branch === undefined ? undefined : hashOf(block, branch);
  },
});
const mark = (block: number, branch = 0) => ({ block, hash: hashOf(block, branch).slice(2) });

describe("an answer to a part", () => {
  it("holds while its blocks are the chain's", () => {
    const chain = view({ 18: 0, 19: 0, 20: 0 });
    const stamp = stampOf(chain, 20);
    expect(isSuperseded(20, [mark(18), mark(20)], stamp, chain)).toBe(false);
    expect(isSuperseded(20, [mark(18)], stamp, view({ 21: 0 }))).toBe(false);
  });

  it("no longer holds once the tip has fallen", () => {
    const stamp = stampOf(view({ 20: 0 }), 20);
    expect(isSuperseded(20, [], stamp, view({ 20: 0 }, 1))).toBe(true);
  });

  it("no longer holds once its last block is another one", () => {
    const stamp = stampOf(view({ 20: 0 }), 20);
    expect(isSuperseded(20, [], stamp, view({ 20: 1 }))).toBe(true);
  });

  it("does not hold when a log of it belongs to another branch", () => {
    const chain = view({ 18: 1 });
    expect(isSuperseded(20, [mark(18)], stampOf(chain, 20), chain)).toBe(true);
  });

  it("is not doubted for the case of a hash, nor for blocks that nobody knows", () => {
    const chain = view({ 18: 0 });
    const upper = { block: 18, hash: hashOf(18).slice(2).toUpperCase() };
    expect(isSuperseded(20, [upper, mark(19, 3)], stampOf(chain, 20), chain)).toBe(false);
  });
});
