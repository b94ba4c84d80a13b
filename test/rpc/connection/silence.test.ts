import { describe, expect, it } from "vitest";
import { Silence } from "../../../src/rpc/connection/silence.ts";

const heard = (atMs: number): Silence => {
  const silence = new Silence();
  silence.broken(atMs);
  return silence;
};

describe("the silence of a provider's heads", () => {
  it("is looked into after three block times, not before 10 s", () => {
    expect(heard(0).look(10_000, 1_000)).toBeUndefined();
    expect(heard(0).look(10_001, 1_000)).toBe("ask");
    expect(heard(0).look(36_000, 12_000)).toBeUndefined();
    expect(heard(0).look(36_001, 12_000)).toBe("ask");
  });

  it("is death when the chain has gone on by two blocks, as the provider or others say", () => {
    for (const [named, tip] of [
      [12, 10],
      [10, 12],
      [undefined, 12],
    ] as const) {
      const silence = heard(0);
      silence.look(11_000, 1_000);
      expect(silence.told(named, { pushed: 10, tip }, 11_000)).toBe(true);
    }
  });

  it("is none of its doing when the chain stands still, and is looked into again later", () => {
    const silence = heard(0);
    silence.look(11_000, 1_000);
    expect(silence.told(10, { pushed: 10, tip: 10 }, 11_000)).toBe(false);
    expect(silence.look(21_000, 1_000)).toBeUndefined();
    expect(silence.look(21_001, 1_000)).toBe("ask");
  });

  it("gives one block ahead the time to arrive, once", () => {
    const silence = heard(0);
    silence.look(11_000, 1_000);
    expect(silence.told(11, { pushed: 10, tip: 10 }, 11_000)).toBe(false);
    silence.look(22_000, 1_000);
    expect(silence.told(12, { pushed: 10, tip: 10 }, 22_000)).toBe(true);
  });

  it("knows of no progress before the second answer where no head was ever pushed", () => {
    const silence = heard(0);
    silence.look(11_000, 1_000);
    expect(silence.told(100, { pushed: -1, tip: -1 }, 11_000)).toBe(false);
    silence.look(22_000, 1_000);
    expect(silence.told(101, { pushed: -1, tip: -1 }, 22_000)).toBe(true);
  });

  it("is death also when the question is not answered within 5 s", () => {
    const silence = heard(0);
    expect(silence.look(11_000, 1_000)).toBe("ask");
    expect(silence.look(15_999, 1_000)).toBeUndefined();
    expect(silence.look(16_000, 1_000)).toBe("silent");
    expect(silence.told(10, { pushed: 10, tip: 10 }, 17_000)).toBe(false);
  });

  it("is over with the next head", () => {
    const silence = heard(0);
    silence.look(11_000, 1_000);
    silence.broken(12_000);
    expect(silence.told(50, { pushed: 10, tip: 50 }, 12_001)).toBe(false);
    expect(silence.look(22_000, 1_000)).toBeUndefined();
  });
});
