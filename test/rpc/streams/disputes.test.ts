import { describe, expect, it } from "vitest";
import { headerHash } from "../../../src/rpc/integrity/proof/header.ts";
import type { Head } from "../../../src/rpc/subscription/chain/block.ts";
import { sumsOf } from "../../../src/rpc/subscription/logs/block-logs.ts";
import { Recorder, block, chain, logBytes } from "./follower-kit.ts";

const EMPTY = `0x${"0".repeat(512)}`;
const SEED = 5;

/** Log data by index. */
type Told = Readonly<Record<number, string>>;

/** Three streams, of which `p3` lies, and three blocks. */
const three = () => {
  const r = new Recorder().watched().withLogs();
  for (const source of ["p1", "p2", "p3"]) r.follower.logs.sources.up(source, r.now);
  r.wait(10_000);
  const blocks = chain("a", 1, 3);
  r.knows(blocks);
  for (const head of blocks) r.hasLogs(head.hash, 2);
  return { r, blocks };
};

/** The streams have told this of a block. */
const dispute = (r: Recorder, hash: string, told: Readonly<Record<string, Told>>) => {
  const of = { hash, seed: SEED, isRead: true, tellings: [] };
  const tellings = Object.entries(told).map(([provider, logs]) => {
    const answer = Object.entries(logs).map(([index, data]) => ({
      index: Number(index),
      bytes: logBytes(hash, 0, Number(index), data),
    }));
    return { provider, ...sumsOf(of, answer) };
  });
  r.follower.disputed({ ...of, tellings }, r.now);
};

const truth: Told = { 0: "0x", 1: "0x" };

