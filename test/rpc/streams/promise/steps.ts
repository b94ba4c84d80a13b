/** What may happen in a run of the model, and how likely each of it is. */
import fc from "fast-check";
import { ADDRESSES } from "./chain-model.ts";

/** A way in which providers may be bad. */
export type Fault =
  | "drop"
  | "repeat"
  | "reorder"
  | "lie"
  | "invent"
  | "change"
  | "fail"
  | "partial"
  | "lag";

/** Every fault but lies about logs. */
export const FAULTS: readonly Fault[] = [
  "drop",
  "repeat",
  "reorder",
  "lie",
  "fail",
  "partial",
  "lag",
];

/** Something that happens. */
export type Step =
  | { readonly do: "grow"; readonly count: number }
  | { readonly do: "reorg"; readonly depth: number }
  | { readonly do: "back" }
  /** Two branches replace each other, and everybody sees it each time. */
  | { readonly do: "flip"; readonly times: number; readonly lateMs: number }
  | {
      readonly do: "see";
      readonly provider: number;
      readonly lateMs: number;
      readonly isTerse: boolean;
      readonly areLogsFirst: boolean;
    }
  | { readonly do: "down"; readonly provider: number }
  | { readonly do: "up"; readonly provider: number }
  | { readonly do: "lie"; readonly kind: "sibling" | "child" | "far" | "height" | "parent" }
  | { readonly do: "invent"; readonly index: number }
  | { readonly do: "wait"; readonly ms: number }
  /** "half-told": the hub, as soon as a client has been told a part of the next block. */
  | { readonly do: "kill"; readonly what: "hub" | "aggregator" | "half-told" }
  | { readonly do: "subscribe"; readonly address: string | undefined };

const provider = fc.integer({ min: 0, max: 2 });
const depth = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 1, arbitrary: fc.integer({ min: 5, max: 64 }) },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("grow" as const),
      count: fc.constantFrom(1, 1, 1, 2, 5),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("grow" as const),
      count: fc.integer({ min: 10, max: 70 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("reorg" as const), depth }) },
  { weight: 1, arbitrary: fc.constant({ do: "back" as const }) },
  {
    weight: 16,
    arbitrary: fc.record({
      do: fc.constant("see" as const),
      provider,
      lateMs: fc.constantFrom(0, 0, 20, 300, 3_000),
      isTerse: fc.boolean(),
      areLogsFirst: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("down" as const), provider }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("up" as const), provider }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("lie" as const),
      kind: fc.constantFrom("sibling", "child", "child", "far", "height", "parent"),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      ms: fc.constantFrom(10, 100, 500, 1_000, 4_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("kill" as const),
      what: fc.constantFrom("hub", "aggregator", "half-told", "half-told"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("subscribe" as const),
      address: fc.constantFrom(undefined, ...ADDRESSES),
    }),
  },
);

/** A provider tells of a log that a block does not have, late or early. */
const lie: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("invent" as const),
  index: fc.integer({ min: 0, max: 6 }),
});

/** A run with lies about logs among its happenings. */
export const lyingSteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof({ weight: 1, arbitrary: lie }, { weight: 20, arbitrary: step }),
  { maxLength: 60 },
);

const flip: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("flip" as const),
  times: fc.integer({ min: 2, max: 5 }),
  lateMs: fc.constantFrom(0, 0, 1_000),
});

/** A run in which branches come back again and again. */
export const flippingSteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof({ weight: 1, arbitrary: flip }, { weight: 10, arbitrary: step }),
  { maxLength: 40 },
);

/** A few happenings. */
export const fewSteps: fc.Arbitrary<readonly Step[]> = fc.array(step, { maxLength: 60 });

/** A run's happenings: few mostly, which show a fault best, and many now and then. */
export const steps: fc.Arbitrary<readonly Step[]> = fc.oneof(
  { weight: 9, arbitrary: fewSteps },
  { weight: 1, arbitrary: fc.array(step, { maxLength: 60, size: "max" }) },
);
