/** Where history begins, and what becomes of one that began with somebody who strayed. */
import { describe, expect, it } from "vitest";
import { followerLimits } from "../../../src/rpc/subscription/follower-limits.ts";
import { FakeClient, header, startChain } from "./chain-kit.ts";
import { Recorder, block, chain } from "./follower-kit.ts";

const real = chain("a", 100, 40);
const stray = chain("x", 60, 80);
const past = chain("a", 0, 100);
const at = (blocks: typeof real, number: number) => blocks.find((head) => head.number === number);

const opened = (voters = 3) => new Recorder({ voters, witnessMs: 10_000 }).watched();

describe("where history begins", () => {
  it("follows nobody who speaks first, but where most providers are", () => {
    const r = opened();
    r.head("stray", at(stray, 60));
    r.head("p1", at(real, 100));
    r.head("stray", at(stray, 61));
    expect(r.heads()).toEqual([]);
    r.head("p2", at(real, 100));
    r.head("p1", at(real, 101));
    r.head("stray", at(stray, 62));
    expect(r.events).toEqual(["head a100", "head a101"]);
  });

  it("does so wherever the stray one is: below, at the same height, a little or far above", () => {
    for (const number of [60, 99, 100, 101, 102, 139]) {
      const r = opened();
      r.head("stray", at(stray, number));
      for (const source of ["p1", "p2"]) r.head(source, at(real, 100));
      for (let n = 101; n < 120; n++) {
        const own = at(stray, number + 2 * (n - 100));
        if (own !== undefined) r.head("stray", own);
        for (const source of ["p1", "p2"]) r.head(source, at(real, n));
        r.wait(1_000);
      }
      expect(r.heads()).toEqual(real.slice(0, 20).map(({ hash }) => hash));
      expect(r.events.filter((event) => event.startsWith("gap"))).toEqual([]);
    }
  });

  it("takes two that are a few blocks apart for one chain once it knows the blocks between", () => {
    const r = opened();
    r.knows(real);
    r.head("p1", at(real, 100));
    r.head("stray", at(stray, 61));
    r.head("p2", at(real, 104));
    expect(r.heads()).toEqual([]);
    r.answer();
    expect(r.heads()).toEqual(["a100", "a101", "a102", "a103", "a104"]);
  });

  it("begins with the only provider there is at once, and waits a second for those that are silent", () => {
    const alone = opened(1);
    alone.head("p1", at(real, 100));
    expect(alone.heads()).toEqual(["a100"]);
    const r = opened(3);
    r.head("p1", at(real, 100));
    r.wait(750);
    expect(r.heads()).toEqual([]);
    r.head("p1", at(real, 101));
    r.wait(500);
    expect(r.heads()).toEqual(["a100", "a101"]);
  });

  it("lets an answer by no name decide between two providers", () => {
    for (const isStray of [true, false]) {
      const r = opened(2);
      r.head("p1", at(real, 100));
      r.head("stray", at(stray, 120));
      r.head("(anybody)", isStray ? at(stray, 120) : at(real, 100));
      r.wait(1_250);
      expect(r.heads()).toEqual([isStray ? "x120" : "a100"]);
    }
  });

  it("tells nobody of a block that was there when it was asked for", () => {
    const r = opened();
    for (const source of ["p1", "p2"]) r.follower.head(source, real[0]!, r.now, true);
    expect(r.follower.ring.tip?.sequence).toBe(0);
    r.head("p1", at(real, 101));
    expect(r.follower.ring.tip?.sequence).toBeGreaterThan(0);
  });
});

describe("a history that began with one that strayed", () => {
  it("is given up for what most say, without a loss, while nobody was told anything", () => {
    for (const number of [60, 100, 130]) {
      const r = opened();
      r.knows([...stray]);
      r.follower.head("stray", at(stray, number)!, r.now, true);
      r.wait(1_250);
      expect(r.follower.tip?.hash).toBe(`x${number}`);
      r.knows([...past, ...real]);
      for (const source of ["p1", "p2"]) r.follower.head(source, at(real, 100)!, r.now, true);
      r.answer();
      for (const source of ["p1", "p2"]) r.head(source, at(real, 101));
      r.answer();
      expect(r.heads().at(-1)).toBe("a101");
      expect(r.events.filter((event) => event.startsWith("gap"))).toEqual([]);
    }
  });

  it("is told no further while most are on a branch that does not meet it, and closed when none can", () => {
    const r = opened();
    r.head("stray", at(stray, 100));
    r.wait(1_250);
    r.head("stray", at(stray, 101));
    expect(r.heads()).toEqual(["x100", "x101"]);
    for (const source of ["p1", "p2"]) r.head(source, at(real, 100));
    r.head("stray", at(stray, 102));
    expect(r.heads()).toEqual(["x100", "x101"]);
    // Both are known further down than any reorganisation reaches, and do not meet.
    r.knows([...chain("x", 0, 100), ...past]);
    r.answer();
    expect(r.events.slice(2)).toEqual(["gap all 100-100", "head a100"]);
    r.head("stray", at(stray, 103));
    for (const source of ["p1", "p2"]) r.head(source, at(real, 101));
    expect(r.heads().slice(2)).toEqual(["a100", "a101"]);
  });

  it("is not given up for an honest reorganisation below where it began", () => {
    for (const depth of [1, 2, 8, 40]) {
      const r = opened();
      const fork = 130 - depth;
      const other = [block(`b${fork + 1}`, fork + 1, `a${fork}`), ...chain("b", fork + 2, depth)];
      r.knows([...past, ...real, ...other]);
      for (const source of ["p1", "p2", "p3"]) r.head(source, at(real, 129));
      for (const source of ["p1", "p2", "p3"]) r.head(source, at(real, 130));
      for (const source of ["p1", "p2", "p3"]) r.head(source, other.at(-1));
      r.answer();
      expect(r.heads().slice(2)).toEqual(other.map(({ hash }) => hash));
    }
  });

  it("is kept by most against one whose branch never meets it, however long it is remembered", () => {
    const r = opened();
    r.knows(chain("x", 0, 1_000));
    for (let n = 0; n < 300; n++) {
      for (const source of ["p1", "p2"]) r.head(source, chain("a", 100 + n, 1)[0]);
      if (n > 200) r.head("stray", chain("x", 100 + n, 1)[0]);
      r.answer();
      r.wait(1_000);
    }
    expect(r.heads().length).toBe(300);
    expect(r.events.filter((event) => event.startsWith("gap"))).toEqual([]);
  });
});

