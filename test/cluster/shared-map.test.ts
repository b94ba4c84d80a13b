/** What regions share of one topic, from the one that writes it to one that reads it. */
import { describe, expect, it } from "vitest";
import { MAX_MESSAGE_BYTES } from "../../src/cluster/envelope.ts";
import type { Portion } from "../../src/cluster/own-map.ts";
import { SharedMap } from "../../src/cluster/shared-map.ts";

const SPEAKER = { region: "eu", instance: "i1", incarnation: 1 };
const MOST_KEYS = 20_000;
const LONGEST_KEY = 256;

const textMap = () =>
  new SharedMap<string>((value) => (typeof value === "string" ? value : undefined));

/** Takes portions as they come out of messages; false for those that were refused. */
const taken = (there: SharedMap<string>, portions: readonly Portion<string>[]) =>
  portions.map((portion) => there.take(SPEAKER, JSON.parse(JSON.stringify(portion))));

describe("a topic that regions share", () => {
  it("goes on without the keys that are too long, and counts them", () => {
    const [here, there] = [textMap(), textMap()];
    const longest = "k".repeat(LONGEST_KEY);
    for (const key of ["a", `${longest}k`, longest]) here.own.set(key, "v");
    expect(taken(there, here.own.next(0))).toEqual([true]);
    here.own.set(`${longest}k`, "w");
    here.own.set("b", "v");
    expect(taken(there, here.own.next(100))).toEqual([true]);
    expect([...(there.entriesOf("eu")?.keys() ?? [])].sort()).toEqual(["a", "b", longest]);
    expect([here.own.size, here.own.dropped]).toEqual([3, 2]);
  });

  it("is refused once its parts hold more than fits, before the last one is here", () => {
    const there = textMap();
    const part = (at: number): Portion<string> => ({
      form: "whole",
      to: MOST_KEYS * 2,
      part: at,
      parts: 400,
      changes: Array.from({ length: 9_000 }, (_, n) => [`k${at}-${n}`, n, "v"]),
    });
    expect(taken(there, [0, 0, 1, 2].map(part))).toEqual([true, true, true, false]);
    expect(there.sizeOf("eu")).toBe(0);
  });

  for (const [kind, char] of [
    ["ASCII", "k"],
    ["three bytes", "鍵"],
    ["escapes", "\u0001"],
  ] as const) {
    it(`arrives in messages of the right weight when full of the longest keys of ${kind}`, () => {
      const [here, there] = [textMap(), textMap()];
      for (let at = 0; at < MOST_KEYS; at++) {
        here.own.set(String(at).padStart(LONGEST_KEY, char), char.repeat(64));
      }
      const portions = here.own.next(0);
      const weights = portions.map((one) => Buffer.byteLength(JSON.stringify(one)));
      expect(Math.max(...weights)).toBeLessThan(MAX_MESSAGE_BYTES / 2);
      expect(taken(there, portions).filter((isTaken) => !isTaken)).toEqual([]);
      expect(there.sizeOf("eu")).toBe(MOST_KEYS);
    });
  }
});
