import { describe, expect, it } from "vitest";
import { needHeight } from "../../../src/rpc/subscription/chain/needs.ts";
import { Recorder, bare, block, bloomOf, chain, logBytes } from "./follower-kit.ts";

describe("the history of a chain", () => {
  it("sends a head once, whoever announces it how often", () => {
    const r = new Recorder();
    const [a, b] = chain("a", 1, 2);
    for (const source of ["p1", "p2", "p1"]) {
      r.head(source, a);
      r.head(source, b);
    }
    expect(r.heads()).toEqual(["a1", "a2"]);
  });

  it("fills a gap of exactly one block", () => {
    const r = new Recorder().watched();
    const blocks = chain("a", 1, 3);
    r.knows(blocks);
    r.head("p1", blocks[0]);
    r.head("p1", blocks[2]);
    r.answer();
    expect(r.heads()).toEqual(["a1", "a2", "a3"]);
  });

  it("fills a gap of max_backfill_blocks and announces a longer one as lost, with no hole before", () => {
    for (const gap of [10, 11]) {
      const r = new Recorder({ maxBackfillBlocks: 10 }).watched();
      const blocks = chain("a", 1, gap + 2);
      r.knows(blocks);
      r.head("p1", blocks[0]);
      r.head("p1", blocks.at(-1));
      r.answer();
      if (gap === 10) expect(r.heads().length).toBe(12);
      else expect(r.events).toEqual(["head a1", `gap all 2-${gap + 2}`, `head a${gap + 2}`]);
    }
  });

  it("asks at once for all that is missing when one answer shows that the providers are back", () => {
    const r = new Recorder({ backfillTimeoutMs: 600_000 }).watched();
    const blocks = chain("a", 1, 4);
    r.head("p1", blocks[0]);
    r.head("p1", blocks[3]);
    // Nobody answers for two minutes: the pauses between the questions have grown to one.
    for (let second = 0; second < 120; second += 1) {
      r.now += 1_000;
      r.answer();
    }
    r.knows(blocks);
    r.answer();
    expect(r.heads()).toEqual(["a1"]);
    r.follower.needs.add(needHeight(1), r.now);
    r.answer();
    expect(r.heads()).toEqual(["a1", "a2", "a3", "a4"]);
  });

  it("does not let out-of-order heads lower the cursor", () => {
    const r = new Recorder().watched();
    const blocks = chain("a", 1, 4);
    r.knows(blocks);
    for (const i of [0, 2, 1, 3]) r.head("p1", blocks[i]);
    r.answer();
    expect(r.heads()).toEqual(["a1", "a2", "a3", "a4"]);
  });

  it("ignores a laggard and a late loser of a fork", () => {
    const r = new Recorder().watched();
    const [a1, a2, a3] = chain("a", 1, 3);
    const b3 = block("b3", 3, "a2");
    for (const head of [a1, a2, a3]) r.head("p1", head);
    r.head("p2", a1);
    r.head("p2", a2);
    r.head("p2", b3);
    expect(r.heads()).toEqual(["a1", "a2", "a3"]);
  });

  it("follows a provider that replaces its own head, there and back again", () => {
    const r = new Recorder().watched();
    const [a1, a2] = chain("a", 1, 2);
    const b2 = block("b2", 2, "a1");
    for (const head of [a1, a2, b2, a2]) r.head("p1", head);
    expect(r.heads()).toEqual(["a1", "a2", "b2", "a2"]);
  });

  it("replaces its first block when that is reorganised away at once", () => {
    const r = new Recorder().watched();
    const before = block("a1", 1, "a0");
    r.knows([before]);
    r.head("p1", block("a2", 2, "a1"));
    r.head("p1", block("b2", 2, "a1"));
    r.answer();
    expect(r.heads()).toEqual(["a2", "b2"]);
  });

  it("is not moved by one provider that runs away from all others", () => {
    const r = new Recorder({ maxBackfillBlocks: 10 }).watched();
    const blocks = chain("a", 1, 5);
    r.knows(blocks);
    r.head("p1", blocks[0]);
    r.head("p2", blocks[0]);
    r.head("liar", block("x9999", 9_999, "x9998"));
    r.head("p1", blocks[1]);
    r.head("p2", blocks[3]);
    r.answer();
    expect(r.events).toContain("implausible liar 9999");
    expect(r.heads()).toEqual(["a1", "a2", "a3", "a4"]);
  });

  it("goes on with the others while a branch cannot be connected", () => {
    const r = new Recorder().watched();
    const blocks = chain("a", 1, 5);
    r.knows(blocks);
    r.head("p1", blocks[0]);
    r.head("liar", block("x7", 7, "x6"));
    r.wait(250);
    r.head("p1", blocks[2]);
    r.answer();
    r.head("p1", blocks[4]);
    r.answer();
    r.wait(60_000);
    expect(r.heads()).toEqual(["a1", "a2", "a3", "a4", "a5"]);
    expect(r.follower.state).toBe("racing");
  });

  it("announces a gap as lost when nobody can fill it in time", () => {
    const r = new Recorder({ backfillTimeoutMs: 5_000 }).watched();
    r.head("p1", block("a1", 1, "a0"));
    r.head("p1", block("a3", 3, "a2"));
    r.wait(6_000);
    expect(r.events).toEqual(["head a1", "gap all 2-3", "head a3"]);
  });

  it("looks a block up whose parent nobody knows: its header may be invented", () => {
    const r = new Recorder().watched();
    const blocks = chain("a", 1, 4);
    r.knows(blocks);
    r.head("p1", blocks[0]);
    r.head("p2", block("a2", 2, "x1"));
    r.head("p1", blocks[3]);
    for (let i = 0; i < 4; i++) {
      r.answer();
      r.wait(250);
    }
    expect(r.heads()).toEqual(["a1", "a2", "a3", "a4"]);
    expect(r.follower.needs.size).toBe(0);
  });

  it("looks a block up once although its parent stays unknown", () => {
    const r = new Recorder().watched();
    r.head("p1", block("a1", 1, "a0"));
    r.knows([block("b3", 3, "b2")]);
    r.head("p1", block("b3", 3, "b2"));
    let asked = 0;
    for (let i = 0; i < 20; i++) {
      for (const need of r.follower.needs.due(r.now)) {
        if (need.key === "block:b3") asked++;
        r.follower.blockAnswer(need, r.blocks.get(need.hash), r.now);
      }
      r.wait(250);
    }
    expect(asked).toBe(1);
  });

  it("asks nobody for blocks that nobody watches", () => {
    const r = new Recorder();
    r.head("p1", block("a1", 1, "a0"));
    r.head("p1", block("a9", 9, "a8"));
    expect(r.follower.needs.size).toBe(0);
    expect(r.heads()).toEqual(["a1", "a9"]);
  });

  it("keeps a bounded number of blocks, whatever providers invent", () => {
    const r = new Recorder().watched();
    r.head("p1", block("a1", 1, "a0"));
    for (let i = 0; i < 5_000; i++) r.head(`p${i % 3}`, block(`x${i}`, 1, `y${i}`));
    expect(r.follower.blockCount).toBeLessThan(700);
    for (const head of chain("a", 2, 600)) r.head("p1", head);
    expect(r.follower.blockCount).toBeLessThan(700);
  });
});

