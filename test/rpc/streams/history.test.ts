import { describe, expect, it } from "vitest";
import { cursorText, parseCursor } from "../../../src/rpc/subscription/chain/history.ts";
import { Recorder, block, chain } from "./follower-kit.ts";

const live = () => {
  const r = new Recorder().watched().withLogs();
  r.follower.logs.sources.up("p1", r.now);
  r.wait(10_000);
  return r;
};

/** What a client at the cursor is to be sent. */
const missed = (r: Recorder, blockHash: string, logIndex?: number, isRemoved = false) => {
  const found = r.follower.missedSince({ blockHash, logIndex, isRemoved }, "logs");
  if (found === "ambiguous") return found;
  return (
    found && [
      ...found.retracted.map(({ block: { hash }, log }) => `-${hash}:${log.index}`),
      ...found.logs.map(({ block: { hash }, log }) => `+${hash}:${log.index}`),
    ]
  );
};

const missedHeads = (r: Recorder, blockHash: string) => {
  const cursor = { blockHash, logIndex: undefined, isRemoved: false };
  const found = r.follower.missedSince(cursor, "newHeads");
  return found === "ambiguous" ? found : found?.blocks.map(({ hash }) => hash);
};

describe("what a client has missed", () => {
  it("is every block since, and on a replaced branch every block from the fork on", () => {
    const r = new Recorder().watched();
    for (const head of chain("a", 1, 5)) r.head("p1", head);
    expect(missedHeads(r, "a3")).toEqual(["a4", "a5"]);
    expect(missedHeads(r, "a5")).toEqual([]);
    r.head("p1", block("b4", 4, "a3"));
    expect(missedHeads(r, "a5")).toEqual(["b4"]);
    expect(missedHeads(r, "nowhere")).toBeUndefined();
  });

  it("is every log after the cursor's", () => {
    const r = live();
    const [a1, a2] = chain("a", 1, 2);
    r.head("p1", a1);
    for (const index of [0, 1, 2]) r.log("a1", 1, index);
    r.head("p1", a2);
    r.log("a2", 2, 0);
    expect(missed(r, "a1", 0)).toEqual(["+a1:1", "+a1:2", "+a2:0"]);
    expect(missed(r, "a1", 2)).toEqual(["+a2:0"]);
    // A head comes before the logs of its block.
    expect(missed(r, "a1")).toEqual(["+a1:0", "+a1:1", "+a1:2", "+a2:0"]);
    expect(missed(r, "a1", 9)).toBeUndefined();
  });

  it("takes back what the client saw of a replaced block, and no more", () => {
    const r = live();
    const [a1, a2] = chain("a", 1, 2);
    r.head("p1", a1);
    r.log("a1", 1, 0);
    r.head("p1", a2);
    r.log("a2", 2, 0);
    r.log("a2", 2, 1);
    r.head("p1", block("b2", 2, "a1"));
    r.log("b2", 2, 0);
    expect(missed(r, "a2", 0)).toEqual(["-a2:0", "+b2:0"]);
    expect(missed(r, "a2", 1)).toEqual(["-a2:1", "-a2:0", "+b2:0"]);
    expect(missed(r, "a2")).toEqual(["+b2:0"]);
    // Retractions that the client has seen are not told again.
    expect(missed(r, "a2", 1, true)).toEqual(["-a2:0", "+b2:0"]);
    expect(missed(r, "a2", 0, true)).toEqual(["+b2:0"]);
    expect(missed(r, "a1", 0)).toEqual(["+b2:0"]);
  });

  it("is a late log of an older block as well", () => {
    const r = live();
    for (const head of chain("a", 1, 3)) {
      r.head("p1", head);
      r.log(head.hash, head.number, 0);
    }
    r.log("a1", 1, 1);
    expect(missed(r, "a3", 0)).toEqual(["+a1:1"]);
  });

  describe("while two branches replace each other again and again", () => {
    const [a1] = chain("a", 1, 1);
    const branches = { a: block("a2", 2, "a1"), b: block("b2", 2, "a1") };
    /** a2 has two logs, b2 one; `between` happens while a branch is the chain. */
    const flipped = (r: Recorder, flips: string, between: Record<number, () => void> = {}) => {
      r.head("p1", a1);
      r.log("a1", 1, 0);
      for (const [at, branch] of flips.split("").entries()) {
        r.head("p1", branches[branch as "a" | "b"]);
        if (at === 0) for (const index of [0, 1]) r.log("a2", 2, index);
        if (at === 1) r.log("b2", 2, 0);
        between[at]?.();
      }
      return r;
    };

    it("is the same after each time that it was told the cursor's event", () => {
      const r = flipped(live(), "abab");
      expect(missed(r, "a2", 1)).toEqual(["-a2:1", "-a2:0", "+b2:0"]);
      expect(missed(r, "a2", 1, true)).toEqual(["-a2:0", "+b2:0"]);
      expect(missed(r, "b2", 0)).toEqual([]);
      expect(missed(r, "a2")).toEqual(["+b2:0"]);
      const back = flipped(live(), "ababa");
      expect(missed(back, "b2", 0, true)).toEqual(["+a2:0", "+a2:1"]);
      expect(missed(back, "a2", 0)).toEqual(["+a2:1"]);
    });

    it("cannot be told when a late log came between two of those times", () => {
      const r = live();
      flipped(r, "abab", { 1: () => r.log("a1", 1, 1) });
      expect(missed(r, "a2", 1)).toBe("ambiguous");
      expect(missed(r, "a2")).toBe("ambiguous");
      // The first of b2 came before the late log, the second after it.
      expect(missed(r, "b2", 0)).toBe("ambiguous");
      expect(missed(r, "a1", 0)).toEqual(["+a1:1", "+b2:0"]);
    });

    it("takes back nothing that the client had been told is gone", () => {
      const r = live();
      // The late log comes while a2 has been taken back for the first time.
      flipped(r, "abab", { 1: () => r.log("a1", 1, 1) });
      expect(missed(r, "a1", 1)).toEqual([]);
    });

    it("is given up where one branch rose more often than is remembered", () => {
      const r = flipped(live(), "ab".repeat(40));
      expect(missed(r, "a2", 1)).toBe("ambiguous");
      expect(missed(r, "a1", 0)).toEqual(["+b2:0"]);
    });
  });

  it("is unknown where logs were not kept", () => {
    const r = new Recorder().watched();
    const [a1, a2] = chain("a", 1, 2);
    r.head("p1", a1);
    r.withLogs();
    r.head("p1", a2);
    expect(missed(r, "a1")).toBeUndefined();
    expect(missed(r, "a2")).toEqual([]);
  });

  it("is asked for with a text that reads as it was written", () => {
    const blockHash = `0x${"ab".repeat(32)}`;
    for (const cursor of [
      { blockHash, logIndex: undefined, isRemoved: false },
      { blockHash, logIndex: 0, isRemoved: false },
      { blockHash, logIndex: 17, isRemoved: true },
    ]) {
      expect(parseCursor(cursorText(cursor))).toEqual(cursor);
    }
    // The index may stand as the log has it.
    expect(parseCursor(`${blockHash}:0x1f`)).toMatchObject({ logIndex: 31 });
    const broken = ["", blockHash.slice(1), `${blockHash}:`, `${blockHash}:01`, `${blockHash}:-1`];
    for (const text of [...broken, `${blockHash}:removed`, 7, null]) {
      expect(parseCursor(text)).toBeUndefined();
    }
  });
});
