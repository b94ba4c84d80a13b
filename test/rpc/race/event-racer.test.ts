import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventRacer } from "../../../src/rpc/race/event-racer.ts";
import type { RaceEvent, SettledRace } from "../../../src/rpc/race/settled-race.ts";
import { messageKey } from "../../../src/rpc/message-key.ts";
import { readSubscriptionFrame, resultBytes } from "../../../src/rpc/subscription-frame.ts";
import { frameOf, hash, headOf, logOf } from "./events.ts";

const ms = 1e6;

/** Providers a, b, c live on all streams since time 0; the clock starts at 60 s. */
const race = (
  providers = ["a", "b", "c"],
  options: ConstructorParameters<typeof EventRacer>[0] = {},
) => {
  const racer = new EventRacer(options);
  for (const provider of providers) {
    for (const event of ["newHeads", "logs", "newPendingTransactions"] as const) {
      racer.live(provider, event, 0);
    }
  }
  const arrive = (event: RaceEvent, provider: string, key: string, atMs: number, height?: number) =>
    racer.arrive(
      event,
      key,
      racer.lane(provider),
      atMs * ms,
      height === undefined
        ? undefined
        : readSubscriptionFrame(frameOf(event === "logs" ? logOf(height, 0) : headOf(height))),
    );
  return {
    racer,
    arrive,
    head: (provider: string, n: number, atMs: number, height?: number) =>
      arrive("newHeads", provider, hash(n), atMs, height),
    settle: (atMs: number): SettledRace[] => racer.settle(atMs * ms),
  };
};

