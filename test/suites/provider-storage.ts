/** What every storage of providers must do, in whatever memory it is kept. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { ProviderPage, ProviderRecord } from "../../src/pairing/protocol.ts";
import type { ProviderStorage } from "../../src/pairing/provider-store.ts";

const record = fc.record({
  address: fc.constantFrom("a", "b", "c", "d", "ä/ö"),
  stake: fc.constantFrom(0n, 1n, 2n ** 53n + 1n, 2n ** 63n - 1n),
  location: fc.constantFrom("US", "EU", "AP"),
  features: fc.uniqueArray(fc.constantFrom("HTTP", "gRPC", "SSL")),
});
const step = fc.oneof(
  fc.record({ put: record }),
  fc.record({ remove: fc.constantFrom("a", "b", "c", "d", "none") }),
);

const byAddress = (list: readonly ProviderRecord[]) =>
  list
    .map((one) => ({ ...one, features: one.features.toSorted() }))
    .toSorted((a, b) => (a.address < b.address ? -1 : 1));

/** Declares the tests; `open` makes one for so many providers. */
export function providerStorageSuite(open: (maxProviders: number) => ProviderStorage): void {
  const pagesOf = (storage: ProviderStorage, limit: number, location?: string) => {
    const found: ProviderRecord[] = [];
    for (let offset: number | undefined = 0; offset !== undefined; ) {
      const page: ProviderPage = storage.list({
        offset,
        limit,
        ...(location === undefined ? {} : { location }),
      });
      expect(page.providers.length).toBeLessThanOrEqual(limit);
      found.push(...page.providers);
      if (page.next === undefined) expect(found).toHaveLength(page.total);
      offset = page.next;
    }
    return found;
  };

  it("holds the last of each address, by itself, page by page, and by place", () => {
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 1, max: 4 }), (steps, limit) => {
        const storage = open(10);
        const model = new Map<string, ProviderRecord>();
        for (const one of steps) {
          if ("put" in one) {
            expect(storage.put(one.put)).toBeUndefined();
            model.set(one.put.address, one.put);
          } else {
            expect(storage.remove(one.remove)?.address).toBe(model.get(one.remove)?.address);
            model.delete(one.remove);
          }
          expect(storage.size).toBe(model.size);
        }
        const held = [...model.values()];
        for (const one of held) {
          expect(byAddress([storage.get(one.address) as ProviderRecord])).toEqual(byAddress([one]));
        }
        expect(storage.get("none")).toBeUndefined();
        expect(byAddress(pagesOf(storage, limit))).toEqual(byAddress(held));
        const counts: Record<string, number> = {};
        for (const place of ["US", "EU", "AP"]) {
          const there = held.filter(({ location }) => location === place);
          expect(byAddress(pagesOf(storage, limit, place))).toEqual(byAddress(there));
          if (there.length > 0) counts[place] = there.length;
        }
        expect(storage.locations()).toEqual(counts);
        expect(storage.list({ location: "nowhere" })).toEqual({ providers: [], total: 0 });
      }),
    );
  });

  it("takes no more than it may, says so, and still replaces who is there", () => {
    const storage = open(2);
    const one = (address: string, stake = 1n) => ({ address, stake, location: "EU", features: [] });
    expect([storage.put(one("a")), storage.put(one("b"))]).toEqual([undefined, undefined]);
    expect(storage.put(one("c"))).toMatch(/2/);
    expect(storage.put(one("a", 7n))).toBeUndefined();
    expect([storage.size, storage.get("a")?.stake, storage.get("c")]).toEqual([2, 7n, undefined]);
    storage.remove("b");
    expect(storage.put(one("c"))).toBeUndefined();
  });
}