describe("the logs of a chain", () => {
  const live = () => {
    const r = new Recorder().watched().withLogs();
    r.follower.logs.sources.up("p1", r.now);
    r.follower.logs.sources.up("p2", r.now);
    r.wait(10_000);
    return r;
  };

  it("sends each log once and waits for the head if the log comes first", () => {
    const r = live();
    const [a1, a2] = chain("a", 1, 2);
    r.head("p1", bare(a1));
    r.log("a2", 2, 0);
    expect(r.logs()).toEqual([]);
    r.head("p1", a2);
    r.log("a2", 2, 0);
    r.log("a2", 2, 1);
    expect(r.logs()).toEqual(["+a2:0", "+a2:1"]);
  });

  it("takes back the logs of an orphaned block in reverse, before the new branch", () => {
    const r = live();
    const [a1, a2, a3] = chain("a", 1, 3);
    for (const head of [bare(a1), a2, a3]) r.head("p1", head);
    for (const [hash, number] of [
      ["a2", 2],
      ["a3", 3],
    ] as const) {
      r.log(hash, number, 0);
      r.log(hash, number, 1);
    }
    r.events.length = 0;
    r.knows([block("b3", 3, "b2"), block("b2", 2, "a1")]);
    r.log("b2", 2, 0);
    r.head("p1", block("b4", 4, "b3"));
    r.answer();
    expect(r.events).toEqual([
      "-a3:1",
      "-a3:0",
      "-a2:1",
      "-a2:0",
      "reorg 2 -> b4",
      "head b2",
      "head b3",
      "head b4",
      "+b2:0",
    ]);
  });

  it("shows the logs of a block again when the chain comes back to it", () => {
    const r = live();
    const [a1, a2] = chain("a", 1, 2);
    r.head("p1", bare(a1));
    r.head("p1", a2);
    r.log("a2", 2, 0);
    r.head("p1", block("b2", 2, "a1"));
    r.log("b2", 2, 0);
    r.head("p1", a2);
    expect(r.logs()).toEqual(["+a2:0", "-a2:0", "+b2:0", "-b2:0", "+a2:0"]);
  });

  it("asks again for the logs of a block that lost them while it was off the chain", () => {
    const r = live();
    const as = chain("a", 1, 140);
    const bs = [block("b2", 2, "a1"), ...chain("b", 3, 131)];
    r.knows([...as, ...bs]);
    for (const head of [bare(as[0]), as[1]]) r.head("p1", head);
    r.log("a2", 2, 0);
    r.wait(3_000);
    for (const head of bs) r.head("p2", head);
    expect(r.logs()).toEqual(["+a2:0", "-a2:0"]);
    r.hasLogs("a2", 1);
    for (const source of ["p1", "p2"]) for (const head of as.slice(2)) r.head(source, head);
    for (let i = 0; i < 4; i++) {
      r.answer();
      r.wait(250);
    }
    expect(r.logs()).toEqual(["+a2:0", "-a2:0", "+a2:0"]);
  });

  it("fetches the logs of filled blocks, and later ones wait their turn", () => {
    const r = live();
    const blocks = chain("a", 1, 4);
    r.knows(blocks);
    r.hasLogs("a1", 1);
    r.hasLogs("a2", 1);
    r.hasLogs("a3", 2);
    r.head("p1", blocks[0]);
    r.follower.logs.sourceDown("p1", r.now);
    r.follower.logs.sourceDown("p2", r.now);
    r.wait(1_000);
    r.follower.logs.sources.up("p1", r.now);
    r.hasLogs("a4", 1);
    r.log("a4", 4, 0);
    r.head("p1", blocks[3]);
    r.answer();
    r.answer();
    expect(r.logs()).toEqual(["+a1:0", "+a2:0", "+a3:0", "+a3:1", "+a4:0"]);
    expect(r.heads()).toEqual(["a1", "a2", "a3", "a4"]);
  });

  it("completes a block whose only source died half way through it", () => {
    const r = live();
    r.follower.logs.sourceDown("p2", r.now);
    const [a1, a2] = chain("a", 1, 2);
    r.knows([a1!, a2!]);
    r.hasLogs("a1", 1);
    r.hasLogs("a2", 3);
    r.head("p1", a1);
    r.head("p1", a2);
    r.log("a2", 2, 0);
    r.follower.logs.sourceDown("p1", r.now);
    r.answer();
    expect(r.logs()).toEqual(["+a1:0", "+a2:0", "+a2:1", "+a2:2"]);
  });

  it("holds logs that come first from a stream which came up after the block below was told", () => {
    const r = live();
    const [a1, a2] = chain("a", 1, 2);
    r.head("p1", a1);
    r.log("a1", 1, 0);
    r.follower.logs.sourceUp("p3", r.now);
    r.head("p3", a2);
    r.log("a2", 2, 0, "p3");
    expect(r.logs()).toEqual(["+a1:0"]);
    r.log("a1", 1, 1);
    r.head("p1", a2);
    expect(r.logs()).toEqual(["+a1:0", "+a1:1", "+a2:0"]);
    expect(r.follower.needs.size).toBe(0);
  });

  it("asks for the block below when nobody else tells what comes after it", () => {
    const r = live();
    const [a1, a2] = chain("a", 1, 2);
    r.hasLogs("a1", 2);
    r.hasLogs("a2", 1);
    r.head("p1", a1);
    r.log("a1", 1, 0);
    r.follower.logs.sourceUp("p3", r.now);
    r.head("p3", a2);
    r.log("a2", 2, 0, "p3");
    r.wait(500);
    r.answer();
    expect(r.logs()).toEqual(["+a1:0", "+a1:1", "+a2:0"]);
  });

  it("holds logs above a block whose bloom has some, and of which none came, until it is asked for", () => {
    const r = live();
    const [a1, a2] = chain("a", 1, 2);
    r.hasLogs("a1", 1);
    for (const head of [a1, a2]) for (const source of ["p1", "p2"]) r.head(source, head);
    r.log("a2", 2, 0);
    expect(r.logs()).toEqual([]);
    r.wait(500);
    r.answer();
    expect(r.logs()).toEqual(["+a1:0", "+a2:0"]);
  });

  it("asks for a block whose first log is missing although its time ran out behind another one", () => {
    const r = live();
    const [a1, a2] = chain("a", 1, 2);
    r.hasLogs("a2", 2);
    for (const head of [a1, a2]) for (const source of ["p1", "p2"]) r.head(source, head);
    r.log("a2", 2, 1);
    r.wait(5_000);
    r.answer();
    r.hasLogs("a1", 1);
    r.wait(5_000);
    r.answer();
    expect(r.logs()).toEqual(["+a1:0", "+a2:0", "+a2:1"]);
  });

  it("takes neither an answer nor another branch for the progress of a provider's stream", () => {
    const r = live();
    const [a1] = chain("a", 1, 1);
    r.head("p1", bare(a1));
    for (const head of [block("b2", 2, "a1"), block("b3", 3, "b2")]) {
      r.follower.head("p2", head, r.now, true);
      r.head(
        "p1",
        block(head.hash.replace("b", "c"), head.number, head.parentHash.replace("b", "c")),
      );
    }
    r.events.length = 0;
    const [b4] = chain("b", 4, 1);
    r.hasLogs("b2", 1);
    r.hasLogs("b3", 1);
    r.hasLogs("b4", 1);
    for (const source of ["p3", "p4"]) r.head(source, b4);
    r.wait(500);
    r.answer();
    expect(r.logs()).toEqual(["+b2:0", "+b3:0", "+b4:0"]);
  });

  it("lets logs go that wait for a block which all say has none, whatever its bloom", () => {
    const r = live();
    const [a1, a2, a3, a4] = chain("a", 1, 4);
    r.hasLogs("a1", 0);
    for (const head of [a1, a2]) r.head("p1", head);
    r.log("a2", 2, 0);
    for (let second = 0; second < 9; second++) {
      expect(r.logs()).toEqual([]);
      r.wait(1_000);
      r.answer();
    }
    r.wait(10_000);
    r.answer();
    expect(r.logs()).toEqual(["+a2:0"]);
    // Such a chain's blooms promise nothing any more.
    for (const head of [a3, a4]) r.head("p1", head);
    r.log("a4", 4, 0);
    expect(r.logs()).toEqual(["+a2:0", "+a4:0"]);
  });

  it("fetches a filled block in its place although a source is up again by now", () => {
    const r = live();
    r.follower.logs.sourceDown("p2", r.now);
    const blocks = chain("a", 1, 3);
    r.knows(blocks);
    for (const { hash } of blocks) r.hasLogs(hash, 1);
    r.head("p1", blocks[0]);
    r.log("a1", 1, 0);
    r.wait(5_000);
    r.follower.logs.sourceDown("p1", r.now);
    r.follower.logs.sources.up("p1", r.now);
    r.wait(5_000);
    r.log("a3", 3, 0);
    r.head("p1", blocks[2]);
    r.answer();
    expect(r.logs()).toEqual(["+a1:0", "+a2:0", "+a3:0"]);
  });

  it("completes recent blocks after a hole on our own side", () => {
    const r = live();
    const [a1] = chain("a", 1, 1);
    r.hasLogs("a1", 2);
    r.head("p1", a1);
    r.log("a1", 1, 0);
    r.follower.sourcesBroke(r.now);
    r.answer();
    expect(r.logs()).toEqual(["+a1:0", "+a1:1"]);
  });

  it("asks once when nothing came of a block whose bloom is not empty", () => {
    const r = live();
    const [a1] = chain("a", 1, 1);
    r.hasLogs("a1", 1);
    r.head("p1", a1);
    r.answer();
    expect(r.logs()).toEqual([]);
    r.wait(3_000);
    r.answer();
    expect(r.logs()).toEqual(["+a1:0"]);
    r.wait(10_000);
    expect(r.follower.needs.size).toBe(0);
  });

  it("trusts no empty answer about a block whose bloom is not empty", () => {
    const r = live();
    const [a1] = chain("a", 1, 1);
    r.follower.logs.sourceDown("p1", r.now);
    r.follower.logs.sourceDown("p2", r.now);
    r.head("p1", a1);
    r.answerLogs("a1", []);
    expect(r.follower.needs.size).toBe(1);
    r.hasLogs("a1", 1);
    r.wait(500);
    r.answer();
    expect(r.logs()).toEqual(["+a1:0"]);
  });

  it("asks once for a block of which its only stream told less than the bloom holds", () => {
    const r = live();
    r.follower.logs.sourceDown("p2", r.now);
    const [a1, a2] = chain("a", 1, 2);
    const bloom = bloomOf(`0x${"a".repeat(40)}`, `0x${"b".repeat(40)}`);
    r.head("p1", { ...a1!, bloom });
    r.log("a1", 1, 0);
    r.head("p1", a2);
    r.log("a2", 2, 0);
    r.hasLogs("a1", 2);
    r.wait(3_000);
    r.answer();
    expect(r.logs()).toEqual(["+a1:0", "+a2:0", "+a1:1"]);
    r.wait(10_000);
    expect(r.asked).toEqual(["logs:a1"]);
  });

  it("asks for it as well when another stream was there that has not told of the block, however old it is", () => {
    const r = live();
    const [a1, ...others] = chain("a", 1, 140);
    const bloom = bloomOf(`0x${"a".repeat(40)}`, `0x${"b".repeat(40)}`);
    r.head("p1", { ...a1!, bloom });
    r.log("a1", 1, 0);
    for (const head of others) r.head("p1", bare(head));
    r.hasLogs("a1", 2);
    r.wait(3_000);
    r.answer();
    expect(r.logs()).toEqual(["+a1:0", "+a1:1"]);
    expect(r.asked).toEqual(["logs:a1"]);
  });

  it("asks for a block that only its logs told of", () => {
    const r = live();
    const [a1, a2] = chain("a", 1, 2);
    r.knows([a2!]);
    r.head("p1", bare(a1));
    r.log("a2", 2, 0);
    r.wait(500);
    r.answer();
    expect(r.events).toEqual(["head a1", "head a2", "+a2:0"]);
  });

  it("tells log subscribers of the loss when too much waits, and nobody else", () => {
    const r = live();
    r.follower.logs.sourceDown("p1", r.now);
    r.follower.logs.sourceDown("p2", r.now);
    const [a1, a2] = chain("a", 1, 2);
    r.head("p1", a1);
    r.head("p1", a2);
    for (let i = 0; i < 10_001; i++) r.log("a2", 2, i);
    expect(r.events.filter((event) => event.startsWith("gap"))).toEqual(["gap logs 1-2 <2"]);
    expect(r.follower.state).toBe("racing");
  });

  it("owes its clients what is held back, however far the chain has grown meanwhile", () => {
    const r = new Recorder().watched().withLogs();
    const [a1, ...others] = chain("a", 1, 140);
    r.head("p1", a1);
    const answer = (hash: string, number: number) => {
      const need = r.follower.needs.get(`logs:${hash}`);
      const logs = [0, 1].map((index) => ({ index, bytes: logBytes(hash, number, index) }));
      if (need === undefined) throw new Error(`${hash} was not asked for`);
      r.follower.logsAnswer(need, { logs, isProven: true }, r.now);
    };
    for (const head of others.slice(0, 2)) r.head("p1", head);
    answer("a1", 1);
    answer("a3", 3);
    // The logs of a2 are awaited all the while.
    for (const head of others.slice(2)) r.head("p1", head);
    expect(r.logs()).toEqual(["+a1:0", "+a1:1"]);
    answer("a2", 2);
    expect(r.logs().slice(2)).toEqual(["+a2:0", "+a2:1", "+a3:0", "+a3:1"]);
  });

  it("keeps at most 50,000 logs, of blocks near the tip", () => {
    const r = live();
    for (const head of chain("a", 1, 300)) {
      r.head("p1", head);
      for (let i = 0; i < 400; i++) r.log(head.hash, head.number, i);
    }
    expect(r.follower.logs.stored).toBeLessThanOrEqual(50_000);
    expect(r.logs().length).toBe(120_000);
    expect(logBytes("a1", 1, 0).length).toBeGreaterThan(0);
  });

  it("does not ask for logs that it had and gave up for lack of room", () => {
    const r = live();
    for (const head of chain("a", 1, 100)) {
      r.head("p1", head);
      for (let i = 0; i < 1_000; i++) r.log(head.hash, head.number, i);
    }
    expect(r.follower.logs.stored).toBeLessThanOrEqual(50_000);
    r.wait(3_000);
    expect(r.follower.needs.size).toBe(0);
  });
});