describe("a race", () => {
  it("forwards the first arrival and scores the others by their margins, to the microsecond", () => {
    const { head, settle } = race();
    expect(head("b", 1, 60_000)).toBe("first");
    expect(head("a", 1, 60_020.001)).toBe("duplicate");
    expect(head("c", 1, 60_060.5)).toBe("duplicate");
    const [settled] = settle(62_000);
    expect(settled).toMatchObject({ winner: "b", missed: [], neutral: [], isCorroborated: true });
    expect(settled?.losers.map(({ provider }) => provider)).toEqual(["a", "c"]);
    expect(settled?.losers[0]?.marginMs).toBeCloseTo(20.001, 6);
    expect(settled?.losers[1]?.marginMs).toBeCloseTo(60.5, 6);
  });

  it("settles once, after its window, not before", () => {
    const { head, settle } = race();
    head("a", 1, 60_000);
    head("b", 1, 60_001);
    expect(settle(61_999.9)).toEqual([]);
    expect(settle(62_000)).toHaveLength(1);
    expect(settle(70_000)).toEqual([]);
  });

  it("counts who never delivered as having missed it", () => {
    const { head, settle } = race();
    head("a", 1, 60_000);
    head("b", 1, 60_001);
    expect(settle(62_000)[0]?.missed).toEqual(["c"]);
  });

  it("takes a late copy for a duplicate long after the race is over", () => {
    const { head, settle } = race();
    head("a", 1, 60_000);
    head("b", 1, 60_001);
    settle(62_000);
    expect(head("c", 1, 90_000)).toBe("duplicate");
    expect(settle(100_000)).toEqual([]);
  });

  it("needs two entrants: a provider that has raced alone is not scored", () => {
    const { head, settle } = race(["a"]);
    expect(head("a", 1, 60_000)).toBe("first");
    expect(settle(70_000)).toEqual([]);
  });

  it("has only entrants whose subscription was live for 5 s", () => {
    const { racer, head, settle } = race(["a", "b"]);
    racer.live("late", "newHeads", 56_000 * ms);
    head("a", 1, 60_000);
    head("b", 1, 60_001);
    head("late", 1, 60_002);
    const [settled] = settle(62_000);
    expect(settled?.losers.map(({ provider }) => provider)).toEqual(["b"]);
    expect(settled?.missed).toEqual([]);
    head("a", 2, 61_000);
    head("b", 2, 61_001);
    expect(settle(63_000)[0]?.missed).toEqual(["late"]);
  });

  it("does not count what a provider misses after its subscription ended", () => {
    const { racer, head, settle } = race();
    head("a", 1, 60_000);
    racer.gone("c", "newHeads");
    head("b", 1, 60_001);
    expect(settle(62_000)[0]).toMatchObject({ missed: [], neutral: ["c"] });
    head("a", 2, 63_000);
    head("b", 2, 63_001);
    expect(settle(65_000)[0]?.missed).toEqual([]);
  });

  it("does not judge a provider that delivered another block of the same height", () => {
    const { head, settle } = race();
    head("c", 99, 60_000, 7);
    head("a", 1, 60_010, 7);
    head("b", 1, 60_020, 7);
    const settled = settle(63_000).find(({ key }) => key === hash(1));
    expect(settled).toMatchObject({ winner: "a", missed: [], neutral: ["c"] });
  });

  it("earns nothing for an event that nobody else saw, and calls it suspicious", () => {
    const { head, settle } = race();
    for (const provider of ["a", "b", "c"]) head(provider, 1, 60_000);
    head("a", 666, 61_000);
    const invented = settle(64_000).find(({ key }) => key === hash(666));
    expect(invented).toMatchObject({ isCorroborated: false, isSuspicious: true, missed: [] });
    expect(invented?.neutral).toEqual(["b", "c"]);
  });

  it("lets a provider that has long been silent answer for what it misses, even alone", () => {
    const { head, settle } = race(["a", "b"]);
    head("a", 1, 60_000);
    expect(settle(62_000)[0]).toMatchObject({ missed: ["b"], isSuspicious: false });
  });

  it("is held once per block for logs, on the block's first log", () => {
    const { arrive, settle } = race();
    for (const index of [0, 1, 2]) {
      for (const provider of ["a", "b", "c"]) {
        arrive("logs", provider, `${hash(7)}0x${index}`, 60_000 + index, 7);
      }
    }
    arrive("logs", "a", `${hash(8)}0x0`, 60_100, 8);
    expect(settle(63_000).map(({ key }) => key)).toEqual([`${hash(7)}0x0`, `${hash(8)}0x0`]);
  });

  it("is sampled to ten a second for pending transactions", () => {
    const { arrive, settle } = race();
    for (let i = 0; i < 1_000; i++) {
      for (const provider of ["a", "b", "c"]) {
        arrive("newPendingTransactions", provider, hash(i), 60_000 + i);
      }
    }
    expect(settle(70_000).length).toBe(10);
  });

  it("keeps its outcome when its key is evicted from the seen keys meanwhile", () => {
    const { head, settle } = race(["a", "b", "c"], { maxCacheSize: 80 });
    head("a", 1, 60_000);
    // Far more heads than the cache holds, from a provider that is not in the race.
    for (let n = 1_000; n < 1_200; n++) head("stranger", n, 60_001);
    expect(head("b", 1, 60_050)).toBe("duplicate");
    expect(head("c", 1, 60_060)).toBe("duplicate");
    const settled = settle(62_000).find(({ key }) => key === hash(1));
    expect(settled?.losers.map(({ marginMs }) => Math.round(marginMs))).toEqual([50, 60]);
  });

  it("begins anew after a reset, with counters and memories empty", () => {
    const { racer, head, settle } = race();
    head("a", 1, 60_000);
    head("b", 1, 60_001);
    racer.reset();
    expect(racer.stats()).toMatchObject({ size: 0, firsts: 0, duplicates: 0, openRaces: 0 });
    expect(settle(70_000)).toEqual([]);
    expect(head("a", 1, 70_000)).toBe("first");
    head("b", 1, 70_001);
    expect(settle(72_000)).toHaveLength(1);
  });

  it("tells logs once more after forgetting them, but races no block twice, and remembers heads", () => {
    const { racer, arrive, head, settle } = race();
    head("a", 1, 60_000);
    const logs = [0, 1].map((index) => `${hash(1)}0x${index}`);
    for (const key of logs) expect(arrive("logs", "a", key, 60_000, 1)).toBe("first");
    expect(racer.forgetLogs(60_005 * ms).map(({ winner }) => winner)).toEqual(["a"]);
    // The first of them is that of a race under way.
    for (const key of logs) expect(arrive("logs", "b", key, 60_010, 1)).toBe("first");
    for (const key of logs) expect(arrive("logs", "c", key, 60_020, 1)).toBe("duplicate");
    expect(head("b", 1, 60_020)).toBe("duplicate");
    expect(settle(70_000).map(({ event }) => event)).toEqual(["newHeads"]);
  });

  it("passes a block that comes back after a reorg on to those who know the chain", () => {
    const { head } = race();
    for (const provider of ["a", "b"]) head(provider, 1, 60_000);
    for (const provider of ["a", "b"]) head(provider, 2, 60_500);
    expect(head("a", 1, 61_000)).toBe("again");
    expect(head("b", 1, 61_001)).toBe("duplicate");
  });

  it("stays within its bounds under a million events of providers that invent them", () => {
    const { racer, arrive, settle } = race(["a", "b"], { maxCacheSize: 1_000 });
    const kinds = ["newHeads", "logs", "newPendingTransactions"] as const;
    for (let i = 0; i < 1_000_000; i++) {
      arrive(kinds[i % 3] ?? "logs", i % 2 === 0 ? "a" : "b", `${hash(i)}0x0`, 60_000 + i / 100);
      if (i % 10_000 === 0) settle(60_000 + i / 100);
    }
    const stats = racer.stats();
    expect(stats.size).toBeLessThanOrEqual(1_000);
    expect(stats.openRaces).toBeLessThanOrEqual(100);
    expect(stats.firsts).toBe(1_000_000);
  });

  it("forwards each event once and never calls a loser first, in whatever order copies come", () => {
    const copies = fc.array(
      fc.record({
        provider: fc.constantFrom("a", "b", "c"),
        event: fc.nat(20),
        gapMs: fc.nat(300),
      }),
      { maxLength: 100 },
    );
    fc.assert(
      fc.property(copies, (arrivals) => {
        const { head, settle } = race();
        const firsts = new Map<number, { provider: string; atMs: number }>();
        const settled: SettledRace[] = [];
        let nowMs = 60_000;
        for (const { provider, event, gapMs } of arrivals) {
          nowMs += gapMs;
          const verdict = head(provider, event, nowMs);
          expect(verdict === "first").toBe(!firsts.has(event));
          if (verdict === "first") firsts.set(event, { provider, atMs: nowMs });
          settled.push(...settle(nowMs));
        }
        settled.push(...settle(nowMs + 10_000));
        expect(settled.length).toBe(firsts.size);
        for (const { key, winner, losers, missed, neutral } of settled) {
          expect(winner).toBe(firsts.get(Number(key))?.provider);
          const named = [winner, ...losers.map(({ provider }) => provider), ...missed, ...neutral];
          expect(named.toSorted()).toEqual(["a", "b", "c"]);
          for (const { marginMs } of losers) expect(marginMs).toBeLessThan(2_000);
        }
      }),
    );
  });

  it("tells a copy by its bytes as it would by reading it, in whatever order copies come", () => {
    const bytesOf = (n: number, style: number): Buffer => {
      const log = logOf(Math.floor(n / 4), n % 4, style === 2 ? { blockTimestamp: "0x1" } : {});
      return frameOf(style === 1 ? Object.fromEntries(Object.entries(log).toReversed()) : log);
    };
    const arrivals = fc.array(fc.record({ lane: fc.nat(2), n: fc.nat(30), skip: fc.nat(200) }), {
      minLength: 50,
      maxLength: 150,
    });
    // A lane's next log is mostly the one behind its last.
    const steps = fc.record({
      arrivals,
      styles: fc.oneof(fc.constant([0, 0, 0]), fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2))),
      isInOrder: fc.boolean(),
      maxCacheSize: fc.constantFrom(40, 10_000),
      seenTtlMs: fc.constantFrom(2_000, 600_000),
    });
    let copies = 0;
    fc.assert(
      fc.property(steps, ({ arrivals: all, styles, isInOrder, maxCacheSize, seenTtlMs }) => {
        const options = { maxCacheSize, seenTtlMs };
        const [quick, slow] = [race(undefined, options), race(undefined, options)];
        const next = [0, 0, 0];
        let atMs = 60_000;
        for (const { lane, n, skip } of all) {
          atMs += skip;
          const which = isInOrder ? (next[lane] as number) : n;
          next[lane] = which + 1;
          const provider = ["a", "b", "c"][lane] as string;
          const bytes = bytesOf(which, styles[lane] as number);
          const frame = readSubscriptionFrame(bytes);
          if (frame === undefined) throw new Error("the test's frame cannot be read");
          const key = messageKey("logs", frame, () => "");
          const verdict = slow.racer.arrive(
            "logs",
            key,
            slow.racer.lane(provider),
            atMs * ms,
            frame,
          );
          const of = quick.racer.lane(provider);
          const { resultStart } = frame;
          const copied = quick.racer.copied(of, bytes, resultStart, bytes.length, atMs * ms);
          if (copied !== undefined) {
            copies++;
            expect({ key: copied, verdict: "duplicate" }).toEqual({ key, verdict });
            continue;
          }
          expect(quick.racer.arrive("logs", key, of, atMs * ms, frame)).toBe(verdict);
          if (verdict === "first") quick.racer.keep(resultBytes(frame));
        }
        expect(quick.settle(atMs + 5_000)).toEqual(slow.settle(atMs + 5_000));
        expect(quick.racer.stats()).toEqual(slow.racer.stats());
      }),
      { numRuns: 200 },
    );
    expect(copies).toBeGreaterThan(1_000);
  });

  it("takes a log for a copy only when it is whole and the same to the last byte", () => {
    const { racer } = race();
    const bytes = frameOf(logOf(1, 0));
    const frame = readSubscriptionFrame(bytes);
    if (frame === undefined) throw new Error("the test's frame cannot be read");
    const key = messageKey("logs", frame, () => "");
    const copied = (copy: Buffer, at: number): string | undefined =>
      racer.copied(racer.lane("b"), copy, at, copy.length, at * ms);
    for (const lane of ["b", "a"]) {
      racer.arrive("logs", `${key}0`, racer.lane(lane), 0, undefined);
    }
    expect(racer.arrive("logs", key, racer.lane("a"), 0, frame)).toBe("first");
    racer.keep(resultBytes(frame));
    const { resultStart } = frame;
    const other = Buffer.from(bytes);
    other[bytes.length - 12] = 0x31;
    expect(copied(other, resultStart)).toBeUndefined();
    expect(copied(bytes.subarray(0, -1), resultStart)).toBeUndefined();
    expect(copied(bytes, resultStart + 1)).toBeUndefined();
    expect(copied(bytes, resultStart)).toBe(key);
    // Its own log again is no copy of somebody else's.
    expect(copied(bytes, resultStart)).toBeUndefined();
  });
});
