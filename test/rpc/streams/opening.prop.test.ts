/** Whoever speaks first, and in whatever order: history is that of most providers. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { Recorder, block, chain } from "./follower-kit.ts";

const SEED = Number(process.env["STREAMS_SEED"] ?? 1);
const HEALTHY = ["p1", "p2", "p3"] as const;
const STRAYS = ["s1", "s2"] as const;
const START = 100;
/** Word of most has come by then, since the first has spoken. */
const MOMENT_MS = 700;

const real = chain("a", 0, START + 80);
const healthy = fc.constantFrom(...HEALTHY);
const strayed = fc.record({
  /** Where the branch of both leaves the chain; 0: it never was on it. */
  fork: fc.constantFrom(0, 0, 40, 90, 97),
  start: fc.constantFrom(60, 98, 99, 100, 101, 103, 150, 300),
});
const voice = fc.oneof(
  fc.record({ source: healthy, by: fc.constantFrom(1, 1, 2) }),
  fc.record({ source: fc.constantFrom(...STRAYS), by: fc.constantFrom(1, 1, 2) }),
);
const step = fc.record({
  voice,
  isAnswered: fc.boolean(),
  waitMs: fc.constantFrom(0, 0, 250, 500),
});

it("never tells of a branch that most providers are not on, and closes nobody", () => {
  fc.assert(
    fc.property(
      strayed,
      fc.shuffledSubarray([...HEALTHY, ...STRAYS, ...STRAYS], { minLength: 7 }),
      fc.array(step, { maxLength: 40 }),
      ({ fork, start }, first, steps) => {
        const r = new Recorder({ voters: 5, witnessMs: 10_000 }).watched();
        const from = Math.min(start, fork === 0 ? start : fork + 1);
        const stray = chain("x", from, 500 - from).map((head) =>
          head.number === fork + 1 ? block(head.hash, head.number, `a${fork}`) : head,
        );
        r.knows([...(fork === 0 ? chain("x", 0, from) : []), ...stray, ...real]);
        const heights = new Map<string, number>();
        const say = (source: string, by: number): void => {
          const isStray = source.startsWith("s");
          const number = (heights.get(source) ?? (isStray ? start : START) - 1) + by;
          // Nobody healthy runs away from the others.
          const least = Math.min(...HEALTHY.map((name) => heights.get(name) ?? START));
          if (!isStray && number > least + 3) return;
          heights.set(source, number);
          r.head(source, isStray ? stray[number - from] : real[number]);
        };
        for (const [i, source] of first.entries()) {
          say(source, 1);
          if (i % 2 === 0) r.answer();
          r.now += MOMENT_MS / first.length;
        }
        for (const { voice: told, isAnswered, waitMs } of steps) {
          say(told.source, told.by);
          if (isAnswered) r.answer();
          r.wait(waitMs);
        }
        // At last all healthy ones tell of one block.
        const top = Math.max(...HEALTHY.map((name) => heights.get(name) ?? START)) + 1;
        for (const source of HEALTHY) r.head(source, real[top]);
        r.answer();
        r.wait(250);
        r.answer();
        const seen = r.heads().map((hash) => Number(hash.slice(1)));
        expect(r.heads().filter((hash) => !hash.startsWith("a"))).toEqual([]);
        expect(seen).toEqual(seen.map((_, i) => (seen[0] ?? 0) + i));
        expect(seen.at(-1)).toBe(top);
        expect(r.events.filter((event) => event.startsWith("gap"))).toEqual([]);
      },
    ),
    { numRuns: 200, seed: SEED },
  );
});
