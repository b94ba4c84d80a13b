/** What comes from outside: its texts are part of the contract. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePolicy } from "../../src/pairing/policy.ts";
import { parseProvider } from "../../src/pairing/provider.ts";
import { parseRequest } from "../../src/pairing/request.ts";

const faults = (parsed: ReturnType<typeof parsePolicy> | ReturnType<typeof parseProvider>) =>
  parsed.ok ? [] : parsed.faults.map(({ path, message }) => `${path}: ${message}`);

describe("a policy from outside", () => {
  it("is read in camelCase and snake_case, with nothing required where nothing is said", () => {
    const expected = { requiredLocation: "US-East-1", requiredFeatures: ["SSL"], minStake: 7n };
    const camel = { requiredLocation: "US-East-1", requiredFeatures: ["SSL"], minStake: 7 };
    const snake = { required_location: " US-East-1 ", required_features: ["SSL"], min_stake: "7" };
    expect(parsePolicy(camel)).toEqual({ ok: true, value: expected });
    expect(parsePolicy(snake)).toEqual({ ok: true, value: expected });
    expect(parsePolicy({})).toEqual({
      ok: true,
      value: { requiredLocation: "", requiredFeatures: [], minStake: 0n },
    });
  });

  it("is refused in the words of the contract, each fault with its field", () => {
    expect(faults(parsePolicy(null))).toEqual(["policy: policy cannot be nil"]);
    expect(faults(parsePolicy({ minStake: -1 }))).toEqual([
      "policy.minStake: minimum stake cannot be negative",
    ]);
    expect(faults(parsePolicy({ requiredFeatures: ["a", " "], minStake: 0.5 }))).toEqual([
      "policy.requiredFeatures[1]: required features cannot contain empty strings",
      "policy.minStake: not a whole number",
    ]);
    expect(faults(parsePolicy({ requiredStake: 1 }))[0]).toContain("requiredStake: unknown field");
  });

  it("has an exact stake beyond 2^53 as text, and refuses numbers that are not", () => {
    const parsed = parsePolicy({ minStake: "9223372036854775807" });
    expect(parsed.ok && parsed.value.minStake).toBe(2n ** 63n - 1n);
    expect(faults(parsePolicy({ minStake: 2 ** 60 }))).toEqual([
      "policy.minStake: beyond 2^53 a number is not exact: send it as a decimal string",
    ]);
    expect(faults(parsePolicy({ minStake: "9223372036854775808" }))[0]).toContain("64 bits");
    expect(faults(parsePolicy({ minStake: Number.NaN }))).toHaveLength(1);
  });

  it("never throws, whatever comes", () => {
    fc.assert(
      fc.property(fc.anything(), (input) => {
        expect(typeof parseRequest(input).ok).toBe("boolean");
        expect(typeof parseRequest({ policy: input }).ok).toBe("boolean");
        expect(typeof parseProvider(input).ok).toBe("boolean");
      }),
    );
  });
});

describe("a provider from outside", () => {
  it("needs address, place and a stake from 0 on, and no blank features", () => {
    expect(faults(parseProvider(null))).toEqual([": provider cannot be nil"]);
    expect(faults(parseProvider({ stake: -1, features: [""] }))).toEqual([
      "address: provider address cannot be empty",
      "stake: provider stake cannot be negative",
      "location: provider location cannot be empty",
      "features[0]: provider features cannot contain empty strings",
    ]);
    const whole = { address: "a", stake: "12", location: "US", features: ["HTTP"] };
    expect(parseProvider(whole)).toEqual({ ok: true, value: { ...whole, stake: 12n } });
  });

  it("is given a name where it has none", () => {
    const parsed = parseProvider({ stake: 1, location: "US" }, () => "made up");
    expect(parsed).toEqual({
      ok: true,
      value: { address: "made up", stake: 1n, location: "US", features: [] },
    });
  });
});

describe("a request from outside", () => {
  it("says by `strategy` how picks are made, or which profile scores", () => {
    const read = (more: object) => {
      const parsed = parseRequest({ policy: {}, ...more });
      return parsed.ok ? { mode: parsed.value.mode, profile: parsed.value.profile } : parsed.faults;
    };
    expect(read({ strategy: "weighted" })).toEqual({ mode: "weighted", profile: undefined });
    expect(read({ strategy: "round-robin" })).toEqual({ mode: "roundRobin", profile: undefined });
    expect(read({ strategy: "pairing-strict" })).toEqual({
      mode: undefined,
      profile: "pairing-strict",
    });
    expect(read({ mode: "weighted", profile: "x" })).toEqual({ mode: "weighted", profile: "x" });
    expect(read({ mode: "best" })).toEqual([
      { path: "mode", message: "one of top, weighted, roundRobin" },
    ]);
  });

  it("is refused for a top that is no count, seeds that are none, and unknown fields", () => {
    const paths = (more: object) => {
      const parsed = parseRequest({ policy: {}, ...more });
      return parsed.ok ? [] : parsed.faults.map(({ path }) => path);
    };
    expect(paths({ top: 0 })).toEqual(["top"]);
    expect(paths({ top: 65 })).toEqual(["top"]);
    expect(paths({ topN: 64 })).toEqual([]);
    expect(paths({ seed: 1.5, explain: "yes", weights: { stake: "1" }, best: 1 })).toEqual([
      "best",
      "weights.stake",
      "seed",
      "explain",
    ]);
  });
});