describe("a log that a block does not have", () => {
  it("is taken back once when the answer is what most streams told, and held against its teller", () => {
    const { r, blocks } = three();
    r.head("p1", blocks[0]);
    for (const index of [0, 1]) r.log("a1", 1, index);
    r.log("a1", 1, 2, "p3");
    r.wait(2_000);
    dispute(r, "a1", { p1: truth, p2: truth, p3: { ...truth, 2: "0x" } });
    r.answer();
    expect(r.logs()).toEqual(["+a1:0", "+a1:1", "+a1:2", "-a1:2"]);
    expect(r.events.at(-1)).toBe("liars p3");
    expect(r.asked).toEqual(["logs:a1"]);
  });

  it("is forgotten with its block when history begins anew", () => {
    const { r, blocks } = three();
    r.head("p1", blocks[0]);
    r.log("a1", 1, 0);
    dispute(r, "a1", { p1: truth, p2: truth, p3: { ...truth, 2: "0x" } });
    expect(r.follower.logs.disputed).toBe(1);
    r.follower.isWatched = false;
    for (const source of ["p1", "p2", "p3"]) r.head(source, block("z900", 900, "z899"));
    expect(r.follower.tip?.hash).toBe("z900");
    expect(r.follower.logs.disputed).toBe(0);
  });

  it("is not taken back or told again when its block goes and comes back", () => {
    const { r, blocks } = three();
    r.head("p1", blocks[0]);
    for (const index of [0, 1]) r.log("a1", 1, index);
    r.head("p1", blocks[1]);
    for (const index of [0, 1, 2]) r.log("a2", 2, index, "p3");
    dispute(r, "a2", { p1: truth, p2: truth, p3: { ...truth, 2: "0x" } });
    r.answer();
    r.events.length = 0;
    r.head("p1", block("b2", 2, "a1"));
    r.head("p1", blocks[1]);
    r.log("a2", 2, 2, "p3");
    expect(r.logs()).toEqual(["-a2:1", "-a2:0", "+a2:0", "+a2:1"]);
  });

  it("takes two providers to be found out when the streams are at odds in more ways", () => {
    const { r, blocks } = three();
    r.head("p1", blocks[0]);
    for (const index of [0, 1]) r.log("a1", 1, index);
    r.log("a1", 1, 2, "p3");
    dispute(r, "a1", { p1: truth, p2: { 0: "0x" }, p3: { ...truth, 2: "0x" } });
    r.wait(3_000);
    r.answer();
    expect(r.asked).toEqual(["logs:a1", "agreed:a1"]);
    expect(r.logs()).toEqual(["+a1:0", "+a1:1", "+a1:2", "-a1:2"]);
  });

  it("gives way to the true one in its place", () => {
    const { r, blocks } = three();
    r.head("p1", blocks[0]);
    r.log("a1", 1, 0);
    r.log("a1", 1, 1, "p3", "0xff");
    dispute(r, "a1", { p1: truth, p2: truth, p3: { 0: "0x", 1: "0xff" } });
    r.answer();
    expect(r.logs()).toEqual(["+a1:0", "+a1:1", "-a1:1", "+a1:1"]);
    const logs = r.follower.ring.get("a1")?.logs.map(({ bytes }) => bytes.toString());
    expect(logs?.at(-1)).toBe(logBytes("a1", 1, 1).toString());
  });

  it("is held against a provider that told it after another one had told the truth", () => {
    const { r, blocks } = three();
    r.head("p1", blocks[0]);
    for (const index of [0, 1]) r.log("a1", 1, index);
    dispute(r, "a1", { p1: truth, p2: truth, p3: { 0: "0x", 1: "0xff" } });
    r.answer();
    expect(r.logs()).toEqual(["+a1:0", "+a1:1"]);
    expect(r.events.at(-1)).toBe("liars p3");
  });

  it("is held against nobody who only missed one", () => {
    const { r, blocks } = three();
    r.head("p1", blocks[0]);
    for (const index of [0, 1]) r.log("a1", 1, index);
    dispute(r, "a1", { p1: truth, p2: truth, p3: { 0: "0x" } });
    r.answer();
    expect(r.events.filter((event) => event.startsWith("liars"))).toEqual([]);
  });

  it("is not sent at all when a provider that was asked for its block lacks it", () => {
    const { r, blocks } = three();
    r.hasLogs("a1", 1);
    r.head("p1", blocks[0]);
    // A log is missing before it, so the block is asked for.
    r.log("a1", 1, 5, "p3");
    r.wait(500);
    r.answer();
    expect(r.logs()).toEqual(["+a1:0"]);
    r.wait(3_000);
    r.answer();
    expect(r.logs()).toEqual(["+a1:0"]);
    expect(r.events.at(-1)).toBe("liars p3");
  });

  it("stays while no two providers agree, for else one liar more could take true logs back", () => {
    const { r, blocks } = three();
    r.areAgreed = false;
    r.head("p1", blocks[0]);
    for (const index of [0, 1, 2]) r.log("a1", 1, index, "p3");
    dispute(r, "a1", { p1: truth, p3: { ...truth, 2: "0x" } });
    for (let second = 0; second < 60; second++) {
      r.wait(1_000);
      r.answer();
    }
    expect(r.logs()).toEqual(["+a1:0", "+a1:1", "+a1:2"]);
    expect(r.follower.needs.size).toBe(0);
  });

  it("is found out after a process has died that may have known of it", () => {
    const { r, blocks } = three();
    r.head("p1", blocks[0]);
    for (const index of [0, 1, 2]) r.log("a1", 1, index, "p3");
    r.wait(3_000);
    r.follower.logs.recheck(r.now);
    r.answer();
    expect(r.logs()).toEqual(["+a1:0", "+a1:1", "+a1:2", "-a1:2"]);
  });
});