describe("the order of logs", () => {
  const live = (): Recorder => {
    const r = new Recorder().watched().withLogs();
    for (const source of ["p1", "p2"]) r.follower.logs.sources.up(source, r.now);
    r.wait(10_000);
    return r;
  };

  it("waits for logs that are missing in front of one", () => {
    const r = live();
    const [a1, a2] = chain("a", 1, 2);
    r.head("p1", a1);
    for (const index of [0, 3, 1]) r.log("a1", 1, index);
    r.head("p1", a2);
    r.log("a2", 2, 0);
    expect(r.logs()).toEqual(["+a1:0"]);
    r.log("a1", 1, 2);
    expect(r.logs()).toEqual(["+a1:0", "+a1:1", "+a1:2", "+a1:3", "+a2:0"]);
  });

  it("asks for them when no source brings them", () => {
    const r = live();
    const [a1] = chain("a", 1, 1);
    r.hasLogs("a1", 4);
    r.head("p1", a1);
    r.log("a1", 1, 2);
    r.answer();
    expect(r.logs()).toEqual([]);
    r.wait(500);
    r.answer();
    expect(r.logs()).toEqual(["+a1:0", "+a1:1", "+a1:2", "+a1:3"]);
  });

  it("does not wait on a chain whose indices do not count", () => {
    const r = live();
    const [a1, a2] = chain("a", 1, 2);
    r.head("p1", a1);
    r.log("a1", 1, 5);
    r.wait(500);
    r.answerLogs("a1", [{ index: 5, bytes: logBytes("a1", 1, 5) }]);
    r.head("p1", a2);
    r.log("a2", 2, 7);
    expect(r.logs()).toEqual(["+a1:5", "+a2:7"]);
  });
});

