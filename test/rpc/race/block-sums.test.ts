import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { messageKey } from "../../../src/rpc/message-key.ts";
import { BlockSums } from "../../../src/rpc/race/block-sums.ts";
import { LogDigest } from "../../../src/rpc/race/log-digest.ts";
import { readSubscriptionFrame } from "../../../src/rpc/subscription-frame.ts";
import { frameOf, hash, logOf } from "./events.ts";

type Log = ReturnType<typeof logOf>;

const WINDOW_NS = 2_000;
const ALL = ["p1", "p2", "p3"];

const framed = (log: object) => {
  const frame = readSubscriptionFrame(frameOf(log));
  if (frame === undefined) throw new Error("no frame");
  return frame;
};

/** Who is disputed when each provider tells these logs, all of them witnesses. */
const disputed = (
  told: Readonly<Record<string, readonly Log[]>>,
  witnesses = Object.keys(told),
) => {
  const sums = new BlockSums(WINDOW_NS, 99);
  for (const [provider, logs] of Object.entries(told)) {
    for (const log of logs) {
      const frame = framed(log);
      sums.add(
        provider,
        messageKey("logs", frame, () => ""),
        frame,
        0,
      );
    }
  }
  return sums.disputed(WINDOW_NS, () => witnesses);
};

const three = [logOf(5, 0), logOf(5, 1), logOf(5, 2)];

describe("what providers tell of a block's logs", () => {
  it("is one story whatever the order of the logs, their members and the case of their digits", () => {
    const turned = (log: Log) => {
      const mirrored = Object.fromEntries(Object.entries(log).toReversed());
      return { ...mirrored, address: log.address.toUpperCase().replace("0X", "0x") } as Log;
    };
    const dated = three.map((log) => ({ ...log, blockTimestamp: "0x65f1a2b3" }));
    expect(
      disputed({ p1: three, p2: three.toReversed(), p3: three.map(turned), p4: dated }),
    ).toEqual([]);
    const empty = three.map((log) => ({ ...log, data: "0x" }));
    const bare = empty.map((log) => ({ ...log, data: undefined }) as unknown as Log);
    expect(disputed({ p1: empty, p2: bare })).toEqual([]);
  });

  it("is disputed when one of them missed a log, or heard of none", () => {
    for (const told of [three.slice(1), []]) {
      const [dispute] = disputed({ p1: three, p2: told, p3: three });
      expect(dispute?.hash).toBe(hash(5));
      expect(dispute?.tellings.map(({ count }) => count)).toEqual([3, told.length, 3]);
    }
  });

  it("is disputed when one of them invents a log beside one that it withholds", () => {
    const lie = [three[0]!, three[1]!, logOf(5, 7)];
    expect(disputed({ p1: three, p2: lie, p3: three }).length).toBe(1);
  });

  it.for([
    ["address", { address: "0xdac17f958d2ee523a2206206994597c13d831ec8" }],
    ["a topic", { topics: [hash(1), hash(3)] }],
    ["the number of topics", { topics: [hash(1)] }],
    ["data", { data: "0x01" }],
    ["the transaction", { transactionHash: hash(78) }],
  ] as const)("is disputed when one of them tells a log with a change in %s", ([, change]) => {
    const lie = [three[0]!, { ...three[1]!, ...change } as Log, three[2]!];
    const [dispute] = disputed({ p1: three, p2: lie });
    const [honest, liar] = dispute!.tellings;
    expect(liar!.places).toBe(honest!.places);
    expect(liar!.contents).not.toBe(honest!.contents);
  });

  it("is the same story for a copy of what came first, without reading it", () => {
    const keyOf = (log: Log) => messageKey("logs", framed(log), () => "");
    for (const lie of [three[1]!, { ...three[1]!, data: "0x01" }]) {
      const sums = new BlockSums(WINDOW_NS, 99);
      // Nobody has brought it yet.
      expect(sums.addCopy("p2", keyOf(three[0]!), 0)).toBe(false);
      for (const log of three) sums.add("p1", keyOf(log), framed(log), 0);
      for (const log of [three[0]!, lie, three[2]!]) sums.add("p3", keyOf(log), framed(log), 0);
      for (const log of three) expect(sums.addCopy("p2", keyOf(log), 0)).toBe(true);
      expect(sums.disputed(WINDOW_NS, () => ["p1", "p2"])).toEqual([]);
      for (const log of three) sums.add("p1", keyOf(log), framed(log), 0);
      for (const log of [three[0]!, lie, three[2]!]) sums.add("p3", keyOf(log), framed(log), 0);
      expect(sums.disputed(WINDOW_NS, () => ["p1", "p3"]).length).toBe(lie === three[1] ? 0 : 1);
    }
  });

  it("compares copies with whatever came first since it was forgotten which did", () => {
    const sums = new BlockSums(WINDOW_NS, 99);
    const [true0, lie0] = [three[0]!, { ...three[0]!, data: "0x01" }];
    const key = messageKey("logs", framed(true0), () => "");
    sums.add("p3", key, framed(lie0), 0, true);
    sums.add("p1", key, framed(true0), 0, true);
    sums.addCopy("p2", key, 0);
    const [dispute] = sums.disputed(WINDOW_NS, () => ALL);
    const [p1, p2, p3] = dispute!.tellings.map(({ contents }) => contents);
    expect(p1).toBe(p2);
    expect(p1).not.toBe(p3);
  });

  it("does not count who should not know the whole block, nor what is taken back", () => {
    const back = [...three, ...three.map((log) => ({ ...log, removed: true }))];
    expect(disputed({ p1: three, p2: back, p3: [] }, ["p1", "p2"])).toEqual([]);
  });

  it("is disputed when somebody who is gone by then told what none of the others has", () => {
    const other = [three[0] as Log, { ...(three[1] as Log), data: "0xff" }];
    for (const told of [[...three, logOf(5, 3)], [logOf(5, 7)], other]) {
      const [dispute] = disputed({ p3: told, p1: three, p2: three }, ["p1", "p2"]);
      expect(dispute?.tellings.map(({ provider }) => provider)).toEqual(["p1", "p2"]);
    }
    expect(disputed({ p3: three.slice(1), p1: three, p2: three }, ["p1", "p2"])).toEqual([]);
    // All have told everything twice, as after a way back.
    const twice = [...three, ...three];
    expect(disputed({ p1: twice, p2: twice })).toEqual([]);
  });

  it("is judged when its time is over, and early only when too many blocks wait", () => {
    const sums = new BlockSums(WINDOW_NS, 99);
    const tell = (block: number) => {
      const frame = framed(logOf(block, 0));
      sums.add(
        "p1",
        messageKey("logs", frame, () => ""),
        frame,
        block,
      );
    };
    for (let block = 1; block <= 100; block++) tell(block);
    expect(sums.disputed(WINDOW_NS - 1, () => ALL)).toEqual([]);
    for (let block = 101; block <= 130; block++) tell(block);
    expect(sums.disputed(WINDOW_NS - 1, () => ALL).map((one) => one.hash)).toEqual([
      hash(1),
      hash(2),
    ]);
  });
});

