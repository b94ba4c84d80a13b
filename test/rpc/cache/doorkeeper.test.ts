import { describe, expect, it } from "vitest";
import { Doorkeeper } from "../../../src/rpc/cache/doorkeeper.ts";

const WINDOW = 4_096;

/** A window of keys that are asked for once each. */
const strangers = (door: Doorkeeper, name: string, count = WINDOW): number => {
  let admitted = 0;
  for (let at = 0; at < count; at++) if (door.admits(`${name} ${at}`)) admitted++;
  return admitted;
};

describe("the doorkeeper of short-lived answers", () => {
  it("keeps everything at first", () => {
    const door = new Doorkeeper();
    expect(strangers(door, "a", WINDOW - 1)).toBe(WINDOW - 1);
    expect(door.isPicky).toBe(false);
  });

  it("keeps everything as long as one answer in fifty is asked for again", () => {
    const door = new Doorkeeper();
    for (let round = 0; round < 5; round++) {
      for (let at = 0; at < WINDOW / 50 + 1; at++) door.wasUseful();
      expect(strangers(door, `round ${round}`)).toBe(WINDOW);
    }
  });

  it("keeps only what is asked for twice once nobody comes back", () => {
    const door = new Doorkeeper();
    strangers(door, "a");
    expect(door.isPicky).toBe(true);
    expect(strangers(door, "b", 1_000)).toBeLessThan(100);
    expect(strangers(door, "b", 1_000)).toBe(1_000);
  });

  it("remembers who was there in the window before, and forgets those of older ones", () => {
    const door = new Doorkeeper();
    strangers(door, "a");
    expect(door.admits("my balance")).toBe(false);
    strangers(door, "b");
    expect(door.admits("my balance")).toBe(true);
    strangers(door, "c");
    strangers(door, "d");
    strangers(door, "e");
    expect(door.admits("my balance")).toBe(false);
  });

  it("keeps everything again when callers come back", () => {
    const door = new Doorkeeper();
    strangers(door, "a");
    expect(door.isPicky).toBe(true);
    for (let round = 0; round < 3; round++) strangers(door, "the same few", 2_000);
    expect(door.isPicky).toBe(false);
  });
});
