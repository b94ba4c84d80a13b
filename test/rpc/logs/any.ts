/** Any chains of logs and any limits of nodes, for properties of the planner. */
import fc from "fast-check";
import { logAt, type NodeLimits, type TestLog } from "./chain.ts";

/** What a log may be like, and the block that it stands in. */
type Place = Parameters<typeof logAt>[2] & { readonly block: number };

/** Logs at such places: numbered within their block, in order. */
export const anyLogs = (place: fc.Arbitrary<Place>, maxLength: number): fc.Arbitrary<TestLog[]> =>
  fc.array(place, { maxLength }).map((places) => {
    const next = new Map<number, number>();
    return places
      .toSorted((a, b) => a.block - b.block)
      .map(({ block, ...what }) => {
        const index = next.get(block) ?? 0;
        next.set(block, index + 1);
        return logAt(block, index, what);
      });
  });

/** A bound of a node. */
interface Span {
  readonly min: number;
  readonly max: number;
}

/** A node that serves so many blocks and so many logs at once, or does not mind. */
export const anyLimits = (blocks: Span, results: Span): fc.Arbitrary<NodeLimits> =>
  fc.record(
    {
      blocks: fc.integer(blocks),
      results: fc.integer(results),
      addresses: fc.integer({ min: 1, max: 5 }),
      hints: fc.boolean(),
    },
    { requiredKeys: [] },
  );
