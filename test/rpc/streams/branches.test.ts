import { describe, expect, it } from "vitest";
import { Recorder, block, chain } from "./follower-kit.ts";

const three = ["p1", "p2", "p3"];

describe("which branch is the chain", () => {
  it("believes the first who announces the next block, and the majority after that", () => {
    const r = new Recorder().watched();
    const [a1, a2] = chain("a", 1, 2);
    for (const source of three) r.head(source, a1);
    r.head("p3", block("x2", 2, "a1"));
    expect(r.heads()).toEqual(["a1", "x2"]);
    r.head("p1", a2);
    expect(r.heads()).toEqual(["a1", "x2"]);
    r.head("p2", a2);
    expect(r.heads()).toEqual(["a1", "x2", "a2"]);
    r.head("p3", block("x3", 3, "x2"));
    expect(r.heads()).toEqual(["a1", "x2", "a2"]);
  });

  it("is not led away by a lone provider however long its branch grows", () => {
    const r = new Recorder().watched();
    const [a1, a2, a3] = chain("a", 1, 3);
    for (const head of [a1, a2]) for (const source of ["p1", "p2", "liar"]) r.head(source, head);
    r.head("p1", a3);
    r.head("p2", a3);
    let parent = "a2";
    for (let n = 3; n < 40; n++) {
      r.head("liar", block(`x${n}`, n, parent));
      parent = `x${n}`;
    }
    expect(r.heads()).toEqual(["a1", "a2", "a3"]);
  });

  it("follows one provider alone when the others have said nothing for long", () => {
    const r = new Recorder({ witnessMs: 10_000 }).watched();
    const [a1, a2] = chain("a", 1, 2);
    for (const source of three) r.head(source, a1);
    for (const source of three) r.head(source, a2);
    const [b2, b3] = [block("b2", 2, "a1"), block("b3", 3, "b2")];
    r.head("p1", b2);
    r.head("p1", b3);
    expect(r.heads()).toEqual(["a1", "a2"]);
    r.wait(11_000);
    r.head("p1", block("b4", 4, "b3"));
    expect(r.heads()).toEqual(["a1", "a2", "b2", "b3", "b4"]);
  });

  it("does not go back to what providers said long ago", () => {
    const r = new Recorder({ witnessMs: 10_000 }).watched();
    const [a1, a2] = chain("a", 1, 2);
    for (const source of three) r.head(source, a1);
    for (const source of three) r.head(source, a2);
    r.wait(11_000);
    r.head("p1", block("b2", 2, "a1"));
    r.head("p1", block("b3", 3, "b2"));
    r.wait(30_000);
    expect(r.heads()).toEqual(["a1", "a2", "b2", "b3"]);
  });

  it("has those asked who stand against a higher branch", () => {
    const r = new Recorder().watched();
    const [a1, a2] = chain("a", 1, 2);
    for (const source of three) r.head(source, a1);
    for (const source of three) r.head(source, a2);
    r.head("p1", block("b2", 2, "a1"));
    r.head("p1", block("b3", 3, "b2"));
    r.wait(1_500);
    expect(r.events).toContain("contested p2,p3");
    // One of them, asked, is on the other branch by now.
    r.head("p2", block("b3", 3, "b2"));
    expect(r.heads()).toEqual(["a1", "a2", "b2", "b3"]);
  });

  it("does not sway while as many are for either branch of one height", () => {
    const r = new Recorder().watched();
    const [a1, a2] = chain("a", 1, 2);
    const b2 = block("b2", 2, "a1");
    for (const source of [...three, "p4"]) r.head(source, a1);
    r.head("p1", a2);
    r.head("p3", b2);
    r.head("p2", a2);
    r.head("p4", b2);
    for (let round = 0; round < 5; round++) {
      for (const source of ["p1", "p2"]) r.head(source, a2);
      for (const source of ["p3", "p4"]) r.head(source, b2);
      r.wait(1_000);
    }
    expect(r.heads()).toEqual(["a1", "a2"]);
    r.head("p3", block("b3", 3, "b2"));
    expect(r.heads()).toEqual(["a1", "a2", "b2", "b3"]);
  });

  it("holds blocks that nobody confirms against who invented them, and waits for a second voice then", () => {
    const r = new Recorder({ witnessMs: 10_000 }).watched();
    const blocks = chain("a", 1, 12);
    for (const source of ["p1", "p2", "liar"]) r.head(source, blocks[0]);
    for (let n = 2; n <= 4; n++) {
      r.head("liar", block(`x${n}`, n, `a${n - 1}`));
      for (const source of ["p1", "p2"]) r.head(source, blocks[n - 1]);
      r.wait(4_000);
    }
    for (let n = 5; n <= 7; n++) {
      for (const source of ["p1", "p2"]) r.head(source, blocks[n - 1]);
      r.wait(4_000);
    }
    const told = r.events.filter((event) => event.startsWith("outvoted"));
    expect(told).toEqual(["outvoted liar x2", "outvoted liar x3", "outvoted liar x4 lost"]);
    r.head("liar", block("x8", 8, "a7"));
    expect(r.heads().at(-1)).toBe("a7");
    r.head("p1", blocks[7]);
    expect(r.heads().at(-1)).toBe("a8");
    // What somebody else says as well is as good as before.
    r.head("liar", blocks[8]);
    r.head("p2", blocks[8]);
    expect(r.heads().at(-1)).toBe("a9");
  });

  it("holds nothing against a provider that saw a block which the chain itself gave up", () => {
    const r = new Recorder({ witnessMs: 10_000 }).watched();
    const [a1, a2] = chain("a", 1, 2);
    for (const source of three) r.head(source, a1);
    r.head("p1", block("b2", 2, "a1"));
    for (const source of ["p2", "p3", "p1"]) r.head(source, a2);
    r.wait(9_000);
    for (const source of three) r.head(source, block("a3", 3, "a2"));
    r.wait(3_000);
    expect(r.events.filter((event) => event.startsWith("outvoted"))).toEqual([]);
  });

  it("takes no block whose height does not fit on its parent", () => {
    const r = new Recorder().watched();
    const [a1, a2] = chain("a", 1, 2);
    r.head("p1", a1);
    r.head("p2", a1);
    r.head("liar", block("a2", 7, "a1"));
    expect(r.heads()).toEqual(["a1"]);
    r.head("p1", a2);
    r.head("p2", block("a3", 3, "a2"));
    expect(r.heads()).toEqual(["a1", "a2", "a3"]);
  });

  it("takes the story about a block that fits on the chain, whoever told another one first", () => {
    const r = new Recorder().watched();
    const [a1, a2] = chain("a", 1, 2);
    r.head("p1", a1);
    r.head("liar", block("a2", 2, "nowhere"));
    r.head("p1", a2);
    r.answer();
    expect(r.heads()).toEqual(["a1", "a2"]);
  });

  it("shows a reorganisation of every depth from 1 to 64, and the way back", () => {
    for (let depth = 1; depth <= 64; depth++) {
      const r = new Recorder().watched();
      const old = chain("a", 1, 70);
      const fork = 70 - depth;
      const other = chain("b", fork + 1, depth + 1).map((head, i) =>
        i === 0 ? block(head.hash, head.number, `a${fork}`) : head,
      );
      const back = chain("a", 71, 2);
      r.knows([...old, ...other, ...back]);
      for (const head of old) for (const source of three) r.head(source, head);
      r.events.length = 0;
      for (const source of three) r.head(source, other.at(-1));
      r.answer();
      expect(r.heads()).toEqual(other.map(({ hash }) => hash));
      r.events.length = 0;
      for (const source of three) r.head(source, back.at(-1));
      r.answer();
      expect(r.heads()).toEqual([...old.slice(fork), ...back].map(({ hash }) => hash));
    }
  });

  it("asks for a deep reorganisation in few rounds", () => {
    const r = new Recorder().watched();
    const old = chain("a", 1, 70);
    const other = [block("b7", 7, "a6"), ...chain("b", 8, 65)];
    r.knows([...old, ...other]);
    for (const head of old) r.head("p1", head);
    r.head("p1", other.at(-1));
    let rounds = 0;
    while (r.heads().at(-1) !== "b72" && rounds < 30) {
      rounds++;
      r.answerRound();
    }
    expect(rounds).toBeLessThanOrEqual(15);
  });
});
