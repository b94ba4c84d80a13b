import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  emptyReplica,
  type Entry,
  isLater,
  join,
  type Replica,
} from "../../src/cluster/replica.ts";

/** What one instance of a region did: keys set to values, or deleted. */
interface Life {
  readonly incarnation: number;
  readonly instance: string;
  readonly changes: readonly (readonly [key: string, value: number | undefined])[];
}

const life = (incarnation: number, instance: string): fc.Arbitrary<Life> =>
  fc
    .array(
      fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.option(fc.nat(9), { nil: undefined })),
      {
        maxLength: 14,
      },
    )
    .map((changes) => ({ incarnation, instance, changes }));

const lives = fc
  .tuple(life(1, "m"), life(1, "z"), life(2, "a"))
  .chain((all) => fc.subarray([...all], { minLength: 1 }));

/** The changes (from, to], or with `from` 0 and `isWhole` the map as it stood at `to`. */
const pieceOf = ({ incarnation, instance, changes }: Life, cut: Cut): Replica<number> => {
  const [low, high] = [cut.from, cut.to].map((share) => Math.round(share * changes.length)) as [
    number,
    number,
  ];
  const [from, to] = low < high ? [low, high] : [high, low];
  const entries = new Map<string, Entry<number>>();
  for (const [at, [key, value]] of changes.entries()) {
    const sequence = at + 1;
    if (sequence > to || (!cut.isWhole && sequence <= from)) continue;
    if (cut.isWhole && value === undefined) entries.delete(key);
    else entries.set(key, { sequence, value });
  }
  return { region: "r", incarnation, instance, floor: cut.isWhole ? to : 0, entries };
};

interface Cut {
  readonly life: number;
  readonly from: number;
  readonly to: number;
  readonly isWhole: boolean;
}

const cut: fc.Arbitrary<Cut> = fc.record({
  life: fc.nat(99),
  from: fc.double({ min: 0, max: 1, noNaN: true }),
  to: fc.double({ min: 0, max: 1, noNaN: true }),
  isWhole: fc.boolean(),
});

const piecesOf = (all: readonly Life[], cuts: readonly Cut[]): readonly Replica<number>[] =>
  cuts.map((one) => pieceOf(all[one.life % all.length] as Life, one));

const nothing = (): Replica<number> => emptyReplica({ region: "r", incarnation: 0, instance: "" });

const joined = (pieces: readonly Replica<number>[]): Replica<number> =>
  pieces.reduce((known, piece) => join(known, copied(piece)), nothing());

const copied = (piece: Replica<number>): Replica<number> => ({
  ...piece,
  entries: new Map(piece.entries),
});

const shown = ({ incarnation, instance, floor, entries }: Replica<number>) => ({
  incarnation,
  instance,
  floor,
  entries: [...entries].sort(([a], [b]) => (a < b ? -1 : 1)),
});

const mapOf = ({ changes }: Life): readonly (readonly [string, number])[] => {
  const map = new Map<string, number>();
  for (const [key, value] of changes) {
    if (value === undefined) map.delete(key);
    else map.set(key, value);
  }
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
};

describe("replicas of what one region writes", () => {
  it("come out the same in any order, with any piece twice", () => {
    fc.assert(
      fc.property(
        lives,
        fc.array(cut, { maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        (all, cuts, chance) => {
          const pieces = piecesOf(all, cuts);
          const draw = () => chance.next().value as number;
          const others = [...pieces, ...pieces.filter(() => draw() % 3 === 0)]
            .map((piece) => ({ piece, at: draw() }))
            .sort((a, b) => a.at - b.at)
            .map(({ piece }) => piece);
          expect(shown(joined(others))).toEqual(shown(joined(pieces)));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("come out the same however pieces were gathered before", () => {
    fc.assert(
      fc.property(
        lives,
        fc.tuple(...[0, 1, 2].map(() => fc.array(cut, { maxLength: 6 }))),
        (all, [x = [], y = [], z = []]) => {
          const [a, b, c] = [x, y, z].map((cuts) => joined(piecesOf(all, cuts))) as [
            Replica<number>,
            Replica<number>,
            Replica<number>,
          ];
          const both = (one: Replica<number>, other: Replica<number>) =>
            join(copied(one), copied(other));
          expect(shown(both(both(a, b), c))).toEqual(shown(both(a, both(b, c))));
          expect(shown(both(a, b))).toEqual(shown(both(b, a)));
          expect(shown(both(a, a))).toEqual(shown(a));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("are the latest instance's map once its whole map has come, whatever was lost before", () => {
    fc.assert(
      fc.property(lives, fc.array(cut, { maxLength: 12 }), fc.nat(12), (all, cuts, at) => {
        const latest = all.reduce((best, one) => (isLater(one, best) ? one : best));
        const whole = pieceOf(latest, { life: 0, from: 0, to: 1, isWhole: true });
        const pieces = [...piecesOf(all, cuts)];
        pieces.splice(at, 0, whole);
        const { entries } = joined(pieces);
        const live = [...entries].flatMap(([key, { value }]) =>
          value === undefined ? [] : [[key, value] as const],
        );
        expect(live.sort(([a], [b]) => (a < b ? -1 : 1))).toEqual(mapOf(latest));
      }),
      { numRuns: 1_000 },
    );
  });
});
