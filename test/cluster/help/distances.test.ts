import { describe, expect, it } from "vitest";
import { byDistance, Distances } from "../../../src/cluster/help/distances.ts";

describe("distances", () => {
  it("are what the operator says, else what was measured, smoothed", () => {
    const distances = new Distances({ us: 90 });
    expect([distances.of("us"), distances.of("ap")]).toEqual([90, undefined]);
    distances.measured("us", 20);
    distances.measured("ap", 100);
    distances.measured("ap", 200);
    expect([distances.of("us"), distances.of("ap")]).toEqual([90, 130]);
  });

  it("order regions: the nearest first, unknown ones last, equals by name", () => {
    const known = new Map([
      ["b", 10],
      ["a", 10],
      ["c", 5],
    ]);
    const regions = ["z", "b", "y", "a", "c"].map((region) => ({ region }));
    const order = byDistance(regions, (region) => known.get(region));
    expect(order.map(({ region }) => region)).toEqual(["c", "a", "b", "y", "z"]);
  });

  it("are kept of a bounded number of regions", () => {
    const distances = new Distances({});
    for (let region = 0; region < 1_000; region++) distances.measured(`r${region}`, region);
    expect(distances.of("r0")).toBeUndefined();
    expect(distances.of("r999")).toBe(999);
  });
});
