/** What no eviction, clean-up, order or delay may change about races and what is made of them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EvidenceBook } from "../../../src/rpc/evidence/evidence-book.ts";
import { EventRacer, type EventRacerOptions } from "../../../src/rpc/race/event-racer.ts";
import type { RaceEvent, SettledRace } from "../../../src/rpc/race/settled-race.ts";
import { race as settledRace } from "../evidence/races.ts";
import { hash } from "./events.ts";

const ms = 1e6;
const windowMs = 2_000;
const startMs = 60_000;
const providers = ["a", "b", "c"] as const;
const events = ["newHeads", "logs", "newPendingTransactions"] as const;

const started = (options: EventRacerOptions = {}): EventRacer => {
  const racer = new EventRacer({ deduplicationWindowMs: windowMs, ...options });
  for (const provider of providers) for (const event of events) racer.live(provider, event, 0);
  return racer;
};

/** Outcomes, whenever they were asked for. */
const byKey = (settled: readonly SettledRace[]): ReadonlyMap<string, SettledRace> =>
  new Map(settled.map((race) => [race.key, { ...race, ageMs: 0 }]));

/** One copy of a head: which, from whom, how long after its block is due. */
const copy = fc.record({
  block: fc.nat(11),
  provider: fc.constantFrom(...providers),
  delayMs: fc.nat(windowMs - 1),
});

/** Blocks are due 300 ms apart; copies come in the order of their times. */
const timed = (copies: readonly { block: number; provider: string; delayMs: number }[]) => {
  const firstMs = new Map<number, number>();
  return copies
    .map((one) => ({ ...one, atMs: startMs + one.block * 300 + one.delayMs }))
    .toSorted((left, right) => left.atMs - right.atMs)
    .filter(({ block, atMs }) => {
      const first = firstMs.get(block) ?? atMs;
      firstMs.set(block, first);
      return atMs - first < windowMs;
    });
};

describe("an unsettled race", () => {
  it("ends as it would have without any eviction, clean-up or flood", () => {
    const disturbance = fc.record({ flood: fc.nat(40), isSwept: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(copy, { maxLength: 60 }),
        fc.array(disturbance, { minLength: 1, maxLength: 20 }),
        (copies, disturbances) => {
          const calm = started({ maxCacheSize: 100_000 });
          // Keys are evicted and expire long before the races that they belong to are settled.
          const disturbed = started({ maxCacheSize: 30, seenTtlMs: 5 });
          const stranger = disturbed.lane("stranger");
          const endings: SettledRace[] = [];
          const calmEndings: SettledRace[] = [];
          for (const [i, { block, provider, atMs }] of timed(copies).entries()) {
            const { flood = 0, isSwept = false } = disturbances[i % disturbances.length] ?? {};
            for (let n = 0; n < flood; n++) {
              disturbed.arrive("newHeads", hash(1e9 + i * 100 + n), stranger, atMs * ms, undefined);
            }
            if (isSwept) disturbed.sweep(atMs * ms);
            const key = hash(block);
            const expected = calm.arrive(
              "newHeads",
              key,
              calm.lane(provider),
              atMs * ms,
              undefined,
            );
            const lane = disturbed.lane(provider);
            const verdict = disturbed.arrive("newHeads", key, lane, atMs * ms, undefined);
            expect(verdict === "first").toBe(expected === "first");
            endings.push(...disturbed.settle(atMs * ms));
            calmEndings.push(...calm.settle(atMs * ms));
          }
          endings.push(...disturbed.settle((startMs + 60_000) * ms));
          calmEndings.push(...calm.settle((startMs + 60_000) * ms));
          expect(byKey(endings)).toEqual(byKey(calmEndings));
          expect(endings).toHaveLength(calmEndings.length);
        },
      ),
    );
  });

  it("cannot be brought back or judged twice by copies that come after it was settled", () => {
    const late = fc.record({
      provider: fc.constantFrom(...providers),
      afterMs: fc.integer({ min: windowMs, max: 300_000 }),
    });
    fc.assert(
      fc.property(fc.array(late, { maxLength: 20 }), fc.nat(2), (copies, first) => {
        const racer = started();
        racer.arrive("newHeads", hash(1), first, startMs * ms, undefined);
        const ordered = copies.toSorted((left, right) => left.afterMs - right.afterMs);
        const settled: SettledRace[] = [];
        for (const { provider, afterMs } of ordered) {
          const atNs = (startMs + afterMs) * ms;
          const verdict = racer.arrive("newHeads", hash(1), racer.lane(provider), atNs, undefined);
          expect(verdict).not.toBe("first");
          settled.push(...racer.settle(atNs));
          racer.sweep(atNs);
        }
        settled.push(...racer.settle(1e15));
        expect(settled).toHaveLength(1);
        expect(settled[0]?.losers).toEqual([]);
      }),
    );
  });
});

