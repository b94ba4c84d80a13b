/** Definitions of isolated subtrees that can never start are refused where they are written. */
import { describe, expect, it } from "vitest";
import { type IsolatedOptions, supervisor } from "../../../src/otp/index.ts";
import { RateLimit } from "../../../src/otp/isolate/rate-limit.ts";

const module = new URL("./subtree.ts", import.meta.url);
const define = (options: unknown) => () => supervisor("box", options as IsolatedOptions);
const refusal = (text: string): unknown =>
  expect.objectContaining({
    code: "OTP_BAD_ISOLATION",
    message: expect.stringContaining(text) as string,
  });

describe("the definition of an isolated supervisor", () => {
  it("needs a module to come from", () => {
    expect(define({ isolate: "worker" })).toThrow(refusal("`from: { module, export, args }`"));
    expect(define({ isolate: "worker", from: { module: "./pool.ts" } })).toThrow(
      refusal('use new URL("./module.ts", import.meta.url)'),
    );
  });

  it("has no children here, and no other kind of isolation", () => {
    expect(define({ isolate: "worker", from: { module }, children: [] })).toThrow(
      refusal("children are made inside"),
    );
    expect(define({ isolate: "process", from: { module } })).toThrow(refusal('"worker"'));
    expect(define({ isolate: "worker", from: { module }, heapMb: 0 })).toThrow(refusal("heapMb"));
  });

  it("names the argument that cannot cross", () => {
    const args = { hooks: [{ onDone: () => {} }] };
    expect(define({ isolate: "worker", from: { module, args } })).toThrow(
      refusal("args.hooks[0].onDone (function)"),
    );
  });

  it("takes a URL or an absolute path, and has a deadline for start and stop", () => {
    const one = supervisor("box", { isolate: "worker", from: { module } });
    const two = supervisor("box", { isolate: "worker", from: { module: module.pathname } });
    expect(two.setup.isolation).toEqual(one.setup.isolation);
    expect([one.startTimeoutMs, one.shutdown, one.type]).toEqual([30_000, 5_000, "supervisor"]);
  });
});

describe("events of one name", () => {
  it("have a budget of their own in each second", () => {
    let nowMs = 0;
    const limit = new RateLimit(2, () => nowMs);
    const allowed = (name: string): boolean => limit.allows(name);
    expect(["a", "a", "a", "b"].map(allowed)).toEqual([true, true, false, true]);
    nowMs = 1_000;
    expect(allowed("a")).toBe(true);
  });
});