describe("a flood of logs", () => {
  it("is compared by places alone until it is over", () => {
    const sums = new BlockSums(1e9, 99);
    const tell = (provider: string, block: number, index: number, atNs: number, data = "0x") => {
      const frame = framed(logOf(block, index, { data }));
      sums.add(
        provider,
        messageKey("logs", frame, () => ""),
        frame,
        atNs,
      );
    };
    const judged = (atNs: number) => sums.disputed(atNs, () => ["p1", "p2"]);
    for (let index = 0; index <= 20_000; index++) tell("p1", 1, index, 1e9);
    for (const provider of ["p1", "p2"]) tell(provider, 2, 0, 1.5e9, `0x${provider}`);
    tell("p1", 3, 0, 1.5e9);
    tell("p2", 3, 1, 1.5e9);
    expect(judged(2.5e9).map((one) => [one.hash, one.isRead])).toEqual([
      [hash(1), true],
      [hash(3), false],
    ]);
    for (const provider of ["p1", "p2"]) tell(provider, 4, 0, 4e9, `0x${provider}`);
    expect(judged(5e9).map((one) => [one.hash, one.isRead])).toEqual([[hash(4), true]]);
  });
});

describe("the digest of a log", () => {
  const hex = (chars: number) =>
    fc
      .array(fc.integer({ min: 0, max: 15 }), { minLength: chars, maxLength: chars })
      .map((digits) => `0x${digits.map((digit) => digit.toString(16)).join("")}`);
  const log = fc.record({
    address: hex(40),
    topics: fc.array(hex(64), { maxLength: 4 }),
    data: fc.integer({ min: 0, max: 40 }).chain((bytes) => hex(2 * bytes)),
    transactionHash: hex(64),
  });

  it("is the same for a log on the wire, however it is written, and a parsed one", () => {
    fc.assert(
      fc.property(log, fc.nat(200), fc.integer(), (told, index, seed) => {
        const digest = new LogDigest(seed);
        const plain = digest.ofLog(index, told);
        const mirrored = Object.fromEntries(Object.entries(told).toReversed());
        const spaced = Buffer.from(
          `{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x1","result":${JSON.stringify(told, null, 1)}}}`,
        );
        expect(digest.ofFrame(index, framed(told))).toBe(plain);
        expect(digest.ofFrame(index, framed(mirrored))).toBe(plain);
        expect(digest.ofFrame(index, readSubscriptionFrame(spaced)!)).toBe(plain);
      }),
      { numRuns: 500 },
    );
  });

  it("is another for another digit anywhere, another index or another seed", () => {
    fc.assert(
      fc.property(log, fc.nat(200), fc.nat(), fc.nat(), (told, index, at, seed) => {
        const digest = new LogDigest(seed);
        const text = JSON.stringify(told);
        const places = [...text.matchAll(/(?<=0x[0-9a-f]*)[0-9a-f]/g)].map((match) => match.index);
        const place = places[at % places.length]!;
        const other = text[place] === "7" ? "8" : "7";
        const changed = JSON.parse(text.slice(0, place) + other + text.slice(place + 1));
        const plain = digest.ofLog(index, told);
        expect(digest.ofLog(index, changed)).not.toBe(plain);
        expect(digest.ofLog(index + 1, told)).not.toBe(plain);
        expect(new LogDigest(seed + 1).ofLog(index, told)).not.toBe(plain);
      }),
      { numRuns: 500 },
    );
  });
});
