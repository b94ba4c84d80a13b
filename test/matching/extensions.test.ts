/** Every scorer and every filter there is keeps the contract of its kind. */
import { describe } from "vitest";
import type { Provider } from "../../src/matching/provider.ts";
import { BUILT_IN } from "../../src/matching/scorers/built-in.ts";
import { customScorer } from "../../src/matching/scorers/custom.ts";
import { defaultProfiles } from "../../src/matching/scorers/profiles.ts";
import type { Scorer } from "../../src/matching/scorers/scorer.ts";
import { priceScorer } from "../../src/matching/scorers/signals.ts";
import { type FilterCase, filterSuite } from "../suites/filter.ts";
import { scorerSuite } from "../suites/scorer.ts";
import { indexOf } from "./worlds.ts";

const places = ["US-East-1", "US-West-1", "EU-West-1", "X", ""];
const labels = ["HTTP", "gRPC", "ssl", "Logging"];
const numbers = [0, 0.5, 1, 250, -1, Number.NaN, Infinity];
const schema = {
  name: "test",
  facts: ["priority", "price", "memMb"],
  signals: ["latencyMs", "reliability", "load", "race", "lagBlocks"],
};
const columns = [...schema.facts, ...schema.signals];
const provider = (i: number): Provider => ({
  id: `p${i}`,
  ...(i % 3 === 0 ? { owner: "ann" } : {}),
  location: places[i % places.length] ?? "",
  features: labels.filter((_, at) => (i >> at) % 2 === 1),
  stake: [0n, -5n, 1n, 10n ** 7n, 2n ** 63n - 1n][i % 5] ?? BigInt(i),
  states: i % 4 === 0 ? ["open"] : [],
  values: Object.fromEntries(
    columns.map((name, at) => [name, numbers[(i + at * 3) % numbers.length] ?? 0]),
  ),
});
const index = indexOf(
  Array.from({ length: 300 }, (_, i) => provider(i)),
  schema,
);
const at = (row: number): Provider => provider(Number(index.ids[row]?.slice(1)));

const scorers: readonly (readonly [string, Scorer])[] = [
  ...Object.entries(BUILT_IN),
  ["price", priceScorer(2)],
  ["custom", customScorer("even", "Even rows", (row) => (row % 2 === 0 ? 1 : 0.25))],
];

describe.each(scorers)("the scorer %s", (_, scorer) => {
  scorerSuite(scorer, index);
});

const outside = defaultProfiles();
outside.filters.set("even", { name: "even", isTransient: true, test: (row) => row % 2 === 0 });

const filters: readonly FilterCase[] = [
  {
    name: "location",
    isTransient: false,
    require: { location: [{ region: "US" }, "X"] },
    lets: (row) => /^US|^X/.test(at(row).location ?? ""),
  },
  {
    name: "features",
    isTransient: false,
    require: { features: { all: ["http"], any: ["grpc", "SSL"], none: ["logging"] } },
    lets: (row) => {
      const has = at(row).features ?? [];
      const isAny = has.includes("gRPC") || has.includes("ssl");
      return has.includes("HTTP") && isAny && !has.includes("Logging");
    },
  },
  {
    name: "stake",
    isTransient: false,
    require: { minStake: 10n ** 7n },
    lets: (row) => (at(row).stake ?? 0n) >= 10n ** 7n,
  },
  {
    name: "ids",
    isTransient: false,
    require: { ids: ["p3", "p4", "nobody"] },
    lets: (row) => ["p3", "p4"].includes(at(row).id),
  },
  {
    name: "owners",
    isTransient: false,
    require: { owners: ["ann"] },
    lets: (row) => at(row).owner === "ann",
  },
  {
    name: "exclude",
    isTransient: false,
    exclude: ["p0", "p9"],
    lets: (row) => !["p0", "p9"].includes(at(row).id),
  },
  {
    name: "capacity:memMb",
    isTransient: true,
    require: { resources: { memMb: 1 } },
    lets: (row) => (at(row).values?.["memMb"] ?? 0) >= 1,
  },
  {
    name: "health",
    isTransient: true,
    require: { health: { is: ["open"] } },
    lets: (row) => at(row).states?.includes("open") === true,
  },
  {
    name: "signal:latencyMs",
    isTransient: true,
    require: { signals: { latencyMs: { min: 0, max: 100 } } },
    lets: (row) => {
      const value = at(row).values?.["latencyMs"] ?? -1;
      return value >= 0 && value <= 100;
    },
  },
  {
    name: "signal:price",
    isTransient: false,
    require: { signals: { price: { max: 1 } } },
    lets: (row) => (at(row).values?.["price"] ?? 2) <= 1,
  },
  {
    name: "even",
    isTransient: true,
    require: { custom: ["even"] },
    profiles: outside,
    lets: (row) => row % 2 === 0,
  },
];

describe.each(filters)("the filter $name", (one) => {
  filterSuite(one, index);
});
