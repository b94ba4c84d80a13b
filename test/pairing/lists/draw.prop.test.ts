/** Lists as pure rules: regions agree, and nothing changes more than it must. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawing, drawList, type Drawn, type Wish } from "../../../src/pairing/lists/draw.ts";
import { listOf } from "../../../src/pairing/lists/list.ts";
import type { PairingMarket } from "../../../src/pairing/market.ts";
import type { ProviderRecord, Reply } from "../../../src/pairing/protocol.ts";
import { marketOf, policy, provider, value } from "../support.ts";

const wish = (mode: Wish["mode"], top = 5, minStake = 0n): Wish => ({
  policy: policy({ minStake }),
  mode,
  top,
});

const providers = (count: number): ProviderRecord[] =>
  Array.from({ length: count }, (_, i) => provider(`p${i}`, 10 ** (1 + (i % 6)) + i));

const idsOf = (market: PairingMarket, one: Wish, epoch: number, consumer = "acme"): string[] =>
  value(
    drawList((request) => market.pairOnce(request), one, { consumer, chain: "eth", epoch }),
  ).picks.map(({ address }) => address);

const modes = fc.constantFrom<Wish["mode"]>("top", "weighted");

describe("the list of an epoch", () => {
  it("is equal in two regions that heard of the same providers in another order", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 40 }),
        fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 1_000_000 }),
        modes,
        fc.infiniteStream(fc.nat()),
        (there, gone, top, epoch, mode, chance) => {
          const all = providers(61);
          const east = marketOf([]);
          const west = marketOf([]);
          const put = (market: PairingMarket, i: number) =>
            market.store.put(all[i] ?? provider(`${i}`));
          const shuffled = there.map((i) => [i, chance.next().value ?? 0] as const);
          for (const i of gone) put(west, i);
          for (const i of there) put(east, i);
          for (const [i] of shuffled.toSorted((a, b) => a[1] - b[1])) put(west, i);
          for (const i of gone) if (!there.includes(i)) west.store.remove(`p${i}`);
          expect(idsOf(west, wish(mode, top), epoch)).toEqual(idsOf(east, wish(mode, top), epoch));
        },
      ),
    );
  });

  it("names as many as it may, each once, and all where the market is smaller", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 1_000 }),
        modes,
        (count, top, epoch, mode) => {
          const ids = idsOf(marketOf(providers(count)), wish(mode, top), epoch);
          expect(ids).toHaveLength(Math.min(count, top));
          expect(new Set(ids).size).toBe(ids.length);
        },
      ),
    );
  });

  it("does not change when a provider leaves that is not on it", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 6, max: 40 }),
        fc.integer({ min: 0, max: 10_000 }),
        fc.nat(),
        modes,
        (count, epoch, chance, mode) => {
          const market = marketOf(providers(count));
          const before = idsOf(market, wish(mode), epoch);
          const others = providers(count).filter(({ address }) => !before.includes(address));
          const gone = others[chance % others.length];
          if (gone !== undefined) market.store.remove(gone.address);
          expect(idsOf(market, wish(mode), epoch)).toEqual(before);
        },
      ),
    );
  });

  it("changes for at most the consumers that held them when one in a hundred leaves", () => {
    const market = marketOf(providers(300));
    const consumers = Array.from({ length: 200 }, (_, i) => `c${i}`);
    const one = wish("weighted");
    const before = consumers.map((consumer) => idsOf(market, one, 7, consumer));
    const gone = ["p3", "p100", "p205"];
    for (const address of gone) market.store.remove(address);
    const after = consumers.map((consumer) => idsOf(market, one, 7, consumer));
    for (const [i, ids] of before.entries()) {
      const held = ids.filter((id) => gone.includes(id)).length;
      if (held === 0) expect(after[i]).toEqual(ids);
      // A draw that goes to somebody whom a later draw had won moves that one too.
      else expect(ids.filter((id) => after[i]?.includes(id)).length).toBeGreaterThanOrEqual(2);
    }
  });

  it("turns by about one provider an epoch when weighted, and not at all at the top", () => {
    const market = marketOf(providers(200));
    const epochs = Array.from({ length: 300 }, (_, i) => idsOf(market, wish("weighted"), i));
    const changes = epochs.slice(1).map((ids, i) => {
      const before = epochs[i] ?? [];
      return ids.filter((id) => !before.includes(id)).length;
    });
    const mean = changes.reduce((sum, count) => sum + count, 0) / changes.length;
    expect(mean).toBeLessThan(1.1);
    expect(mean).toBeGreaterThan(0.8);
    // Within a hundred epochs a consumer has seen a good part of the market.
    expect(new Set(epochs.flat()).size).toBeGreaterThan(100);
    expect(idsOf(market, wish("top"), 1)).toEqual(idsOf(market, wish("top"), 99));
  });

  it("is another one for another consumer, and for another chain", () => {
    const market = marketOf(providers(200));
    const of = (consumer: string) => idsOf(market, wish("weighted"), 4, consumer);
    expect(of("a")).not.toEqual(of("b"));
    const rank = (request: Parameters<PairingMarket["pairOnce"]>[0]) => market.pairOnce(request);
    const place = { consumer: "a", chain: "base", epoch: 4 };
    const base = value(drawList(rank, wish("weighted"), place));
    expect(base.picks.map(({ address }) => address)).not.toEqual(of("a"));
  });

  it("has one key for the same members, whoever is paired, and another for another end", () => {
    const drawn = { version: 1, filteredCount: 2, blockedBy: undefined };
    const material = {
      epoch: { number: 3 },
      market: "m",
      wish: { mode: "top", top: 2 },
      revision: 0,
      nowMs: 0,
    } as const;
    const pick = (address: string) => ({ address, score: 1, stake: 1n, location: "x" });
    const keyOf = (consumer: string, ids: string[], onExhausted: "error" | "market") =>
      listOf({
        ...material,
        place: { consumer, chain: "eth", epoch: 3 },
        drawn: { ...drawn, picks: ids.map(pick) },
        onExhausted,
      }).key;
    expect(keyOf("a", ["x", "y"], "error")).toBe(keyOf("b", ["y", "x"], "error"));
    expect(keyOf("a", ["x", "y"], "market")).not.toBe(keyOf("a", ["x", "y"], "error"));
    expect(keyOf("a", ["x,y"], "error")).not.toBe(keyOf("a", ["x", "y"], "error"));
  });

  it("is of one version of a market that changes between its draws, and then rests", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 1_000 }),
        fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 3 }),
        (top, epoch, moves) => {
          const market = marketOf(providers(30));
          const place = { consumer: "acme", chain: "eth", epoch };
          const steps = drawing(
            (request) => market.pairOnce(request),
            wish("weighted", top),
            place,
          );
          const change = moves.values();
          let step = steps.next();
          for (; step.done !== true; step = steps.next()) {
            const i = change.next().value;
            if (i === undefined) continue;
            if (market.store.remove(`p${i}`) === undefined) market.store.put(provider(`p${i}`, 9));
          }
          const { version } = market.store.index;
          expect(value(step.value)).toMatchObject({ version });
          expect(value(step.value)).toEqual(
            value(drawList((request) => market.pairOnce(request), wish("weighted", top), place)),
          );
        },
      ),
    );
  });

  it("is drawn to its end in a market that never rests, and says from which version on", () => {
    const market = marketOf(providers(30));
    const place = { consumer: "acme", chain: "eth", epoch: 7 };
    const steps = drawing((request) => market.pairOnce(request), wish("weighted", 5), place);
    const versions: number[] = [];
    let step: IteratorResult<undefined, Reply<Drawn>>;
    for (step = steps.next(); step.done !== true; step = steps.next()) {
      versions.push(market.store.index.version);
      market.store.put(provider("restless", versions.length));
    }
    const drawn = value(step.value);
    expect(drawn.picks).toHaveLength(5);
    // The draws of the last beginning, but for its last one.
    expect(drawn.version).toBe(versions.at(-4));
  });
});