describe("answers about logs", () => {
  it("are believed when the bloom proves them, and else when they are alike for a while", () => {
    const r = new Recorder().watched().withLogs();
    r.head("p1", chain("a", 1, 1)[0]);
    const answers: [number, boolean][] = [
      [1, false],
      [2, false],
      [2, false],
      [3, false],
      [3, false],
      [3, false],
      [3, false],
    ];
    for (const [count, isProven] of answers) {
      const logs = Array.from({ length: count }, (_, index) => ({
        index,
        bytes: logBytes("a1", 1, index),
      }));
      expect(r.logs()).toEqual([]);
      r.now += 1_000;
      for (const need of r.follower.needs.due(r.now)) {
        r.follower.logsAnswer(need, { logs, isProven }, r.now);
      }
    }
    expect(r.logs()).toEqual(["+a1:0", "+a1:1", "+a1:2"]);
  });

  it("are believed at once where blooms have been seen to hold what no log explains", () => {
    const r = new Recorder().watched().withLogs();
    const blocks = chain("a", 1, 4);
    for (const head of blocks) {
      r.head("p1", head);
      const logs = [{ index: 0, bytes: logBytes(head.hash, head.number, 0) }];
      const lasts = head.number === 4 ? 1 : 5;
      for (let i = 0; i < lasts; i++) {
        r.now += 1_000;
        for (const need of r.follower.needs.due(r.now)) {
          r.follower.logsAnswer(need, { logs, isProven: false }, r.now);
        }
      }
    }
    expect(r.logs()).toEqual(["+a1:0", "+a2:0", "+a3:0", "+a4:0"]);
  });

  it("are asked for although the bloom is empty, once the chain has been seen to write none", () => {
    const empty = `0x${"0".repeat(512)}`;
    const r = new Recorder().watched().withLogs();
    r.follower.logs.sources.up("p1", r.now);
    r.wait(10_000);
    const blocks = chain("a", 1, 3).map((head) => ({ ...head, bloom: empty }));
    r.head("p1", blocks[0]);
    r.wait(3_000);
    expect(r.follower.needs.size).toBe(0);
    r.head("p1", blocks[1]);
    r.log("a2", 2, 0);
    r.follower.logs.sourceDown("p1", r.now);
    r.hasLogs("a2", 1);
    r.hasLogs("a3", 1);
    r.answer();
    r.head("p1", blocks[2]);
    r.answer();
    expect(r.logs()).toEqual(["+a2:0", "+a3:0"]);
  });

  it("close nobody who came after the blocks they were lost of", () => {
    const r = new Recorder().watched().withLogs();
    r.head("p1", chain("a", 1, 1)[0]);
    for (const head of chain("a", 2, 300)) r.head("p1", head);
    const gaps = r.events.filter((event) => event.startsWith("gap logs"));
    expect(gaps[0]).toBe("gap logs 1-1 <1");
  });
});