describe("a log of a block whose bloom is empty", () => {
  const bare = (heads: readonly Head[]) => {
    const { r } = three();
    r.head("p1", block("a1", 1, "a0"));
    for (const index of [0, 1]) r.log("a1", 1, index);
    r.head("p2", block("a1", 1, "a0"));
    r.wait(2_500);
    r.events.length = 0;
    r.knows(heads);
    return r;
  };
  const empty = { ...block("a2", 2, "a1"), bloom: EMPTY };

  it.for(["after", "before"])(
    "is not sent when it comes %s the header and nobody has it",
    ([when]) => {
      const r = bare([empty]);
      r.hasLogs("a2", 0);
      if (when === "before") r.log("a2", 2, 0, "p3");
      r.head("p1", empty);
      r.log("a2", 2, 0, "p3");
      r.wait(500);
      for (const need of r.follower.needs.due(r.now)) {
        r.follower.logsAnswer(need, { logs: [], isProven: true }, r.now);
      }
      r.wait(3_000);
      for (const need of r.follower.needs.due(r.now)) {
        expect(need.kind).toBe("agreedLogs");
        r.follower.logsAnswer(need, { logs: [], isProven: true }, r.now);
      }
      expect(r.logs()).toEqual([]);
      expect(r.events.at(-1)).toBe("liars p3");
    },
  );

  it("is sent when two providers have it, for some logs are in no bloom", () => {
    const r = bare([empty]);
    r.hasLogs("a2", 1);
    r.head("p1", empty);
    r.log("a2", 2, 0);
    expect(r.logs()).toEqual([]);
    r.wait(3_000);
    r.answer();
    expect(r.logs()).toEqual(["+a2:0"]);
  });

  it("is false where only one provider can be asked, when the header's hash vouches for the bloom", () => {
    const zero = `0x${"0".repeat(64)}`;
    const fields = {
      parentHash: `0x${"1".repeat(64)}`,
      sha3Uncles: zero,
      miner: `0x${"2".repeat(40)}`,
      stateRoot: zero,
      transactionsRoot: zero,
      receiptsRoot: zero,
      logsBloom: EMPTY,
      difficulty: "0x0",
      number: "0x2",
      gasLimit: "0x1",
      gasUsed: "0x0",
      timestamp: "0x1",
      extraData: "0x",
      mixHash: zero,
      nonce: "0x0000000000000000",
    };
    for (const isTrue of [true, false]) {
      const hash = headerHash(isTrue ? fields : { ...fields, gasUsed: "0x7" })!;
      const bytes = Buffer.from(JSON.stringify({ ...fields, hash }));
      const head = { hash, number: 2, parentHash: "a1", bloom: EMPTY, bytes };
      const r = bare([head]);
      r.hasLogs(hash, 0);
      r.head("p1", head);
      const log = { address: fields.miner, topics: [], blockHash: hash, logIndex: "0x0" };
      r.follower.log("p3", { hash, number: 2, index: 0 }, r.now, () =>
        Buffer.from(JSON.stringify(log)),
      );
      for (let second = 0; second < 60; second++) {
        r.wait(1_000);
        for (const need of r.follower.needs.due(r.now)) {
          const answer = need.kind === "logs" ? { logs: [], isProven: true } : undefined;
          r.follower.logsAnswer(need, answer, r.now);
        }
      }
      expect(r.logs()).toEqual(isTrue ? [] : [`+${hash}:0`]);
    }
  });
});

describe("a client that comes back after a lie", () => {
  const lied = (data: string) => {
    const { r, blocks } = three();
    r.head("p1", blocks[0]);
    r.log("a1", 1, 0);
    const index = data === "0x" ? 2 : 1;
    r.log("a1", 1, 1, index === 1 ? "p3" : "p1", data);
    if (index === 2) r.log("a1", 1, 2, "p3");
    dispute(r, "a1", { p1: truth, p2: truth, p3: { ...truth, [index]: data } });
    r.answer();
    const at = (logIndex: number, isRemoved = false) => {
      const cursor = { blockHash: "a1", logIndex, isRemoved };
      const missed = r.follower.missedSince(cursor, "logs");
      if (missed === "ambiguous") return missed;
      return (
        missed && [
          ...missed.retracted.map(({ log }) => `-${log.index}`),
          ...missed.logs.map(({ log }) => `+${log.index}`),
        ]
      );
    };
    return at;
  };

  it("takes back what it saw of it, and is not told of it otherwise", () => {
    const at = lied("0x");
    expect(at(0)).toEqual(["+1"]);
    expect(at(2)).toEqual(["-2"]);
    expect(at(2, true)).toEqual([]);
  });

  it("has to begin anew where its cursor may mean the false log and the true one", () => {
    const at = lied("0xff");
    expect(at(0)).toEqual(["+1"]);
    expect(at(1)).toBe("ambiguous");
    expect(at(1, true)).toEqual(["+1"]);
  });
});