describe("a late duplicate", () => {
  it("is never news, on any stream, at any time before its key is out of age or of the cache", () => {
    const arrival = fc.record({
      event: fc.constantFrom<RaceEvent>(...events),
      key: fc.nat(80),
      lane: fc.nat(2),
      gapMs: fc.nat(6_000),
      isSwept: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(arrival, { maxLength: 99 }), (arrivals) => {
        // At most 81 keys a stream: the smallest share of 1,000 holds 125.
        const racer = started({ maxCacheSize: 1_000, seenTtlMs: 600_000 });
        const seen = new Set<string>();
        let nowMs = startMs;
        for (const { event, key, lane, gapMs, isSwept } of arrivals) {
          nowMs += gapMs;
          const name = `${event}${key}`;
          const text = event === "logs" ? `${hash(key)}0x0` : hash(key);
          const verdict = racer.arrive(event, text, lane, nowMs * ms, undefined);
          expect(verdict === "first").toBe(!seen.has(name));
          seen.add(name);
          racer.settle(nowMs * ms);
          if (isSwept) racer.sweep(nowMs * ms);
        }
      }),
    );
  });
});

describe("streams", () => {
  it("do not touch each other's races, whatever hash a provider gives a transaction", () => {
    const racer = started();
    expect(racer.arrive("newPendingTransactions", hash(1), 2, startMs * ms, undefined)).toBe(
      "first",
    );
    expect(racer.arrive("newHeads", hash(1), 0, (startMs + 1) * ms, undefined)).toBe("first");
    racer.arrive("newHeads", hash(1), 1, (startMs + 3) * ms, undefined);
    const [head] = racer.settle(1e15).filter(({ event }) => event === "newHeads");
    expect(head).toMatchObject({ winner: "a", losers: [{ provider: "b", marginMs: 2 }] });
  });
});

describe("what was not connected", () => {
  it("is absent from the races of that time, not a loser, and an entrant again later", () => {
    const racer = started();
    racer.gone("c", "newHeads");
    racer.arrive("newHeads", hash(1), 0, startMs * ms, undefined);
    racer.arrive("newHeads", hash(1), 1, (startMs + 5) * ms, undefined);
    racer.live("c", "newHeads", (startMs + 10) * ms);
    expect(racer.settle((startMs + 2_000) * ms)).toMatchObject([
      { missed: [], neutral: [], absent: ["c"] },
    ]);
    racer.arrive("newHeads", hash(2), 0, (startMs + 6_000) * ms, undefined);
    racer.arrive("newHeads", hash(2), 1, (startMs + 6_001) * ms, undefined);
    expect(racer.settle((startMs + 9_000) * ms)).toMatchObject([{ missed: ["c"], absent: [] }]);
  });

  it("is nobody who never subscribed, and nothing on streams that are given back by demand", () => {
    const racer = started();
    racer.lane("dialling");
    racer.gone("c", "logs");
    racer.arrive("newHeads", hash(1), 0, startMs * ms, undefined);
    racer.arrive("logs", `${hash(1)}0x0`, 0, startMs * ms, undefined);
    for (const { absent } of racer.settle(1e15)) expect(absent).toEqual([]);
  });
});