describe("a chain that nobody watches", () => {
  it("is followed where most providers are, not where somebody spoke last", () => {
    const r = new Recorder({ voters: 3 });
    for (const source of ["p1", "p2"]) r.head(source, at(real, 100));
    r.head("stray", at(stray, 120));
    expect(r.follower.tip?.hash).toBe("a100");
    for (const source of ["p1", "p2"]) r.head(source, at(real, 105));
    expect(r.follower.tip?.hash).toBe("a105");
  });

  it("is known well enough for a client when most have said lately that they are on it", () => {
    const r = new Recorder({ voters: 3 });
    const isBacked = () => r.follower.branches.whereabouts.isBacked(10_000, r.now);
    r.head("p1", at(real, 100));
    r.wait(1_250);
    expect(isBacked()).toBe(false);
    r.head("p2", at(real, 101));
    expect(isBacked()).toBe(true);
    r.wait(11_000);
    expect(isBacked()).toBe(false);
  });
});

describe("a client that subscribes first of all", () => {
  const heads = (name: string, from: number) =>
    Array.from({ length: 4 }, (_, i) =>
      header(`${name}${from + i}`, from + i, `${name}${from + i - 1}`),
    );

  /** A client that has asked, and what it was answered so far. */
  const subscribing = (node: Awaited<ReturnType<typeof startChain>>) => {
    const client = new FakeClient(1);
    const answers: unknown[] = [];
    void node
      .hub()
      .call.subscribe({ sink: client, kind: "newHeads", filter: undefined, resume: undefined })
      .then((answer) => answers.push(answer));
    return { client, answers };
  };

  it("is answered when most providers have said where they are, and sees their chain", async () => {
    const node = await startChain(3);
    const [ours, theirs] = [heads("a", 100), heads("x", 60)];
    node.newest(theirs[0]!);
    const { client, answers } = subscribing(node);
    await node.node.settle();
    const polled = (provider: string, block: { number: string }) =>
      node.hub().cast.polled({ provider, number: Number(block.number), block });
    node.socketOf("p3").event("newHeads", theirs[1]);
    polled("p3", theirs[1]!);
    polled("p1", ours[0]!);
    await node.node.settle();
    expect(answers).toEqual([]);
    polled("p2", ours[0]!);
    await node.node.settle();
    expect(answers.length).toBe(1);
    for (const [i, block] of ours.entries()) {
      node.socketOf("p3").event("newHeads", theirs[i]);
      if (i > 0)
        for (const provider of ["p1", "p2"]) node.socketOf(provider).event("newHeads", block);
    }
    await node.node.advance(15_000);
    expect(client.seen()).toEqual(["a101", "a102", "a103"]);
    expect(client.closed).toBeUndefined();
    await node.node.stop();
  });

  it("waits a second for providers that say nothing, and goes where an answer by no name is", async () => {
    const node = await startChain(3);
    node.newest(heads("a", 100)[0]!);
    const { answers } = subscribing(node);
    await node.node.advance(750);
    expect(answers).toEqual([]);
    await node.node.advance(500);
    expect(answers.length).toBe(1);
    await node.node.stop();
  });
});

describe("providers that decide where history begins", () => {
  it("are those that can be asked, or may be before long", async () => {
    const { state, node } = await startChain(5);
    const voters = () => followerLimits(state, node.nowMs()).voters;
    expect(voters()).toBe(5);
    state.rows("p1").http.unusableReason = "chain id not verified yet: no answer";
    expect(voters()).toBe(5);
    state.rows("p1").http.unusableReason = "wrong chain: 5 instead of 1";
    state.rows("p2").http.state = "open";
    state.rows("p3").http.suspect = true;
    expect(voters()).toBe(2);
    const [first, ...others] = state.config.providers;
    state.config = {
      ...state.config,
      providers: [first!, ...others.map((one) => ({ ...one, probe: false }))],
    };
    expect(voters()).toBe(0);
    await node.stop();
  });
});
