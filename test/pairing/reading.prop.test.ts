/** A market that is read whole while it changes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KeptProvider } from "../../src/pairing/store/writes.ts";
import { readMarket } from "../../src/pairing/store/reading.ts";
import { marketOf, provider } from "./support.ts";

const names = fc.integer({ min: 0, max: 120 }).map((i) => `p${i}`);
const change = fc.oneof(
  fc.record({ put: names, stake: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ remove: names }),
);

describe("a market that is read whole", () => {
  it("names its providers by address, each once", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(names, { maxLength: 120 }),
        fc.integer({ min: 1, max: 50 }),
        (all, limit) => {
          const { store } = marketOf(all.map((name) => provider(name)));
          const reading = readMarket(store, () => true);
          while (!reading.order(7));
          const read: KeptProvider[] = [];
          for (let part = reading.next(limit); part?.length; part = reading.next(limit)) {
            expect(part.length).toBeLessThanOrEqual(limit);
            read.push(...part);
          }
          expect(read.map(({ address }) => address)).toEqual(all.toSorted());
        },
      ),
    );
  });

  it("misses nobody who stays as it is, whatever happens to the others between two parts", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(names, { minLength: 40, maxLength: 120 }),
        fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        (all, rounds, limit) => {
          const { store } = marketOf(all.map((name) => provider(name)));
          const untouched = new Set(all);
          const changes = rounds.values();
          const meanwhile = (): void => {
            for (const one of changes.next().value ?? []) {
              if ("put" in one) store.put(provider(one.put, one.stake));
              else store.remove(one.remove);
              untouched.delete("put" in one ? one.put : one.remove);
            }
          };
          const reading = readMarket(store, () => true);
          while (!reading.order(100)) meanwhile();
          const read: string[] = [];
          for (let part = reading.next(limit); part?.length; part = reading.next(limit)) {
            read.push(...part.map(({ address }) => address));
            meanwhile();
          }
          const once = read.filter((name) => untouched.has(name));
          expect(once.toSorted()).toEqual([...untouched].toSorted());
        },
      ),
    );
  });

  it("ends when the market is another one", () => {
    const { store } = marketOf([provider("a"), provider("b")]);
    let isThere = true;
    const reading = readMarket(store, () => isThere);
    while (!reading.order(100));
    expect(reading.next(1)?.map(({ address }) => address)).toEqual(["a"]);
    isThere = false;
    expect(reading.next(1)).toBeUndefined();
  });
});