describe("the counts", () => {
  it("balance: every entrant of every race is counted once, and every count is a row", () => {
    fc.assert(
      fc.property(fc.array(copy, { maxLength: 60 }), fc.nat(3), (copies, leaver) => {
        const racer = started();
        const book = new EvidenceBook({ chain: "ethereum" });
        const settled: SettledRace[] = [];
        for (const [i, { block, provider, atMs }] of timed(copies).entries()) {
          if (i === 20 && leaver < 3) racer.gone(providers[leaver] ?? "a", "newHeads");
          racer.arrive("newHeads", hash(block), racer.lane(provider), atMs * ms, undefined);
          settled.push(...racer.settle(atMs * ms));
        }
        settled.push(...racer.settle(1e15));
        book.recordRaces(settled, startMs);
        for (const { winner, losers, missed, neutral, absent } of settled) {
          const named = [winner, ...losers.map(({ provider }) => provider)];
          named.push(...missed, ...neutral, ...absent);
          expect(named.toSorted()).toEqual([...providers]);
        }
        const matrix = book.raceMatrix(startMs);
        const sum = (pick: (entry: (typeof matrix)[number]) => number): number =>
          matrix.reduce((total, entry) => total + pick(entry), 0);
        const corroborated = settled.filter(({ isCorroborated }) => isCorroborated);
        expect(sum(({ wins }) => wins)).toBe(corroborated.length);
        expect(sum(({ races }) => races)).toBe(
          sum(({ wins, losses, misses }) => wins + losses + misses),
        );
        const rows = book.raceRows({ fromMs: -1e15, toMs: 1e15, limit: 1e6 });
        expect(rows).toHaveLength(settled.length * providers.length);
        for (const [result, count] of [
          ["win", sum(({ wins }) => wins)],
          ["loss", sum(({ losses }) => losses)],
          ["missed", sum(({ misses }) => misses)],
          ["absent", sum(({ absences }) => absences)],
        ] as const) {
          expect(rows.filter((row) => row.result === result)).toHaveLength(count);
        }
      }),
    );
  });

  it("decay to the same standing in whatever order races and calls were recorded", () => {
    const halfLifeMs = 600_000;
    const outcome = fc.record({
      atMs: fc.nat(5 * halfLifeMs),
      kind: fc.constantFrom("win", "loss", "missed", "ok", "failure"),
      marginMs: fc.nat(500),
    });
    fc.assert(
      fc.property(
        fc
          .array(outcome, { minLength: 1, maxLength: 40 })
          .chain((list) =>
            fc.tuple(
              fc.constant(list),
              fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }),
            ),
          ),
        ([ordered, shuffled]) => {
          const bookOf = (list: typeof ordered): EvidenceBook => {
            const book = new EvidenceBook({ chain: "ethereum", halfLifeMs });
            for (const { atMs, kind, marginMs } of list) {
              if (kind === "ok") book.recordCall("a", "http", "m", "ok", 5, atMs);
              else if (kind === "failure") book.recordCall("a", "http", "m", "server", 5, atMs);
              else {
                const losers = [{ provider: "a", marginMs }];
                const others = {
                  win: settledRace({ winner: "a" }),
                  loss: settledRace({ winner: "b", losers }),
                  missed: settledRace({ winner: "b", losers: [], missed: ["a"] }),
                };
                book.recordRaces([others[kind]], atMs);
              }
            }
            return book;
          };
          const [one, other] = [bookOf(ordered), bookOf(shuffled)];
          const atMs = 5 * halfLifeMs;
          const near = (left = 0, right = 0): void => expect(left).toBeCloseTo(right, 6);
          const [race, sameRace] = [one.raceSummary("a", atMs), other.raceSummary("a", atMs)];
          near(race.paceScore, sameRace.paceScore);
          near(race.raceScore, sameRace.raceScore);
          const [calls, sameCalls] = [one, other].map((book) =>
            book.call("a", "http", undefined, atMs),
          );
          near(calls?.n, sameCalls?.n);
          near(calls?.reliabilityLb, sameCalls?.reliabilityLb);
        },
      ),
    );
  });
});
