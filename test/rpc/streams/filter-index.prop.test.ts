import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  matchesLog,
  parseFilter,
  type LogFilter,
} from "../../../src/rpc/subscription/delivery/filter.ts";
import { FilterIndex } from "../../../src/rpc/subscription/delivery/filter-index.ts";

const address = (n: number) => `0x${n.toString(16).padStart(40, "0")}`;
const topic = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;
const filterOf = (input: unknown): LogFilter => {
  const result = parseFilter(input);
  if (!result.ok) throw new Error(result.message);
  return result.filter;
};

/** Few values, so that filters share buckets and logs meet them. */
const number = fc.integer({ min: 1, max: 4 });
const alternatives = fc.uniqueArray(number, { minLength: 1, maxLength: 3 });
const filter = fc
  .record({
    addresses: fc.option(alternatives),
    topics: fc.array(fc.option(alternatives), { maxLength: 4 }),
  })
  .map(({ addresses, topics }) =>
    filterOf({
      address: addresses?.map(address) ?? null,
      topics: topics.map((choice) => choice?.map(topic) ?? null),
    }),
  );
const log = fc.record({ address: number, topics: fc.array(number, { maxLength: 4 }) });
/** Comes, or the one at this place leaves, or a log is asked for. */
const step = fc.oneof(
  filter.map((comes) => ({ comes })),
  fc.nat({ max: 20 }).map((leaves) => ({ leaves })),
  log.map((asks) => ({ asks })),
);

describe("the index of filters", () => {
  it("finds for any log exactly those that a test of each one finds, while they come and go", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const index = new FilterIndex<{ filter: LogFilter }>();
        const naive: { filter: LogFilter }[] = [];
        for (const one of steps) {
          if ("comes" in one) {
            naive.push({ filter: one.comes });
            index.add(naive.at(-1)!);
          } else if ("leaves" in one) {
            for (const gone of naive.splice(one.leaves, 1)) index.delete(gone);
          } else {
            const at = address(one.asks.address);
            const topics = one.asks.topics.map(topic);
            const found: { filter: LogFilter }[] = [];
            index.match(at, topics, found);
            const wanted = naive.filter((each) => matchesLog(each.filter, at, topics));
            expect(new Set(found)).toEqual(new Set(wanted));
            expect(found).toHaveLength(wanted.length);
          }
          expect(index.size).toBe(naive.length);
        }
      }),
      { numRuns: 500 },
    );
  });
});
